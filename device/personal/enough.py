"""Whether what a wearer records can correct anything: the model learns to tell activities from each other."""

from __future__ import annotations

from collections.abc import Iterable

from deseptr.contract import DataError

# Of one alone nothing is learned: classes that were not recorded keep their probability.
LEAST_ACTIVITIES = 2


def check_enough(wearer: str, labels: Iterable[str]) -> None:
    """Refuse too few activities, those of earlier sessions included.

    Args:
        wearer: whose they are.
        labels: the activities that are, or are to be, recorded.

    Raises:
        DataError: if there is only one.

    >>> check_enough("eve", ["sitting", "standing"])
    """
    found = list(dict.fromkeys(labels))
    if len(found) < LEAST_ACTIVITIES:
        raise DataError(
            f"wearer {wearer}",
            found=f"{found[0]} alone" if found else "no activity",
            expected=f"at least {LEAST_ACTIVITIES} activities, which the model then learns to tell from each other",
            next_step="record another activity as well, best one that the model confuses with it",
        )
