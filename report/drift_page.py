"""Days of a model compared with its reference: rows, Markdown and a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deseptr.contract.visible_text import visible
from deseptr.evaluate.markdown import NONE, figure, markdown_table

from .html.embedded_svg import figure as drawing
from .html.page import Answer, Origin, Section, render_page
from .html.plain_figures import plain_stack
from .html.tables import facts, table

_MOST_DRAWN = 31
NOTE = (
    "An index is the population stability index of a histogram: 0 where a day's shares are those of the reference. In "
    "brackets, its limit: 19 in 20 people who are not in the reference stay below it. What is expected of confidence "
    "and embeddings is that of the day's own mix of activities, so that another mix is no drift."
)
_HEAD = {"confidence": "confidence index", "distance": "embedding index", "score": "familiarity index"}


def drift_head(content: dict[str, Any]) -> list[str]:
    """Names of the columns."""
    wearer = ["wearer"] if _has_wearers(content) else []
    indices = [_HEAD[name] for name in content["reference"]["limits"]]
    return ["day", *wearer, "hours", "confidence", "no label", "lost", *indices, "verdict"]


def drift_rows(content: dict[str, Any]) -> list[list[str]]:
    """A row for each day."""
    return [[visible(cell) for cell in _row(content, day)] for day in content["days"]]


def drift_lines(content: dict[str, Any]) -> list[str]:
    """The verdict on each day in a line."""
    names = [day["day"] if day["wearer"] is None else f"{day['day']} ({day['wearer']})" for day in content["days"]]
    return [visible(f"{name}: {day['text']}") for name, day in zip(names, content["days"], strict=True)]


def drift_markdown(content: dict[str, Any]) -> str:
    """The comparison as Markdown."""
    lines = [f"# {_title(content)}", "", visible(content["answer"]), "", NOTE, ""]
    lines += markdown_table(drift_head(content), drift_rows(content))
    lines += [line for note in content["notes"] for line in ("", visible(note))]
    return "\n".join(lines) + "\n"


def drift_page(content: dict[str, Any], origin: Origin | None = None) -> str:
    """The comparison as a page that needs no network."""
    reference = content["reference"]
    known = [
        ["wearers of the reference", str(reference["wearers"])],
        ["their windows", str(reference["windows"])],
        ["their gravity", NONE if reference["gravity"] is None else f"{reference['gravity']:.2f} m/s²"],
    ]
    sections = [
        Section("Days", [table(drift_head(content), drift_rows(content))]),
        Section("Activities", [drawing(plain_stack(_mixes(content), "%"), "Share of each activity, in per cent")]),
        Section("Reference", [facts(known)]),
    ]
    answer = Answer(visible(content["answer"]), [f"{visible(note)}." for note in content["notes"]])
    return render_page(_title(content), answer, sections, note=NOTE, origin=origin)


def _row(content: dict[str, Any], day: dict[str, Any]) -> list[str]:
    verdict = day["verdict"]
    unknown = sum(day.get("unknown", {}).values()) / day["windows"] if day["windows"] else 0.0
    wearer = [day["wearer"] or NONE] if _has_wearers(content) else []
    indices = [_index(verdict, name) for name in content["reference"]["limits"]]
    return [
        day["day"],
        *wearer,
        _hours(day["seconds"]),
        figure(day.get("mean_confidence")),
        f"{unknown:.0%}",
        f"{day['lost_share']:.1%}",
        *indices,
        day["text"],
    ]


def _hours(seconds: float) -> str:
    """Hours, of a short time with two digits: 0.03 of two minutes."""
    hours = seconds / 3600
    return f"{hours:.1f}" if hours >= 1 else f"{hours:.2g}"


def _index(verdict: dict[str, Any], name: str) -> str:
    if name not in verdict["limits"]:
        return NONE
    return f"{verdict['psi'][name]:.2f} ({verdict['limits'][name]:.2f})"


def _has_wearers(content: dict[str, Any]) -> bool:
    return any(day["wearer"] for day in content["days"])


def _mixes(content: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Shares of the activities in per cent, of the reference and of the latest days; new labels of wearers together."""
    rows = {"reference": content["reference"]["labels"]}
    for day in content["days"][-_MOST_DRAWN:]:
        if day["labels"]:
            name = f"{day['day']} {day['wearer'] or ''}".strip()
            # A day may be there twice, counted by two references.
            rows[visible(name if name not in rows else f"{name}, other reference")] = day["labels"]
    labels = content["labels"]
    has_new = any(counts.keys() - set(labels) for counts in rows.values())
    return {name: _mix(counts, labels, has_new=has_new) for name, counts in rows.items()}


def _mix(counts: dict[str, int], labels: Sequence[str], *, has_new: bool) -> dict[str, float]:
    total = sum(counts.values()) or 1
    shares = {visible(label): 100 * counts.get(label, 0) / total for label in labels}
    if has_new:
        shares["new labels"] = 100 * sum(count for label, count in counts.items() if label not in labels) / total
    return shares


def _title(content: dict[str, Any]) -> str:
    return visible(f"{content['model']}: drift")
