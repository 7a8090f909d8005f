"""A buzzer and a lamp that show alarms, and a button that answers them.

The lamp is a dead man's one: it flashes shortly while windows are classified, and is dark when nobody watches. A
pressed button silences the buzzer at once, and cancels what is suspected or acknowledges what was raised.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from deseptr.device.alarms.answers import Answers
from deseptr.device.events import AlarmEvent, Event, WindowEvent

from .losses import Warn

# Time without a window after which the lamp no longer flashes.
WATCHING_S = 10.0
STEP_S = 0.05


class Lines(Protocol):
    """Outputs by name, and a button."""

    def set(self, name: str, active: bool, /) -> None:
        """Make the output ``buzzer`` or ``led`` active or not.

        Raises:
            OSError: if that is not possible.
        """
        ...

    def pressed(self, seconds: float) -> bool | None:
        """Wait so long for the button to be pressed; None if there is none, and nothing was waited for.

        Raises:
            OSError: if that is not possible.
        """
        ...

    def close(self) -> None:
        """Release the lines."""
        ...


def buzzer_sounds(state: str, since_s: float) -> bool:
    """Whether the buzzer sounds: a short beep a second while suspected, half of each second once raised.

    Args:
        state: of the alarm, ``suspected``, ``raised`` or anything else.
        since_s: time since it has it, seconds.
    """
    return (state == "suspected" and since_s % 1.0 < 0.1) or (state == "raised" and since_s % 1.0 < 0.5)


def lamp_shines(state: str, since_s: float, watched_s: float) -> bool:
    """Whether the lamp shines: always while raised, half of the time while suspected, else a flash every two seconds.

    Args:
        state: as of :func:`buzzer_sounds`.
        since_s: time since it has it, seconds.
        watched_s: time since the last window, seconds.
    """
    if state == "raised":
        return True
    if state == "suspected":
        return since_s % 0.4 < 0.2
    return watched_s < WATCHING_S and since_s % 2.0 < 0.1


class AlarmLamp:
    """Shows the alarms of a run on lines.

    Args:
        lines: the lines; released with the sink.
        answers: takes what the button says.
        warn: called when the lines fail and when they work again.
        now: a monotonic clock, seconds.
    """

    def __init__(
        self, lines: Lines, answers: Answers, warn: Warn, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lines = lines
        self._answers = answers
        self._warn = warn
        self._now = now
        # State and begin of the alarm that is shown, by key; the latest comes last.
        self._shown: dict[str, tuple[str, float]] = {}
        self._window_at = -WATCHING_S
        self._begun = now()
        self._active: dict[str, bool] = {}
        self._failing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpio", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Note an alarm, or that a window was classified."""
        if isinstance(event, WindowEvent):
            self._window_at = self._now()
        elif isinstance(event, AlarmEvent):
            shown = {key: value for key, value in self._shown.items() if key != event.key}
            if event.state in ("suspected", "raised"):
                shown[event.key] = event.state, self._now()
            self._shown = shown

    def close(self) -> None:
        """Switch everything off, and release the lines."""
        self._closing.set()
        self._thread.join()
        self._lines.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._step()
            except OSError as error:
                if not self._failing:
                    self._warn(f"gpio: {error.strerror}; alarms are not shown there until it works again")
                self._failing = True
                self._active.clear()
                self._closing.wait(1.0)
            else:
                if self._failing:
                    self._warn("gpio: works again")
                self._failing = False
        with suppress(OSError):
            for name in ("buzzer", "led"):
                self._lines.set(name, False)

    def _step(self) -> None:
        shown = [*self._shown.values(), ("", self._begun)]
        state, begun = max(shown, key=lambda each: (each[0] == "raised", each[0] == "suspected", each[1]))
        now = self._now()
        self._show("buzzer", buzzer_sounds(state, now - begun))
        self._show("led", lamp_shines(state, now - begun, now - self._window_at))
        pressed = self._lines.pressed(STEP_S)
        if pressed is None:
            self._closing.wait(STEP_S)
        elif pressed:
            self._shown = {}
            self._answers.post("button")

    def _show(self, name: str, active: bool) -> None:
        if self._active.get(name) is not active:
            self._lines.set(name, active)
            self._active[name] = active
