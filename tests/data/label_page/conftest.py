"""Recordings without labels, and a server of their page on a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from label_person import Person, chromium

from deseptr.data import Dataset, synthetic_dataset
from deseptr.data.label_page import LabelServer, LabelStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAMPLES = 200
Serve = Callable[..., LabelServer]


@pytest.fixture(scope="session")
def whole() -> Dataset:
    """Six recordings of 200 samples, one a label."""
    return synthetic_dataset(subjects=1, seconds=4)


@pytest.fixture
def data(whole: Dataset) -> Dataset:
    """Two recordings of 200 samples without labels."""
    two = tuple(replace(r, labels=np.full(SAMPLES, -1)) for r in whole.recordings[:2])
    return replace(whole, recordings=two, label_names=())


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a dataset, whose labels go to ``walk.labelled.npz``, until the test ends."""
    running: list[tuple[LabelServer, threading.Thread]] = []

    def start(dataset: Dataset) -> LabelServer:
        server = LabelServer(LabelStore(dataset, tmp_path / "walk.labelled.npz"))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.close()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: Playwright has an event loop of its own, which no test of others must meet."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def person(browser: Browser, data: Dataset, serve: Serve, request: pytest.FixtureRequest) -> Iterator[Person]:
    """At the page of two recordings of 200 samples, at 50 Hz."""
    settings = {"viewport": {"width": 1280, "height": 800}, **getattr(request, "param", {})}
    context = browser.new_context(**settings)
    context.set_default_timeout(20_000)
    found = Person(context.new_page(), serve(data).url)
    yield found
    context.close()
    assert found.complaints == []
