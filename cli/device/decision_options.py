"""Options that control how the windows' predictions become a stable label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real

if TYPE_CHECKING:
    from deseptr.contract import ModelContract
    from deseptr.device import DecisionConfig, LabelTracker

DECISION_NAMES = ("smoothing", "horizon", "threshold", "margin", "dwell")
# Repeated from `DecisionConfig`, which imports numpy and would slow help down; a test compares the two.
_DEFAULTS = {"horizon": 2.5, "threshold": 0.5, "margin": 0.1, "dwell": 2.5}
_TYPES = {"horizon": real(0, 3600, above=True), "threshold": real(0, 1), "margin": real(0, 1), "dwell": real(0, 86_400)}
_HELP = {
    "horizon": "Time that smoothing looks back, seconds.",
    "threshold": "Smallest probability of a label; below it the label is `unknown`.",
    "margin": "Lead in probability that another class needs to replace the label.",
    "dwell": "Shortest time that a label stays, seconds.",
}


def decision_options(command: Any) -> Any:
    """Add the options of the decision to a command."""
    for name, default in reversed(_DEFAULTS.items()):
        command = click.option(f"--{name}", type=_TYPES[name], default=default, show_default=True, help=_HELP[name])(
            command
        )
    return click.option(
        "--smoothing",
        type=click.Choice(["none", "exponential", "majority"]),
        default="exponential",
        show_default=True,
        help="Label from the latest window alone, a low-pass filter over the windows, or their majority vote.",
    )(command)


def decision_config(chosen: Mapping[str, Any]) -> DecisionConfig:
    """Build the configuration from the options."""
    from deseptr.device import DecisionConfig

    return DecisionConfig(
        chosen["smoothing"], chosen["horizon"], chosen["threshold"], chosen["margin"], chosen["dwell"]
    )


def make_tracker(config: DecisionConfig, contract: ModelContract) -> LabelTracker:
    """Make the label tracker of a model."""
    from deseptr.device import LabelTracker

    return LabelTracker(contract.labels, config, contract.hop_s)
