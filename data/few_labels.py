"""The choice of the wearers who keep their labels, when it is asked what few people's labels are worth."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from deseptr.contract import DataError

from .recording import natural_sorted
from .windows import Windows

_DRAWS = 10_000


def draw_labelled_subjects(windows: Windows, subjects: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    """Draw subjects at random, so that every class has a window of one of them where that is possible.

    Of ten thousand random choices it is the first one with the most classes. Nothing but the classes that each subject
    has windows of is looked at.

    Args:
        windows: labelled windows of the subjects, and perhaps of others.
        subjects: the subjects to choose among; those without a window are not chosen.
        count: how many to choose.
        seed: seed of the choice, with the names of the subjects.

    Returns:
        The chosen subjects in natural order.

    Raises:
        DataError: if there are fewer subjects with labels.

    >>> from deseptr.data import cut_windows, synthetic_dataset
    >>> windows = cut_windows(synthetic_dataset(4, 4), window_length=128, hop_length=64, rate_hz=50.0)
    >>> len(draw_labelled_subjects(windows, ("1", "2", "3"), count=2, seed=0))
    2
    """
    present = np.array(natural_sorted(set(subjects) & set(windows.subjects.tolist())))
    if not 1 <= count <= len(present):
        raise DataError(
            "labelled subjects",
            found=count,
            expected=f"1 to {len(present)}, the training subjects with labels",
            next_step="choose fewer, or leave the number out to use the labels of all",
        )
    has = np.zeros((len(present), len(windows.label_names)), bool)
    for index, subject in enumerate(present):
        has[index, windows.labels[windows.subjects == subject]] = True
    # Each fold of a cross-validation draws others: the same few people in all would be one choice measured ten times.
    stream = blake2b("\n".join(present).encode(), digest_size=8).digest()
    draws = (
        np.random.default_rng((seed, int.from_bytes(stream))).random((_DRAWS, len(present))).argsort(axis=1)[:, :count]
    )
    classes = has[draws].any(axis=1).sum(axis=1)
    return natural_sorted(present[draws[classes.argmax()]])
