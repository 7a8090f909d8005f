"""Common part of all simulated chips: a sample clock of their own, a record of every sample, and faults.

:class:`SimulatedChip` is the interface for the bus, the injected faults and tests; :class:`Chip` is the base class to
which a chip's module adds the register map. Nothing here knows a register. Samples are taken lazily: at each access, a
chip reads the clock and takes all samples at once that have come due at exact multiples of its period.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypedDict, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource


@dataclass(frozen=True, slots=True)
class SampleRun:
    """Consecutive samples that a chip put, or tried to put, into its FIFO.

    Args:
        index: number of the first one, counted from the chip's first power-up on.
        first_ns: time of the first one, on the chip's clock.
        period_ns: time from each to the next.
        count: number of samples.
    """

    index: int
    first_ns: int
    period_ns: int
    count: int

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """Time of each sample, int64 ``[count]``."""
        return self.first_ns + self.period_ns * np.arange(self.count, dtype=np.int64)


class SimulatedDevice(Protocol):
    """A device on a virtual bus."""

    def read(self, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on."""
        ...

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on."""
        ...


@runtime_checkable
class BridgingDevice(Protocol):
    """A device that can connect a bus of its own to the host's."""

    def behind(self, address: int) -> SimulatedDevice | None:
        """The device at an address of its own bus, while that is connected to the host's."""
        ...


@runtime_checkable
class SimulatedChip(SimulatedDevice, Protocol):
    """A motion sensor on a virtual bus that can be made to fail.

    Every fault method acts at ``at_ns`` on the chip's clock, which may be in the past if nothing has accessed the chip
    since; None is now.
    """

    @property
    def exhausted(self) -> bool:
        """Whether the source has ended, so that no more samples come."""
        ...

    @property
    def samples_taken(self) -> int:
        """Samples that it has put, or tried to put, into its FIFO since the first power-up."""
        ...

    @property
    def fifo_register(self) -> int:
        """Register that streams the FIFO's data."""
        ...

    @property
    def registers(self) -> Sequence[int]:
        """Registers whose bits :meth:`upset` may flip; in a chip with banks, the bank in bits 8 and up."""
        ...

    def power_cycle(self, at_ns: int | None = None) -> None:
        """Lose power: registers at their reset values, FIFO empty, asleep."""
        ...

    def upset(self, register: int, bit: int, at_ns: int | None = None) -> None:
        """Flip a bit of the register memory, as radiation or a supply spike does."""
        ...

    def hang(self, at_ns: int | None = None) -> None:
        """Keep answering but take no sample until the next reset or power-up."""
        ...

    def detune(self, rate_error: float, at_ns: int | None = None) -> None:
        """Make the oscillator run fast by the share ``rate_error``: 0.05 is 5 % fast, -0.05 is 5 % slow."""
        ...

    def impersonate(self, who_am_i: int) -> None:
        """Give ``who_am_i`` as its identity from now on."""
        ...


class ChipOptions(TypedDict, total=False):
    """Arguments of :class:`Chip` besides source, clock and identity."""

    temperature_c: float
    reset_ns: int
    rate_error: float
    stuck_bits: dict[int, int] | None
    on_samples: Callable[[SampleRun], None] | None


