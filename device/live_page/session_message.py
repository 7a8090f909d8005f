"""What the page is told of a guided session."""

from __future__ import annotations

from typing import Any

from deseptr.device.personal.guided_session import GuidedSession


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
        "check": None if take is None else {"text": str(take.check), "usable": take.check.usable},
        "kept": [each.check.label for each in session.kept],
        "told": list(session.told),
    }
