"""The screen of ``device run`` in terminals of two sizes, with few classes and with many, as tmux shows it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from in_tmux import TMUX, shown_in_tmux
from small_model import build_flatbuffer

from deseptr.contract import ModelContract
from deseptr.device import default_model
from deseptr.tflite import embed_contract

pytestmark = [pytest.mark.slow, pytest.mark.skipif(TMUX is None, reason="tmux is not installed")]
MANY = tuple(f"activity {number}" for number in range(19))


def model_of_many(tiny_contract: ModelContract, folder: Path) -> Path:
    """A model of 19 classes with weights that were drawn."""
    length = tiny_contract.window_length
    kernel = np.random.default_rng(3).normal(0, 4 / length, (len(MANY), length, 1, 6)).astype(np.float32)
    content = build_flatbuffer(kernel, (1, length, 6), quantised=True)
    path = folder / "many.tflite"
    path.write_bytes(embed_contract(content, replace(tiny_contract, labels=MANY)))
    return path


def screen(model: Path, width: int, height: int, *data: str) -> str:
    """The end of a run on a simulated sensor, which plays the recorded wearer unless there is other data."""
    run = [sys.executable, "-m", "deseptr.cli", "device", "run", "--model", str(model), "--simulate", *data]
    return shown_in_tmux(run, width, height, "read to label p50")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_few_classes(width: int, height: int):
    text = screen(default_model(), width, height)
    for label in ("downstairs", "upstairs", "sitting", "standing", "walking", "jogging"):
        assert sum(line.startswith(f"{label} ") for line in text.splitlines()) == 1, text
    assert "others" not in text
    assert "m/s²" in text


@pytest.mark.parametrize(("width", "height", "shown"), [(80, 24, 5), (120, 40, 19)])
def test_many_classes(tiny_contract: ModelContract, tmp_path: Path, width: int, height: int, shown: int):
    text = screen(model_of_many(tiny_contract, tmp_path), width, height, "synthetic:subjects=1,seconds=20")
    # The summary pushes nothing of the last screen out of the terminal.
    assert text.startswith("╭"), text
    found = [line for line in text.splitlines() if line.startswith("activity ") and line.rstrip().endswith("%")]
    assert len(found) >= shown, text
    assert ("others" in text) is (len(found) < len(MANY))
