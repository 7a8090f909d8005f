"""Options that control how the windows' predictions become a stable label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_without

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import DecisionConfig, LabelTracker

DECISION_NAMES = ("hop", "smoothing", "horizon", "threshold", "margin", "dwell")
_FIELDS = {
    "hop": "hop_s",
    "smoothing": "smoothing",
    "horizon": "horizon_s",
    "threshold": "threshold",
    "margin": "margin",
    "dwell": "dwell_s",
}
# Repeated from `DecisionConfig`, which imports numpy and would slow help down; a test compares the two.
DEFAULTS = {"smoothing": "exponential", "horizon": 2.5, "threshold": 0.5, "margin": 0.1, "dwell": 2.5}
_TYPES: dict[str, click.ParamType[Any]] = {
    "hop": real(0, 3600, above=True),
    "smoothing": click.Choice(["none", "exponential", "majority", "markov"]),
    "horizon": real(0, 3600, above=True),
    "threshold": real(0, 1),
    "margin": real(0, 1),
    "dwell": real(0, 86_400),
}
_HELP = {
    "hop": "Time from one window to the next, seconds. [default: as tuned, else that of the training]",
    "smoothing": "Label from the latest window alone, a low-pass of the windows, their majority vote, or, for a tuned "
    "model, the usual durations and order of activities.",
    "horizon": "Time that smoothing looks back, seconds.",
    "threshold": "Smallest probability of a label; below it the label is `unknown`.",
    "margin": "Lead in probability that another class needs to replace the label.",
    "dwell": "Shortest time that a label stays, seconds.",
}


def decision_options(command: Any) -> Any:
    """Add the options of the decision to a command."""
    command = goes_without("smoothing", "horizon", value="none", why="looks at the latest window alone")(command)
    for name in reversed(DECISION_NAMES):
        tuned = f" [default: as tuned, else {DEFAULTS[name]}]" if name in DEFAULTS else ""
        command = click.option(f"--{name}", type=_TYPES[name], help=_HELP[name] + tuned)(command)
    return command


def decision_config(chosen: Mapping[str, Any], contract: ModelContract) -> DecisionConfig:
    """The model's own configuration, or the defaults, with the options that are given instead.

    A threshold that is given is that of every class.
    """
    from dataclasses import replace

    from deseptr.contract import DecisionConfig

    given = {_FIELDS[name]: chosen[name] for name in DECISION_NAMES if chosen[name] is not None}
    if "threshold" in given:
        given["thresholds"] = {}
    return replace(contract.decision or DecisionConfig(), **given)


def make_tracker(config: DecisionConfig, contract: ModelContract) -> LabelTracker:
    """Make the label tracker of a model, at the hop of its contract."""
    from deseptr.device import LabelTracker

    return LabelTracker(contract.labels, config, contract.hop_s)
