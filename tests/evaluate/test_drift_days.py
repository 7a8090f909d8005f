"""What is answered of several days, word by word."""

import pytest

from deseptr.device import DriftSummary, DriftVerdict
from deseptr.evaluate.drift_days import DriftDay, drift_answer


def day(number, word, *findings, wearer=None):
    verdict = DriftVerdict(word, findings, {}, {})
    return DriftDay(f"2026-11-{number:02}", wearer, DriftSummary(windows=9), 0.0, verdict)


SAME, FEW = (day(1, "as in training"), day(2, "too few windows"))


@pytest.mark.parametrize(
    ("days", "answer"),
    [
        ((), "No day."),
        ((FEW, day(3, "not comparable")), "No day has enough windows for a verdict."),
        ((day(3, "not comparable"),), "No day can be compared with the reference."),
        ((SAME,), "1 day is as in training."),
        ((SAME, FEW, SAME), "2 days are as in training."),
        ((day(5, "differs", "a", "b"),), "2026-11-05 differs from training: a, b."),
        (
            (SAME, day(5, "differs", "a", wearer="eve"), FEW, SAME),
            "2026-11-05 (eve) differs from training: a; 2 days are as in training.",
        ),
        (
            [day(number, "differs", "a") for number in range(5, 10)] + [SAME],
            "2026-11-05 differs from training: a; 2026-11-06 differs from training: a; "
            "2026-11-07 differs from training: a; and 2 more; 1 day is as in training.",
        ),
    ],
)
def test_the_answer_names_three_days_that_differ_and_counts_the_others(days, answer):
    assert drift_answer(days) == answer
