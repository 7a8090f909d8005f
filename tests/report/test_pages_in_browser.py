"""Every page of the commands in a browser: everybody can use it, in light and dark, on a phone and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from label_person import chromium
from op_by_op import op_by_op
from self_contained import check_page

from deseptr.cli import demo
from deseptr.cli.main import deseptr
from deseptr.report.fleet_page import fleet_page
from deseptr.report.measure_page import measure_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

DATA = "synthetic:subjects=4,seconds=12"
TINY = {"teacher_width": 4, "teacher_epochs": 1, "student_epochs": 1, "dim": 8, "heads": 1}
NAMES = ("profile", "compare", "evaluate", "continuous", "calibrate", "tune", "crossval", "report", "fleet", "measure")
FROM_RUNS = ("convert", "demo")
FACTS = {"board": "Raspberry Pi 5", "machine": "aarch64", "os": None}


@pytest.fixture(scope="module")
def folder(tiny_run: Path, tiny_tflite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, made by the commands, from a model that has learned next to nothing."""
    made = tmp_path_factory.mktemp("pages")
    model = made / "tiny.tflite"
    model.write_bytes(tiny_tflite.read_bytes())
    small = ("--model", "cnn-har", "--student-epochs", 1, "--folds", 2)
    commands = {
        "profile": ("device", "profile", model, "--windows", 20, "--ops", "--threads-sweep", "--html"),
        "compare": ("compare", model, tiny_tflite, "--data", DATA, "--rounds", 20, "-o"),
        "evaluate": ("evaluate", model, DATA, "--subjects", "1,2", "-o"),
        "continuous": ("evaluate", model, DATA, "--subjects", "1,2", "--continuous", "-o"),
        "calibrate": ("calibrate", model, DATA, "--subjects", "1,2", "--page"),
        "tune": ("tune", model, DATA, "--subjects", "1,2", "--tries", 3, "--target", "delay=3", "--page"),
        "report": ("report", tiny_run, "-o"),
    }
    for name, command in commands.items():
        _run(*command, made / f"{name}.html")
    _run("convert", tiny_run, "-o", made / "convert.tflite", "--force", "--agreement", 0)
    with pytest.MonkeyPatch.context() as patch, op_by_op():
        patch.setattr(demo, "SMALL", TINY)
        patch.setattr(demo, "WEARERS", "subjects=4,seconds=12")
        _run("demo", "-o", made / "demo")
        _run("crossval", DATA, "--protocol", "loso", *small, "-o", made / "crossval")
    (made / "demo" / "report.html").rename(made / "demo.html")
    (made / "crossval" / "crossval.html").rename(made / "crossval.html")
    boards = [{"destination": "pi@lost", "error": "no answer"}]
    (made / "fleet.html").write_text(fleet_page(boards, "2026-11-27 12:00 UTC"))
    numbers = {"evaluate": {"macro_f1": 0.9}}
    about = {"model": "m.tflite", "data": "synthetic", "destination": "pi@board", "release": "1-1"}
    measured = {**about, "board_facts": FACTS, "board": numbers, "workstation": numbers}
    (made / "measure.html").write_text(measure_page(measured))
    return made


def _run(*arguments: object) -> None:
    result = CliRunner().invoke(deseptr, list(map(str, arguments)))
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def opened(browser: Browser, page: Path, width: int, scheme: str) -> Page:
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab.goto(page.as_uri())
    return tab


@pytest.mark.parametrize("name", [*NAMES, *FROM_RUNS])
def test_everybody_can_use_every_page(folder: Path, browser: Browser, name: str):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    path = folder / f"{name}.html"
    check_page(path.read_text())
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            tab = opened(browser, path, width, scheme)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width)
            found = sync.Axe().run(tab)
            assert found.violations_count == 0, found.generate_report()
            tab.close()


def test_scripts_of_a_page_may_run_and_no_others(folder: Path, browser: Browser):
    tab = browser.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto((folder / "profile.html").as_uri())
    assert complaints == []
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.querySelectorAll('details[open]').length") == 0
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'seen = 1' }))")
    assert tab.evaluate("typeof seen") == "undefined"
    assert len(complaints) == 1
    tab.close()


def test_a_table_is_saved_as_csv(folder: Path, browser: Browser, tmp_path: Path):
    tab = opened(browser, folder / "fleet.html", 1280, "light")
    with tab.expect_download() as saved:
        tab.click("a.csv")
    assert saved.value.suggested_filename == "board-service-says.csv"
    saved.value.save_as(tmp_path / "saved.csv")
    assert (tmp_path / "saved.csv").read_bytes().decode() == (
        "board,service,says,release,on trial,temperature,power and heat,machine\r\npi@lost,no answer,–,–,–,–,–,–\r\n"
    )
    tab.close()


def test_decimal_points_are_below_each_other(folder: Path, browser: Browser):
    tab = opened(browser, folder / "profile.html", 1280, "light")
    places = tab.evaluate(
        """() => [...document.querySelectorAll("#stages tbody td.n:nth-child(3)")].map((cell) => {
          const range = document.createRange(), text = cell.firstChild, at = text.data.indexOf(".");
          range.setStart(text, at);
          range.setEnd(text, at + 1);
          return range.getBoundingClientRect().left;
        })"""
    )
    assert len(places) == 7
    assert max(places) - min(places) < 0.5
    tab.close()


def test_paper_is_white_in_the_dark_too(folder: Path, browser: Browser):
    tab = opened(browser, folder / "profile.html", 1280, "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(ground) == "rgb(20, 27, 34)"
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate(ground) == "rgb(255, 255, 255)"
    assert not tab.locator("nav").is_visible()
    assert not tab.locator("a.csv").first.is_visible()
    tab.close()
