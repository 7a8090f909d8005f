"""Debian's Chromium, driven by Playwright, and a person at the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deseptr.data import load_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_TRACES = 150


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; on Debian, it is the package chromium")
    with playwright.sync_playwright() as driver:
        # As root, Chromium has no sandbox.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Person:
    """Somebody who uses the page, in terms of samples.

    Args:
        page: of the browser.
        url: of the label page.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._complain_and_go_on)
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.load()

    def _complain_and_go_on(self, dialog: Dialog) -> None:
        self.complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    def load(self) -> None:
        """Open the page, or open it again."""
        self.page.goto(self.url)
        self.wait_for_recording(0)

    def wait_for_recording(self, index: int) -> None:
        """Wait until a recording's signals are drawn."""
        self.page.wait_for_selector(f'#signals[data-drawn="{index}"]')

    def wait_for_picture(self) -> None:
        """Wait until what was done can be seen: it is drawn with the next frame."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def point(self, sample: float, y: float = _TRACES) -> tuple[float, float]:
        """Where a sample begins on the screen."""
        self.wait_for_picture()
        canvas = self.page.locator("#signals")
        box = canvas.bounding_box()
        assert box is not None
        start, span, left, width = (
            float(str(canvas.get_attribute(f"data-{name}"))) for name in ("from", "span", "left", "width")
        )
        return box["x"] + left + (sample - start) / span * width, box["y"] + y

    def drag(self, start: float, stop: float, y: float = _TRACES) -> None:
        """Drag from one sample to another."""
        self.page.mouse.move(*self.point(start, y))
        self.page.mouse.down()
        self.page.mouse.move(*self.point((start + stop) / 2, y))
        self.page.mouse.move(*self.point(stop, y))
        self.page.mouse.up()

    def click(self, sample: float, y: float = _TRACES) -> None:
        """Click on a sample."""
        self.page.mouse.click(*self.point(sample, y))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def label(self, start: float, stop: float, name: str) -> None:
        """Drag over samples and type a name."""
        self.drag(start, stop)
        self.page.keyboard.type(name)
        self.press("Enter")

    def text(self, selector: str) -> str:
        """Text of an element, with single blanks."""
        return " ".join(self.page.locator(selector).inner_text().split())

    def segments(self) -> list[tuple[str, str]]:
        """Names and times of the list beside the signals."""
        self.wait_for_picture()
        rows = self.page.locator("#segments button")
        return [(row.locator("b").inner_text(), row.locator("small").inner_text()) for row in rows.all()]

    def save(self) -> str:
        """Press Save; what the page says then."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/save")):
            self.page.click("#save")
        self.page.wait_for_selector("#mark", state="hidden")
        return self.text("#state")

    def module(self, name: str, code: str, argument: Any = None) -> Any:
        """Result of a JavaScript expression in ``module`` and ``argument``."""
        return self.page.evaluate(
            f"async (argument) => {{ const module = await import('./{name}.js'); return {code}; }}", argument
        )


def saved(folder: Path, recording: int = 0) -> list[tuple[int, int, str]]:
    """Labelled segments of the file in a folder."""
    dataset = load_dataset(folder / "walk.labelled.npz")
    return [
        (start, stop, dataset.label_names[label])
        for start, stop, label in dataset.recordings[recording].segments()
        if label >= 0
    ]
