"""The test windows of finished runs, cut again from their recordings, and those that a run confused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from deseptr.contract import DataError
from deseptr.data import Dataset, Windows, cut_windows
from deseptr.train.config import TrainConfig
from deseptr.train.predictions import Predictions
from deseptr.train.recordings_check import nominal_rate

from .confused_windows import ALL_EXAMPLES, Confused, Origin, Places, confused_windows
from .finished_run import Setting


def recut_windows(setting: Setting, dataset: Dataset) -> Origin:
    """The test windows of a setting in the order of its runs' predictions.

    Args:
        setting: the conditions of the runs.
        dataset: the recordings that they were trained and tested on.

    Raises:
        DataError: if the recordings lack a class or a subject of the runs, or are others.
    """
    chosen = dataset.select(labels=setting.labels)
    rate, config = nominal_rate(chosen), TrainConfig(window_s=setting.window_s, overlap=setting.overlap)
    windows = cut_windows(
        chosen,
        window_length=config.window_length(rate),
        hop_length=config.hop_length(rate),
        rate_hz=rate,
        label_names=setting.labels,
    )
    folds = [windows.of_subjects(subjects) for _, subjects in setting.folds]
    tested = reduce(Windows.followed_by, folds)
    counts = tuple(tested.counts().values())
    if counts != setting.windows:
        found, expected = f"{sum(counts)} test windows", f"the {sum(setting.windows)} of the run, class by class"
        raise _other_recordings(dataset, found, expected)
    return Origin(tested, chosen)


def confused_by(
    predictions: Sequence[Predictions | None],
    kind: str,
    window_s: float,
    origin: Origin | None = None,
    limit: int = ALL_EXAMPLES,
) -> Confused | None:
    """The windows that runs of one setting confused, all runs pooled; None if one of them kept no predictions.

    Args:
        predictions: of at least one run, such as the seeds of a model.
        kind: ``"float"`` or ``"int8"``.
        window_s: length of their windows.
        origin: their windows, of :func:`recut_windows`.
        limit: number of examples at most.

    Raises:
        DataError: if the windows are not those of the predictions.
    """
    kept = [each for each in predictions if each and kind in each.kinds]
    if len(kept) < len(predictions):
        return None
    if origin and not all(_are_of(each, origin.windows) for each in kept):
        raise _other_recordings(origin.dataset, "windows in another order", "those of the run")
    known = next((each for each in kept if each.has_places), None)
    return confused_windows(
        np.concatenate([each.labels for each in kept]),
        np.concatenate([each.of(kind) for each in kept]),
        np.concatenate([each.subjects for each in kept]),
        origin,
        places=Places(known.trials, known.starts_s, window_s) if known else None,
        window=np.concatenate([np.arange(len(each.labels)) for each in kept]),
        limit=limit,
    )


def _are_of(predictions: Predictions, windows: Windows) -> bool:
    of_labels = np.array_equal(predictions.labels, windows.labels)
    return of_labels and np.array_equal(predictions.subjects, windows.subjects)


def _other_recordings(dataset: Dataset, found: str, expected: str) -> DataError:
    return DataError(
        dataset.name,
        found=found,
        expected=expected,
        next_step="give the recordings of the runs, read with the same options",
    )
