"""A page served by a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_page_served import Serve, Served, pages


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a page, on a free port if none is named, until the test ends."""
    with pages() as start:
        yield start


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()
