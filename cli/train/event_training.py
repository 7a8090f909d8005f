"""``--preset`` and ``--event`` of ``deseptr train``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deseptr.cli.common.numbers import real
from deseptr.cli.common.option_rules import goes_with
from deseptr.train.presets import PRESETS

if TYPE_CHECKING:
    from deseptr.data import Dataset

# Of a window, so that the peak comes to lie in its middle half.
_SPAN = 1.5


def event_training_options(command: Any) -> Any:
    """Add the options of events and presets to a command."""
    options = (
        click.option(
            "--preset",
            type=click.Choice(list(PRESETS)),
            is_eager=True,
            callback=_take,
            help="Settings for a purpose; options go before them. falls: short windows, full scales, --event fall.",
        ),
        click.option(
            "--event",
            metavar="CLASS",
            help="A class that raises alarms; of each of its runs the time around the largest acceleration is learned.",
        ),
        click.option(
            "--event-span",
            type=real(0, 3600, above=True),
            metavar="SECONDS",
            help="Length of that time.  [default: one and a half windows]",
        ),
    )
    command = goes_with("event", "event_span")(command)
    for option in reversed(options):
        command = option(command)
    return command


def _take(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    if name is not None:
        context.default_map = {**PRESETS[name].settings, **(context.default_map or {})}
    return name


def at_events(dataset: Dataset, event: str | None, span_s: float | None, window_s: float) -> Dataset:
    """The dataset with the moments of an event instead of its runs.

    Raises:
        DataError: if the dataset has no such class or no acceleration.
    """
    if event is None:
        return dataset
    from deseptr.data import around_peaks

    return around_peaks(dataset, event, span_s or _SPAN * window_s)
