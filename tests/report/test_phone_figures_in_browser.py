"""Figures with long names in a browser, on a phone: everything is to be seen, and can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from label_person import chromium

from deseptr.report import html
from deseptr.report.html.interval_figure import Spread, interval_figure
from deseptr.report.html.plain_figures import plain_bars

pytestmark = pytest.mark.slow
NAMES = ("student taught on unlabelled wearers, too − student taught without them, 12", "STAND_TO_SIT_" * 8, "short")


def test_long_names_are_on_the_screen_of_a_phone_with_what_they_name(tmp_path: Path):
    drawn = [
        interval_figure([Spread(name, -0.02, -0.035, 0.016) for name in NAMES], "difference"),
        plain_bars([(name, 1.0, "100.0%") for name in NAMES]),
    ]
    page = tmp_path / "page.html"
    section = html.Section("Effects", [html.figure(svg, "A figure") for svg in drawn])
    page.write_text(html.render_page("made", html.Answer("An answer.", []), [section]), "utf-8")
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        tab.goto(page.as_uri())
        boxes = tab.evaluate(
            """() => [...document.querySelectorAll("figure svg :is(text, circle, line, rect)")].map((each) => {
              const box = each.getBoundingClientRect();
              return [box.left, box.right, each.tagName === "text" ? box.height : 99];
            })"""
        )
    assert len(boxes) > 5 * len(NAMES)
    assert min(left for left, _, _ in boxes) >= 0
    assert max(right for _, right, _ in boxes) <= 390
    # Letters of 10 px and more.
    assert min(height for _, _, height in boxes) >= 11.5
