import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deseptr.cli.evaluate.report import report
from deseptr.cli.main import main
from deseptr.report.runs_tables import (
    classes_table,
    confusion_table,
    markdown,
    models_table,
    origins_table,
    subjects_table,
)
from deseptr.train import RunFolder

DATA = "synthetic:subjects=4,seconds=12"


class TableCells(HTMLParser):
    """The texts of a page's table cells, and what its tags refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta",):
            self.open.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "xlink:href", "data")]

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


@pytest.fixture
def runs(tiny_run: Path, tmp_path: Path) -> Path:
    """Two seeds of a run, the second made up of the first, and one that is not finished."""
    folder = tmp_path / "runs"
    for name in ("one", "two", "begun"):
        shutil.copytree(tiny_run, folder / name)
    config = json.loads(RunFolder(folder / "two").config.read_text())
    RunFolder(folder / "two").config.write_text(json.dumps({**config, "seed": 7}))
    RunFolder(folder / "begun").metrics.unlink()
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(report, list(map(str, arguments)))


def test_page_json_and_markdown_have_the_same_figures(runs: Path, tmp_path: Path):
    page = tmp_path / "out" / "page.html"
    result = run(runs, "-o", page)
    assert result.exit_code == 0, result.output
    assert f"warning: {runs / 'begun'}: unfinished and left out" in result.stderr
    assert f"report: {page}" in result.stdout
    content = json.loads(page.with_suffix(".json").read_text())
    assert content["left_out"] == [str(runs / "begun")]
    text = page.with_suffix(".md").read_text()
    html = TableCells(page.read_text())
    (section,) = content["sections"]
    assert {group["label"] for group in section["groups"]} == {"deseptr_spectrogram_d8_h2", "resnet18_w4 (teacher)"}
    assert all(group["seeds"] == [0, 7] for group in section["groups"])
    for head, rows in (models_table(section), classes_table(section), origins_table(section)):
        for row in (head, *rows):
            assert set(row) <= set(html.cells)
            assert "| " + " | ".join(row) + " |" in text
    for head, rows in (subjects_table(section), confusion_table(section, section["groups"][0], "float")):
        assert all("| " + " | ".join(row) + " |" in text for row in (head, *rows))
    assert f"{section['groups'][0]['float']['macro_f1']['mean']:.3f} ± 0.000" in html.cells
    assert text == markdown(content)


def test_page_needs_no_network(runs: Path, tmp_path: Path):
    assert run(runs / "one", "-o", tmp_path / "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert not [link for link in TableCells(page).links if not link.startswith(("#", "data:"))]
    assert "<script src" not in page
    assert not re.findall(r"url\((?!#)", page)
    # two models: two scatters; for each bars and reliability; learning curves of the run; no pictures without --data
    assert page.count("<svg") == 2 + 2 * 2 + 1


def test_confused_windows_have_signals_where_the_recordings_are_given(runs: Path, tmp_path: Path):
    without, given = tmp_path / "without.html", tmp_path / "with.html"
    assert run(runs / "one", "-o", without).exit_code == 0
    result = run(runs / "one", "-o", given, "--data", DATA)
    assert result.exit_code == 0, result.output
    assert "since the recordings were not at hand" in without.read_text()
    # The predictions of a run know the places of its windows.
    assert without.read_text().count("<span>trial ") == without.read_text().count("<li><span>wearer")
    assert "A picture has acceleration above angular rate" in given.read_text()
    examples = given.read_text().count("<li><span>wearer") + given.read_text().count("</svg><span>wearer")
    assert examples == without.read_text().count("<li><span>wearer") > 0
    assert given.read_text().count("</svg><span>wearer") == examples


def test_other_recordings_are_refused(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as stop:
        main(["report", str(runs / "one"), "-o", str(tmp_path / "p.html"), "--data", "synthetic:subjects=4,seconds=20"])
    assert stop.value.code == 2
    assert "give the recordings of the runs, read with the same options" in capsys.readouterr().err
    assert not (tmp_path / "p.html").exists()


def test_json_on_stdout_is_that_of_the_file(runs: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    result = run(runs / "one", runs / "two", "-o", page, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == page.with_suffix(".json").read_text()
    assert run(runs / "one", "-o", page).exit_code == 0


def test_another_file_is_not_overwritten(runs: Path, capsys: pytest.CaptureFixture):
    before = (runs / "one" / "metrics.json").read_text()
    with pytest.raises(SystemExit) as stop:
        main(["report", str(runs / "one"), "-o", str(runs / "one" / "metrics.html")])
    assert stop.value.code == 2
    assert "metrics.json: found another file, expected no file, or an earlier report" in capsys.readouterr().err
    assert (runs / "one" / "metrics.json").read_text() == before
    assert not (runs / "one" / "metrics.html").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none"], "deseptr: none: found no such folder"),
        (["."], "deseptr: .: found no run, expected a folder of `deseptr train`"),
        (["begun"], "deseptr: begun: found no finished run"),
        (["broken"], "deseptr: broken/metrics.json: found an unreadable file"),
        (["begun", "-o", "page.txt"], "deseptr: -o page.txt must end in .html"),
        ([], "deseptr: missing argument"),
    ],
)
def test_wrong_use_gives_one_line(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(tmp_path)
    for name in ("begun", "broken") if arguments != ["."] else ():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    if (tmp_path / "broken").exists():
        (tmp_path / "broken" / "metrics.json").write_text("{")
    with pytest.raises(SystemExit) as stop:
        main(["report", *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.strip().splitlines()[-1].startswith(line)
    assert "Traceback" not in error
    assert not list(tmp_path.glob("report.*"))
