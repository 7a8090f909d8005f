"""What `deseptr firmware measure` may write over; the measurement itself is tested with a board."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.firmware.measure import measure
from deseptr.contract import DeseptrError, SetupError
from deseptr.firmware_harness.deploy import FlashError
from deseptr.report.html.page import PAGE_START


def measured(model: Path, folder: Path) -> DeseptrError:
    """The error that ends it, at the latest because no sshd listens there."""
    words = ["nobody@127.0.0.1", "--port", "1", "--model", str(model), "--data", "synthetic", "-o", str(folder)]
    error = CliRunner().invoke(measure, words).exception
    assert isinstance(error, DeseptrError)
    return error


@pytest.mark.parametrize("name", ["measured.json", "measured.html"])
def test_file_of_something_else_is_refused_before_the_board_is_asked(int8_model: Path, tmp_path: Path, name: str):
    (tmp_path / name).write_text('{"mine": 1}')
    error = measured(int8_model, tmp_path)
    assert isinstance(error, SetupError)
    assert str(error).startswith(f"{tmp_path / name}: found something else, which would be lost")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, '{"mine": 1}')]


def test_earlier_measurement_may_be_replaced(int8_model: Path, tmp_path: Path):
    (tmp_path / "measured.json").write_text(json.dumps({"model": "tiny.tflite", "data": "synthetic"}, indent=2))
    (tmp_path / "measured.html").write_bytes(PAGE_START)
    assert isinstance(measured(int8_model, tmp_path), FlashError)
