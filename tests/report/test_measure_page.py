"""Measurements on a board: every number is shown, and nothing that the board named is obeyed."""

import re

from deseptr.report.measure_page import measure_page, measure_text

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
    assert "<script>" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
