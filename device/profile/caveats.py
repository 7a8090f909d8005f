"""Caveats of a profile: everything that makes its figures differ from those of the worn device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deseptr.device.host.board import BoardState, Throttled

BUSY_SHARE = 0.5


def find_caveats(
    machine: dict[str, Any], sensor: dict[str, Any], before: BoardState, after: BoardState, *, real_time: bool
) -> list[str]:
    """One sentence per caveat, the most serious first; none for an idle, cool board at full clock with a real sensor.

    Args:
        machine: as :func:`deseptr.device.describe_machine` has it, with ``load_average`` and ``processors``.
        sensor: the session's description of its sensor.
        before: the board before the first window.
        after: the board after the last one.
        real_time: whether the waits took real time, not a virtual clock's.
    """
    return [
        *_processor(machine),
        *_throttling(before.throttled, after.throttled),
        *_governor(after),
        *_bus(sensor, real_time),
        *_load(machine),
    ]


def _processor(machine: dict[str, Any]) -> Iterator[str]:
    if machine["emulated"]:
        yield "emulated processor: these durations are the emulator's, not the latencies of any device"


def _throttling(before: Throttled | None, after: Throttled | None) -> Iterator[str]:
    now = [*(before.now if before else ()), *(after.now if after else ())]
    if now:
        yield f"the board was held back while this was measured: {', '.join(dict.fromkeys(now))}"
    since_boot = [flag for flag in (after.since_boot if after else ()) if flag not in now]
    known = before.since_boot if before else ()
    fresh = [flag for flag in since_boot if flag not in known]
    old = [flag for flag in since_boot if flag in known]
    if fresh:
        yield f"the board was held back for a time while this was measured: {', '.join(fresh)}"
    if old:
        # The firmware keeps the flag until the next boot.
        yield f"held back before, since boot: {', '.join(old)}; whether again during the measurement is unknown"


def _governor(board: BoardState) -> Iterator[str]:
    if board.governor not in (None, "performance"):
        yield (
            f"clock governor {board.governor}: a short inference may run before the clock has risen, and another "
            "load may raise it; `performance` gives figures that repeat"
        )


def _bus(sensor: dict[str, Any], real_time: bool) -> Iterator[str]:
    if sensor["simulated"]:
        yield "simulated bus: `read` is the time for simulating a sensor on this machine, not for a transfer on wires"
    if not real_time:
        yield "virtual time: the loop never slept, so the processor was never idle and wake-ups have no jitter"


def _load(machine: dict[str, Any]) -> Iterator[str]:
    load, processors = machine.get("load_average"), machine.get("processors")
    if load is not None and processors and load > BUSY_SHARE * processors:
        yield f"the machine was busy beforehand: load {load:.1f} on {processors} processors"
