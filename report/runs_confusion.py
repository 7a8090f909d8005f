"""The confusion matrices of a comparison of runs, with the windows that were confused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from deseptr.data import Dataset
from deseptr.evaluate.confused_windows import ALL_EXAMPLES, Confused, Origin
from deseptr.evaluate.finished_run import FinishedRun, Setting
from deseptr.evaluate.run_windows import confused_by, recut_windows

from .runs_tables import kinds


class Place(NamedTuple):
    """A matrix of a comparison: index of its section, index of its group, and ``"float"`` or ``"int8"``."""

    section: int
    group: int
    kind: str


def matrix_places(report: Mapping[str, Any]) -> list[Place]:
    """The matrices of a comparison, in the order of its page."""
    return [
        Place(number, place, kind)
        for number, section in enumerate(report["sections"])
        for place, group in enumerate(section["groups"])
        for kind in kinds(section)
        if kind in group
    ]


def confused_of(
    report: Mapping[str, Any], runs: Sequence[FinishedRun], origins: Mapping[Setting, Origin]
) -> dict[Place, Confused]:
    """The confused windows of every matrix of a comparison whose runs kept their predictions.

    Args:
        report: the comparison.
        runs: its runs.
        origins: the test windows of each setting of which the recordings are at hand.

    Raises:
        DataError: if windows are not those of the runs.
    """
    places = matrix_places(report)
    known = {(str(run.path), run.teacher): run for run in runs}
    found = {}
    for place in places:
        group = report["sections"][place.section]["groups"][place.group]
        members = [known[made["path"], group["teacher"]] for made in group["runs"]]
        setting, limit = members[0].setting, ALL_EXAMPLES // len(places)
        predictions = [run.predictions for run in members]
        confused = confused_by(predictions, place.kind, setting.window_s, origins.get(setting), limit)
        if confused:
            found[place] = confused
    return found


def origins_of(runs: Sequence[FinishedRun], dataset: Dataset) -> Iterator[tuple[Setting, Origin]]:
    """The test windows of each setting of some runs, cut from their recordings.

    Raises:
        DataError: if the recordings are not those of the runs.
    """
    for setting in dict.fromkeys(run.setting for run in runs):
        yield setting, recut_windows(setting, dataset)
