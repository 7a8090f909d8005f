"""The demonstration with next to no training: what it prints and writes, not how well it learns."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from self_contained import check_page

from deseptr.cli import demo as module
from deseptr.contract import SetupError


def test_prints_labels_table_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tiny = {"teacher_width": 4, "teacher_epochs": 1, "student_epochs": 1, "dim": 8, "heads": 1}
    monkeypatch.setattr(module, "SMALL", tiny)
    monkeypatch.setattr(module, "WEARERS", "subjects=4,seconds=12")
    result = CliRunner().invoke(module.demo, ["-o", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    module.check_outputs(tmp_path / "demo")
    figures = json.loads((tmp_path / "demo" / "result.json").read_text())
    windows = {scores["windows"] for scores in figures["scores"].values()}
    assert len(windows) == 1
    assert result.stdout.count("#") >= windows.pop() > 10
    assert "int8 over the bus" in result.stdout
    page = (tmp_path / "demo" / "report.html").read_text()
    assert page.count("<svg") == 2
    assert page.count("<caption>") == 3 + 1
    check_page(page)
    assert "not how well a real wearable would do" in page


@pytest.mark.parametrize("name", ["report.html", "result.json", "model.tflite", "model.json"])
def test_file_of_something_else_is_refused_before_training(tmp_path: Path, name: str):
    (tmp_path / name).write_text("mine")
    with pytest.raises(SetupError, match=f"{name}: found something else, which would be lost"):
        CliRunner().invoke(module.demo, ["-o", str(tmp_path)], catch_exceptions=False)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
