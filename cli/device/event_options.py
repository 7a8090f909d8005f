"""``--event`` and its options: which classes raise alarms, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real, whole

if TYPE_CHECKING:
    from deseptr.contract import EventRule, ModelContract
    from deseptr.device import Answers, EventWatch

NONE = "none"
# Option, field of the rule, type, and help; the defaults are the rule's own.
_RULE = (
    (
        "threshold",
        "threshold",
        real(0, 1, above=True),
        "Smallest probability of the class in a window.  [default: 0.7]",
    ),
    ("windows", "windows", whole(1, 1000), "Number of windows in a row that need it.  [default: 1]"),
    ("refractory", "refractory_s", real(0, 86_400), "Time after an alarm without another, seconds.  [default: 30]"),
    (
        "confirm",
        "confirm_s",
        real(0, 86_400),
        "Time in which motion cancels the alarm, seconds; 0: the alarm is raised at once.  [default: 0]",
    ),
    ("settle", "settle_s", real(0, 86_400), "Time before it in which motion does not count, seconds.  [default: 2]"),
    (
        "motion",
        "motion",
        real(0, 1000, above=True),
        "Standard deviation of the acceleration that is motion, m/s^2.  [default: 1]",
    ),
    ("still", "still", real(0, 1, above=True), "Share of the time that must pass without motion.  [default: 0.75]"),
    (
        "posture",
        "posture_deg",
        real(0, 180, above=True),
        "Angle to the posture before from which on the wearer lies, and may move more, degrees.",
    ),
)
EVENT_NAMES = ("event", *(f"event_{name}" for name, *_ in _RULE))


def event_options(command: Any) -> Any:
    """Add the options of events to a command."""
    for name, _, kind, text in reversed(_RULE):
        command = click.option(f"--event-{name}", type=kind, help=text)(command)
    return click.option(
        "--event",
        metavar="CLASS[,CLASS]",
        envvar="DESEPTR_EVENT",
        show_envvar=True,
        help="Classes that raise an alarm, as fall; none: not even those of the model.  [default: the model's]",
    )(command)


def event_rules(chosen: Mapping[str, Any], own: tuple[EventRule, ...] = ()) -> tuple[EventRule, ...]:
    """The rules that the options describe, on top of the model's own.

    Raises:
        click.UsageError: if there are options of a rule and no event.
        SetupError: if a value is out of its range.
    """
    from deseptr.contract import EventRule

    given = {field: chosen[f"event_{name}"] for name, field, *_ in _RULE if chosen[f"event_{name}"] is not None}
    known = {rule.label: rule for rule in own}
    if chosen["event"] is None:
        labels = list(known)
    else:
        labels = [label for label in map(str.strip, chosen["event"].split(",")) if label not in ("", NONE)]
    if given and not labels:
        name = next(name for name, field, *_ in _RULE if field in given)
        raise click.UsageError(f"--event-{name} goes with --event")
    return tuple(replace(known.get(label, EventRule(label)), **given) for label in labels)


def make_watch(chosen: Mapping[str, Any], contract: ModelContract, answers: Answers) -> EventWatch | None:
    """What watches for the events of a run; None if there are none.

    Raises:
        SetupError: if a rule does not fit the model.
    """
    from deseptr.device import EventWatch

    rules = event_rules(chosen, contract.events or ())
    return EventWatch(contract, rules, answers) if rules else None