class Chip(ABC):
    """Base class of the simulated chips.

    The source begins with the first sample that enters the FIFO, so that sample k after the first start is the source
    at k sample periods. From then on it runs by itself: a wearer does not wait for a chip that is being reset.

    A subclass calls :meth:`_advance` at the beginning of every read and write, :meth:`_restart_samples` if a write
    restarts the sample clock, and :meth:`_power_up` on a reset; its identity register gives ``self.who_am_i``.

    Args:
        source: the signals that it measures.
        clock: its clock.
        who_am_i: value of its identity register.
        temperature_c: temperature of the chip.
        reset_ns: duration of a reset by register.
        rate_error: share by which its oscillator is fast.
        stuck_bits: bits, by register, that ignore writes, to simulate a broken chip.
        on_samples: called with every run of samples that enters the FIFO, whether or not there is room.
    """

    # Largest number of samples in the FIFO, plus one: of a longer stretch, only that many need to be computed.
    longest_stretch: ClassVar[int]
    fifo_register: ClassVar[int]
    registers: ClassVar[Sequence[int]]

    def __init__(
        self,
        source: SignalSource,
        clock: Clock,
        *,
        who_am_i: int,
        temperature_c: float = 25.0,
        reset_ns: int = 50_000_000,
        rate_error: float = 0.0,
        stuck_bits: dict[int, int] | None = None,
        on_samples: Callable[[SampleRun], None] | None = None,
    ) -> None:
        self.who_am_i = who_am_i
        self._source = source
        self._clock = clock
        self._temperature_c = temperature_c
        self._reset_ns = reset_ns
        self._rate_error = rate_error
        self._stuck_bits = stuck_bits or {}
        self._on_samples = on_samples
        self._source_begun_ns: int | None = None
        self._samples_taken = 0
        self._next_sample_ns = 0
        self._hung = False
        self._power_up()

    @property
    def exhausted(self) -> bool:
        """Whether the source has ended, so that no more samples come."""
        if self._source_begun_ns is None or self._source.duration_ns is None:
            return False
        return self._clock.now_ns() >= self._source_begun_ns + self._source.duration_ns

    @property
    def samples_taken(self) -> int:
        """Samples that it has put, or tried to put, into its FIFO since the first power-up."""
        return self._samples_taken

    @property
    def source_begun_ns(self) -> int | None:
        """Time at which the source began, on the chip's clock; None before."""
        return self._source_begun_ns

    @property
    def rate_error(self) -> float:
        """Share by which the oscillator is fast."""
        return self._rate_error

    @property
    def true_period_ns(self) -> int:
        """Sample period of this chip's own oscillator, to the nearest nanosecond."""
        return round(self.period_ns / (1 + self._rate_error))

    def power_cycle(self, at_ns: int | None = None) -> None:
        """Lose power: registers at their reset values, FIFO empty, asleep."""
        self._advance(at_ns)
        self._power_up()

    def upset(self, register: int, bit: int, at_ns: int | None = None) -> None:
        """Flip a bit of the register memory."""
        self._advance(at_ns)
        before = self.period_ns if self._sampling else None
        self._flip(register, bit)
        if self._sampling and self.period_ns != before:
            self._restart_samples(at_ns)

    def hang(self, at_ns: int | None = None) -> None:
        """Keep answering but take no sample until the next reset or power-up."""
        self._advance(at_ns)
        self._hung = True

    def detune(self, rate_error: float, at_ns: int | None = None) -> None:
        """Make the oscillator run fast by the share ``rate_error``, from the sample after the present one on."""
        self._advance(at_ns)
        self._rate_error = rate_error

    def impersonate(self, who_am_i: int) -> None:
        """Give ``who_am_i`` as its identity from now on."""
        self.who_am_i = who_am_i

    @abstractmethod
    def read(self, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on."""

    @abstractmethod
    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on."""

    @property
    @abstractmethod
    def period_ns(self) -> int:
        """Nominal sample period, from the registers."""

    @property
    @abstractmethod
    def _sampling(self) -> bool:
        """Whether the registers let the chip sample at all: awake, powered, not in reset."""

    @property
    @abstractmethod
    def _recording(self) -> bool:
        """Whether samples enter the FIFO."""

    @abstractmethod
    def _clear(self) -> None:
        """Bring registers to their reset values and empty the FIFO."""

    @abstractmethod
    def _flip(self, register: int, bit: int) -> None:
        """Flip a bit of the register memory."""

    @abstractmethod
    def _store(self, signals: NDArray[np.float64]) -> None:
        """Store the newest samples ``[n, 6]`` in SI units: output registers, status, and the FIFO if it records."""

    def _settle(self, now_ns: int) -> None:  # noqa: B027 - most chips have nothing to do
        """Complete operations that take time, such as a reset."""

    def _power_up(self) -> None:
        self._hung = False
        self._next_sample_ns = 0
        self._clear()

    def _restart_samples(self, now_ns: int | None = None) -> None:
        """Restart the sample clock: the next sample comes one period from now."""
        now_ns = self._clock.now_ns() if now_ns is None else now_ns
        self._next_sample_ns = now_ns + self.true_period_ns

    def _advance(self, until_ns: int | None = None) -> None:
        """Take all samples that have come due."""
        now_ns = self._clock.now_ns() if until_ns is None else until_ns
        self._settle(now_ns)
        if now_ns < self._next_sample_ns or self._hung or not self._sampling:
            return
        period_ns = self.true_period_ns
        due = (now_ns - self._next_sample_ns) // period_ns + 1
        first_ns = self._next_sample_ns
        self._next_sample_ns += due * period_ns
        self._sample(first_ns, due, period_ns)

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        recording = self._recording
        if recording and self._source_begun_ns is None:
            self._source_begun_ns = first_ns
        begun_ns = first_ns + due * period_ns if self._source_begun_ns is None else self._source_begun_ns
        elapsed_ns = first_ns - begun_ns
        if self._source.duration_ns is not None:
            due = min(due, (self._source.duration_ns - elapsed_ns) // period_ns + 1)
        if due <= 0:
            return
        if recording:
            self._note(SampleRun(self._samples_taken, first_ns, period_ns, due))
        skipped = max(0, due - self.longest_stretch)
        times_ns = elapsed_ns + period_ns * np.arange(skipped, due, dtype=np.int64)
        self._store(self._source.at(np.maximum(times_ns, 0)))

    def _note(self, run: SampleRun) -> None:
        self._samples_taken += run.count
        if self._on_samples is not None:
            self._on_samples(run)
