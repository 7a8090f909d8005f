"""A page served by a real server, and a browser that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from label_person import chromium
from live_page_served import Serve, Served, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a page, on a free port if none is named, until the test ends."""
    with pages() as start:
        yield start


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone's screen; an error in a script fails the test."""
    opened = browser.new_page(viewport={"width": 390, "height": 844})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []
