"""The session that somebody asks for on the page, checked: who, which activities, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deseptr.contract import DataError, ModelContract, SetupError
from deseptr.contract.limits import Limits
from deseptr.contract.visible_text import visible
from deseptr.device.personal.enough import check_enough
from deseptr.device.personal.guided_session import GuidedSession, GuidedStep
from deseptr.device.personal.wearer_folder import check_file_name
from deseptr.device.recorder import check_name

SECONDS = Limits(3, 60)
PREPARE = Limits(1, 60)
MOST_STEPS = 20
LONGEST_LABEL = 60
# What a run shows where there is no label.
_TAKEN = "unknown"


def wished_session(
    content: Mapping[str, Any], contract: ModelContract, now: float, recorded: Callable[[str], tuple[str, ...]]
) -> GuidedSession:
    """The session, before its first activity.

    Args:
        content: ``wearer``, ``prepare`` in seconds, and ``steps``: pairs of a label and its seconds.
        contract: of the model.
        now: time, seconds.
        recorded: gives the activities of a wearer's earlier sessions.

    Raises:
        DataError: if a name cannot be one, no activity of the model is among the labels, or nothing can be learned from
            them; and what ``recorded`` raises.
        SetupError: if a length is out of range, or there are no activities or too many.
    """
    wearer, prepare, steps = content.get("wearer"), content.get("prepare"), content.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        found = len(steps) if isinstance(steps, list) and steps else "none"
        raise SetupError("activities", found=found, expected=f"2 to {MOST_STEPS}", next_step=_CHOOSE)
    if not PREPARE.allow(prepare):
        raise SetupError("countdown", found=repr(prepare)[:20], expected=f"seconds, {PREPARE}", next_step=_CHOOSE)
    made = tuple(_step(each, contract) for each in steps)
    labels = [step.label for step in made]
    if len({*labels}) < len(labels) or all(step.new for step in made):
        raise DataError(
            "activities",
            found=", ".join(labels)[:200],
            expected=f"each once, and one of the model's beside a new one: {', '.join(contract.labels)}",
            next_step=_CHOOSE,
        )
    assert isinstance(prepare, int | float)
    name = check_file_name(wearer if isinstance(wearer, str) else "")
    before = recorded(name)
    check_enough(name, (*before, *labels))
    return GuidedSession(name, made, float(prepare), now, before)


def _step(wished: Any, contract: ModelContract) -> GuidedStep:
    label: Any
    seconds: Any
    label, seconds = wished if isinstance(wished, list) and len(wished) == 2 else (None, None)
    name = check_name("activity", label if isinstance(label, str) else "")
    if name not in contract.labels and (len(name) > LONGEST_LABEL or visible(name) != name or name == _TAKEN):
        raise DataError(
            "activity",
            found=repr(name[:LONGEST_LABEL]),
            expected=f"a name of at most {LONGEST_LABEL} characters, other than {_TAKEN}",
            next_step="choose another name",
        )
    if not SECONDS.allow(seconds):
        raise SetupError(f"seconds of {name}", found=repr(seconds)[:20], expected=str(SECONDS), next_step=_CHOOSE)
    # A window needs all of its samples, and the sensor's rate may be a little low.
    return GuidedStep(name, name not in contract.labels, max(float(seconds), 1.1 * contract.window_s))


_CHOOSE = "choose others on the page"
