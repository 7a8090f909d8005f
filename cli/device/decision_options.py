"""Options that say how windows become a label that lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import DecisionConfig, LabelTracker

DECISION_NAMES = ("smoothing", "horizon", "threshold", "margin", "dwell")
# Those of `DecisionConfig`, which help must not import: it comes with numpy. A test holds the two together.
_DEFAULTS = {"horizon": 2.5, "threshold": 0.5, "margin": 0.1, "dwell": 2.5}
_HELP = {
    "horizon": "How far smoothing looks back, seconds.",
    "threshold": "The label is `unknown` while no class is as probable as this.",
    "margin": "By how much another class must lead to follow a label.",
    "dwell": "How long a label stays at least, seconds.",
}


def decision_options(command: Any) -> Any:
    """Add the options of the decision to a command."""
    for name, default in reversed(_DEFAULTS.items()):
        command = click.option(f"--{name}", type=float, default=default, show_default=True, help=_HELP[name])(command)
    return click.option(
        "--smoothing",
        type=click.Choice(["none", "exponential", "majority"]),
        default="exponential",
        show_default=True,
        help="What one label is made of: the latest window, a low-pass of the windows, or their votes.",
    )(command)


def decision(chosen: Mapping[str, Any]) -> DecisionConfig:
    """The configuration that the options ask for.

    Raises:
        SetupError: if a number is out of its range.
    """
    from deseptr.device import DecisionConfig

    return DecisionConfig(
        chosen["smoothing"], chosen["horizon"], chosen["threshold"], chosen["margin"], chosen["dwell"]
    )


def tracker_of(config: DecisionConfig, contract: ModelContract) -> LabelTracker:
    """What decides for a model."""
    from deseptr.device import LabelTracker

    return LabelTracker(contract.labels, config, contract.hop_s)
