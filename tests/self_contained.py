"""Whether a page needs nothing but itself, and has what every page has."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from deseptr.report.html.page import PAGE_START

MOST_BYTES = 2_000_000
# What an element may fetch or lead to; a namespace is no address.
_ADDRESSES = {"src", "srcset", "href", "xlink:href", "action", "poster", "data", "formaction", "background"}
_FETCHING = {"link", "iframe", "object", "embed", "base", "frame", "audio", "video", "source"}


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.fetching: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _FETCHING:
            self.fetching.append(tag)
        for name, value in attrs:
            if name in _ADDRESSES:
                self.found.append(value or "")
            elif name == "id":
                self.anchors.add(value or "")


def check_page(page: str) -> None:
    """Assert that a page fetches nothing, is small, leads to its own places only, and begins with its answer."""
    assert page.encode().startswith(PAGE_START)
    assert len(page.encode()) < MOST_BYTES
    read = _Addresses()
    read.feed(page)
    assert read.fetching == []
    assert [each for each in read.found if not each.startswith(("#", "data:"))] == []
    assert {each[1:] for each in read.found if each.startswith("#")} - read.anchors == set()
    without_data = re.sub(r'="data:[^"]*"', "", page)
    assert not re.findall(r"url\((?!#)|@import", without_data)
    assert "default-src 'none'" in page
    assert '<p class="answer">' in page
