"""The spectrogram on the page is the one that the model's graph computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from live_page_served import Serve, Served
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, INPUT_STEPS
from deseptr.device import GapEvent, default_model
from deseptr.device.drained import Drained
from deseptr.device.live_page.spectrogram import spectrogram_of
from deseptr.tflite import TfliteFile, read_tflite
from deseptr.tflite.graph_spectrogram import SATURATION, read_spectrogram

if TYPE_CHECKING:
    from playwright.sync_api import Page

OF_FORMAT_1 = Path(__file__).parents[2] / "formats" / "1" / "model.tflite"
COMPUTE = """async ([about, messages]) => {
  const { Frames } = await import("./frames.js");
  const frames = new Frames(about);
  for (const message of messages) frames.take(message);
  return frames.list.map(({ at, first, values }) => ({ at, first, values: values.map((each) => [...each]) }));
}"""


def moving(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Samples ``[count, 6]`` of somebody who stands, then jumps: some projections saturate."""
    rng = np.random.default_rng(seed)
    strength = np.where(np.arange(count) < count // 2, 0.02, 12.0)[:, None]
    signals = rng.normal(0, 1, (count, 6)) * strength * [1, 1, 1, 0.3, 0.3, 0.3] + [0, 9.81, 0, 0, 0, 0]
    return np.round(signals, 3).astype(np.float32)


def of_the_model(model: TfliteFile, signals: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Bins ``[frames, channels · bins]`` of each part, over the largest value of the bin."""
    contract, count = model.contract, len(model.contract.channels)
    if contract.views is None:
        ranges = np.array(contract.input_range)
        inputs = np.clip(np.rint(signals / ranges * INPUT_STEPS), -128, 127) / INPUT_STEPS
    else:
        before = np.repeat(signals[:1], contract.history, axis=0)
        inputs = contract.views.encode(np.concatenate([before, signals]), contract.input_range) / INPUT_STEPS
    frames = np.lib.stride_tricks.sliding_window_view(inputs, contract.stft.frame_length, axis=0)
    frames = frames[:: contract.stft.frame_step]
    found = []
    for part in read_spectrogram(model.content, contract):
        own = frames[:, part.view * count : (part.view + 1) * count]
        bins = np.clip(own @ part.projections.T, 0, SATURATION) @ part.sums.T
        found.append((bins / (np.abs(part.sums).sum(axis=1) * SATURATION / 2)).reshape(len(frames), -1))
    return found


def messages_of(signals: NDArray[np.float32], sizes: list[int], n: int = 0) -> list[dict[str, Any]]:
    found, done = [], 0
    for size in sizes:
        piece = signals[done : done + size]
        x = piece.T.astype(float).round(3).tolist()
        found.append({"kind": "samples", "at": done / 50, "rate": 50.0, "n": n + done, "x": x})
        done += size
    return found


@pytest.mark.parametrize("path", [default_model(), OF_FORMAT_1], ids=["views", "plain"])
def test_the_page_computes_what_the_graph_computes(served: Served, page: Page, path: Path):
    model, signals = read_tflite(path), moving(300)
    about = {"channels": list(CHANNELS), "spectrogram": spectrogram_of(model)}
    page.goto(served.url)
    found = page.evaluate(COMPUTE, [about, messages_of(signals, [1, 7, 60, 3, 129, 100])])
    expected = of_the_model(model, signals)
    assert len(found) == len(expected[0]) == model.contract.stft.frames(300)
    assert [each["first"] for each in found] == [True] + [False] * (len(found) - 1)
    assert found[0]["at"] == pytest.approx(16 / 50)
    for part, values in enumerate(expected):
        assert np.abs(values).max() > 0.9
        np.testing.assert_allclose([each["values"][part] for each in found], values, atol=2e-3)


def test_frames_after_a_loss_are_those_of_the_windows_after_it(served: Served, page: Page):
    model, signals = read_tflite(default_model()), moving(200)
    about = {"channels": list(CHANNELS), "spectrogram": spectrogram_of(model)}
    # Who comes late, or lost messages, takes up the frames of the others; after a gap they begin anew.
    late = messages_of(signals, [100], n=50)
    after_gap = messages_of(signals[100:], [40])
    page.goto(served.url)
    found = page.evaluate(COMPUTE, [about, [*late, *after_gap]])
    # Of 50 samples that were missed the 52nd is the first of a frame.
    starts = [round(each["at"] * 50 - 16) for each in found]
    assert starts[:2] == [2, 6]
    assert [each["first"] for each in found].count(True) == 2
    assert starts[-3:] == [0, 4, 8]
    np.testing.assert_allclose(
        [each["values"][1] for each in found[-3:]], of_the_model(model, signals[100:140])[1], atol=2e-3
    )


def shown(served: Served, first: int, count: int) -> None:
    for second in range(first, first + count):
        served.page.drained(Drained(float(second), moving(50, second), CHANNELS, 50.0))
        served.window(second + 1.0)


def test_strips_move_and_another_part_is_another_picture(serve: Serve, page: Page):
    model = read_tflite(default_model())
    served = serve(of=model.contract, spectrogram=spectrogram_of(model))
    shown(served, 0, 8)
    served.page.take(GapEvent(8.0, "overflow", 17))
    shown(served, 9, 4)
    page.goto(served.url)
    page.wait_for_selector("#spectrum:visible")
    assert page.locator("#part option").all_inner_texts() == ["strong motion", "weak motion"]
    assert page.inner_text("#bins") == "In each strip 0 Hz at the bottom and 17 Hz at the top, in frames of 32 samples."
    page.click("#hold")
    before = picture(page)
    page.wait_for_timeout(300)
    assert picture(page) == before
    page.select_option("#part", "1")
    page.wait_for_function("before => document.getElementById('frames').toDataURL() !== before", arg=before)
    page.select_option("#part", "0")
    page.wait_for_function("before => document.getElementById('frames').toDataURL() === before", arg=before)
    page.click("#hold")
    shown(served, 13, 4)
    page.wait_for_function("before => document.getElementById('frames').toDataURL() !== before", arg=before)


def picture(page: Page) -> str:
    page.wait_for_timeout(100)
    return str(page.locator("#frames").evaluate("canvas => canvas.toDataURL()"))


def test_a_model_without_a_spectrogram_shows_none(served: Served, page: Page):
    shown(served, 0, 2)
    page.goto(served.url)
    page.wait_for_selector("#link.on")
    assert not page.is_visible("#spectrum")
