from typing import Any

from self_contained import check_page

from deseptr.report.fleet_page import HEAD, fleet_answer, fleet_page, fleet_rows, fleet_text
from deseptr.report.html import Answer


def board(destination: str, **changes: Any) -> dict[str, Any]:
    facts = {"board": "Raspberry Pi 5", "machine": "aarch64", "os": "Debian 13"}
    status = {"service": "active", "service_kind": "system", "current": "1.0-2", "trial": None, "board": facts}
    return {"destination": destination, "status": {**status, **changes}}


WELL = board("pi@wrist", says="walking", state={"temperature_c": 51.6, "throttled": 0})
HOT = board("pi@waist", says="sitting, 2 gaps", state={"temperature_c": 84.2, "throttled": 0x50005})
EARLIER = board("pi@ankle", state={"temperature_c": None, "throttled": 0x50000})
STOPPED = board("pi@desk", service="inactive", service_kind=None, current=None, trial="1.0-3")
SILENT = {"destination": "pi@lost", "error": "pi@lost: found Connection refused, expected sshd"}


PI = "Raspberry Pi 5, Debian 13"


def test_rows_of_all_kinds():
    assert fleet_rows([WELL, HOT, EARLIER, STOPPED, SILENT]) == [
        ("pi@wrist", "active (system)", "walking", "1.0-2", "–", "52 °C", "well", PI),
        ("pi@waist", "active (system)", "sitting, 2 gaps", "1.0-2", "–", "84 °C", "throttled now", PI),
        ("pi@ankle", "active (system)", "–", "1.0-2", "–", "–", "was throttled since its start", PI),
        ("pi@desk", "inactive", "–", "–", "1.0-3", "–", "–", PI),
        ("pi@lost", "pi@lost: found Connection refused, expected sshd"),
    ]


def test_the_answer_names_what_is_wrong():
    assert fleet_answer([WELL, EARLIER]) == Answer("2 of 2 boards run", [])
    assert fleet_answer([WELL, HOT, STOPPED, SILENT]) == Answer(
        "2 of 4 boards run", ["no answer from pi@lost", "not active on pi@desk", "throttled now: pi@waist"]
    )


def test_text_has_columns_below_each_other():
    lines = fleet_text([WELL, SILENT, HOT]).splitlines()
    assert lines[0].split("  ")[0] == "board"
    assert {line.index("1.0-2") for line in (lines[1], lines[3])} == {lines[0].index("release")}
    assert lines[2] == "pi@lost   pi@lost: found Connection refused, expected sshd"
    assert lines[-1] == "2 of 3 boards run; no answer from pi@lost; throttled now: pi@waist."


def test_only_boards_without_an_answer():
    assert fleet_text([SILENT]).splitlines()[-1] == "0 of 1 board runs; no answer from pi@lost."


def test_the_page_shows_and_obeys_nothing_of_a_board():
    hostile = board("pi@wrist", says="<script>alert(1)</script>\x1b]0;title\x07")
    page = fleet_page([hostile, SILENT], "2026-11-27 12:00 UTC")
    assert "<script" not in page
    check_page(page)
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
    assert page.count('<th scope="col">') == len(HEAD)
    assert '<p class="answer">1 of 2 boards run.</p>' in page
    assert "<ul><li>No answer from pi@lost.</li></ul>" in page
    assert '<p class="note">Asked 2026-11-27 12:00 UTC.</p>' in page
    assert "\x1b" not in fleet_text([hostile])


def test_the_reason_of_a_board_without_an_answer_has_a_section_of_its_own():
    page = fleet_page([WELL, SILENT], "2026-11-27 12:00 UTC")
    assert '<tr><th scope="row">pi@lost</th><td>no answer</td>' in page
    assert '<tr><th scope="row">pi@lost</th><td>pi@lost: found Connection refused, expected sshd</td></tr>' in page
    assert "<h2>No answer</h2>" in page
    assert "<h2>No answer</h2>" not in fleet_page([WELL], "2026-11-27 12:00 UTC")
