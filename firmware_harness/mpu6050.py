"""A register-accurate MPU-6050: register memory, sample clock, FIFO and status bits; no analogue behaviour.

Written from "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A rev 4.2, and deliberately sharing no
table with the driver, so that a slip in one shows against the other. Not modelled: the low-pass filter (a recording is
taken as band-limited already; the filter's setting only switches the gyroscope's rate between 8 and 1 kHz), the
auxiliary I2C master, motion detection, cycle and standby modes, and writing into the FIFO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.device import Clock

from .chip import Chip, ChipOptions
from .source import SignalSource

SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG, FIFO_EN = 0x19, 0x1A, 0x1B, 0x1C, 0x23
INT_ENABLE, INT_STATUS, ACCEL_XOUT_H, USER_CTRL, PWR_MGMT_1 = 0x38, 0x3A, 0x3B, 0x6A, 0x6B
FIFO_COUNTH, FIFO_COUNTL, FIFO_R_W, WHO_AM_I = 0x72, 0x73, 0x74, 0x75

FIFO_BYTES = 1024
FIFO_OFLOW, DATA_RDY = 0x10, 0x01
SLEEP, DEVICE_RESET = 0x40, 0x80
USER_FIFO_EN, USER_FIFO_RESET = 0x40, 0x04
MEASUREMENT_BYTES = 14

# Bits that keep what is written, by register; all others read as zero and ignore writes.
WRITABLE = {
    **dict.fromkeys((0x0D, 0x0E, 0x0F), 0xFF),
    0x10: 0x3F,
    SMPLRT_DIV: 0xFF,
    CONFIG: 0x3F,
    GYRO_CONFIG: 0xF8,
    ACCEL_CONFIG: 0xF8,
    0x1F: 0xFF,
    **dict.fromkeys(range(0x23, 0x34), 0xFF),
    0x37: 0xFE,
    INT_ENABLE: 0x59,
    **dict.fromkeys(range(0x63, 0x67), 0xFF),
    0x67: 0x9F,
    0x69: 0x30,
    USER_CTRL: 0x70,
    PWR_MGMT_1: 0x6F,
    0x6C: 0xFF,
}
RESET_VALUES = {PWR_MGMT_1: SLEEP}

G = 9.80665
ACC_LSB_PER_G = (16384.0, 8192.0, 4096.0, 2048.0)
GYRO_LSB_PER_DPS = (131.0, 65.5, 32.8, 16.4)
# Columns of a measurement (ACC_X ACC_Y ACC_Z TEMP GYRO_X GYRO_Y GYRO_Z) that each bit of FIFO_EN lets in.
LET_IN = ((0x08, (0, 1, 2)), (0x80, (3,)), (0x40, (4,)), (0x20, (5,)), (0x10, (6,)))
FIFO_COLUMNS = {
    enabled: [column for mask, columns in LET_IN if enabled & mask for column in columns]
    for enabled in range(0, 0x100, 0x08)
}


class SimulatedMpu6050(Chip):
    """The chip, for a :class:`~deseptr.firmware_harness.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: what it feels.
        clock: time; samples are taken on it lazily, at exact multiples of the sample period.
        who_am_i: what register 117 answers, to play a clone.
        options: further ones of :class:`Chip`.
    """

    longest_stretch: ClassVar[int] = FIFO_BYTES // 2 + 1
    fifo_register: ClassVar[int] = FIFO_R_W
    registers: ClassVar[Sequence[int]] = tuple(sorted(WRITABLE))

    def __init__(
        self, source: SignalSource, clock: Clock, *, who_am_i: int = 0x68, **options: Unpack[ChipOptions]
    ) -> None:
        self._reset_done_ns = clock.now_ns()
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Sample period: gyroscope rate (8 kHz without the low-pass filter, else 1 kHz) over 1 + SMPLRT_DIV."""
        unfiltered = self._memory[CONFIG] & 0x07 in (0, 7)
        return (125_000 if unfiltered else 1_000_000) * (1 + self._memory[SMPLRT_DIV])

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; the register number goes up, except at FIFO_R_W, which streams the FIFO."""
        self._advance()
        if register == FIFO_R_W:
            return self._pop_fifo(length)
        return bytes(self._read_register(register + offset & 0xFF) for offset in range(length))

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on."""
        self._advance()
        for offset, value in enumerate(data):
            self._write_register(register + offset & 0xFF, value)

    @property
    def _sampling(self) -> bool:
        return not self._memory[PWR_MGMT_1] & (SLEEP | DEVICE_RESET)

    @property
    def _recording(self) -> bool:
        return bool(self._fifo_columns())

    def _clear(self) -> None:
        self._memory = bytearray(256)
        for register, value in RESET_VALUES.items():
            self._memory[register] = value
        self._fifo = bytearray()
        self._last_fifo_byte = 0

    def _flip(self, register: int, bit: int) -> None:
        self._memory[register] ^= 1 << bit

    def _settle(self, now_ns: int) -> None:
        if self._memory[PWR_MGMT_1] & DEVICE_RESET and now_ns >= self._reset_done_ns:
            self._memory[PWR_MGMT_1] &= ~DEVICE_RESET

    def _read_register(self, register: int) -> int:
        if register == FIFO_COUNTH:
            self._memory[FIFO_COUNTH : FIFO_COUNTL + 1] = len(self._fifo).to_bytes(2, "big")
        if register == FIFO_R_W:
            return self._pop_fifo(1)[0]
        if register == WHO_AM_I:
            return self.who_am_i
        value = self._memory[register]
        if register == INT_STATUS:
            self._memory[INT_STATUS] = 0
        return value

    def _write_register(self, register: int, value: int) -> None:
        if register == PWR_MGMT_1 and value & DEVICE_RESET:
            self._power_up()
            self._memory[PWR_MGMT_1] |= DEVICE_RESET
            self._reset_done_ns = self._clock.now_ns() + self._reset_ns
            return
        if self._memory[PWR_MGMT_1] & DEVICE_RESET:
            return
        # Register 106: FIFO_RESET acts while FIFO_EN is 0 and clears itself.
        if register == USER_CTRL and value & USER_FIFO_RESET and not value & USER_FIFO_EN:
            self._fifo.clear()
        mask = WRITABLE.get(register, 0) & ~self._stuck_bits.get(register, 0)
        self._memory[register] = self._memory[register] & ~mask | value & mask
        if register in (SMPLRT_DIV, CONFIG, PWR_MGMT_1):
            self._restart_samples()

    def _pop_fifo(self, length: int) -> bytes:
        enabled = self._memory[USER_CTRL] & USER_FIFO_EN
        data = bytes(self._fifo[:length]) if enabled else b""
        del self._fifo[: len(data)]
        if data:
            self._last_fifo_byte = data[-1]
        # Register 116: an empty FIFO gives the last byte again.
        return data + bytes((self._last_fifo_byte,)) * (length - len(data))

    def _store(self, signals: NDArray[np.float64]) -> None:
        measurements = self._measure(signals)
        self._memory[ACCEL_XOUT_H : ACCEL_XOUT_H + MEASUREMENT_BYTES] = measurements[-1].tobytes()
        self._raise_status(DATA_RDY)
        if columns := self._fifo_columns():
            self._push_fifo(measurements[:, columns].tobytes())

    def _fifo_columns(self) -> list[int]:
        if not self._memory[USER_CTRL] & USER_FIFO_EN:
            return []
        return FIFO_COLUMNS[self._memory[FIFO_EN] & 0xF8]

    def _push_fifo(self, data: bytes) -> None:
        self._fifo += data
        excess = len(self._fifo) - FIFO_BYTES
        if excess > 0:
            del self._fifo[:excess]
            self._raise_status(FIFO_OFLOW)

    def _raise_status(self, status: int) -> None:
        self._memory[INT_STATUS] |= status & self._memory[INT_ENABLE]

    def _measure(self, signals: NDArray[np.float64]) -> NDArray[np.int16]:
        """Big-endian counts ``[n, 7]`` at the configured full scales, rounded and saturated (registers 59 to 72)."""
        acc_range = self._memory[ACCEL_CONFIG] >> 3 & 3
        gyro_range = self._memory[GYRO_CONFIG] >> 3 & 3
        counts = np.empty((len(signals), 7))
        counts[:, :3] = signals[:, :3] * (ACC_LSB_PER_G[acc_range] / G)
        counts[:, 3] = (self._temperature_c - 36.53) * 340
        counts[:, 4:] = signals[:, 3:] * (GYRO_LSB_PER_DPS[gyro_range] * 180 / np.pi)
        return np.clip(np.rint(counts), -32768, 32767).astype(">i2")
