"""What flash and status print, from answers written here by hand."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from deseptr.cli.firmware.flash_view import UploadBar, show_flashed, show_status


def test_an_upload_is_told_by_tenths_where_there_is_no_terminal():
    written = io.StringIO()
    with UploadBar(Console(file=written, width=120)) as bar:
        bar.step("sending the bundle")
        for done in range(250_000, 2_500_001, 125_000):
            bar.show(done, 2_500_000)
    tenths = [f"sent {share} % of 2.5 MB" for share in range(10, 101, 10)]
    assert written.getvalue().splitlines() == ["sending the bundle …", "10% was sent by an earlier attempt", *tenths]


def test_an_empty_upload_is_shown():
    written = io.StringIO()
    with UploadBar(Console(file=written, width=120)) as bar:
        bar.show(0, 0)
    assert written.getvalue() == "sent 0 % of 0.0 MB\n"


STATUS: dict[str, Any] = {
    "service": "running",
    "service_kind": "system",
    "current": "1.0-2",
    "good": ["1.0-1", "1.0-2"],
    "trial": None,
    "interrupted": False,
    "bad": {},
    "signed_only": False,
    "board": {"board": "Raspberry Pi 5", "machine": "aarch64", "os": "Debian 13"},
    "prefix": "/opt/deseptr",
}


def test_a_flashed_board_is_told_with_the_next_step(capsys: pytest.CaptureFixture[str]):
    plan = SimpleNamespace(destination="pi@wrist")
    show_flashed(plan, {"release": "1.0-2", "seen": {"windows": 1, "label": "walking"}, "removed": []})  # type: ignore[arg-type]
    shown = capsys.readouterr()
    assert shown.out == "pi@wrist: 1.0-2 runs (1 label in its trial, last walking)\n"
    assert shown.err == "next: deseptr firmware status pi@wrist\n"


def test_status(capsys: pytest.CaptureFixture[str]):
    show_status("pi@wrist", STATUS)
    assert capsys.readouterr().out.splitlines() == [
        "service  running (system)",
        "current  1.0-2",
        "good     1.0-1, 1.0-2",
        "signed   not required",
        "board    Raspberry Pi 5, Debian 13",
        "prefix   /opt/deseptr",
    ]


def test_status_of_a_board_in_trouble(capsys: pytest.CaptureFixture[str]):
    changes = {"service_kind": None, "current": None, "good": [], "trial": "1.0-3", "interrupted": True}
    board = {"board": None, "machine": "aarch64", "os": None}
    show_status("pi@wrist", {**STATUS, **changes, "bad": {"1.0-4": "no label"}, "signed_only": True, "board": board})
    assert capsys.readouterr().out.splitlines() == [
        "service    not installed",
        "current    none",
        "good       none",
        "on trial   1.0-3; interrupted, ended by the next start of the service or flash",
        "bad 1.0-4  no label",
        "signed     only bundles of a trusted key",
        "board      aarch64, unknown system",
        "prefix     /opt/deseptr",
    ]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("http://192.168.1.7:8384/secret/", ["page: http://192.168.1.7:8384/secret/"]),
        (
            "http://127.0.0.1:9000/secret/",
            [
                "page: http://127.0.0.1:9000/secret/",
                "it is the board's own: first `ssh -L 9000:127.0.0.1:9000 pi@wrist`",
            ],
        ),
        (
            "https://[::1]:9000/",
            ["page: https://[::1]:9000/", "it is the board's own: first `ssh -L 9000:[::1]:9000 pi@wrist`"],
        ),
    ],
)
def test_status_of_a_board_with_a_page(page: str, lines: list[str], capsys: pytest.CaptureFixture[str]):
    show_status("pi@wrist", {**STATUS, "page": page})
    assert capsys.readouterr().out.splitlines()[6:] == lines
