"""Driver for the Analog Devices ADXL345, an accelerometer without a gyroscope; the ADXL343 has the same registers.

After the datasheet, rev E, and application note AN-1025. The FIFO holds 32 samples and the output registers one more.
Each transfer takes one sample; the two registers after the sample, read with it, tell how many are left in the FIFO, so
that neither a sample read twice nor one lost while others were being read goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .fifo_imu import FifoLevel, choose_rate
from .registers import Register, bit, bits
from .self_test import Limits
from .self_testing_imu import SelfTestingImu

FIFO_ENTRIES = 33
# A sample, FIFO_CTL and FIFO_STATUS. The datasheet wants 5 us between the end of a sample and FIFO_STATUS, and the byte
# in between takes 22 us at 400 kHz, the chip's fastest.
DATUM_BYTES = 8
ENTRIES_MASK = 0x3F
# Output data rate in Hz by the code in BW_RATE. Faster ones are too much for a bus of 400 kHz (table 7 and the text
# below it), slower ones of no use.
RATES_HZ = {6: 6.25, 7: 12.5, 8: 25.0, 9: 50.0, 10: 100.0, 11: 200.0, 12: 400.0, 13: 800.0}
STREAM = 0b10
# From standby to the first sample: 1.1 ms and a period (table 1), and a few samples for the filter.
WAKE_NS = 1_100_000
SETTLING_SAMPLES = 4


class Adxl345(SelfTestingImu):
    """An ADXL345 on an I2C bus, at 0x53, or 0x1D where its pin SDO/ALT ADDRESS is high."""

    name: ClassVar[str] = "adxl345"
    addresses: ClassVar[tuple[int, ...]] = (0x53, 0x1D)
    who_am_i_values: ClassVar[Mapping[int, str]] = {0xE5: "ADXL345 or ADXL343"}
    # In full resolution a count is the same at every full scale.
    acc_lsb_per_g: ClassVar[Mapping[int, float]] = {2: 256.0, 4: 256.0, 8: 256.0, 16: 256.0}
    # Two less than there is room for: at a full FIFO it is unknown whether samples were lost.
    capacity: ClassVar[int] = FIFO_ENTRIES - 2
    datum_bytes: ClassVar[int] = DATUM_BYTES
    burst_datums: ClassVar[int | None] = 1
    # The registers in between hold the samples, which a read takes out of the FIFO.
    settings_spans: ClassVar[tuple[tuple[int, int], ...]] = ((0x1E, 20), (0x38, 1))
    # Any rate from 100 to 800 Hz; a scale that the force does not exceed (section Self-test).
    self_test_hz: ClassVar[float] = 100.0
    self_test_full_scale_g: ClassVar[int] = 16
    # Table 15's at 2.5 V, widened to supplies of 2.0 to 3.6 V by table 14.
    self_test_limits_g: ClassVar[Limits] = (
        (0.64 * 50 / 256, 2.11 * 540 / 256),
        (-2.11 * 540 / 256, -0.64 * 50 / 256),
        (0.8 * 75 / 256, 1.69 * 875 / 256),
    )

    who_am_i = Register(0x00)
    ofsx = Register(0x1E)
    ofsy = Register(0x1F)
    ofsz = Register(0x20)
    bw_rate = Register(0x2C, LOW_POWER=bit(4), RATE=bits(3, 0))
    power_ctl = Register(0x2D, LINK=bit(5), AUTO_SLEEP=bit(4), MEASURE=bit(3), SLEEP=bit(2), WAKEUP=bits(1, 0))
    int_enable = Register(0x2E)
    data_format = Register(
        0x31, SELF_TEST=bit(7), SPI=bit(6), INT_INVERT=bit(5), FULL_RES=bit(3), JUSTIFY=bit(2), RANGE=bits(1, 0)
    )
    datax0 = Register(0x32)
    dataz1 = Register(0x37)
    fifo_ctl = Register(0x38, FIFO_MODE=bits(7, 6), TRIGGER=bit(5), SAMPLES=bits(4, 0))
    fifo_status = Register(0x39, FIFO_TRIG=bit(7), ENTRIES=bits(5, 0))

    _was_full = False

    def stop(self) -> None:
        """Stop sampling: standby."""
        self.power_ctl.write()

    def _reset(self) -> None:
        # There is no reset command: all that bears on the samples is written, in standby.
        self._hold(self.power_ctl)
        for register in (self.ofsx, self.ofsy, self.ofsz, self.int_enable):
            self._hold(register)

    def _set_up(self, rate_hz: float, acc_full_scale_g: int, gyro_full_scale_dps: int) -> tuple[float, float]:
        actual_hz = choose_rate(RATES_HZ.values(), rate_hz)
        self._hold(self.bw_rate, RATE=next(code for code, hz in RATES_HZ.items() if hz == actual_hz))
        self._hold(self.data_format, FULL_RES=1, RANGE=list(self.acc_lsb_per_g).index(acc_full_scale_g))
        self._hold(self.power_ctl, MEASURE=1)
        self._settle(actual_hz)
        # The bandwidth is always half the rate (table 7).
        return actual_hz, actual_hz / 2

    def _settle(self, rate_hz: float) -> None:
        self._clock.sleep_ns(WAKE_NS + round(SETTLING_SAMPLES / rate_hz * 1e9))

    def _force(self, direction: int) -> None:
        self._hold(self.data_format, SELF_TEST=direction, FULL_RES=1, RANGE=3)
        self._settle(self.self_test_hz)

    def _begin_fifo(self) -> None:
        # Bypass mode empties it.
        self.fifo_ctl.write()
        self._was_full = False
        self._hold(self.fifo_ctl, FIFO_MODE=STREAM)
        # The output registers may still hold a sample from before; a read of any of them takes it out.
        self.dataz1.read_block(1)

    def _level(self) -> FifoLevel:
        entries = self.fifo_status.read()["ENTRIES"]
        return FifoLevel(entries, aligned=entries <= FIFO_ENTRIES)

    def _read_fifo(self, length: int) -> bytes:
        data = self.datax0.read_block(length)
        # It was full until this sample was taken out.
        self._was_full |= data[-1] & ENTRIES_MASK >= FIFO_ENTRIES - 1
        return data

    def _overflowed_meanwhile(self) -> bool:
        return self._was_full or super()._overflowed_meanwhile()

    def _decode(self, data: bytes) -> NDArray[np.int16] | None:
        left = np.frombuffer(data, np.uint8)[DATUM_BYTES - 1 :: DATUM_BYTES] & ENTRIES_MASK
        # Fewer left than are yet to be read: the level was misread, and the last samples are repetitions.
        if (left < np.arange(len(left))[::-1]).any():
            return None
        rows = np.frombuffer(data, np.uint8).reshape(-1, DATUM_BYTES)
        return np.ascontiguousarray(rows[:, :6]).view("<i2")
