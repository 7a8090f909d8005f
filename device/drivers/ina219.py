"""Driver for the Texas Instruments INA219, a power meter on I2C in the board's 5 V lead.

Registers, equations and timing after the datasheet SBOS448G. It measures everything behind its shunt, including the
losses of the board's converters, which the board's own power chip does not see.
"""

from __future__ import annotations

from deseptr.contract import SensorError
from deseptr.device.bus import I2cBus
from deseptr.device.clock import Clock
from deseptr.device.host.power import Power

CONFIGURATION, SHUNT_VOLTAGE, BUS_VOLTAGE, POWER, CALIBRATION = 0x00, 0x01, 0x02, 0x03, 0x05
# 16 V range, gain /8 (±320 mV), 128 samples averaged of either voltage, both continuously (tables 6 to 8).
_CONFIGURATION = 0b0_0_0_11_1111_1111_111
_CONVERSION_READY = 0b10
_LARGEST_SHUNT_V = 0.32
# With gain /8 the shunt's voltage saturates at this many times 10 uV, and sets no flag (section 8.6.3.1).
_SATURATED = 32_000
# Equations 1 and 2: trunc(0.04096 / (LSB · R)), with an LSB of 2^-15 of the largest current, which is 0.32 V / R:
# the shunt cancels out.
_CALIBRATION = int(0.04096 * 2**15 / _LARGEST_SHUNT_V)
# Two conversions of 68.1 ms each (table 5), and as much again.
_CONVERSION_POLL_NS = 10_000_000
_CONVERSION_TIMEOUT_NS = 300_000_000


class Ina219:
    """An INA219 with its shunt in the supply of the board.

    Args:
        bus: the bus it is on.
        clock: for the bounded wait for a conversion.
        address: 0x40 to 0x4F, by its pins A0 and A1.
        shunt_ohm: resistance of the shunt; 0.1 on the usual breakouts, good for 3.2 A.
    """

    name = "ina219"

    def __init__(self, bus: I2cBus, clock: Clock, address: int = 0x40, shunt_ohm: float = 0.1) -> None:
        self.bus = bus
        self.address = address
        self._clock = clock
        self._current_lsb_a = 0.04096 / (_CALIBRATION * shunt_ohm)
        self._shunt_ohm = shunt_ohm

    def configure(self) -> None:
        """Write the configuration and read it back.

        Raises:
            SensorError: if it does not answer, or is another chip.
        """
        for register, value in ((CONFIGURATION, _CONFIGURATION), (CALIBRATION, _CALIBRATION)):
            self.bus.write(self.address, register, value.to_bytes(2, "big"))
            found = self._read(register)
            if found != value:
                raise self._error(
                    f"register 0x{register:02X} = 0x{found:04X} after writing it",
                    f"0x{value:04X}",
                    "check that this address is an INA219's",
                )

    def read(self) -> Power:
        """The draw, averaged over the 136 ms of a conversion that ends after this call begins.

        Raises:
            SensorError: if the bus fails, no conversion ends, or the current is beyond what the shunt allows.
        """
        if self._read(CALIBRATION) != _CALIBRATION:
            # It lost its supply for a moment, and would measure 0 W from now on.
            self.configure()
        self._read(POWER)  # clears the flag of the conversion before this call
        self._wait()
        if abs(self._shunt_voltage()) >= _SATURATED:
            limit_a = _LARGEST_SHUNT_V / self._shunt_ohm
            raise self._error("a current beyond its range", f"less than {limit_a:g} A", "use a smaller shunt")
        watts = self._read(POWER) * 20 * self._current_lsb_a  # section 8.5.1: the power LSB is 20 current LSBs
        return Power(watts, f"INA219 at 0x{self.address:02x}", "what does not pass its shunt")

    def _shunt_voltage(self) -> int:
        """In units of 10 uV."""
        word = self._read(SHUNT_VOLTAGE)
        return word - (1 << 16) if word & 0x8000 else word

    def _wait(self) -> None:
        limit_ns = self._clock.now_ns() + _CONVERSION_TIMEOUT_NS
        while self._clock.now_ns() < limit_ns:
            self._clock.sleep_ns(_CONVERSION_POLL_NS)
            if self._read(BUS_VOLTAGE) & _CONVERSION_READY:
                return
        raise self._error("no conversion in 300 ms", "one every 136 ms", "check its supply, and configure it again")

    def _read(self, register: int) -> int:
        return int.from_bytes(self.bus.read(self.address, register, 2), "big")

    def _error(self, found: str, expected: str, next_step: str) -> SensorError:
        thing = f"{self.name} on {self.bus.path}, address 0x{self.address:02x}"
        return SensorError(thing, found=found, expected=expected, next_step=next_step)
