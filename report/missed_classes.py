"""Classes that a model does not recognise at all, or that were not measured: what a macro-F1 alone does not say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def missed_classes(figures: dict[str, Any]) -> Iterator[str]:
    """A line for each class whose F1 is 0 or unknown, from the content of ``Scores.to_dict``.

    >>> figures = {"labels": ["sit", "fly"], "per_class_f1": {"sit": 0.9, "fly": 0.0}, "confusion": [[9, 0], [2, 0]]}
    >>> list(missed_classes(figures))
    ['F1 of fly is 0: none of its 2 windows is recognised, 2 are taken for sit']
    """
    labels = figures["labels"]
    for index, label in enumerate(labels):
        f1, row = figures["per_class_f1"][label], figures["confusion"][index]
        if f1 is None:
            yield f"{label} has no test window: it is not measured"
        elif f1 == 0 and not sum(row):
            yield f"F1 of {label} is 0: it has no test window, and others are taken for it"
        elif f1 == 0:
            most = max(range(len(row)), key=row.__getitem__)
            windows = f"none of its {sum(row)} windows is" if sum(row) > 1 else "its one window is not"
            taken = f"{row[most]} {'are' if row[most] > 1 else 'is'} taken for {labels[most]}"
            yield f"F1 of {label} is 0: {windows} recognised, {taken}"
