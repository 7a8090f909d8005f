import threading

from alarm_receiver import until
from hypothesis import given, strategies as st

from deseptr.device import AlarmEvent, Answers
from deseptr.device.sinks.alarm_lamp import WATCHING_S, AlarmLamp, buzzer_sounds, lamp_shines


class Board:
    """Lines whose levels a test reads, and a button that it presses."""

    def __init__(self):
        self.levels = {}
        self.error = None
        self.press = threading.Event()
        self.closed = False

    def set(self, name, active, /):
        if self.error is not None:
            raise self.error
        self.levels[name] = active

    def pressed(self, seconds):
        if self.press.wait(min(seconds, 0.001)):
            self.press.clear()
            return True
        return False

    def close(self):
        self.closed = True


def make(warnings, answers=None):
    board, clock = Board(), [100.0]
    return board, clock, AlarmLamp(board, answers or Answers(), warnings, now=lambda: clock[0])


def alarm(state, key="1f"):
    return AlarmEvent(1.0, "fall", state, 0.9, key)


def test_an_alarm_sounds_until_the_button_is_pressed(warnings):
    answers = Answers()
    board, clock, lamp = make(warnings, answers)
    lamp.take(alarm("suspected"))
    until(lambda: board.levels == {"buzzer": True, "led": True})
    clock[0] += 0.35
    until(lambda: board.levels == {"buzzer": False, "led": False})
    lamp.take(alarm("raised"))
    until(lambda: board.levels == {"buzzer": True, "led": True})
    board.press.set()
    until(lambda: not board.levels["buzzer"])
    assert answers.take() == [("button", None)]
    lamp.close()
    assert board.closed
    assert board.levels == {"buzzer": False, "led": False}
    assert warnings == []


def test_what_is_cancelled_or_acknowledged_elsewhere_is_silent_and_what_is_not_still_sounds(warnings):
    board, _, lamp = make(warnings)
    lamp.take(alarm("raised", "a"))
    lamp.take(alarm("suspected", "b"))
    lamp.take(alarm("cancelled", "b"))
    until(lambda: board.levels.get("led") is True)
    lamp.take(alarm("acknowledged", "a"))
    until(lambda: board.levels["led"] is False or board.levels["buzzer"] is False)
    lamp.close()
    assert board.levels == {"buzzer": False, "led": False}
    assert warnings == []


def test_the_lamp_flashes_while_somebody_watches_and_only_then(warnings, window):
    board, clock, lamp = make(warnings)
    until(lambda: board.levels == {"buzzer": False, "led": False})
    lamp.take(window())
    clock[0] += 2.0
    until(lambda: board.levels["led"])
    clock[0] += 10.0
    until(lambda: not board.levels["led"])
    lamp.close()
    assert board.levels == {"buzzer": False, "led": False}
    assert warnings == []


def test_a_chip_that_fails_is_said_once_and_used_again(warnings):
    board, _, lamp = make(warnings)
    board.error = OSError(5, "Input/output error")
    lamp.take(alarm("raised"))
    until(lambda: warnings)
    board.error = None
    until(lambda: len(warnings) == 2)
    until(lambda: board.levels.get("buzzer"))
    lamp.close()
    assert warnings == [
        "gpio: Input/output error; alarms are not shown there until it works again",
        "gpio: works again",
    ]


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_patterns(since_s, watched_s):
    assert lamp_shines("raised", since_s, watched_s)
    assert not buzzer_sounds("", since_s)
    assert buzzer_sounds("suspected", since_s) <= buzzer_sounds("raised", since_s)
    if watched_s >= WATCHING_S:
        assert not lamp_shines("", since_s, watched_s)
