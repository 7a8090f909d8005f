"""Lines of a GPIO chip, by the kernel's character device: a buzzer, a lamp and a button.

Only this module needs ``gpiod``, the Python binding of libgpiod 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from deseptr.contract import SetupError

DEBOUNCE = timedelta(milliseconds=20)
OUTPUTS, BUTTON = ("buzzer", "led"), "button"
HIGHEST_LINE = 1023


@dataclass(frozen=True, slots=True)
class Line:
    """A line.

    Args:
        offset: its number at the chip; on a Raspberry Pi that of the GPIO, not that of the pin.
        low: whether it is active when the level is low.
    """

    offset: int
    low: bool = False


def parse_lines(text: str) -> dict[str, Line]:
    """Parse ``buzzer=17,led=!27,button=22``, in which ``!`` is for a line that is active when its level is low.

    A button is one between the line and ground: it is active low with a pull-up, and with ``!`` active high.

    Raises:
        SetupError: if the text has another form, names a line twice, or names none.
    """
    found: dict[str, Line] = {}
    for part in text.split(","):
        match = re.fullmatch(rf"\s*({'|'.join((*OUTPUTS, BUTTON))})\s*=\s*(!?)([0-9]{{1,4}})\s*", part)
        if match is None or match[1] in found or int(match[3]) > HIGHEST_LINE:
            raise _refused(text)
        found[match[1]] = Line(int(match[3]), bool(match[2]))
    if len({line.offset for line in found.values()}) < len(found):
        raise _refused(text)
    return found


class GpioLines:
    """Requested lines.

    Args:
        chip: the character device.
        lines: the lines, by their use.

    Raises:
        SetupError: if there is no such chip or line, it may not be used, or somebody else uses it.
    """

    def __init__(self, chip: Path, lines: dict[str, Line]) -> None:
        self._lines = lines
        self._outputs: gpiod.LineRequest | None = None
        self._button: gpiod.LineRequest | None = None
        config = {
            line.offset: gpiod.LineSettings(
                direction=Direction.OUTPUT, active_low=line.low, output_value=Value.INACTIVE
            )
            for name, line in lines.items()
            if name != BUTTON
        }
        button = lines.get(BUTTON)
        try:
            if config:
                self._outputs = gpiod.request_lines(str(chip), config=config, consumer="deseptr")
            if button is not None:
                settings = gpiod.LineSettings(
                    direction=Direction.INPUT,
                    bias=Bias.PULL_DOWN if button.low else Bias.PULL_UP,
                    active_low=not button.low,
                    edge_detection=Edge.RISING,
                    debounce_period=DEBOUNCE,
                )
                self._button = gpiod.request_lines(str(chip), config={button.offset: settings}, consumer="deseptr")
        except (OSError, ValueError) as error:
            self.close()
            raise _unusable(chip, error) from error

    def set(self, name: str, active: bool, /) -> None:
        """Make an output active or not, if there is one of that name.

        Raises:
            OSError: if the chip refuses.
        """
        if self._outputs is not None and name in self._lines:
            self._outputs.set_value(self._lines[name].offset, Value.ACTIVE if active else Value.INACTIVE)

    def pressed(self, seconds: float) -> bool | None:
        """Wait so long for the button; None if there is no button, and nothing was waited for.

        Raises:
            OSError: if the chip fails.
        """
        if self._button is None:
            return None
        if not self._button.wait_edge_events(timedelta(seconds=seconds)):
            return False
        return bool(self._button.read_edge_events())

    def close(self) -> None:
        """Release the lines."""
        for request in (self._outputs, self._button):
            if request is not None:
                request.release()
        self._outputs = self._button = None


def _refused(text: str) -> SetupError:
    return SetupError(
        "--gpio",
        found=repr(text[:60]),
        expected="some of buzzer=LINE, led=LINE, button=LINE, each on a line of its own",
        next_step="write as buzzer=17,led=27,button=22, with ! before a line that is active low",
    )


def _unusable(chip: Path, error: Exception) -> SetupError:
    cause = getattr(error, "strerror", None) or str(error)
    return SetupError(
        f"--gpio {chip}",
        found=cause,
        expected="a GPIO chip, of which nobody else uses these lines and this user may",
        next_step="see `gpioinfo`; name another with --gpio-chip, or add the user to the group gpio",
    )
