"""All figures of some tracks, with intervals over their wearers, as plain JSON values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError, subjects_interval
from deseptr.contract.scores import f1_by_class
from deseptr.data.recording import natural_sorted

from .label_changes import LabelChanges, label_changes
from .onsets import Onset, onsets
from .segment_errors import SegmentErrors, segment_errors
from .track import NONE, Track

SHORTEST_S = 5.0
Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Values ``[resample]`` for the number of times that each wearer was drawn, ``[resample, wearer]``."""


@dataclass(frozen=True, eq=False)
class WearerFigures:
    """What the tracks of one wearer add to the figures of all.

    Args:
        subject: the wearer.
        confusion: int64 ``[true, shown]`` frames; the last column, and an empty last row, are frames without a label.
        errors: kinds of errors.
        changes: numbers of changes.
        onsets: beginnings of activities.
        hours: duration of the recordings.
    """

    subject: str
    confusion: NDArray[np.int64]
    errors: SegmentErrors
    changes: LabelChanges
    onsets: tuple[Onset, ...]
    hours: float


def figures_of_wearers(
    tracks: Sequence[Track],
    classes: int,
    *,
    shortest_s: float = SHORTEST_S,
    onset_classes: Collection[int] | None = None,
) -> list[WearerFigures]:
    """The figures of each wearer, in natural order.

    Args:
        tracks: of recordings.
        classes: number of classes.
        shortest_s: activities that last less are not asked for their delay, s.
        onset_classes: classes that are asked for their delay; all if None.
    """
    return [
        _of_wearer(subject, [each for each in tracks if each.subject == subject], classes, shortest_s, onset_classes)
        for subject in natural_sorted({track.subject for track in tracks})
    ]


def summarise(wearers: Sequence[WearerFigures], labels: Sequence[str]) -> dict[str, Any]:
    """The figures of all wearers together.

    A rate, a share or a delay comes as ``value`` with the bounds ``low`` and ``high`` of its 95 % interval over the
    wearers, which are None for a single one.

    Args:
        wearers: figures of each.
        labels: names of the classes.

    Raises:
        DataError: if no sample has one of the classes.
    """
    confusion = np.sum([each.confusion for each in wearers], axis=0)
    if not confusion.sum():
        raise DataError(
            "continuous evaluation",
            found="no sample with a label that the model has",
            expected=f"some of {', '.join(labels)}",
            next_step="rename the labels, or choose other recordings",
        )
    confusions = np.array([each.confusion for each in wearers])
    changes, hours = np.array([_counts(each.changes) for each in wearers]), np.array([each.hours for each in wearers])
    errors = sum((each.errors for each in wearers[1:]), start=wearers[0].errors)
    f1 = f1_by_class(confusion)[:-1]
    return {
        "hours": float(hours.sum()),
        "frame_f1": _with_interval(lambda weights: frame_macro_f1(np.tensordot(weights, confusions, 1)), len(wearers)),
        "frame_accuracy": float(np.trace(confusion) / confusion.sum()),
        "per_class_f1": {name: None if np.isnan(each) else float(each) for name, each in zip(labels, f1, strict=True)},
        "labels": list(labels),
        "confusion": confusion[:-1].tolist(),
        "delay_s": _delays(wearers),
        "delay_s_by_class": {name: _of_class(wearers, index) for index, name in enumerate(labels)},
        **{
            f"{name}_per_hour": _with_interval(_ratio(changes[:, column], hours), len(wearers))
            for column, name in enumerate(("true_changes", "changes", "spurious_changes"))
        },
        "segment_errors": _errors(errors),
        "wearers": {each.subject: _one(each) for each in wearers},
    }


