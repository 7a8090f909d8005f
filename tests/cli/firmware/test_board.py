"""What `deseptr firmware status` may write over; several boards are asked in tests/firmware_harness/deploy."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.firmware.board import status
from deseptr.contract import SetupError
from deseptr.report.html.page import PAGE_START

# No sshd listens there.
NOBODY = ("nobody@127.0.0.1", "--port", "1")


def test_a_page_of_something_else_is_refused_and_kept(tmp_path: Path):
    page = tmp_path / "mine.html"
    page.write_text("<p>my own page</p>")
    refused = CliRunner().invoke(status, [*NOBODY, "--html", str(page)]).exception
    assert isinstance(refused, SetupError)
    assert str(refused).startswith(f"{page}: found something else, which would be lost")
    assert page.read_text() == "<p>my own page</p>"


@pytest.mark.parametrize("before", [None, PAGE_START])
def test_a_page_of_boards_is_written_also_of_those_that_do_not_answer(tmp_path: Path, before: bytes | None):
    page = tmp_path / "boards.html"
    if before is not None:
        page.write_bytes(before)
    done = CliRunner().invoke(status, [*NOBODY, "--html", str(page)])
    assert done.exit_code == 2
    assert done.stdout.splitlines()[-1] == "0 of 1 board runs; no answer from nobody@127.0.0.1."
    shown = page.read_text("utf-8")
    assert "0 of 1 board runs." in shown
    assert "No answer from nobody@127.0.0.1." in shown
