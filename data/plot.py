"""A figure of a dataset: minutes by subject and label, and five seconds of each activity. Needs matplotlib."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np

from deseptr.contract import SENSORS, DataError, SetupError, atomic_path, check_replaceable, sensors_of
from deseptr.contract.counts import counted

from .quality import minutes_table
from .recording import UNLABELLED_NAME, Dataset, Recording, Segment

_EXAMPLE_S = 5.0
_COLUMNS = 6
AXIS_COLOURS = ("#0072B2", "#D55E00", "#009E73")
# First bytes of each kind of picture, by suffix.
_FORMATS = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF-"}


def plot_dataset(dataset: Dataset, path: str | Path) -> None:
    """Write the figure to ``path`` atomically.

    Args:
        dataset: dataset to show.
        path: ends in ``.png``, ``.svg`` or ``.pdf``.

    Raises:
        DataError: if the path has another suffix.
        SetupError: if matplotlib is missing, the folder cannot be written, or the file is no picture.
    """
    target = Path(path)
    if target.suffix.lower() not in _FORMATS:
        raise DataError(
            target,
            found=f"the suffix {target.suffix or '(none)'}",
            expected=" or ".join(_FORMATS),
            next_step="use one of these suffixes",
        )
    start = _FORMATS[target.suffix.lower()]
    check_replaceable(target, start, f"a {target.suffix.lower()} picture", "path of the picture")
    figure = _figure(dataset)
    with atomic_path(target) as temporary:
        figure.savefig(temporary, dpi=110, bbox_inches="tight", pad_inches=0.15)


def _figure(dataset: Dataset) -> Any:
    # Figure without pyplot: it needs no display and leaves no figure open.
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(
            "matplotlib",
            found="not installed",
            expected="matplotlib for pictures",
            next_step="run pip install 'deseptr[train]'",
        ) from error
    labels = len(dataset.label_names)
    bands = max(1, math.ceil(labels / _COLUMNS))
    heat_height = 0.9 + 0.26 * (labels + 1)
    examples = 1.7 * len(sensors_of(dataset.channels)) * bands
    figure = Figure(figsize=(14, heat_height + examples + 0.6), layout="constrained")
    # matplotlib's stubs call this a single SubFigure.
    top, bottom = cast(Any, figure.subfigures(2, 1, height_ratios=[heat_height, examples]))
    # A name with dollar signs is a name.
    with mpl.rc_context({"text.parse_math": False}):
        _heat_map(top, dataset)
        _examples(bottom, dataset, bands)
    return figure


def _heat_map(figure: Any, dataset: Dataset) -> None:
    minutes = minutes_table(dataset).T
    labelled = minutes[:-1]
    if labelled.any():
        minutes = minutes if minutes[-1].any() else labelled
    axes = figure.subplots()
    # Unlabelled time can exceed that of every label and would make their cells pale.
    longest = labelled.max() if labelled.any() else minutes.max()
    image = axes.imshow(minutes, aspect="auto", cmap="Blues", vmin=0, vmax=longest)
    axes.set_xticks(range(len(dataset.subjects)), dataset.subjects)
    axes.set_yticks(range(len(minutes)), [*dataset.label_names, UNLABELLED_NAME][: len(minutes)])
    axes.set_xlabel("subject (held out in bold)" if dataset.test_subjects else "subject")
    for tick, subject in zip(axes.get_xticklabels(), dataset.subjects, strict=True):
        tick.set_fontweight("bold" if subject in dataset.test_subjects else "normal")
    if minutes.shape[1] <= 40:
        _write_cells(axes, minutes, longest)
    total = f"{counted(len(dataset.recordings), 'recording')}, {minutes.sum() / 60:.1f} h"
    axes.set_title(f"{dataset.name}: {total}", loc="left", fontweight="bold")
    figure.colorbar(image, ax=axes, label="minutes", pad=0.01)


def _write_cells(axes: Any, minutes: Any, longest: float) -> None:
    for (row, column), value in np.ndenumerate(minutes):
        if value:
            colour = "white" if value > 0.6 * longest else "black"
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour)


def _examples(figure: Any, dataset: Dataset, bands: int) -> None:
    columns = min(_COLUMNS, max(1, len(dataset.label_names)))
    sensors = sensors_of(dataset.channels)
    count = len(sensors)
    grid = figure.subplots(count * bands, columns, squeeze=False, sharex=True)
    for axes in grid.flat:
        axes.set_visible(False)
    for label, name in enumerate(dataset.label_names):
        band, column = divmod(label, columns)
        own = grid[count * band : count * (band + 1), column]
        _example(own, dataset, label, name)
        if column == 0:
            for axes, sensor in zip(own, sensors, strict=True):
                kind = SENSORS[sensor]
                axes.set_ylabel(f"{kind.title}, {kind.unit.replace('^2', '²')}")
    for first in range(count):
        _share_limits([axes for axes in grid[first::count].flat if axes.get_visible()])
    handles = [line for line in grid[0, 0].get_lines() if not line.get_label().startswith("_")]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def _example(rows: Any, dataset: Dataset, label: int, name: str) -> None:
    found = _longest_run(dataset, label)
    if found is None:
        return
    recording, run = found
    length = min(run.stop - run.start, round(_EXAMPLE_S * recording.rate_hz))
    start = (run.start + run.stop - length) // 2
    signals = recording.signals[start : start + length]
    t = np.arange(length) / recording.rate_hz
    for axes, first in zip(rows, range(0, len(dataset.channels), 3), strict=True):
        axes.set_visible(True)
        axes.axhline(0, color="0.8", linewidth=0.8)
        for axis, colour in enumerate(AXIS_COLOURS):
            axes.plot(t, signals[:, first + axis], color=colour, linewidth=1, label="xyz"[axis])
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(0, _EXAMPLE_S)
    rows[0].set_title(f"{name}\n{recording.title}", fontsize=9)
    rows[-1].set_xlabel("s")


def _longest_run(dataset: Dataset, label: int) -> tuple[Recording, Segment] | None:
    runs = [(r, run) for r in dataset.recordings for run in r.segments() if run.label == label]
    return max(runs, key=lambda found: (found[1].stop - found[1].start) / found[0].rate_hz, default=None)


def _share_limits(row: list[Any]) -> None:
    low = min((axes.get_ylim()[0] for axes in row), default=0)
    high = max((axes.get_ylim()[1] for axes in row), default=1)
    for axes in row:
        axes.set_ylim(low, high)
