"""Write the pictures of ``docs/live-page.md``: the page of a run, on a desktop, in the dark, on a phone, and its panel.

``make live-picture`` runs it: a simulated sensor measures the recorded wearer in real time, who is personalised by
buttons. It needs Chromium, as the tests of the page do, whose wearer and server these are.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.data import load_sample
from deseptr.device import default_model
from deseptr.device.live_page.spectrogram import spectrogram_of
from deseptr.tflite import load_engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
_DESKTOP: dict[str, Any] = {"width": 1280, "height": 900}
_PHONE: dict[str, Any] = {"width": 390, "height": 844}
_ACTIVITIES = ("standing", "walking")
_PATIENCE_MS = 60_000


def main() -> None:
    """Watch the recorded wearer in real time, personalise, and take the pictures."""
    sys.path.insert(0, str(ROOT / "tests"))
    from chosen_wearer import ChosenSource, chosen_wearer
    from label_person import chromium
    from live_page_served import pages

    engine, sample = load_engine(default_model()), load_sample()
    played = {sample.label_names[each.labels[0]]: each.signals for each in sample.recordings}
    source = ChosenSource(played, "downstairs")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, pages() as serve:
        options = {"spectrogram": spectrogram_of(engine.model), "recordings": Path(folder) / "takes"}
        with chosen_wearer(serve, engine, source, Path(folder) / "wearers", **options) as wearer:
            phone, desktop = (_opened(browser, wearer.served.url, each) for each in (_PHONE, _DESKTOP))
            dark = _opened(browser, wearer.served.url, _DESKTOP, color_scheme="dark")
            _personalise(phone, source)
            for page, name in ((phone, "live-page-phone"), (desktop, "live-page"), (dark, "live-page-dark")):
                page.evaluate("scrollTo(0, 0)")
                page.screenshot(path=PICTURES / f"{name}.png")


def _opened(browser: Browser, url: str, viewport: Any, **options: Any) -> Page:
    page = browser.new_context(viewport=viewport, **options).new_page()
    page.goto(url)
    page.wait_for_selector("#link.on")
    page.select_option("#span", "60")
    return page


def _personalise(page: Page, source: Any) -> None:
    """A session, with a picture of each stage."""
    panel = page.locator("#personal")
    page.fill("#who", "eve")
    page.select_option("#prepare", "3")
    for box in page.locator("#choices input[type=checkbox]").all():
        box.set_checked(box.get_attribute("value") in _ACTIVITIES)
    panel.screenshot(path=PICTURES / "live-personalise-plan.png")
    page.click("#begin")
    for activity in _ACTIVITIES:
        source.activity = activity
        page.click("[data-do=start]")
        page.wait_for_selector("[data-do=keep]:visible", timeout=_PATIENCE_MS)
        panel.screenshot(path=PICTURES / "live-personalise-take.png")
        page.click("[data-do=keep]")
    page.wait_for_function(
        "() => document.getElementById('next').textContent.startsWith('Saved')", timeout=_PATIENCE_MS
    )
    panel.screenshot(path=PICTURES / "live-personalise-saved.png")
    page.click("[data-do=cancel]")
    page.wait_for_function("() => document.getElementById('worn').textContent !== ''", timeout=_PATIENCE_MS)


if __name__ == "__main__":
    main()
