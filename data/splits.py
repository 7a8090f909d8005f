"""Splits by subject. Other splits do not exist here: with windows of one wearer in two parts, scores measure memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deseptr.contract import DataError
from deseptr.contract.counts import counted

from .recording import Dataset, check_subjects, natural_sorted

_DEFAULT_TEST_SHARE = 0.25
# No dataset has more subjects, and a range of a billion would fill the memory.
LONGEST_RANGE = 100_000


@dataclass(frozen=True)
class Split:
    """Subjects for training, for selecting the checkpoint, and for reporting; each in natural order.

    Raises:
        DataError: if a subject is in two parts.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        check_disjoint(self.train, self.validation, self.test)

    def to_dict(self) -> dict[str, list[str]]:
        """The parts as plain JSON values."""
        return {"train": list(self.train), "validation": list(self.validation), "test": list(self.test)}


def subject_split(
    dataset: Dataset, *, test_subjects: Sequence[str] | None = None, validation: float = 0.15, seed: int = 0
) -> Split:
    """Split a dataset's subjects into train, validation and test.

    Args:
        dataset: at least three subjects. Those without any label are in the training part.
        test_subjects: subjects to hold out; by default those of the dataset, else a random quarter.
        validation: fraction of the other labelled subjects for validation, at least one subject; 0 takes none.
        seed: seed of the random choices.

    Raises:
            DataError: if there are too few subjects, one is unknown, or the fraction is not in [0, 1).

        >>> from deseptr.data import synthetic_dataset
        >>> split = subject_split(synthetic_dataset(subjects=4, seconds=4), test_subjects=["4"])
        >>> split.test, len(split.train) + len(split.validation)
        (('4',), 3)
    """
    subjects = dataset.subjects
    if len(subjects) < 3:
        raise _too_few(dataset, f"{len(subjects)} subject{'s' * (len(subjects) != 1)} ({', '.join(subjects)})")
    if not 0 <= validation < 1:
        raise DataError(
            "validation", found=validation, expected="at least 0 and below 1", next_step="choose a fraction, as 0.15"
        )
    rng = np.random.default_rng(seed)
    # Who has no label at all can be learned from, but not be measured.
    labelled = dataset.labelled_subjects or subjects
    test = _test_subjects(dataset, test_subjects, labelled, rng)
    rest = [subject for subject in labelled if subject not in test]
    if len(rest) < 2:
        raise _too_few(dataset, f"{len(test)} of {counted(len(labelled), 'subject')} held out for test")
    chosen = _draw(rest, validation, rng) if validation else ()
    return Split(tuple(s for s in subjects if s not in test + chosen), chosen, test)


def arena_folds(subjects: Sequence[str], n: int = 10) -> tuple[tuple[str, ...], ...]:
    """The test subjects of each fold: subjects in natural order, fold = index % n.

    Raises:
        DataError: if there are fewer subjects than folds.

    >>> arena_folds(["1", "2", "3", "4", "5"], n=2)
    (('1', '3', '5'), ('2', '4'))
    """
    ordered = natural_sorted(set(subjects))
    if not 2 <= n <= len(ordered):
        raise DataError(
            "folds",
            found=f"{counted(n, 'fold')} of {counted(len(ordered), 'subject')}",
            expected="at least 2 folds and a subject for each",
            next_step=f"choose 2 to {len(ordered)} folds",
        )
    return tuple(ordered[fold::n] for fold in range(n))


def parse_subjects(text: str) -> tuple[str, ...]:
    """Subjects from a list such as ``5,10,12-14``; names that are not numbers are kept as they are.

    Raises:
        DataError: if an entry is empty, or a range is descending or longer than any dataset.

    >>> parse_subjects("5,10,12-14")
    ('5', '10', '12', '13', '14')
    """
    subjects: list[str] = []
    for entry in (part.strip() for part in text.split(",")):
        bounds = re.fullmatch(r"(\d{1,18})-(\d{1,18})", entry)
        first, last = map(int, bounds.groups()) if bounds else (0, 0)
        if not entry or first > last or last - first >= LONGEST_RANGE:
            raise DataError(
                f"subjects {text!r}",
                found=f"the entry {entry!r}",
                expected=f"subjects and rising ranges of at most {LONGEST_RANGE:,}, as 5,10,12-14",
                next_step="correct the list",
            )
        subjects.extend(map(str, range(first, last + 1)) if bounds else [entry])
    return tuple(dict.fromkeys(subjects))


def check_disjoint(*parts: Sequence[str]) -> None:
    """Raise a DataError if a subject is in more than one of ``parts``."""
    seen: set[str] = set()
    for part in parts:
        twice = seen & set(part)
        if twice:
            raise DataError(
                f"subject {', '.join(natural_sorted(twice))}",
                found="in two parts of the split",
                expected="every subject in one part",
                next_step="remove the subject from one of them",
            )
        seen |= set(part)


def _test_subjects(
    dataset: Dataset, wanted: Sequence[str] | None, labelled: Sequence[str], rng: np.random.Generator
) -> tuple[str, ...]:
    if wanted is None and not dataset.test_subjects:
        return _draw(labelled, _DEFAULT_TEST_SHARE, rng)
    test = tuple(map(str, dataset.test_subjects if wanted is None else wanted))
    check_subjects(test, dataset.subjects, dataset.name)
    return natural_sorted(set(test))


def _draw(subjects: Sequence[str], share: float, rng: np.random.Generator) -> tuple[str, ...]:
    count = min(len(subjects) - 1, max(1, round(share * len(subjects))))
    return natural_sorted(rng.choice(np.array(subjects), count, replace=False))


def _too_few(dataset: Dataset, found: str) -> DataError:
    return DataError(
        f"{dataset.name}: split by subject",
        found=found,
        expected="at least one subject each for training, validation and test",
        next_step="record more wearers, name them in a subject column, or hold fewer out",
    )
