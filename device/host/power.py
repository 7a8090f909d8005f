"""Power draw of a board, from the power chip of a Raspberry Pi 5 or from a meter on I2C."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

PMIC_LEAVES_OUT = (
    "loads on 5 V directly (USB, fan, display, header pins) and the losses of the converters; "
    "the sum of the rails is a lower bound"
)
# `VDD_CORE_A current(7)=0.98016000A`, `VDD_CORE_V volt(15)=0.87654000V`
_ADC = re.compile(r"^\s*(\w{1,40})_([AV]) (?:current|volt)\(\d{1,3}\)=(\d{1,6}(?:\.\d{1,12})?)[AV]\s*$", re.MULTILINE)

RunCommand = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Power:
    """A power draw.

    Args:
        watts: power of everything that the instrument measures.
        source: name of the instrument.
        leaves_out: loads that the instrument does not measure.
    """

    watts: float
    source: str
    leaves_out: str


class PowerMeter(Protocol):
    """An instrument that measures the board's power draw."""

    def read(self) -> Power:
        """Measure the power draw; raises ``SensorError`` if the meter fails."""
        ...


def pmic_power(run: RunCommand) -> Power | None:
    """The draw of a Raspberry Pi 5, summed over the rails that its power chip reports a current *and* a voltage of.

    ``vcgencmd pmic_read_adc`` gives both for twelve rails. The input (EXT5V) and the clock's battery have only a
    voltage, so that loads besides the rails are not included.

    Args:
        run: runs a command, as :func:`deseptr.device.host.board.run_command`.

    Returns:
        The draw, or None on other boards.
    """
    amperes: dict[str, float] = {}
    volts: dict[str, float] = {}
    for rail, kind, value in _ADC.findall(run(("vcgencmd", "pmic_read_adc"))):
        (amperes if kind == "A" else volts)[rail] = float(value)
    rails = amperes.keys() & volts.keys()
    if not rails:
        return None
    watts = sum(amperes[rail] * volts[rail] for rail in rails)
    return Power(watts, f"power chip of the board, {len(rails)} rails", PMIC_LEAVES_OUT)
