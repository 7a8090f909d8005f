"""The spectrogram that is read out of a graph is what the graph computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from deseptr.contract import ModelError, StftSpec
from deseptr.device import default_model
from deseptr.tflite import read_tflite
from deseptr.tflite.graph import prefix_graph, read_graph
from deseptr.tflite.graph_spectrogram import SATURATION, read_spectrogram

OF_FORMAT_1 = Path(__file__).parents[1] / "formats" / "1" / "model.tflite"


def after(content: bytes, count: int, window: NDArray[np.int8]) -> tuple[NDArray[np.float64], float]:
    """Output of the first operations of a graph for a window of int8 values, and the size of its steps."""
    interpreter = Interpreter(model_content=prefix_graph(content, count))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    found = interpreter.get_output_details()[-1]
    scale, zero_point = found["quantization"]
    return (interpreter.get_tensor(found["index"]).astype(np.float64) - zero_point) * scale, scale


@pytest.mark.parametrize(("path", "views"), [(default_model(), (0, 1)), (OF_FORMAT_1, (0,))])
def test_the_graph_computes_the_same(path: Path, views: tuple[int, ...]):
    model = read_tflite(path)
    spec, channels = model.contract.stft, len(model.contract.channels)
    parts = read_spectrogram(model.content, model.contract)
    assert tuple(part.view for part in parts) == views
    graph = read_graph(model.content)
    scale = float(graph.inputs[0].scales[0])
    window = np.random.default_rng(0).integers(-128, 128, graph.inputs[0].shape).astype(np.int8)
    # Strong and weak signals: some projections saturate, others do not.
    window //= np.array([1, 8, 40] * (window.shape[2] // 3), np.int8)
    frames = np.lib.stride_tricks.sliding_window_view(window[0] * scale, spec.frame_length, axis=0)[:: spec.frame_step]
    summing = [
        number
        for number, node in enumerate(graph.nodes, 1)
        if node.op == "CONV_2D" and node.inputs[1].shape[1:] == (1, 1, len(parts[0].projections))
    ]
    for part, count in zip(parts, summing, strict=True):
        of_graph, step = after(model.content, count, window)
        own = frames[:, part.view * channels : (part.view + 1) * channels]
        rectified = np.clip(own @ part.projections.T, 0, SATURATION)
        # Where random signals leave the range of the graph's tensor, it saturates.
        computed = np.clip(np.moveaxis(rectified @ part.sums.T, 1, 0), of_graph.min(), of_graph.max())
        # Bins of zeros pad those of the graph.
        bins = of_graph[0][..., np.abs(of_graph[0]).max(axis=(0, 1)) > 0]
        assert bins.shape == computed.shape
        assert (rectified == SATURATION).any()
        # Each rectified projection is rounded before their sum is: on average to a quarter of a step.
        rounding = np.abs(part.sums).sum(axis=1).max() * SATURATION / 255 / 4
        assert np.abs(bins - computed).max() < 2.5 * step + rounding < np.abs(computed).max() / 20


def test_a_model_of_other_frames_has_none():
    model = read_tflite(default_model())
    assert read_spectrogram(model.content, replace(model.contract, stft=StftSpec(16, 8))) == ()


def test_what_is_no_graph():
    model = read_tflite(default_model())
    with pytest.raises(ModelError, match="cannot be parsed"):
        read_spectrogram(model.content[:1000], model.contract)
