"""Checks that no test subject is in the training windows; examines the windows, whatever produced the split."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from deseptr.contract import DataError

from .recording import natural_sorted
from .windows import Windows


def check_leakage(parts: Mapping[str, Windows]) -> None:
    """Refuse parts of a split that share a subject or a window.

    If shuffled windows are split, both parts contain the same wearers and even overlapping windows, and the score
    measures memory. Two equal windows of different subjects are one recording that is in the data twice; windows
    without motion, as from a sensor that is off, are equal by chance and are ignored.

    Args:
        parts: windows of each part by its name.

    Raises:
        DataError: if two parts have a subject or an identical window in common.
    """
    for (first, some), (second, others) in itertools.combinations(parts.items(), 2):
        shared = set(np.unique(some.subjects)) & set(np.unique(others.subjects))
        if shared:
            raise DataError(
                f"{first} and {second} windows",
                found=f"windows of subject {', '.join(natural_sorted(shared))} in both",
                expected="every subject in one part; a split by window measures memory",
                next_step="split by subject, as the protocols arena, loso and official do",
            )
    digests = {name: _digests(windows) for name, windows in parts.items()}
    for (first, some_), (second, others_) in itertools.combinations(digests.items(), 2):
        for digest in some_.keys() & others_.keys():
            raise DataError(
                f"{first} and {second} windows",
                found=f"the same window of {_where(parts[first], some_[digest])} and "
                f"of {_where(parts[second], others_[digest])}",
                expected="different recordings",
                next_step="remove the repeated recording, or give both the same subject",
            )


def _digests(windows: Windows) -> dict[bytes, int]:
    """Index of each window by the digest of its bytes, without still windows."""
    signals = windows.own_signals
    moving = np.flatnonzero(np.ptp(signals, axis=1).any(axis=1)) if len(windows) else ()
    return {blake2b(signals[i].tobytes(), digest_size=16).digest(): int(i) for i in moving}


def _where(windows: Windows, index: int) -> str:
    return f"subject {windows.subjects[index]} (recording {windows.recording[index]}, sample {windows.start[index]})"
