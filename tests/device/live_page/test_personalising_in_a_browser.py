"""A wearer is personalised by buttons of the page, before a simulated sensor in real time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chosen_wearer import ChosenSource, ChosenWearer, chosen_wearer, still
from live_page_served import Serve

from deseptr.device.personal import WearerFile
from deseptr.tflite import TfliteEngine, load_engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, expect
else:
    expect = pytest.importorskip("playwright.sync_api").expect

# Longer than a take, its countdown and the check on a loaded machine.
PATIENCE_MS = 40_000


@pytest.fixture
def engine(int8_model: Path) -> TfliteEngine:
    return load_engine(int8_model)


@pytest.fixture
def source() -> ChosenSource:
    poses = {"upright": still(9.8, 0, 0, 0, 0, 0), "cycling": still(4.6, 5.0, 7.1, 0, 0, 0)}
    return ChosenSource(poses, "cycling")


@pytest.fixture
def wearer(serve: Serve, engine: TfliteEngine, source: ChosenSource, tmp_path: Path) -> Iterator[ChosenWearer]:
    with chosen_wearer(serve, engine, source, tmp_path, recordings=tmp_path / "takes") as made:
        yield made


def begin(page: Page, *, seconds: int = 4) -> None:
    """Ask for a session of what the model knows and of what it does not."""
    page.fill("#who", "eve")
    page.select_option("#prepare", "3")
    page.fill("#fresh", "cycling")
    page.press("#fresh", "Enter")
    for label in ("lying", "spinning"):
        page.uncheck(f"#choices input[value={label}]")
    for length in page.locator("#choices input[type=number]").all():
        length.fill(str(seconds))
    page.click("#begin")
    page.wait_for_selector("[data-do=start]:visible")


def says(page: Page, text: str) -> None:
    page.wait_for_function(
        "text => document.getElementById('next').textContent.includes(text)", arg=text, timeout=PATIENCE_MS
    )


def shows(page: Page, label: str) -> None:
    page.wait_for_function(
        "label => document.getElementById('label').textContent === label", arg=label, timeout=PATIENCE_MS
    )


@pytest.mark.slow
def test_a_new_activity_is_labelled_right_after_a_session(wearer: ChosenWearer, page: Page, browser: Browser,
                                                          tmp_path: Path):  # fmt: skip
    page.goto(wearer.served.url)
    page.wait_for_function("() => document.getElementById('label').textContent !== '–'")
    mistaken = page.inner_text("#label")
    assert mistaken in wearer.served.labels
    page.check("#keep")
    begin(page)
    says(page, "Next: upright, 4 s")
    other = browser.new_page()
    other.goto(wearer.served.url)
    says(other, "Somebody is personalising for eve: upright, 1 of 2")
    assert other.locator("[data-do]:visible").count() == 0
    wearer.source.activity = "upright"
    page.click("[data-do=start]")
    says(page, "Get ready: upright")
    says(page, "Now: upright")
    # In the middle of a take.
    page.reload()
    page.wait_for_selector("[data-do=keep]:visible", timeout=PATIENCE_MS)
    assert page.inner_text("#next").startswith("upright: good, ")
    page.click("[data-do=keep]")
    says(page, "Next: cycling, 4 s")
    wearer.source.activity = "cycling"
    # By the keyboard alone, which stays where something can be done.
    page.focus("[data-do=start]")
    page.keyboard.press("Enter")
    says(page, "Now: cycling")
    page.wait_for_selector("[data-do=keep]:visible", timeout=PATIENCE_MS)
    assert page.evaluate("document.activeElement.dataset.do") == "keep"
    page.keyboard.press("Enter")
    says(page, "Saved and put on: own windows right: ")
    shows(page, "cycling")
    expect(page.locator("#worn")).to_have_text("corrected for eve")
    assert [row.split()[0] for row in page.locator("#bars li").all_inner_texts()] == [*wearer.served.labels, "cycling"]
    assert WearerFile.load(tmp_path / "eve.deseptr").new_labels == ("cycling",)
    assert page.locator("#takes a").all_inner_texts() == ["eve_cycling_1.csv", "eve_upright_1.csv"]
    # It is over: others may begin.
    other.wait_for_selector("#wardrobe:visible")
    page.click("[data-do=cancel]")
    page.select_option("#wearers", "")
    shows(page, mistaken)
    expect(page.locator("#worn")).to_have_text("")
    page.select_option("#wearers", "eve")
    shows(page, "cycling")
    page.click("#undo")
    page.click("#sure")
    shows(page, mistaken)
    assert not (tmp_path / "eve.deseptr").exists()
    other.close()


@pytest.mark.slow
def test_a_server_that_begins_anew_in_the_middle(serve: Serve, engine: TfliteEngine, source: ChosenSource, page: Page,
                                                 tmp_path: Path):  # fmt: skip
    with chosen_wearer(serve, engine, source, tmp_path) as first:
        page.goto(first.served.url)
        page.wait_for_selector("#wardrobe:visible")
        begin(page)
        page.click("[data-do=start]")
        says(page, "Get ready: upright")
    page.wait_for_selector("#link.off")
    with chosen_wearer(serve, engine, source, tmp_path, first.served.port):
        page.wait_for_selector("#link.on", timeout=PATIENCE_MS)
        page.wait_for_selector("#wardrobe:visible")
        begin(page)
        says(page, "Next: upright")
    # Nothing of the session that was cut off.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_everybody_can_use_it(wearer: ChosenWearer, browser: Browser, scheme: str, width: int):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page.goto(wearer.served.url)
    page.wait_for_selector("#wardrobe:visible")
    for turn in range(2):
        if turn:
            begin(page)
        found = sync.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_without_a_folder_the_page_says_how_to_have_one(serve: Serve, page: Page):
    page.goto(serve().url)
    page.wait_for_selector("#link.on")
    expect(page.locator("#how")).to_contain_text("--web-wearers FOLDER")
    expect(page.locator("#wardrobe")).to_be_hidden()


def test_what_is_refused_is_said(wearer: ChosenWearer, page: Page):
    page.goto(wearer.served.url)
    page.wait_for_selector("#wardrobe:visible")
    page.fill("#who", "../eve")
    page.click("#begin")
    page.wait_for_selector("#fitting.bad")
    expect(page.locator("#fitting")).to_contain_text("without / and")


def test_how_many_activities_it_takes_is_said_before_anybody_records(wearer: ChosenWearer, page: Page):
    page.goto(wearer.served.url)
    page.wait_for_selector("#wardrobe:visible")
    page.fill("#who", "eve")
    assert page.inner_text("#enough").startswith("At least two: the model learns to tell them from each other")
    assert page.locator("#enough.bad").count() == 0
    for label in ("lying", "spinning"):
        page.uncheck(f"#choices input[value={label}]")
    assert page.locator("#enough.bad").count() == 1
    page.click("#begin")
    page.wait_for_selector("#fitting.bad")
    expect(page.locator("#fitting")).to_contain_text("found upright alone, expected at least 2 activities")
    # Until the plan is another one.
    page.fill("#who", "bob")
    expect(page.locator("#fitting")).to_have_text("")
    page.fill("#fresh", "cycling")
    page.press("#fresh", "Enter")
    assert page.locator("#enough.bad").count() == 0
    page.click("#begin")
    says(page, "Next: upright")
    hint = "If upright is left out, nothing can be saved: it takes two activities."
    expect(page.locator("#hint")).to_have_text(hint)
    page.click("[data-do=cancel]")
    page.uncheck("#choices input[value=upright]")
    assert page.locator("#enough.bad").count() == 1


def test_a_trouble_is_told_until_something_works(wearer: ChosenWearer, page: Page):
    page.goto(wearer.served.url)
    page.wait_for_selector("#wardrobe:visible")
    for _ in range(2):
        assert wearer.served.post("personal/wear", {"wearer": "ghost"}).status == 200
        page.wait_for_function("() => document.getElementById('fitting').textContent.includes('ghost.deseptr')")
        assert wearer.served.post("personal/wear", {"wearer": None}).status == 200
        page.wait_for_function("() => document.getElementById('fitting').textContent === ''")
