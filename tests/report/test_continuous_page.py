import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from self_contained import check_page

from deseptr.data import Recording, load_dataset
from deseptr.device import default_model
from deseptr.evaluate.continuous.measure import Continuous, measure
from deseptr.evaluate.predictor import load_predictor
from deseptr.report import continuous_page as continuous_page_module
from deseptr.report.continuous_page import continuous_page
from deseptr.report.html.timeline import timeline

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def measured() -> Continuous:
    """The sample's activities one after the other, in a recording with a name that is no markup."""
    sample = load_dataset("sample")
    signals = np.concatenate([each.signals for each in sample.recordings])
    labels = np.concatenate([each.labels for each in sample.recordings])
    data = replace(sample, recordings=(Recording(signals, 50.0, "5", labels, name="<b>"),))
    return measure(load_predictor(default_model()), data)


@pytest.fixture(scope="module")
def page(measured: Continuous) -> str:
    return continuous_page(measured, {**measured.to_dict(), "runtime": "engine"}, "title")


def test_every_stretch_of_truth_and_label_is_on_its_timeline(page: str, measured: Continuous):
    (track,) = measured.tracks
    for row, values in (("truth", track.truth), ("label", track.shown)):
        ends = [float(end) for end in re.findall(rf"<title>{row}: [^<]*? s to ([\d.]+) s</title>", page)]
        borders = [*(np.flatnonzero(np.diff(values)) + 1), len(values)]
        assert ends == pytest.approx([border / 50 for border in borders])


def test_page_has_its_figures_and_needs_nothing_else(page: str, measured: Continuous):
    assert f"{measured.figures['frame_f1']['value']:.3f}" in page
    assert page.count("shown as") >= 3
    assert "&lt;b&gt;" in page
    assert "trial <b>" not in page
    check_page(page)


def test_many_recordings_are_folded_and_those_beyond_the_size_of_a_page_are_counted(
    measured: Continuous, monkeypatch: pytest.MonkeyPatch
):
    many = replace(measured, played=measured.played * 15, tracks=measured.tracks * 15)
    content = {**measured.to_dict(), "runtime": "engine"}
    page = continuous_page(many, content, "title")
    assert page.count('<div class="timeline">') == 15
    assert page.index("<summary>3 more recordings</summary>") < page.rindex('<div class="timeline">')
    assert "Not drawn" not in page
    one = len(timeline(measured.played[0], measured.tracks[0], content["labels"], "trial <b>").encode())
    monkeypatch.setattr(continuous_page_module, "_TIMELINE_BYTES", 2 * one + 100)
    page = continuous_page(many, content, "title")
    assert page.count('<div class="timeline">') == 2
    assert "<p>Not drawn, so that the page stays below 2 MB: 13 of 15 recordings." in page
    assert "<summary>" not in page


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_wheel_zooms_drag_moves_and_a_double_click_shows_all(page: str, tmp_path: Path):
    api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "page.html").write_text(page)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page()
        mistakes: list[str] = []
        tab.on("pageerror", lambda error: mistakes.append(str(error)))
        tab.goto((tmp_path / "page.html").as_uri())
        svg, shown = tab.locator(".timeline svg").first, tab.locator(".timeline .range").first
        svg.scroll_into_view_if_needed()
        box = svg.bounding_box()
        assert box is not None
        assert shown.text_content() == "0 to 120 s"
        tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
        tab.mouse.wheel(0, -100)
        api.expect(shown).to_have_text("12.0 to 108.0 s")
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] / 4, box["y"] + 30)
        tab.mouse.up()
        api.expect(shown).to_have_text("24.0 to 120.0 s")
        svg.dblclick()
        api.expect(shown).to_have_text("0.0 to 120.0 s")
        browser.close()
    assert mistakes == []
