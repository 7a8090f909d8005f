"""The comparison of days with a reference, cell by cell, from figures written here by hand."""

import html
import re
from typing import Any

import pytest

from deseptr.report.drift_page import drift_head, drift_lines, drift_markdown, drift_page, drift_rows


def day(name: str, **changes: Any) -> dict[str, Any]:
    verdict = {"psi": {"confidence": 0.125, "distance": 2.0}, "limits": {"confidence": 0.5, "distance": 1.25}}
    made = {"day": name, "wearer": None, "windows": 400, "seconds": 5400, "mean_confidence": 0.9126, "verdict": verdict}
    return {**made, "unknown": {"unfamiliar": 30, "implausible": 10}, "lost_share": 0.0125, "labels": {}, **changes}


def content(*days: dict[str, Any], **changes: Any) -> dict[str, Any]:
    limits = {"confidence": [0.9, 0.5], "distance": [3, 1.25]}
    reference = {"wearers": 7, "windows": 4100, "gravity": 9.8123, "labels": {"sit": 75, "walk": 25}, "limits": limits}
    rows = [{**each, "text": "differs"} for each in days]
    made = {
        "model": "m.tflite",
        "answer": "One day differs.",
        "notes": ["a clock was not set"],
        "labels": ["sit", "walk"],
    }
    return {**made, "reference": reference, "days": rows, **changes}


CELLS = ["1.5", "0.913", "10%", "1.2%", "0.12 (0.50)", "2.00 (1.25)", "differs"]


def test_a_row_has_the_figures_of_its_day():
    assert drift_rows(content(day("2026-01-02"))) == [["2026-01-02", *CELLS]]
    assert drift_head(content(day("2026-01-02"))) == [
        *("day", "hours", "confidence", "no label", "lost", "confidence index", "embedding index", "verdict")
    ]


def test_wearers_have_a_column_where_one_is_named():
    found = content(day("2026-01-02", wearer="eve"), day("2026-01-03"))
    assert drift_rows(found) == [["2026-01-02", "eve", *CELLS], ["2026-01-03", "–", *CELLS]]
    assert drift_head(found)[:3] == ["day", "wearer", "hours"]
    assert drift_lines(found) == ["2026-01-02 (eve): differs", "2026-01-03: differs"]


@pytest.mark.parametrize(
    ("seconds", "hours"), [(108, "0.03"), (3600, "1.0"), (86_400, "24.0"), (0, "0"), (10, "0.0028")]
)
def test_a_short_day_has_hours_too(seconds: float, hours: str):
    ((_, shown, *_),) = drift_rows(content(day("2026-01-02") | {"seconds": seconds}))
    assert shown == hours


def test_the_header_has_two_lines_at_most_where_it_breaks_at_spaces():
    assert max(column.count(" ") for column in drift_head(content(day("2026-01-02")))) == 1


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({"windows": 0, "unknown": {}}, {2: "0%"}),
        ({"windows": 0}, {2: "0%"}),
        ({"mean_confidence": None}, {1: "–"}),
        ({"verdict": {"psi": {"confidence": 0.1}, "limits": {"confidence": 1}}}, {4: "0.10 (1.00)", 5: "–"}),
        ({"verdict": {"psi": {}, "limits": {}}}, {4: "–", 5: "–"}),
    ],
)
def test_what_a_day_lacks(changes: dict[str, Any], cells: dict[int, str]):
    expected = [cells.get(place, cell) for place, cell in enumerate(CELLS)]
    assert drift_rows(content(day("2026-01-02", **changes))) == [["2026-01-02", *expected]]


def test_markdown_has_answer_table_and_notes():
    lines = drift_markdown(content(day("2026-01-02"), notes=["one note", "another"])).splitlines()
    assert lines[:3] == ["# m.tflite: drift", "", "One day differs."]
    assert [line for line in lines if line.startswith("|")][2:] == [f"| 2026-01-02 | {' | '.join(CELLS)} |"]
    assert lines[-4:] == ["", "one note", "", "another"]


def test_the_page_has_the_reference_and_the_shares_of_the_activities():
    page = html.unescape(drift_page(content(day("2026-01-02", labels={"sit": 30, "walk": 10}))))
    for name, value in (("wearers of the reference", "7"), ("their windows", "4100"), ("their gravity", "9.81 m/s²")):
        assert re.search(rf">{name}</th><td[^>]*>{re.escape(value)}</td>", page)
    assert "a clock was not set." in page
    assert "differs" in page
