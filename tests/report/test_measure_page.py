"""Measurements on a board: every number is shown, and nothing that the board named is obeyed."""

import re
from typing import Any

import pytest
from self_contained import check_page

from deseptr.report.html import Answer
from deseptr.report.measure_page import measure_answer, measure_page, measure_rows, measure_text

ATTACK = "\x1b]0;owned\x07\u202e<script>\nforged  1  2"
RESULT = {
    "model": "mine.tflite",
    "data": "synthetic",
    "destination": "pi@board",
    "release": f"1.0-1{ATTACK}",
    "board_facts": {"board": f"Pi{ATTACK}", "machine": "aarch64", "os": None},
    "board": {"profile": {f"mean_us{ATTACK}": 1500.25, "windows": 200, "engine": "text", "ok": True}},
    "workstation": {"profile": {"windows": 200, "only_here": 0.5}},
}


def test_every_number_of_either_side_is_shown():
    lines = measure_text(RESULT).splitlines()
    assert [line.split()[-2:] for line in lines[-2:]] == [["200", "200"], ["–", "0.5"]]
    assert lines[2].split()[-2:] == ["1,500", "–"]
    assert len(lines) == 5


def test_text_of_a_board_stays_in_its_line_and_is_shown_as_it_is():
    text = measure_text(RESULT)
    assert all(line.isprintable() for line in text.splitlines())
    assert "\nforged" not in text
    assert r"\x1b]0;owned\x07\u202e" in text
    page = measure_page(RESULT)
    check_page(page)
    assert "<script>" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


@pytest.mark.parametrize(
    ("board", "machine", "os", "said"),
    [("Pi 5", "aarch64", "Debian", "Pi 5, Debian"), (None, "aarch64", None, "aarch64, unknown system")],
)
def test_title_names_the_board_as_far_as_it_is_known(board: str | None, machine: str, os: str | None, said: str):
    facts = {"board": board, "machine": machine, "os": os}
    text = measure_text({**RESULT, "release": "1.0-1", "board_facts": facts})
    assert text.splitlines()[0] == f"mine.tflite on synthetic; board: {said}, 1.0-1"


def test_rows_are_the_numbers_of_the_board_then_what_only_the_machine_has():
    result = {
        "board": {"size": 1234567, "times": {"p50": 999.96, "p99": 1000.4, "ok": True, "name": "text"}, "both": 1},
        "workstation": {"both": 0.123456, "here": {"only": -1500.5}},
    }
    assert measure_rows(result) == [
        ("size", "1,234,567", "–"),
        ("times p50", "1,000", "–"),
        ("times p99", "1,000", "–"),
        ("both", "1", "0.1235"),
        ("here only", "–", "-1,500"),
    ]


def test_lines_are_aligned():
    result = {**RESULT, "release": "1", "board": {"long name": 1, "b": 12345}, "workstation": {"b": 1}}
    assert measure_text(result).splitlines()[1:] == [
        "            board  this machine",
        "long name       1             –",
        "b          12,345             1",
    ]
    page = measure_page(result)
    assert '<tr><td></td><th scope="col" class="n">board</th><th scope="col" class="n">this machine</th></tr>' in page
    assert '<tr><th scope="row">b</th><td class="n">12,345</td><td class="n">1</td></tr>' in page


def sides(board: dict[str, Any], workstation: dict[str, Any]) -> dict[str, Any]:
    return {**RESULT, "board": board, "workstation": workstation}


def figures(p50_us: float, macro_f1: float) -> dict[str, Any]:
    return {"profile": {"stages": {"end_to_end": {"p50_us": p50_us}}}, "evaluate": {"macro_f1": macro_f1}}


def test_answer_has_both_sides_and_scores_that_differ_against_it():
    warning = "Times of this machine do not apply to the board; scores should agree."
    assert measure_answer(sides(figures(4321.6, 0.9), figures(310.2, 0.9))) == Answer(
        "From the read to the label, a window takes 4,322 µs on the board and 310 µs on this machine at the median; "
        "macro-F1 is 0.900 on the board and 0.900 on this machine.",
        [warning],
    )
    apart = measure_answer(sides(figures(1, 0.9), figures(1, 0.89)))
    assert apart.against == [warning, "The scores differ by 0.010: the two did not compute the same."]
    assert measure_answer(sides(figures(1, 0.9), {"evaluate": {"macro_f1": "none"}})).text == (
        "From the read to the label, a window takes 1 µs on the board at the median; macro-F1 is 0.900 on the board."
    )
    assert measure_answer(sides({}, {})).text == "The figures of the board and of this machine are below."
