"""Common part of the simulated InvenSense chips: register memory, FIFO of bytes, status bits, self-test, start-up.

Written from the register maps named in the chips' modules, and deliberately sharing no table with the drivers. Not
modelled: the low-pass filters (a recording is assumed to be band-limited; a filter's setting only selects a rate), the
motion processor, wake on motion, low-power and standby modes other than sleep, and writing into the FIFO. Assumed where
the documents leave it open: an axis that is switched off gives 0, and so does a sensor that has not started up yet.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY
from deseptr.device import Clock
from deseptr.firmware_harness.simulator.sources.source import FieldSource, SignalSource

from .chip import Chip, ChipOptions, SampleRun, SimulatedDevice
from .i2c_master import I2cMaster, MasterMap
from .magnetometer import ADDRESS as MAGNETOMETER_ADDRESS, SimulatedMagnetometer

SLEEP, DEVICE_RESET = 0x40, 0x80
CLOCK_STOPPED = 0x07
USER_FIFO_EN = 0x40
ANY_READ_CLEARS = 0x10

ACC_LSB_PER_G = (16384.0, 8192.0, 4096.0, 2048.0)
GYRO_LSB_PER_DPS = (131.0, 65.5, 32.8, 16.4)


@dataclass(frozen=True, slots=True)
class Status:
    """Status bits that an event sets if they are enabled, and that a read clears.

    Args:
        enable: register with the enabling bits.
        register: register with the status bits.
        mask: the bits.
    """

    enable: int
    register: int
    mask: int


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """Addresses of the registers that all chips have; in a chip with banks, all in bank 0."""

    who_am_i: int
    user_ctrl: int
    pwr_mgmt_1: int
    pwr_mgmt_2: int
    int_pin_cfg: int
    outputs: int
    fifo_count_h: int
    fifo_r_w: int
    overflow: Status
    data_ready: Status


@dataclass(frozen=True, slots=True)
class CountScale:
    """Conversion of signals to counts, ``signals * gain + shift``, in the order of the channels."""

    gain: NDArray[np.float64]
    shift: NDArray[np.float64]


class SimulatedInvenSense(Chip):
    """A chip of InvenSense; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access, at exact multiples of the sample period.
        who_am_i: value of its identity register.
        magnetometer: the one in the same package, on the auxiliary bus; None if there is none.
        options: further ones of :class:`Chip`.
    """

    register_map: ClassVar[RegisterMap]
    # Writable bits by register; all others read as zero and ignore writes.
    writable: ClassVar[Mapping[int, int]]
    fifo_bytes: ClassVar[int]
    # Columns of a measurement in the order of the output registers: channels 0 to 5 and the temperature, 6.
    columns: ClassVar[tuple[int, ...]]
    # Time from sleep to valid data in ns.
    acc_start_up_ns: ClassVar[int]
    gyro_start_up_ns: ClassVar[int]
    # Registers of its I2C master; None if that is not modelled.
    master_map: ClassVar[MasterMap | None] = None
    # The magnetometer's axes: of each, the axis of the accelerometer that it lies along, and in which direction.
    magnetometer_axes: ClassVar[Sequence[tuple[int, int]]] = ((0, 1), (1, 1), (2, 1))

    def __init__(
        self,
        source: SignalSource,
        clock: Clock,
        *,
        who_am_i: int,
        magnetometer: SimulatedMagnetometer | None = None,
        **options: Unpack[ChipOptions],
    ) -> None:
        self._reset_done_ns = clock.now_ns()
        self.magnetometer = magnetometer
        behind = {} if magnetometer is None else {MAGNETOMETER_ADDRESS: magnetometer}
        self._master = None if self.master_map is None else I2cMaster(self.master_map, behind)
        super().__init__(source, clock, who_am_i=who_am_i, **options)
        if magnetometer is not None and isinstance(source, FieldSource):
            magnetometer.field_at = self._field_at

    def power_cycle(self, at_ns: int | None = None) -> None:
        """Lose power, as the magnetometer in the same package does."""
        super().power_cycle(at_ns)
        if self.magnetometer is not None:
            self.magnetometer.power_up()

    def behind(self, address: int) -> SimulatedDevice | None:
        """The device at an address of its auxiliary bus, while that is connected to the host's."""
        self._advance()
        return None if self._master is None else self._master.bypassed(self._memory, address)

    def upset(self, register: int, bit: int, at_ns: int | None = None) -> None:
        """Flip a bit of the register memory; if that wakes the chip, it starts up."""
        super().upset(register, bit, at_ns)
        self._changed(register, self._clock.now_ns() if at_ns is None else at_ns)

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; the register number increments, except at FIFO_R_W, which streams the FIFO."""
        self._advance()
        if self._memory_index(register) == self.register_map.fifo_r_w:
            data = self._pop_fifo(length)
        else:
            data = bytes(self._read_register(self._memory_index(register + offset & 0xFF)) for offset in range(length))
        if self._memory[self.register_map.int_pin_cfg] & ANY_READ_CLEARS:
            self._clear_status()
        return data

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on; ignored while the chip resets."""
        self._advance()
        for offset, value in enumerate(data):
            self._write_register(self._memory_index(register + offset & 0xFF), value)

    def _field_at(self, at_ns: int) -> NDArray[np.float64]:
        """The source's field along the axes of the magnetometer."""
        source = self._source
        assert isinstance(source, FieldSource)
        elapsed_ns = 0 if self._source_begun_ns is None else max(0, at_ns - self._source_begun_ns)
        (field,) = source.field_at(np.array([elapsed_ns]))
        return np.array([sign * field[axis] for axis, sign in self.magnetometer_axes])

    def _fifo_slaves(self) -> Sequence[int]:
        """Numbers of the slaves of the I2C master whose bytes enter the FIFO after a sample's own."""
        return ()

    @abstractmethod
    def _reset_values(self) -> Mapping[int, int]:
        """Register values after power-up and reset, factory trims included; 0 for registers left out."""

    @abstractmethod
    def _fifo_columns(self) -> Sequence[int]:
        """Indices into :attr:`columns` of the values that enter the FIFO."""

    @property
    @abstractmethod
    def _keeps_oldest(self) -> bool:
        """Whether a full FIFO takes no more, instead of overwriting its oldest bytes."""

    @abstractmethod
    def _full_scales(self) -> tuple[int, int]:
        """Codes of the accelerometer's and the gyroscope's full scale."""

    @abstractmethod
    def _added(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sum of self-test and offset registers, ``[3]`` in g and ``[3]`` in deg/s."""

    @abstractmethod
    def _temperature_count(self) -> float:
        """Temperature in counts."""

    def _memory_index(self, register: int) -> int:
        """Index in the register memory of ``register`` in the selected bank."""
        return register

    def _written(self, register: int, value: int) -> None:
        """Carry out the effects of a write besides storing the value."""

    def _due(self, ticks: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Mask ``[n, 7]`` of the :attr:`columns` that have a new value at each tick; None for all."""
        return None

    @property
    def _sampling(self) -> bool:
        power = self._memory[self.register_map.pwr_mgmt_1]
        return not power & (SLEEP | DEVICE_RESET) and power & 0x07 != CLOCK_STOPPED

    @property
    def _recording(self) -> bool:
        return bool(self._fifo_columns())

    def _clear(self) -> None:
        self._memory = bytearray(1024)
        for register, value in self._reset_values().items():
            self._memory[register] = value
        self._fifo = bytearray()
        self._last_fifo_byte = 0
        self._awake = False
        self._acc_ready_ns = self._gyro_ready_ns = self._ticks = 0
        self._count_scale: CountScale | None = None
        self._changed(self.register_map.pwr_mgmt_1, self._clock.now_ns())

    def _flip(self, register: int, bit: int) -> None:
        self._memory[register] ^= 1 << bit
        if register == self.register_map.pwr_mgmt_1 and self._memory[register] & DEVICE_RESET:
            self._begin_reset()

    def _begin_reset(self) -> None:
        self._power_up()
        self._memory[self.register_map.pwr_mgmt_1] |= DEVICE_RESET
        self._reset_done_ns = self._clock.now_ns() + self._reset_ns
        self._awake = False

    def _settle(self, now_ns: int) -> None:
        if self._memory[self.register_map.pwr_mgmt_1] & DEVICE_RESET and now_ns >= self._reset_done_ns:
            self._memory[self.register_map.pwr_mgmt_1] &= ~DEVICE_RESET
            self._changed(self.register_map.pwr_mgmt_1, self._reset_done_ns)

    def _changed(self, register: int, now_ns: int) -> None:
        """Update everything that depends on the register memory."""
        self._count_scale = None
        if register == self.register_map.pwr_mgmt_1:
            if self._sampling and not self._awake:
                self._acc_ready_ns = now_ns + self.acc_start_up_ns
                self._gyro_ready_ns = now_ns + self.gyro_start_up_ns
                self._restart_samples(now_ns)
            self._awake = self._sampling

    @property
    def _master_status(self) -> int | None:
        return None if self.master_map is None else self.master_map.status

    def _restart_samples(self, now_ns: int | None = None) -> None:
        super()._restart_samples(now_ns)
        self._ticks = 0

    def _read_register(self, register: int) -> int:
        register_map = self.register_map
        if register == register_map.fifo_count_h:
            self._memory[register : register + 2] = len(self._fifo).to_bytes(2, "big")
        if register == register_map.fifo_r_w:
            return self._pop_fifo(1)[0]
        if register == register_map.who_am_i:
            return self.who_am_i
        value = self._memory[register]
        if register in (register_map.overflow.register, register_map.data_ready.register, self._master_status):
            self._memory[register] = 0
        return value

    def _write_register(self, register: int, value: int) -> None:
        power = self.register_map.pwr_mgmt_1
        if self._memory[power] & DEVICE_RESET:
            return
        if register == power and value & DEVICE_RESET:
            self._begin_reset()
            return
        mask = self.writable.get(register, 0) & ~self._stuck_bits.get(register, 0)
        self._memory[register] = self._memory[register] & ~mask | value & mask
        self._written(register, value)
        if self._master is not None:
            self._master.written(self._memory, register)
        self._changed(register, self._clock.now_ns())

    def _pop_fifo(self, length: int) -> bytes:
        enabled = self._memory[self.register_map.user_ctrl] & USER_FIFO_EN
        data = bytes(self._fifo[:length]) if enabled else b""
        del self._fifo[: len(data)]
        if data:
            self._last_fifo_byte = data[-1]
        # An empty FIFO gives the last byte again (RM-MPU-6000A rev 4.2, register 116).
        return data + bytes((self._last_fifo_byte,)) * (length - len(data))

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        # The base class computes only the newest samples of a long stretch: too few if the FIFO keeps the oldest, or
        # one sensor is slower than the other.
        while due > 0:
            taken = min(due, self._stretch())
            self._run = SampleRun(0, first_ns, period_ns, taken)
            super()._sample(first_ns, taken, period_ns)
            self._ticks += taken
            first_ns, due = first_ns + taken * period_ns, due - taken

    def _stretch(self) -> int:
        """Largest number of ticks that may be computed at once."""
        room = self._keeps_oldest and self._recording and len(self._fifo) < self.fifo_bytes
        return self.longest_stretch if room or self._due(np.zeros(1, np.int64)) is not None else 1 << 62

    def _note(self, run: SampleRun) -> None:
        self._run = run
        super()._note(run)

    def _store(self, signals: NDArray[np.float64]) -> None:
        skipped = self._run.count - len(signals)
        measurements = self._measure(signals, skipped)
        due = self._due(np.arange(self._ticks + skipped, self._ticks + self._run.count))
        self._renew_outputs(measurements, due)
        external = self._sample_slaves(self._run.times_ns[skipped:].tolist())
        self._raise_status(self.register_map.data_ready)
        if fifo_columns := self._fifo_columns():
            rows = measurements[:, fifo_columns]
            if external:
                taken = rows if due is None else [row[new] for row, new in zip(rows, due[:, fifo_columns], strict=True)]
                self._push_fifo(b"".join(r.tobytes() + e for r, e in zip(taken, external, strict=True)))
            else:
                self._push_fifo((rows if due is None else rows[due[:, fifo_columns]]).tobytes())

    def _sample_slaves(self, times_ns: Sequence[int]) -> list[bytes]:
        """Let the I2C master read its slaves; of each sample what enters the FIFO, or nothing if it does not."""
        if self._master is None:
            return []
        numbers = self._fifo_slaves()
        if not numbers or self.magnetometer is None:
            self._master.sample(self._memory)
            return []
        external = []
        for time_ns in times_ns:
            with self.magnetometer.at(time_ns):
                self._master.sample(self._memory)
            external.append(self._master.external(self._memory, numbers))
        return external

    def _renew_outputs(self, measurements: NDArray[np.int16], due: NDArray[np.bool_] | None) -> None:
        begin = self.register_map.outputs
        if due is None:
            self._memory[begin : begin + 14] = measurements[-1].tobytes()
            return
        for column in range(7):
            if (rows := np.flatnonzero(due[:, column])).size:
                place = begin + 2 * column
                self._memory[place : place + 2] = measurements[rows[-1], [column]].tobytes()

    def _push_fifo(self, data: bytes) -> None:
        room = self.fifo_bytes - len(self._fifo)
        if len(data) > room:
            self._raise_status(self.register_map.overflow)
        if self._keeps_oldest:
            self._fifo += data[:room]
        else:
            self._fifo += data
            del self._fifo[: max(0, len(data) - room)]

    def _raise_status(self, status: Status) -> None:
        self._memory[status.register] |= status.mask & self._memory[status.enable]

    def _clear_status(self) -> None:
        self._memory[self.register_map.overflow.register] = self._memory[self.register_map.data_ready.register] = 0

    def _measure(self, signals: NDArray[np.float64], skipped: int) -> NDArray[np.int16]:
        """Big-endian counts ``[n, 7]`` in the order of the output registers, rounded and saturated."""
        if self._count_scale is None:
            self._count_scale = self._make_count_scale()
        counts = np.empty((len(signals), 7))
        counts[:, :6] = signals * self._count_scale.gain + self._count_scale.shift
        counts[:, 6] = self._temperature_count()
        if self._run.first_ns + skipped * self._run.period_ns < max(self._acc_ready_ns, self._gyro_ready_ns):
            times_ns = self._run.times_ns[skipped:]
            counts[times_ns < self._acc_ready_ns, :3] = 0
            counts[times_ns < self._gyro_ready_ns, 3:6] = 0
        return np.clip(np.rint(counts), -32768, 32767).astype(">i2")[:, self.columns]

    def _make_count_scale(self) -> CountScale:
        acc_code, gyro_code = self._full_scales()
        added_g, added_dps = self._added()
        acc, gyro = ACC_LSB_PER_G[acc_code], GYRO_LSB_PER_DPS[gyro_code]
        off = np.array([self._memory[self.register_map.pwr_mgmt_2] >> (5 - axis) & 1 for axis in range(6)], bool)
        gain = np.array([acc / STANDARD_GRAVITY] * 3 + [np.rad2deg(gyro)] * 3)
        shift = np.concatenate([added_g * acc, added_dps * gyro])
        return CountScale(np.where(off, 0.0, gain), np.where(off, 0.0, shift))


def gyro_offset_dps(memory: Sequence[int], register: int) -> float:
    """Gyroscope offset in deg/s from two bytes (RM-MPU-6500A, registers 19 to 24): 4 counts at 250 deg/s per step."""
    return _signed(memory, register) * 4 / 131


def acc_offset_g(memory: Sequence[int], trims: Mapping[int, int], register: int) -> float:
    """Accelerometer offset in g from bits 15 to 1, relative to the factory's value: 0.98 mg per step."""
    factory = int.from_bytes(bytes((trims[register], trims[register + 1])), "big", signed=True)
    return ((_signed(memory, register) >> 1) - (factory >> 1)) * 0.98e-3


def _signed(memory: Sequence[int], register: int) -> int:
    return int.from_bytes(bytes(memory[register : register + 2]), "big", signed=True)


def trimmed_response(code: int, lsb_per_unit: float) -> float:
    """Self-test response by the code in a factory trim register (RM-MPU-6500A, registers 0 to 2 and 13 to 15)."""
    return 2620 * 1.01 ** (code - 1) / lsb_per_unit if code else 0.0


def axes_under_test(bits: int) -> NDArray[np.float64]:
    """1 for each axis, x first, whose self-test bit is set in three bits, x highest; else 0."""
    return np.array([bits >> 2 & 1, bits >> 1 & 1, bits & 1], np.float64)
