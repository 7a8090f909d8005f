"""Parts of a day's drift for the outputs' tests."""

from collections import Counter

from deseptr.device import DriftEvent, DriftSummary, DriftVerdict


def drift_part(number=1):
    """The part of this number: two windows of walking."""
    summary = DriftSummary(2, 2.56, labels=Counter(walking=2), confidence=1.5)
    summary.histograms["confidence"] = [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
    verdict = DriftVerdict("too few windows", ("2 of 300",), {"confidence": 0.5}, {"confidence": 0.9})
    return DriftEvent(1.0, "2026-11-27", f"r-{number}", "hour", summary, "0123abcd", verdict)
