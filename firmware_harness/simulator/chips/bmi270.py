"""A register-accurate BMI270: register map, configuration file, power modes, self-test, offsets, and FIFO of frames.

Written from the datasheet BST-BMI270-DS000. Any 8192 bytes that begin as Bosch's configuration file does are taken for
it. Not modelled: filters and noise, the features that the file brings, interrupts, the auxiliary interface, the frames
that tell the sensor time and a change of settings, and the timing of power saving, except that it keeps the host from
the FIFO and from loading the file. A chip that hangs samples again after a reset.
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

from .chip import ChipOptions, SampleRun
from .reacting_chip import ReactingChip

CHIP_ID, STATUS, ACC_X, GYR_X, SENSORTIME, EVENT = 0x00, 0x03, 0x0C, 0x12, 0x18, 0x1B
INTERNAL_STATUS, TEMPERATURE, FIFO_LENGTH, FIFO_DATA, FEAT_PAGE, GYR_CAS = 0x21, 0x22, 0x24, 0x26, 0x2F, 0x3C
ACC_CONF, ACC_RANGE, GYR_CONF, GYR_RANGE, FIFO_CONFIG_0, FIFO_CONFIG_1 = 0x40, 0x41, 0x42, 0x43, 0x48, 0x49
INIT_CTRL, INIT_ADDR_0, INIT_ADDR_1, INIT_DATA = 0x59, 0x5B, 0x5C, 0x5E
ACC_SELF_TEST, NV_CONF, ACC_OFFSETS, GYR_OFFSETS, GYR_OFFSETS_HIGH = 0x6D, 0x70, 0x71, 0x74, 0x77
PWR_CONF, PWR_CTRL, CMD = 0x7C, 0x7D, 0x7E

ACC_READY, GYR_READY, CMD_READY = 0x80, 0x40, 0x10
POWER_SAVE, ACC_EN, GYR_EN, TEMP_EN = 0x01, 0x04, 0x02, 0x08
STOP_ON_FULL, FIFO_GYR, FIFO_ACC, FIFO_HEADER = 0x01, 0x80, 0x40, 0x10
ACC_OFFSET_EN, GYR_OFFSET_EN = 0x08, 0x40
NOT_INITIALISED, INITIALISED, INIT_ERROR = 0, 1, 2
SOFT_RESET, FLUSH = 0xB6, 0xB0

WRITABLE = {
    FEAT_PAGE: 0x07,
    **dict.fromkeys(range(0x30, 0x40), 0xFF),
    ACC_CONF: 0xFF,
    ACC_RANGE: 0x03,
    GYR_CONF: 0xFF,
    GYR_RANGE: 0x0F,
    0x44: 0xFF,
    0x45: 0xFF,
    0x46: 0xFF,
    0x47: 0x1F,
    FIFO_CONFIG_0: 0x03,
    FIFO_CONFIG_1: 0xFF,
    **dict.fromkeys((0x4B, 0x4C, 0x4D, 0x4E, 0x4F, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58), 0xFF),
    INIT_CTRL: 0xFF,
    INIT_ADDR_0: 0x0F,
    INIT_ADDR_1: 0xFF,
    0x6B: 0x33,
    0x6C: 0xFF,
    ACC_SELF_TEST: 0x0D,
    0x6E: 0x0F,
    NV_CONF: 0x0F,
    **dict.fromkeys(range(ACC_OFFSETS, GYR_OFFSETS_HIGH + 1), 0xFF),
    PWR_CONF: 0x07,
    PWR_CTRL: 0x0F,
}
RESET_VALUES = {
    STATUS: CMD_READY,
    EVENT: 0x01,
    TEMPERATURE + 1: 0x80,
    ACC_CONF: 0xA8,
    ACC_RANGE: 0x02,
    GYR_CONF: 0xA9,
    0x44: 0x46,
    0x45: 0x88,
    0x47: 0x02,
    FIFO_CONFIG_0: 0x02,
    FIFO_CONFIG_1: 0x10,
    0x4B: 0x20,
    0x4C: 0x83,
    0x4D: 0x42,
    0x4E: 0x4C,
    0x4F: 0x02,
    INIT_CTRL: 0x90,
    0x6C: 0xFF,
    PWR_CONF: 0x03,
}
CONFIG_BYTES, CONFIG_BEGIN = 8192, b"\xc8\x2e"
INIT_NS, RESET_NS = 20_000_000, 2_000_000
ACC_START_NS, GYR_START_NS = 2_000_000, 45_000_000
SENSORTIME_NS = 39_062.5
FIFO_BYTES = 2048
# Code of 25 Hz; every code above is twice the rate.
CODE_25_HZ = 6
ACC_LSB_PER_G = (16384, 8192, 4096, 2048)
GYR_FULL_SCALE_DPS = (2000, 1000, 500, 250, 125)
ACC_OFFSET_G, GYR_OFFSET_DPS = 3.9e-3, 0.061
# The two directions of the force are further apart than 16, 15 and 10 g.
TYPICAL_SELF_TEST_G = (9.0, -8.5, 6.0)


class SimulatedBmi270(ReactingChip):
    """The chip, for a :class:`~deseptr.firmware_harness.simulator.VirtualI2cBus`; arguments as in :class:`Chip`.

    Args:
        source: the signals that it measures.
        clock: its clock; samples that have come due are taken at each access.
        who_am_i: value of register 0.
        self_test_g: what the self-test's positive force adds on each axis, in g.
        factor_zx: share of the rate about z in that about x, in 1/512; -64 to 63.
        options: further ones of :class:`Chip`; a reset takes 2 ms by default.
    """

    longest_stretch: ClassVar[int] = FIFO_BYTES // 7 + 1
    fifo_register: ClassVar[int] = FIFO_DATA
    registers: ClassVar[Sequence[int]] = tuple(sorted(set(WRITABLE) - set(range(0x30, 0x40))))

    def __init__(
        self,
        source: SignalSource,
        clock: Clock,
        *,
        who_am_i: int = 0x24,
        self_test_g: Sequence[float] = TYPICAL_SELF_TEST_G,
        factor_zx: int = 0,
        **options: Unpack[ChipOptions],
    ) -> None:
        self._self_test_g = np.array(self_test_g, np.float64)
        self._factor_zx = factor_zx
        self._ready_ns = clock.now_ns()
        options.setdefault("reset_ns", RESET_NS)
        super().__init__(source, clock, who_am_i=who_am_i, **options)

    @property
    def period_ns(self) -> int:
        """Sample period of the faster of the sensors that are on."""
        return round(1e9 / 25 / 2.0 ** (max(self._code(ACC_CONF), self._code(GYR_CONF)) - CODE_25_HZ))

    def read(self, register: int, length: int) -> bytes:
        """Read ``length`` bytes; the register number increments up to FIFO_DATA, which streams frames."""
        self._advance()
        data = bytearray()
        while len(data) < length:
            if register == FIFO_DATA:
                return bytes(data) + self._read_frames(length - len(data))
            data.append(self._read_register(register & 0x7F))
            register += 1
        return bytes(data)

    def write(self, register: int, data: bytes) -> None:
        """Write ``data`` to the registers from ``register`` on; at INIT_DATA all of it goes into the program memory."""
        self._advance()
        if self._clock.now_ns() < self._ready_ns:
            return
        for offset, value in enumerate(data):
            address = register + offset & 0x7F
            if address == INIT_DATA:
                self._load(data[offset:])
                return
            self._write_register(address, value)

    def _code(self, register: int) -> int:
        """Code of a sensor's rate; of the slowest rate while it is off."""
        on = self._memory[PWR_CTRL] & (ACC_EN if register == ACC_CONF else GYR_EN)
        return max(1, self._memory[register] & 0x0F) if on else 1

    @property
    def _on(self) -> tuple[bool, bool]:
        """Whether gyroscope and accelerometer are on."""
        power = self._memory[PWR_CTRL] if self._initialised else 0
        return bool(power & GYR_EN), bool(power & ACC_EN)

    @property
    def _collected(self) -> tuple[bool, bool]:
        """Whether gyroscope and accelerometer enter the FIFO."""
        wanted = self._memory[FIFO_CONFIG_1]
        gyro, acc = self._on
        return bool(gyro and wanted & FIFO_GYR), bool(acc and wanted & FIFO_ACC)

    @property
    def _sampling(self) -> bool:
        return any(self._on)

    @property
    def _recording(self) -> bool:
        return any(self._collected)

    def _clear(self) -> None:
        self._memory = bytearray(128)
        for register, value in RESET_VALUES.items():
            self._memory[register] = value
        self._program = bytearray(CONFIG_BYTES)
        self._loaded: set[int] = set()
        self._init_done_ns: int | None = None
        self._initialised = False
        self._started_ns = [0, 0]
        self._ticks = 0
        self._flush()

    def _flush(self) -> None:
        self._frames: deque[bytes] = deque()
        self._held_bytes = self._dropped = 0

    def _settle(self, now_ns: int) -> None:
        if self._init_done_ns is not None and now_ns >= self._init_done_ns:
            whole = len(self._loaded) == CONFIG_BYTES and self._program.startswith(CONFIG_BEGIN)
            self._memory[INTERNAL_STATUS] = INITIALISED if whole else INIT_ERROR
            self._initialised = whole
            self._init_done_ns = None

    def _restart_samples(self, now_ns: int | None = None) -> None:
        super()._restart_samples(now_ns)
        self._ticks = 0

    def _write_register(self, register: int, value: int) -> None:
        if register == CMD:
            self._command(value)
            return
        before, stuck = self._memory[register], self._stuck_bits.get(register, 0)
        mask = WRITABLE.get(register, 0) & ~stuck
        keeps = before if register not in WRITABLE else before & stuck
        self._memory[register] = keeps | value & mask
        self._react(register, before, self._clock.now_ns())

    def _command(self, value: int) -> None:
        if value == SOFT_RESET:
            self._power_up()
            self._ready_ns = self._clock.now_ns() + self._reset_ns
        elif value == FLUSH:
            self._flush()

    def _react(self, register: int, before: int, now_ns: int) -> None:
        changed = before ^ self._memory[register]
        if register == INIT_CTRL and not self._memory[PWR_CONF] & POWER_SAVE:
            if self._memory[INIT_CTRL] == 0:
                self._loaded.clear()
                self._initialised = False
                self._memory[INTERNAL_STATUS] = NOT_INITIALISED
            elif self._memory[INIT_CTRL] == 1:
                self._init_done_ns = now_ns + INIT_NS
        if register == PWR_CTRL:
            for sensor, (enabled, start_ns) in enumerate(((GYR_EN, GYR_START_NS), (ACC_EN, ACC_START_NS))):
                if changed & enabled:
                    self._started_ns[sensor] = now_ns + start_ns
        if changed and register in (PWR_CTRL, ACC_CONF, GYR_CONF) and self._sampling:
            self._restart_samples(now_ns)

    def _load(self, data: bytes) -> None:
        if self._memory[PWR_CONF] & POWER_SAVE or self._memory[INIT_CTRL]:
            return
        begin = 2 * (self._memory[INIT_ADDR_1] << 4 | self._memory[INIT_ADDR_0])
        end = min(begin + len(data), CONFIG_BYTES)
        self._program[begin:end] = data[: end - begin]
        self._loaded.update(range(begin, end))

    def _read_register(self, register: int) -> int:
        if register == CHIP_ID:
            return self.who_am_i
        if FIFO_LENGTH <= register < FIFO_DATA:
            length = self._held_bytes + (2 if self._dropped else 0)
            return length >> 8 * (register - FIFO_LENGTH) & 0xFF
        if SENSORTIME <= register < EVENT:
            return int(self._clock.now_ns() / SENSORTIME_NS) >> 8 * (register - SENSORTIME) & 0xFF
        if register == GYR_CAS and self._initialised and self._memory[FEAT_PAGE] == 0:
            return self._factor_zx & 0x7F
        value = self._memory[register]
        if register == EVENT:
            self._memory[EVENT] = 0
        if ACC_X <= register < SENSORTIME:
            self._memory[STATUS] &= ~(ACC_READY if register < GYR_X else GYR_READY)
        return value

    def _read_frames(self, length: int) -> bytes:
        """Frames, of which those that end within ``length`` leave the FIFO; what is not there reads as 80h."""
        if self._memory[PWR_CONF] & POWER_SAVE:
            return b"\x80" * length
        data = b""
        if self._dropped and length:
            data = bytes((0x40, min(self._dropped, 0xFF)))
            if length >= 2:
                self._dropped = 0
        while self._frames and len(data) < length:
            frame = self._frames[0]
            data += frame
            if len(data) <= length:
                self._held_bytes -= len(self._frames.popleft())
        return data[:length] + b"\x80" * (length - len(data))

    def _sample(self, first_ns: int, due: int, period_ns: int) -> None:
        # The base class computes only the newest samples of a stretch; a FIFO that stops when full keeps the oldest.
        oldest = min(due, self.longest_stretch) if self._memory[FIFO_CONFIG_0] & STOP_ON_FULL else 0
        for begin, count in ((0, oldest), (oldest, due - oldest)):
            if count:
                self._run = SampleRun(0, first_ns + begin * period_ns, period_ns, count)
                super()._sample(first_ns + begin * period_ns, count, period_ns)
                self._ticks += count

    def _note(self, run: SampleRun) -> None:
        self._run = run
        super()._note(run)

    def _store(self, signals: NDArray[np.float64]) -> None:
        skipped = self._run.count - len(signals)
        counts, times_ns = self._counts(signals), self._run.times_ns[skipped:]
        gyro_on, acc_on = self._on
        last = counts[-1].astype("<i2").tobytes()
        for on, register, data, ready in ((acc_on, ACC_X, last[:6], ACC_READY), (gyro_on, GYR_X, last[6:], GYR_READY)):
            if on:
                self._memory[register : register + 6] = data
                self._memory[STATUS] |= ready
        if self._memory[PWR_CTRL] & TEMP_EN:
            raw = round((self._temperature_c - 23) * 512)
            self._memory[TEMPERATURE : TEMPERATURE + 2] = raw.to_bytes(2, "little", signed=True)
        if self._recording:
            self._dropped += skipped
            self._collect(counts, times_ns, self._ticks + skipped)

    def _collect(self, counts: NDArray[np.int16], times_ns: NDArray[np.int64], first_tick: int) -> None:
        fastest = max(self._code(ACC_CONF), self._code(GYR_CONF))
        strides = [2 ** (fastest - self._code(register)) for register in (GYR_CONF, ACC_CONF)]
        for tick, (row, time_ns) in enumerate(zip(counts, times_ns.tolist(), strict=True), first_tick):
            header, data = 0x80, b""
            for sensor, (bit, axes) in enumerate(((0x08, row[3:]), (0x04, row[:3]))):
                if self._collected[sensor] and tick % strides[sensor] == 0:
                    started = time_ns >= self._started_ns[sensor]
                    header |= bit
                    data += axes.astype("<i2").tobytes() if started else bytes((2 - sensor, 0x7F, 0, 0x80, 0, 0x80))
            if data:
                self._push((bytes((header,)) if self._memory[FIFO_CONFIG_1] & FIFO_HEADER else b"") + data)

    def _push(self, frame: bytes) -> None:
        if self._memory[FIFO_CONFIG_0] & STOP_ON_FULL and self._held_bytes + len(frame) > FIFO_BYTES:
            self._dropped += 1
            return
        self._frames.append(frame)
        self._held_bytes += len(frame)
        while self._held_bytes + (2 if self._dropped else 0) > FIFO_BYTES:
            self._held_bytes -= len(self._frames.popleft())
            self._dropped += 1

    def _counts(self, signals: NDArray[np.float64]) -> NDArray[np.int16]:
        """Counts ``[n, 6]``, accelerometer first, rounded and saturated."""
        memory = self._memory
        g = signals[:, :3] / STANDARD_GRAVITY + self._acc_added_g()
        dps = np.rad2deg(signals[:, 3:6])
        if memory[GYR_OFFSETS_HIGH] & GYR_OFFSET_EN:
            dps = dps + self._gyro_offsets() * GYR_OFFSET_DPS
        dps[:, 0] += self._factor_zx / 512 * dps[:, 2]
        full_scale_dps = GYR_FULL_SCALE_DPS[min(memory[GYR_RANGE] & 7, 4)]
        exact = np.concatenate([g * ACC_LSB_PER_G[memory[ACC_RANGE] & 3], dps * (32768 / full_scale_dps)], axis=1)
        counts: NDArray[np.int16] = np.clip(np.rint(exact), -32768, 32767).astype(np.int16)
        return counts

    def _acc_added_g(self) -> NDArray[np.float64]:
        """What offsets and self-test add on each axis."""
        memory = self._memory
        added = np.zeros(3)
        if memory[NV_CONF] & ACC_OFFSET_EN:
            added += np.frombuffer(memory[ACC_OFFSETS : ACC_OFFSETS + 3], np.int8) * ACC_OFFSET_G
        test = memory[ACC_SELF_TEST]
        if test & 0x01:
            # Without the larger amplitude the mass moves less than can be judged.
            added += self._self_test_g * (1 if test & 0x04 else -1) * (1 if test & 0x08 else 0.1)
        return added

    def _gyro_offsets(self) -> NDArray[np.int64]:
        high = self._memory[GYR_OFFSETS_HIGH]
        values = [self._memory[GYR_OFFSETS + axis] | (high >> 2 * axis & 3) << 8 for axis in range(3)]
        return np.array([value - 1024 if value & 0x200 else value for value in values], np.int64)
