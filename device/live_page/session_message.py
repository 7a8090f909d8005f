"""What the page is told of a guided session."""

from __future__ import annotations

from typing import Any

from deseptr.device.personal.guided_session import GuidedSession
from deseptr.device.personal.take_check import TakeCheck


def session_message(session: GuidedSession, identity: str, now: float, done_s: float) -> dict[str, Any]:
    """The session as plain JSON values.

    Args:
        session: the session.
        identity: by which its operator's page knows it.
        now: time of the session's clock, seconds.
        done_s: length of what is recorded of the present take, seconds.
    """
    take = session.take
    return {
        "id": identity,
        "wearer": session.wearer,
        "steps": [{"label": step.label, "new": step.new, "seconds": step.seconds} for step in session.steps],
        "number": session.number,
        "phase": session.phase,
        "left": round(session.left_s(now), 2),
        "done": round(done_s, 1),
        "check": None if take is None else _check(session, take.check),
        "needed": session.needed,
        "kept": [each.check.label for each in session.kept],
        "told": list(session.told),
    }


def _check(session: GuidedSession, check: TakeCheck) -> dict[str, Any]:
    recorded = {check.label, *session.before, *(step.label for step in session.steps)}
    # What the model takes it for cannot be told from it unless it is recorded, too.
    missing = check.seen if check.usable and check.seen not in recorded else None
    return {"text": str(check), "usable": check.usable, "missing": missing}
