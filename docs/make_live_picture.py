"""Write the pictures of ``docs/live-page.md``: the page of ``deseptr device run --web`` on the recorded wearer.

``make live-picture`` runs it: on a desktop, in the dark, on a phone, and while the wearer is personalised. It needs
Chromium, as the tests of the page do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
_RUN = ["-m", "deseptr.cli", "device", "run", "--simulate", "--speed", "realtime", "--sensor", "mpu6050", "--json"]
_DESKTOP: dict[str, Any] = {"width": 1280, "height": 900}
_PHONE: dict[str, Any] = {"width": 390, "height": 844}
# The second activity of the recorded wearer: once it is seen, two were.
_ACTIVITY = "walking"
_PATIENCE_MS = 60_000


def main() -> None:
    """Watch the recorded wearer in real time, personalise, and take the pictures."""
    sys.path.insert(0, str(ROOT / "tests"))
    from label_person import chromium

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        command = [sys.executable, *_RUN, "--web", "127.0.0.1:0", "--web-token-file", f"{folder}/token"]
        command += ["--web-wearers", f"{folder}/wearers", "--web-recordings", f"{folder}/takes"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr is not None
            url = run.stderr.readline().removeprefix("page: ").strip()
            phone = _opened(browser, url, _PHONE)
            desktop = _opened(browser, url, _DESKTOP)
            dark = _opened(browser, url, _DESKTOP, color_scheme="dark")
            phone.wait_for_function(
                "label => document.getElementById('label').textContent === label", arg=_ACTIVITY, timeout=_PATIENCE_MS
            )
            _personalise(phone)
            for page, name in ((phone, "live-page-phone"), (desktop, "live-page"), (dark, "live-page-dark")):
                page.evaluate("scrollTo(0, 0)")
                _take(page, name)
            run.terminate()


def _opened(browser: Browser, url: str, viewport: Any, **options: Any) -> Page:
    page = browser.new_context(viewport=viewport, **options).new_page()
    page.goto(url)
    page.wait_for_selector("#link.on")
    page.select_option("#span", "60")
    return page


def _personalise(page: Page) -> None:
    """A session of one activity, with a picture of each stage."""
    panel = page.locator("#personal")
    page.fill("#who", "eve")
    page.select_option("#prepare", "3")
    for box in page.locator("#choices input[type=checkbox]").all():
        box.set_checked(box.get_attribute("value") == _ACTIVITY)
    panel.screenshot(path=PICTURES / "live-personalise-plan.png")
    page.click("#begin")
    page.click("[data-do=start]")
    page.wait_for_selector("[data-do=keep]:visible", timeout=_PATIENCE_MS)
    panel.screenshot(path=PICTURES / "live-personalise-take.png")
    page.click("[data-do=keep]")
    page.wait_for_function(
        "() => document.getElementById('next').textContent.startsWith('Saved')", timeout=_PATIENCE_MS
    )
    panel.screenshot(path=PICTURES / "live-personalise-saved.png")
    page.wait_for_function("() => document.getElementById('worn').textContent !== ''", timeout=_PATIENCE_MS)


def _take(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
