"""A register-accurate ADXL345: its register map, data formats, FIFO modes, status bits, self-test and offsets.

Written from the datasheet, rev E, and application note AN-1025. The FIFO has 32 places, and the output registers hold
one sample more: the oldest that was not read, or in bypass mode the newest. Not modelled: filters and noise, taps,
activity, free fall and what hangs on these (trigger mode waits forever, auto-sleep never sleeps), and SPI. A chip that
hangs samples again after standby, since it has no reset by register.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import SignalSource

from .chip import ChipOptions
from .reacting_chip import ReactingChip

DEVID, OFSX, BW_RATE, POWER_CTL, INT_SOURCE, DATA_FORMAT = 0x00, 0x1E, 0x2C, 0x2D, 0x30, 0x31
DATAX0, DATAZ1, FIFO_CTL, FIFO_STATUS = 0x32, 0x37, 0x38, 0x39

MEASURE, SLEEP = 0x08, 0x04
SELF_TEST, FULL_RES, JUSTIFY = 0x80, 0x08, 0x04
DATA_READY, WATERMARK, OVERRUN = 0x80, 0x02, 0x01
BYPASS, FIFO = 0, 1

WRITABLE = {
    **dict.fromkeys(range(0x1D, 0x2A), 0xFF),
    0x2A: 0x0F,
    BW_RATE: 0x1F,
    POWER_CTL: 0x3F,
    0x2E: 0xFF,
    0x2F: 0xFF,
    DATA_FORMAT: 0xEF,
    FIFO_CTL: 0xFF,
}
PLACES = 32
FASTEST_HZ, FASTEST_CODE = 3200, 15
SLEEPING_HZ = (8, 4, 2, 1)
WAKE_NS = 1_100_000
OFFSET_G = 0.0156
# At a supply of 3.3 V, inside the limits for that.
TYPICAL_SELF_TEST_G = (1.3, -1.3, 2.0)


class SimulatedAdxl345(ReactingChip):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures; of their six channels the acceleration.
        clock: its clock; samples that have come due are taken at each access.
        who_am_i: value of register 0.
        self_test_g: what the self-test adds on each axis, in g.
        options: further ones of :class:`Chip`; there is no reset by register.
    """

    longest_stretch: ClassVar[int] = PLACES + 2
    fifo_register: ClassVar[int] = DATAX0
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))

    def __init__(
        self,
        source: SignalSource,
        clock: Clock,
        *,
        who_am_i: int = 0xE5,
        self_test_g: Sequence[float] = TYPICAL_SELF_TEST_G,
        **options: Unpack[ChipOptions],
    ) -> None:
        self._self_test_g = np.array(self_test_g, np.float64)
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Nominal sample period."""
        if self._memory[POWER_CTL] & SLEEP:
            return round(1e9 / SLEEPING_HZ[self._memory[POWER_CTL] & 3])
        return round(1e9 / FASTEST_HZ * (1 << FASTEST_CODE - (self._memory[BW_RATE] & 0x0F)))

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; the register number increments, and leaving the samples takes one out of the FIFO."""
        self._advance()
        data = bytearray()
        for address in range(register, register + length):
            data.append(self._read_register(address & 0xFF))
            last = address == register + length - 1
            if address == DATAZ1 or (last and DATAX0 <= address < DATAZ1):
                self._take_out()
        return bytes(data)

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on."""
        self._advance()
        for address, value in enumerate(data, register):
            before = self._memory[address & 0xFF]
            stuck = self._stuck_bits.get(address & 0xFF, 0)
            self._memory[address & 0xFF] = before & stuck | value & WRITABLE.get(address & 0xFF, 0) & ~stuck
            self._react(address & 0xFF, before, self._clock.now_ns())

    @property
    def _mode(self) -> int:
        return self._memory[FIFO_CTL] >> 6

    @property
    def _sampling(self) -> bool:
        return bool(self._memory[POWER_CTL] & MEASURE)

    @property
    def _recording(self) -> bool:
        return self._mode != BYPASS and not self._memory[POWER_CTL] & SLEEP

    def _clear(self) -> None:
        self._memory = bytearray(256)
        self._memory[BW_RATE] = 0x0A
        self._output = bytes(6)
        self._empty()

    def _empty(self) -> None:
        # Samples not read yet; the first of them is in the output registers.
        self._unread: deque[bytes] = deque()
        self._overrun = False

    def _react(self, register: int, before: int, now_ns: int) -> None:
        changed = before ^ self._memory[register]
        if register == FIFO_CTL and changed & 0xC0 and self._mode == BYPASS:
            self._empty()
        if not self._sampling:
            self._hung = False
        woken = register == POWER_CTL and changed & MEASURE and self._sampling
        if woken or (register in (BW_RATE, POWER_CTL) and changed and self._sampling):
            self._restart_samples(now_ns)
            self._next_sample_ns += WAKE_NS if woken else 0

    def _read_register(self, register: int) -> int:
        if register == DEVID:
            return self.who_am_i
        if register == INT_SOURCE:
            return self._interrupts()
        if DATAX0 <= register <= DATAZ1:
            return self._output[register - DATAX0]
        if register == FIFO_STATUS:
            return 0 if self._mode == BYPASS else len(self._unread)
        return self._memory[register]

    def _interrupts(self) -> int:
        full_enough = len(self._unread) >= self._memory[FIFO_CTL] & 0x1F
        return (
            (DATA_READY if self._unread else 0) | (WATERMARK if full_enough else 0) | (OVERRUN if self._overrun else 0)
        )

    def _take_out(self) -> None:
        self._overrun = False
        if self._unread:
            self._unread.popleft()
        if self._unread:
            self._output = self._unread[0]

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        # The base class computes only the newest samples of a stretch, and this mode keeps the oldest.
        oldest = min(due, self.longest_stretch) if self._mode == FIFO else 0
        for begin, count in ((0, oldest), (oldest, due - oldest)):
            if count:
                super()._sample(first_ns + begin * period_ns, count, period_ns)

    def _store(self, signals: NDArray[np.float64]) -> None:
        for sample in self._samples(signals):
            room = 1 if self._mode == BYPASS else PLACES + 1
            self._overrun |= len(self._unread) >= room
            if self._mode == FIFO and len(self._unread) >= room:
                continue
            if len(self._unread) >= room:
                self._unread.popleft()
            if self._recording or self._mode == BYPASS:
                self._unread.append(sample)
                self._output = self._unread[0]

    def _samples(self, signals: NDArray[np.float64]) -> list[bytes]:
        """The six output bytes of each of the samples, rounded and saturated."""
        form = self._memory[DATA_FORMAT]
        scale = form & 3
        width, lsb_per_g = (10 + scale, 256) if form & FULL_RES else (10, 256 >> scale)
        offsets_g = np.frombuffer(self._memory[OFSX : OFSX + 3], np.int8) * OFFSET_G
        forced_g = self._self_test_g if form & SELF_TEST else np.zeros(3)
        exact = (signals[:, :3] / STANDARD_GRAVITY + offsets_g + forced_g) * lsb_per_g
        largest = 1 << width - 1
        counts = np.clip(np.rint(exact), -largest, largest - 1).astype(np.int16)
        if form & JUSTIFY:
            counts <<= 16 - width
        return [row.tobytes() for row in counts.astype("<i2")]
