"""The page in a browser: what it shows, that it comes back by itself, and that everybody can use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live_page_served import Serve, Served

from deseptr.contract import ModelContract
from deseptr.data import load_dataset
from deseptr.device import AlarmEvent, GapEvent, LabelEvent, RateEvent, default_model
from deseptr.device.alarms.answers import Answer, Answers
from deseptr.device.live_page.spectrogram import spectrogram_of
from deseptr.tflite import read_tflite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, expect
else:
    expect = pytest.importorskip("playwright.sync_api").expect

MANY = ModelContract(labels=tuple(f"activity {number}" for number in range(19)))


def some_seconds(served: Served, first: int = 0, count: int = 6) -> None:
    for second in range(first, first + count):
        served.samples(float(second), value=float(second))
        served.window(second + 1.0)


def test_what_a_run_shows(served: Served, page: Page):
    some_seconds(served)
    page.goto(served.url)
    page.wait_for_selector("#link.on")
    expect(page.locator("#label")).to_have_text("still")
    expect(page.locator("#sensor")).to_have_text("simulated mpu6050")
    assert page.locator("#bars li").all_inner_texts()[0].split() == ["still", "100.0", "%"]
    served.page.take(LabelEvent(7.0, served.labels[1], "still", 0.9))
    served.window(7.0, served.labels[1])
    # A label is text, whatever it looks like.
    page.wait_for_function("() => document.getElementById('label').textContent === '<b onclick=alert(1)>walking'")
    assert page.locator("#notes").inner_text().split("\n")[-1] == "→ <b onclick=alert(1)>walking"
    served.page.take(GapEvent(8.0, "overflow", 17))
    served.page.take(RateEvent(8.0, 51.25, 50.0, True))
    page.wait_for_selector("#notes li.bad")
    assert page.locator("#notes li.bad b").inner_text() == "gap: overflow, 17 samples"
    page.wait_for_function("() => document.getElementById('figures').textContent.includes('1, 17 samples lost')")
    expect(page.locator("#figures")).to_contain_text("51.25 Hz measured, 50 Hz nominal, resampled")


def test_the_wearers_name_is_shown_where_there_is_one(serve: Serve, page: Page):
    for wearer in (None, "eve <b>"):
        served = serve(wearer=wearer)
        page.goto(served.url)
        page.wait_for_function("() => document.getElementById('figures').textContent.includes('Hz')")
        assert ("eve <b>" in page.inner_text("#worn")) is (wearer is not None)


def test_an_alarm_stays_until_it_is_answered(served: Served, page: Page):
    some_seconds(served)
    for state in ("suspected", "raised"):
        served.page.take(AlarmEvent(6.0, "fall", state, 0.9, "k1"))
    page.goto(served.url)
    page.wait_for_selector("#alarm:visible")
    expect(page.locator("#alarmed")).to_have_text("fall at 0:06")
    served.page.take(AlarmEvent(8.0, "fall", "acknowledged", 0.9, "k1", reason="button"))
    page.wait_for_selector("#alarm", state="hidden")
    assert page.locator("#notes li").first.inner_text().split("\n")[-1] == "fall: acknowledged (button)"


def test_an_alarm_is_answered_on_the_page(serve: Serve, page: Page):
    answers = Answers()
    served = serve(answers=answers)
    some_seconds(served)
    served.page.take(AlarmEvent(6.0, "fall", "raised", 0.9, "k1"))
    page.goto(served.url)
    with page.expect_response("**/answer"):
        page.click("#seen")
    assert answers.take() == [Answer("page")]


def test_a_take_is_recorded_by_buttons(serve: Serve, page: Page, tmp_path: Path):
    served = serve(recordings=tmp_path / "takes")
    some_seconds(served)
    page.goto(served.url)
    page.fill("#subject", "eve")
    page.click("#names button:first-child")
    assert page.input_value("#activity") == "still"
    page.select_option("#length", "10")
    with page.expect_response("**/record", timeout=10_000):
        page.click("#go")
    page.wait_for_selector("#stop:enabled")
    for second in range(6, 18):
        served.samples(float(second), value=float(second))
    page.wait_for_selector("#takes a")
    expect(page.locator("#takes")).to_have_text("eve_still_1.csv still, 10 s, 500 samples")
    with page.expect_download() as download:
        page.click("#takes a")
    dataset = load_dataset(str(download.value.path().rename(tmp_path / "fetched.csv")))
    assert [(each.subject, len(each.signals)) for each in dataset.recordings] == [("eve", 500)]
    page.select_option("#length", "")
    page.click("#go")
    page.click("#stop")
    expect(page.locator("#told")).to_have_text("Not begun.")
    # It stays, whatever else the run shows.
    served.page.take(LabelEvent(18.0, served.labels[1], "still", 0.9))
    page.wait_for_selector("#notes li")
    page.wait_for_timeout(100)
    assert page.inner_text("#told") == "Not begun."
    with page.expect_response("**/record", timeout=10_000):
        page.click("#go")
    page.wait_for_selector("#stop:enabled")
    # The next activity begins at once.
    served.samples(18.0)
    page.wait_for_function("() => document.getElementById('told').textContent === 'still: 1 s recorded'")
    page.click("#names button:last-child")
    page.wait_for_function("() => document.querySelectorAll('#takes a').length === 2")
    expect(page.locator("#takes li:first-child")).to_have_text("eve_still_2.csv still, 1 s, 50 samples")
    page.wait_for_function("() => document.getElementById('told').textContent.includes('walking: 0 s')")


def pixels(page: Page, selector: str) -> str:
    return str(page.locator(selector).evaluate("canvas => canvas.toDataURL()"))


def test_traces_move_and_can_be_held(served: Served, page: Page):
    some_seconds(served)
    page.goto(served.url)
    page.wait_for_selector("#link.on")
    before = pixels(page, "#traces canvas:first-child")
    some_seconds(served, first=6, count=3)
    page.wait_for_function("before => document.querySelector('#traces canvas').toDataURL() !== before", arg=before)
    page.click("#hold")
    page.wait_for_function("() => document.getElementById('hold').getAttribute('aria-pressed') === 'true'")
    page.wait_for_timeout(200)
    held = pixels(page, "#traces canvas:first-child")
    some_seconds(served, first=9, count=1)
    page.wait_for_timeout(300)
    assert pixels(page, "#traces canvas:first-child") == held


def test_the_page_comes_back_by_itself(serve: Serve, page: Page):
    served = serve()
    some_seconds(served)
    page.goto(served.url)
    page.wait_for_selector("#link.on")
    served.page.close()
    page.wait_for_selector("#link.off")
    expect(page.locator("#trouble")).to_contain_text("it has ended, or the network is gone")
    again = serve(served.port)
    again.window(1.0, again.labels[1])
    page.wait_for_selector("#link.on", timeout=15_000)
    page.wait_for_function("() => document.getElementById('label').textContent.includes('walking')")
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everybody_can_use_it(serve: Serve, browser: Browser, scheme: str, width: int, tmp_path: Path):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    served = serve(of=MANY, recordings=tmp_path, spectrogram=spectrogram_of(read_tflite(default_model())))
    some_seconds(served)
    served.page.take(GapEvent(6.0, "overflow", 17))
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page.goto(served.url)
    page.wait_for_selector("#notes li.bad")
    found = sync.Axe().run(page)
    assert len(found.response["passes"]) > 10
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_first_label_comes_at_once(served: Served, page: Page):
    some_seconds(served)
    page.goto(served.url)
    page.wait_for_function("() => document.getElementById('label').textContent === 'still'")
    spent = page.evaluate(
        "performance.getEntriesByType('resource').reduce((sum, each) => sum + each.encodedBodySize, 0)"
    )
    assert 5_000 < spent < 200_000
    asked = page.evaluate("performance.getEntriesByType('resource').map(each => new URL(each.name).host)")
    assert set(asked) == {served.host}
