"""The confusion matrix of a page in a browser: its cells, its windows, its keys, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from label_person import chromium

from deseptr.contract import score
from deseptr.data import cut_windows, synthetic_dataset
from deseptr.evaluate.confused_windows import Origin, confused_windows
from deseptr.report.evaluation_page import Evaluated, evaluation_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
LABELS = tuple(f"activity {number} <i>" for number in range(19))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of 19 classes that are all confused with each other."""
    dataset = synthetic_dataset(subjects=5, seconds=12)
    windows = cut_windows(dataset, window_length=64, hop_length=8, rate_hz=50.0)
    order = np.arange(len(windows))
    labels = order % len(LABELS)
    logits = 3 * np.eye(len(LABELS))[order // len(LABELS) % len(LABELS)]
    figures = score(labels, logits.argmax(1), LABELS, windows.subjects).to_dict()
    confused = confused_windows(labels, logits, windows.subjects, Origin(windows, dataset))
    part = Evaluated({**figures, "macro_f1_interval": None}, confused)
    page: Path = tmp_path_factory.mktemp("pages") / "page.html"
    page.write_text(evaluation_page({"made": part}, "made", [["model", "none"]]), "utf-8")
    assert page.stat().st_size < 2_000_000
    return page.as_uri()


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """On a phone; an error in a script and a request to anywhere fail the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, **getattr(request, "param", {}))
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    opened.on("request", lambda asked: asked.url.startswith(address) or complaints.append(asked.url))
    opened.goto(address)
    yield opened
    context.close()
    assert complaints == []


def visible_groups(page: Page) -> list[str | None]:
    groups = page.locator(".confused").all()
    return [group.get_attribute("id") for group in groups if group.is_visible()]


def test_a_cell_shows_its_windows_and_another_one_replaces_them(page: Page):
    assert visible_groups(page) == []
    first, second = page.locator(".confusion td a").all()[:2]
    first.click()
    (shown,) = visible_groups(page)
    assert f"#{shown}" == first.get_attribute("href")
    group = page.locator(f"#{shown}")
    assert group.locator("svg").count() == group.locator("li").count() > 0
    assert group.locator("svg").first.bounding_box()["width"] > 200
    assert group.evaluate("each => document.activeElement === each")
    assert first.get_attribute("aria-current") == "true"
    # Markup in a label is text.
    assert "<i>" in group.inner_text()
    second.click()
    assert [f"#{each}" for each in visible_groups(page)] == [second.get_attribute("href")]
    assert first.get_attribute("aria-current") is None


def test_arrows_go_from_cell_to_cell_and_escape_back_to_it(page: Page):
    page.locator('a[href="#confusion-0-0-1"]').focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.hash") == "#confusion-0-0-2"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.hash") == "#confusion-0-1-2"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.hash") == "#confusion-0-0-2"
    page.keyboard.press("Enter")
    assert visible_groups(page) == ["confusion-0-0-2"]
    page.keyboard.press("Escape")
    assert visible_groups(page) == []
    assert page.evaluate("document.activeElement.hash") == "#confusion-0-0-2"


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_windows_are_shown_and_left_without_scripts(page: Page):
    page.locator(".confusion td a").first.click()
    assert visible_groups(page) == ["confusion-0-0-1"]
    page.locator("#confusion-0-0-1").get_by_text("Back to the matrix").click()
    assert visible_groups(page) == []


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}], indirect=True)
def test_many_classes_scroll_within_the_page_and_names_stay(page: Page):
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator(".confusion .scroll")
    assert box.evaluate("each => each.scrollWidth > 2 * each.clientWidth")
    box.evaluate("each => { each.scrollLeft = 300; }")
    name = page.locator(".confusion tbody th").first.bounding_box()
    assert name is not None
    assert name["x"] >= 0


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}], indirect=True)
def test_everybody_can_use_it(page: Page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.locator(".confusion td a").first.click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