def frame_macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Macro-F1 ``[…]`` of the classes in confusions ``[…, true, shown]`` whose last row and column are no class."""
    f1 = f1_by_class(confusion)[..., :-1]
    present = ~np.isnan(f1)
    return np.asarray(np.where(present, f1, 0.0).sum(-1) / np.maximum(present.sum(-1), 1))


def _of_wearer(
    subject: str, tracks: Sequence[Track], classes: int, shortest_s: float, onset_classes: Collection[int] | None
) -> WearerFigures:
    confusion = np.zeros((classes + 1, classes + 1), np.int64)
    for track in tracks:
        labelled = track.truth != NONE
        np.add.at(confusion, (track.truth[labelled], track.shown[labelled]), 1)
    found = (each for track in tracks for each in onsets(track, shortest_s=shortest_s, classes=onset_classes))
    errors = [segment_errors(track, classes) for track in tracks]
    changes = [label_changes(track) for track in tracks]
    return WearerFigures(
        subject,
        confusion,
        sum(errors[1:], start=errors[0]),
        sum(changes[1:], start=changes[0]),
        tuple(each for each in found if not each.at_start),
        sum(track.hours for track in tracks),
    )


def _delays(wearers: Sequence[WearerFigures]) -> dict[str, Any]:
    pairs = [(index, onset.delay_s) for index, each in enumerate(wearers) for onset in each.onsets]
    found = sorted((delay, index) for index, delay in pairs if delay is not None)
    values, owners = np.array([delay for delay, _ in found]), np.array([index for _, index in found], np.intp)
    missed = np.bincount([index for index, delay in pairs if delay is None], minlength=len(wearers))
    onsets_ = np.bincount([index for index, _ in pairs], minlength=len(wearers))
    return {
        "onsets": len(pairs),
        "never": len(pairs) - len(found),
        **{
            name: _with_interval(_quantile(values, owners, q), len(wearers)) for name, q in (("p50", 0.5), ("p90", 0.9))
        },
        "never_share": _with_interval(_ratio(missed, onsets_), len(wearers)),
    }


def _of_class(wearers: Sequence[WearerFigures], value: int) -> dict[str, Any]:
    delays = [onset.delay_s for each in wearers for onset in each.onsets if onset.value == value]
    found = np.array([delay for delay in delays if delay is not None])
    p50, p90 = np.quantile(found, (0.5, 0.9), method="inverted_cdf").tolist() if len(found) else (None, None)
    return {"onsets": len(delays), "never": len(delays) - len(found), "p50": p50, "p90": p90}


def _errors(errors: SegmentErrors) -> dict[str, Any]:
    return {"frames_by_truth": errors.by_truth(), "frames_by_label": errors.by_label(), "stretches": errors.counts()}


def _one(each: WearerFigures) -> dict[str, Any]:
    delays = [onset.delay_s for onset in each.onsets if onset.delay_s is not None]
    return {
        "hours": each.hours,
        "frame_f1": float(frame_macro_f1(each.confusion)) if each.confusion.sum() else None,
        "changes_per_hour": each.changes.shown / each.hours,
        "spurious_changes_per_hour": each.changes.spurious / each.hours,
        "delay_p50_s": float(np.quantile(delays, 0.5, method="inverted_cdf")) if delays else None,
        "onsets": len(each.onsets),
        "never": len(each.onsets) - len(delays),
    }


def _counts(changes: LabelChanges) -> tuple[int, int, int]:
    return changes.true, changes.shown, changes.spurious


def _ratio(parts: NDArray[Any], wholes: NDArray[Any]) -> Statistic:
    def ratio(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        whole = weights @ wholes
        return np.where(whole > 0, weights @ parts / np.where(whole > 0, whole, 1), np.nan)

    return ratio


def _quantile(values: NDArray[np.float64], owners: NDArray[np.intp], share: float) -> Statistic:
    """The smallest of ``values``, which rise, that at least a share of them does not exceed, each weighted by owner."""

    def quantile(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        if not len(values):
            return np.full(len(weights), np.nan)
        reached = np.cumsum(weights[:, owners], axis=1)
        total = reached[:, -1:]
        place = (reached < share * total).sum(axis=1)
        return np.where(total[:, 0] > 0, values[np.minimum(place, len(values) - 1)], np.nan)

    return quantile


def _with_interval(statistic: Statistic, wearers: int) -> dict[str, float | None]:
    value = float(statistic(np.ones((1, wearers), np.int64))[0])
    interval = subjects_interval(wearers, statistic)
    return {
        "value": None if np.isnan(value) else value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
    }
