"""The simulated meter against the worked example of the datasheet SBOS448G, section 8.5."""

import pytest

from deseptr.firmware_harness.simulator import SimulatedIna219, VirtualClock


@pytest.mark.parametrize(("amperes", "shunt", "current"), [(10.0, 0x07D0, 0x2710), (-10.0, 0xF830, 0xD8F0)])
def test_registers_are_those_of_the_example(amperes: float, shunt: int, current: int):
    """20 mV over a shunt of 2 mΩ and 11.98 V at the bus, with steps of 1 mA and 20 mW: 10 A and 119.8 W."""
    clock = VirtualClock()
    chip = SimulatedIna219(lambda: (11.98, amperes), clock, 0.002)
    chip.write(0x05, bytes.fromhex("5000"))
    clock.sleep_ns(100_000_000)
    words = [int.from_bytes(chip.read(register, 2), "big") for register in range(1, 5)]
    assert (words[0], words[1] >> 3, words[2], words[3]) == (shunt, 0x0BB3, 0x1766, current)
    # Converted, and no overflow.
    assert words[1] & 3 == 2
