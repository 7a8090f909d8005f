"""The days of a model's logs, each compared with the reference in its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deseptr.contract import DataError, ModelContract
from deseptr.contract.counts import counted
from deseptr.contract.drift_reference import SIZES
from deseptr.device.drift.summary import DriftSummary
from deseptr.device.drift.verdict import LOST_SHARE, DriftVerdict, judge

from .drift_log import DriftLogs, DriftPart

FORMAT = "deseptr drift 1"
# A board without a clock of its own begins at one of these; no log is as old.
_FIRST_YEAR = "2020"


@dataclass(frozen=True, eq=False)
class DriftDay:
    """A day of a wearer.

    Args:
        day: local date.
        wearer: for whom the model was corrected; None if it was not.
        summary: of all its parts.
        lost_share: share of its samples that were lost.
        verdict: compared with the reference.
    """

    day: str
    wearer: str | None
    summary: DriftSummary
    lost_share: float
    verdict: DriftVerdict

    @property
    def name(self) -> str:
        """The day, and whose."""
        return self.day if self.wearer is None else f"{self.day} ({self.wearer})"

    @property
    def differs(self) -> bool:
        """Whether it differs from the reference, or lacks many samples."""
        return self.verdict.word == "differs"

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        verdict = self.verdict
        return {
            "day": self.day,
            "wearer": self.wearer,
            **self.summary.to_dict(),
            "lost_share": round(self.lost_share, 6),
            "verdict": verdict.to_dict() | {"limits": {name: round(each, 4) for name, each in verdict.limits.items()}},
            "text": str(verdict),
        }


def days_of(logs: DriftLogs, contract: ModelContract, model: object) -> list[DriftDay]:
    """Sum the parts of each wearer's days, in order of the days, and compare them.

    Parts that another reference counted are days of their own, of which nothing but the sensor is compared.

    Args:
        logs: the parts.
        contract: of the model.
        model: name of the model for messages.

    Raises:
        DataError: if the contract has no reference, or no part has a label of the model.
    """
    if contract.drift is None:
        raise DataError(
            model,
            found="a model that does not know what its windows were like in training",
            expected="a contract with a reference of drift",
            next_step="calibrate it with `deseptr calibrate MODEL DATA --drift`, and run it for a day",
        )
    labels = {label for part in logs.parts for label in part.summary.labels}
    if labels and not labels & set(contract.labels):
        raise DataError(
            model,
            found=f"logs of the labels {', '.join(sorted(labels)[:6])}",
            expected=f"some of the model's: {', '.join(contract.labels)}",
            next_step="give the logs of this model",
        )
    groups: dict[tuple[str, str, bool], list[DriftPart]] = {}
    for part in logs.parts:
        groups.setdefault((part.day, part.wearer or "", part.reference != contract.drift.key), []).append(part)
    return [_day(parts, contract, other=other) for (_, _, other), parts in sorted(groups.items())]


def _day(parts: Sequence[DriftPart], contract: ModelContract, *, other: bool) -> DriftDay:
    whole = DriftSummary()
    for part in parts:
        whole.add(part.summary)
    if other:
        whole.histograms.clear()
    verdict = judge(whole, contract)
    assert verdict is not None, "the contract has a reference"
    received = whole.seconds * contract.rate_hz
    lost = whole.lost_samples / (received + whole.lost_samples) if whole.lost_samples else 0.0
    return DriftDay(parts[0].day, parts[0].wearer, whole, lost, _with_losses(verdict, lost))


def _with_losses(verdict: DriftVerdict, lost: float) -> DriftVerdict:
    if lost <= LOST_SHARE or verdict.word == "too few windows":
        return verdict
    findings = (*verdict.findings, f"{lost:.0%} of the samples lost")
    return DriftVerdict("differs", findings, verdict.indices, verdict.limits, verdict.mix)


def drift_answer(days: Sequence[DriftDay]) -> str:
    """The result in one sentence.

    >>> drift_answer([])
    'No day.'
    """
    if not days:
        return "No day."
    differing = [day for day in days if day.differs]
    judged = [day for day in days if day.verdict.word in ("differs", "as in training")]
    if not judged:
        few = any(day.verdict.word == "too few windows" for day in days)
        return "No day has enough windows for a verdict." if few else "No day can be compared with the reference."
    if not differing:
        return f"{_count(len(judged))} as in training."
    told = "; ".join(f"{day.name} {day.verdict}" for day in differing[:3])
    more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
    rest = len(judged) - len(differing)
    return f"{told}{more}" + (f"; {_count(rest)} as in training." if rest else ".")


def drift_content(
    days: Sequence[DriftDay], contract: ModelContract, model: object, notes: Sequence[str]
) -> dict[str, Any]:
    """The comparison as plain JSON values."""
    reference = contract.drift
    assert reference is not None, "days were compared with it"
    dated = sorted({day.day for day in days if day.day < _FIRST_YEAR})
    notes = [*notes, *(f"{day}: the clock was not set; runs of several days may be in it" for day in dated)]
    if any(day.verdict.word == "not comparable" for day in days):
        notes.append(
            "days that are not comparable were counted by another reference, before there was one, or have only labels "
            "that it lacks"
        )
    return {
        "format": FORMAT,
        "model": str(model),
        "labels": list(contract.labels),
        "reference": {
            "key": reference.key,
            "wearers": reference.wearers,
            "windows": reference.windows,
            "gravity": reference.gravity,
            "labels": dict(zip(contract.labels, reference.labels, strict=False)),
            "sizes": list(SIZES),
            "limits": {name: list(each.limits) for name, each in reference.histograms.items()},
        },
        "days": [day.to_dict() for day in days],
        "answer": drift_answer(days),
        "notes": notes,
    }


def _count(days: int) -> str:
    return counted(days, "day is", "days are")
