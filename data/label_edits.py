"""Merging, renaming and dropping labels of a dataset."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deseptr.contract import DataError

from .protocols import parse_labels
from .recording import UNLABELLED, UNLABELLED_NAME, Dataset, check_known


def edit_labels(
    dataset: Dataset,
    *,
    merge: Mapping[str, Sequence[str]] | None = None,
    rename: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
) -> Dataset:
    """Merge, rename and drop labels at once: every old name is one of the dataset as it is.

    Args:
        dataset: any recordings.
        merge: labels that become one, by its name, which takes the place of the first of them.
        rename: new names by old names.
        drop: labels whose samples become unlabelled.

    Raises:
        DataError: if there is no such label, one is named twice, or a new name is that of another label.

    >>> from deseptr.data import synthetic_dataset
    >>> dataset = synthetic_dataset(3, 4)
    >>> dataset.label_names
    ('downstairs', 'upstairs', 'sitting', 'standing', 'walking', 'jogging')
    >>> edit_labels(dataset, merge={"stairs": ["upstairs", "downstairs"]}, drop=["jogging"]).label_names
    ('stairs', 'sitting', 'standing', 'walking')
    """
    merged = [(old, new) for new, olds in (merge or {}).items() for old in olds]
    edits: list[tuple[str, str | None]] = [*merged, *(rename or {}).items(), *((old, None) for old in drop)]
    check_known("label", [old for old, _ in edits], dataset.label_names, dataset.name)
    new_names: dict[str, str | None] = {}
    for old, new in edits:
        if old in new_names:
            raise _wrong(dataset, old, "named twice", "each label merged, renamed or dropped once", "name it once")
        new_names[old] = new
    _check_new_names(dataset, new_names, [*(merge or {}), *(rename or {}).values()])
    kept = [new_names.get(old, old) for old in dataset.label_names]
    names = tuple(dict.fromkeys(name for name in kept if name is not None))
    index = {name: number for number, name in enumerate(names)}
    table = np.array([*(UNLABELLED if name is None else index[name] for name in kept), UNLABELLED], np.int16)
    recordings = tuple(replace(recording, labels=table[recording.labels]) for recording in dataset.recordings)
    return replace(dataset, recordings=recordings, label_names=names)


def parse_merge(text: str, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Labels to merge from a list such as ``stairs=upstairs+downstairs,still=4-5``; numbers as in :func:`parse_labels`.

    Raises:
        DataError: if it is no such list, or an entry is neither a label nor the number of one.

    >>> parse_merge("still=sitting+standing", ("walking", "sitting", "standing"))
    {'still': ('sitting', 'standing')}
    """
    pairs = _pairs(text, "NEW=OLD+OLD,… as still=sitting+standing")
    return {new: parse_labels(olds.replace("+", ","), names) for new, olds in pairs.items()}


def parse_rename(text: str) -> dict[str, str]:
    """New names of labels by the old ones, from a list such as ``wlk=walking,sit=sitting``.

    Raises:
        DataError: if it is no such list.

    >>> parse_rename("wlk=walking, sit=sitting")
    {'wlk': 'walking', 'sit': 'sitting'}
    """
    return _pairs(text, "OLD=NEW,… as wlk=walking")


def _pairs(text: str, expected: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in text.split(","):
        left, _, right = (part.strip() for part in entry.partition("="))
        if not (left and right) or left in pairs:
            found = f"{left!r} twice" if left in pairs else f"the entry {entry.strip()!r}"
            raise DataError(f"labels {text!r}", found=found, expected=expected, next_step="correct the list")
        pairs[left] = right
    return pairs


def _check_new_names(dataset: Dataset, edited: Collection[str], new_names: Sequence[str]) -> None:
    """Refuse a new name that is another label's as well, by which two would become one without a word."""
    taken = {name for name in dataset.label_names if name not in edited}
    for new in new_names:
        if new == UNLABELLED_NAME:
            raise _wrong(
                dataset, new, "a new name that means no label", "the name of a class", "drop the label instead"
            )
        if new in taken:
            raise _wrong(dataset, new, "a new name that another label has", "a name of its own", "merge them into one")
        taken.add(new)


def _wrong(dataset: Dataset, label: str, found: str, expected: str, next_step: str) -> DataError:
    return DataError(f"{dataset.name}: label {label}", found=found, expected=expected, next_step=next_step)
