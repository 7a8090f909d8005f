"""A guided session: in every phase what may be done is done, and everything else is refused in words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deseptr.device.personal.guided_session import GuidedSession, GuidedStep, KeptTake, OutOfTurnError
from deseptr.device.personal.take_check import TakeCheck
from deseptr.device.recorder import Take

STEPS = (GuidedStep("sit", False, 10.0), GuidedStep("row", True, 20.0))


def take(windows: int = 9) -> KeptTake:
    path = Path("sit.csv")
    return KeptTake(Take(path, "sit", 500, 10.0, 0, 50.0, 50.0), TakeCheck("sit", windows, None, "sit", 1.0))


def new() -> GuidedSession:
    return GuidedSession("eve", STEPS, 3.0, now=100.0)


def countdown() -> GuidedSession:
    session = new()
    session.start(100.0)
    return session


def recording() -> GuidedSession:
    session = countdown()
    assert session.due(103.0)
    return session


def checking() -> GuidedSession:
    session = recording()
    session.recorded(113.0)
    return session


def checked() -> GuidedSession:
    session = checking()
    session.checked(take(), 114.0)
    return session


def fitting() -> GuidedSession:
    session = new()
    for _ in STEPS:
        session.skip(101.0)
    return session


def done() -> GuidedSession:
    session = fitting()
    session.finish(("written",), 120.0)
    return session


def refused() -> GuidedSession:
    session = new()
    session.refuse("no takes", 120.0)
    return session


PHASES = {each.__name__: each for each in (countdown, recording, checking, checked, fitting, done, refused)}
PHASES["ready"] = new
VERBS: dict[str, tuple[Callable[[GuidedSession], object], dict[str, str]]] = {
    "start": (lambda session: session.start(200.0), {"ready": "countdown", "checked": "countdown"}),
    "stop": (lambda session: session.stop(200.0), {"countdown": "ready", "recording": "ready"}),
    "recorded": (lambda session: session.recorded(200.0), {"recording": "checking"}),
    "checked": (lambda session: session.checked(take(), 200.0), {"checking": "checked"}),
    "keep": (lambda session: session.keep(200.0), {"checked": "ready"}),
    "skip": (lambda session: session.skip(200.0), {"ready": "ready", "checked": "ready"}),
}
MEANINGS = {
    "ready": "the next activity waits to be started",
    "countdown": "the countdown runs",
    "recording": "an activity is being recorded",
    "checking": "the take is being checked",
    "checked": "keep or repeat the take first",
    "fitting": "the correction is being computed",
    "done": "the session is over",
    "refused": "the session is over",
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_out_of_turn_is_refused_and_changes_nothing(phase: str, verb: str):
    session = PHASES[phase]()
    assert session.phase == phase
    act, leads = VERBS[verb]
    if phase in leads:
        act(session)
        assert session.phase == leads[phase]
        return
    before = dict(vars(session), kept=list(session.kept))
    with pytest.raises(OutOfTurnError, match=f"^{re.escape(f'not now: {MEANINGS[phase]}')}$"):
        act(session)
    assert vars(session) == before


@pytest.mark.parametrize("phase", PHASES)
def test_a_session_ends_once(phase: str):
    session = PHASES[phase]()
    if not session.over:
        session.finish(("written",), 200.0)
        assert (session.phase, session.told, session.take) == ("done", ("written",), None)
    told = session.told
    for end in (lambda: session.finish(("again",), 201.0), lambda: session.refuse("again", 201.0)):
        with pytest.raises(OutOfTurnError, match=r"^the session is over$"):
            end()
    assert session.told == told


def test_a_take_that_cannot_be_used_is_not_kept():
    session = checking()
    session.checked(take(windows=0), 114.0)
    with pytest.raises(OutOfTurnError, match="this take cannot be used; repeat it, or leave the activity out"):
        session.keep(115.0)
    assert (session.phase, session.kept, session.number) == ("checked", [], 0)


def test_a_kept_take_leads_to_the_next_activity_and_the_last_to_the_correction():
    session = checked()
    session.keep(115.0)
    assert (session.phase, session.step, session.kept, session.take) == ("ready", STEPS[1], [take()], None)
    session.skip(116.0)
    assert (session.phase, session.step, len(session.kept)) == ("fitting", STEPS[1], 1)
    session.finish(("written",), 117.0)
    assert (session.over, session.told) == (True, ("written",))


def test_countdown_and_patience():
    session = countdown()
    assert [session.left_s(now) for now in (100.0, 102.5, 103.0, 104.0)] == [3.0, 0.5, 0.0, 0.0]
    assert not session.due(102.9)
    assert not session.abandoned(220.0)
    assert session.abandoned(220.1)
    session = recording()
    assert session.left_s(103.0) == 0.0
    # A take may last twice as long as it should.
    assert not session.abandoned(103.0 + 120.0 + 2 * 10.0)
    assert session.abandoned(103.1 + 120.0 + 2 * 10.0)
    for working in (checking(), fitting()):
        assert not working.abandoned(1e6)
