"""Random lists of faults; the same seed gives the same list.

The faults form a Poisson process with a given number of events: their times are independent and uniform, except that
none begins while another one lasts, so that they can be distinguished. Recoveries may overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from deseptr.contract import SetupError
from deseptr.contract.counts import counted
from deseptr.firmware_harness.simulator.faults.bus_faults import (
    BitFlipRead,
    BitFlipWrite,
    BrokenTransfer,
    Nack,
    StuckBus,
)
from deseptr.firmware_harness.simulator.faults.chip_faults import BrownOut, Hang, Overflow, RegisterUpset
from deseptr.firmware_harness.simulator.faults.fault import Fault
from deseptr.firmware_harness.simulator.faults.toml import KINDS

# About the number of transfers of a poll: any of them may be hit, not only the first.
TRANSFERS = 8

Draw = Callable[[np.random.Generator], Fault]


def _between(rng: np.random.Generator, least: float, most: float) -> float:
    """Uniform on a logarithmic scale, to the millisecond."""
    return round(float(np.exp(rng.uniform(np.log(least), np.log(most)))), 3)


def _nack(rng: np.random.Generator) -> Fault:
    if rng.random() < 0.3:
        return Nack(transfers=int(rng.integers(1, 8)))
    return Nack(duration_s=_between(rng, 0.005, 5))


def _broken_transfer(rng: np.random.Generator) -> Fault:
    if rng.random() < 0.7:
        return BrokenTransfer(fifo=True, consumed=int(rng.integers(0, 240)))
    return BrokenTransfer(after=int(rng.integers(0, TRANSFERS)), consumed=int(rng.integers(0, 240)))


def _bit_flip_read(rng: np.random.Generator) -> Fault:
    if rng.random() < 0.3:
        return BitFlipRead(fifo=True)
    return BitFlipRead(after=int(rng.integers(0, TRANSFERS)))


# Draws a fault of each kind; durations in seconds.
DRAWS: dict[str, Draw] = {
    Nack.kind: _nack,
    StuckBus.kind: lambda rng: StuckBus(duration_s=_between(rng, 0.02, 3)),
    BrokenTransfer.kind: _broken_transfer,
    BitFlipRead.kind: _bit_flip_read,
    BitFlipWrite.kind: lambda rng: BitFlipWrite(after=int(rng.integers(0, TRANSFERS))),
    RegisterUpset.kind: lambda rng: RegisterUpset(),
    BrownOut.kind: lambda rng: BrownOut(duration_s=_between(rng, 0.002, 2)),
    Hang.kind: lambda rng: Hang(),
    Overflow.kind: lambda rng: Overflow(duration_s=_between(rng, 0.2, 20)),
}
# Shares by the frequency of users' reports: wiring first, then the host, then the chip.
DEFAULT_MIX: dict[str, float] = {
    Nack.kind: 0.25,
    BrokenTransfer.kind: 0.20,
    BitFlipRead.kind: 0.15,
    Overflow.kind: 0.10,
    BrownOut.kind: 0.10,
    RegisterUpset.kind: 0.08,
    StuckBus.kind: 0.05,
    Hang.kind: 0.04,
    BitFlipWrite.kind: 0.03,
}


def draw_faults(
    seed: int,
    duration_s: float,
    count: int,
    mix: Mapping[str, float] | None = None,
    *,
    quiet_s: float = 0.0,
    begin_s: float = 0.0,
) -> list[Fault]:
    """``count`` random faults within ``duration_s``, sorted by time.

    Args:
        seed: seed of all draws.
        duration_s: time in which all faults begin and end.
        count: number of faults.
        mix: share of each kind; :data:`DEFAULT_MIX` if None.
        quiet_s: time without faults at the beginning and after each fault.
        begin_s: begin of ``duration_s``.

    Raises:
        SetupError: if a kind cannot be drawn, or the faults last longer than ``duration_s`` together.

    >>> [fault.kind for fault in draw_faults(seed=1, duration_s=600, count=3)]
    ['bit-flip-read', 'hang', 'nack']
    """
    mix = DEFAULT_MIX if mix is None else mix
    _check_mix(mix)
    rng = np.random.default_rng(seed)
    shares = np.array(list(mix.values()), float)
    kinds = rng.choice(len(shares), size=count, p=shares / shares.sum())
    faults = [DRAWS[list(mix)[kind]](rng) for kind in kinds]
    busy_s = np.array([held_s(fault) + quiet_s for fault in faults])
    free_s = duration_s - busy_s.sum() - quiet_s
    if free_s < 0:
        raise SetupError(
            "fault campaign",
            found=f"{counted(count, 'fault that takes', 'faults that take')} {busy_s.sum():.0f} s together",
            expected=f"at most {duration_s:.0f} s",
            next_step="draw fewer, or over a longer time",
        )
    # Sorted uniform times within the free time, each delayed by the duration of the faults before.
    at_s = begin_s + quiet_s + np.sort(rng.uniform(0, free_s, count)) + np.concatenate(([0.0], np.cumsum(busy_s)[:-1]))
    return [replace(fault, at_s=round(float(moment), 6)) for fault, moment in zip(faults, at_s, strict=True)]


def held_s(fault: Fault) -> float:
    """Declared duration of a fault; 0 if it ends at once or after a number of transfers.

    >>> from deseptr.firmware_harness.simulator import BrownOut
    >>> held_s(BrownOut(at_s=3, duration_s=0.5))
    0.5
    """
    return float(getattr(fault, "duration_s", 0.0))


def _check_mix(mix: Mapping[str, float]) -> None:
    for kind, share in mix.items():
        if kind not in DRAWS or not share >= 0:
            raise SetupError(
                "fault campaign",
                found=f"{share} of {kind}",
                expected=f"a share of at least 0 of {', '.join(kind for kind in KINDS if kind in DRAWS)}",
                next_step="change the mix",
            )
    if not sum(mix.values()) > 0:
        raise SetupError("fault campaign", found="an empty mix", expected="some share", next_step="name a kind")
