"""Every network on an accelerometer alone and on nine channels: built, and converted to int8 with nearly its logits."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edited import edited

from deseptr.contract import InputViews, ModelContract, StftSpec, channels_of, units_of
from deseptr.convert.lint import check
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.micro.source import measure_arena, run_micro, write_firmware
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.convert.symmetric import make_operands_symmetric
from deseptr.convert.targets import TARGETS
from deseptr.tflite import embed_contract, load_engine, predict
from deseptr.tflite.graph import read_graph
from deseptr.train import TrainConfig
from deseptr.train.front_end import DftSpectrogram
from deseptr.train.models.registry import MODELS
from deseptr.train.stages import build_augmentation
from deseptr.train.view_encoder import ViewEncoder
from deseptr.train.window_front_end import WindowScale

pytestmark = pytest.mark.slow
RANGES = {"acc": 20.0, "gyro": 5.0, "mag": 60.0}
NETWORKS = [name for name, family in MODELS.items() if family.input != "features"]
TWO_VIEWS = {name for name in NETWORKS if TrainConfig(model=name).views}


def contract_of(sensors: tuple[str, ...], views: bool) -> ModelContract:
    channels = channels_of(sensors)
    return ModelContract(
        labels=("a", "b", "c"),
        window_length=64,
        hop_length=32,
        channels=channels,
        units=units_of(channels),
        input_range=tuple(RANGES[channel[:-2]] for channel in channels),
        stft=StftSpec(16, 4, 3),
        views=InputViews() if views else None,
        mag_full_scale_ut=400.0 if "mag" in sensors else None,
    )


def classifier_of(name: str, contract: ModelContract) -> Any:
    """A small one with disturbed weights."""
    import keras

    from deseptr.train.classifier import WindowClassifier

    keras.utils.set_random_seed(2)
    rng = np.random.default_rng(2)
    config = TrainConfig(model=name, dim=12, heads=3, teacher_width=8)
    front_end: Any = DftSpectrogram(contract.stft, contract.input_range, list(rng.uniform(1, 9, 9)), [1.0, 8.0])
    if name in TWO_VIEWS:
        front_end = ViewEncoder(contract.input_range)
    elif MODELS[name].input == "window":
        front_end = WindowScale(contract.input_range)
    classifier = WindowClassifier(front_end, MODELS[name].build(3, config), "mean")
    classifier.build((None, contract.input_length, len(contract.channels)))
    for weight in classifier.network.weights:
        if "seed" not in weight.path:
            noise = rng.normal(size=weight.shape) * 0.05
            positive = "variance" in weight.path or "gamma" in weight.path
            weight.assign(np.abs(np.asarray(weight) + noise) + 0.2 if positive else np.asarray(weight) + noise)
    return classifier


def windows_of(contract: ModelContract) -> np.ndarray:
    rng = np.random.default_rng(1)
    scale = np.geomspace(0.2, 3, 6)[:, None, None] * 0.4 * np.array(contract.input_range)
    return (rng.normal(size=(6, contract.input_length, len(contract.channels))) * scale).astype(np.float32)


@pytest.mark.parametrize("sensors", [("acc",), ("acc", "gyro", "mag")], ids=["three", "nine"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_augmented_and_converted(name: str, sensors: tuple[str, ...], tmp_path: Path) -> None:
    contract = contract_of(sensors, name in TWO_VIEWS)
    classifier, windows = classifier_of(name, contract), windows_of(contract)
    config = replace(TrainConfig(model=name), mirror="y", gain=0.05)
    margin = 2 * config.shift_samples
    wide = np.pad(windows, ((0, 0), (margin // 2, margin // 2), (0, 0)), mode="edge")
    augmented, _ = build_augmentation(classifier.front_end, config, contract.window_length, contract.channels)(
        wide, np.eye(3, dtype=np.float32)[[0, 1, 2] * 2], training=True
    )
    assert augmented.shape == classifier.front_end(windows).shape

    expected = np.asarray(classifier(windows))
    graph = InferenceGraph(classifier, contract)
    content = edited(flatbuffer_of(graph, Recipe(), graph.encode(windows), name), make_operands_symmetric)
    check(read_graph(content), TARGETS["pi"], "int8", name)
    path = tmp_path / "m.tflite"
    path.write_bytes(embed_contract(content, contract))
    error = predict(load_engine(path), windows) - expected
    assert np.sqrt((error**2).mean()) < 0.2 * expected.std()


MAIN = """#include "model.h"
#include <cstdio>
int main() {
  static float samples[SAMPLES * deseptr::kChannels];
  static std::int8_t input[deseptr::kWindowLength * deseptr::kViews];
  while (std::fread(samples, sizeof(samples), 1, stdin) == 1) {
    deseptr::EncodeWindow(samples, input);
    std::fwrite(input, sizeof(input), 1, stdout);
  }
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the source with")
@pytest.mark.parametrize("sensors", [("acc",), ("acc", "gyro", "mag")], ids=["three", "nine"])
def test_its_firmware_encodes_as_the_engine_does_and_runs_on_micro(sensors: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    contract = contract_of(sensors, views=True)
    classifier, windows = classifier_of("deseptr", contract), windows_of(contract)
    graph = InferenceGraph(classifier, contract)
    content = edited(flatbuffer_of(graph, Recipe(), graph.encode(windows), "deseptr"), make_operands_symmetric)
    _, source = write_firmware(tmp_path, content, contract, measure_arena(content))
    (tmp_path / "main.cc").write_text(MAIN.replace("SAMPLES", str(contract.input_length)))
    command = [
        "g++",
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        tmp_path / "main.cc",
        source,
        "-o",
        tmp_path / "main",
    ]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "main"], input=windows.tobytes(), capture_output=True, check=True)
    encoded = np.frombuffer(done.stdout, np.int8).reshape(len(windows), contract.window_length, contract.graph_channels)
    np.testing.assert_array_equal(encoded, contract.views.encode(windows, contract.input_range))

    path = tmp_path / "m.tflite"
    path.write_bytes(embed_contract(content, contract))
    exact = predict(load_engine(path), windows)
    logits = read_graph(content).outputs[0]
    found = (run_micro(content, encoded) - float(logits.zero_points[0])) * logits.scales[0]
    assert np.abs(found - exact).max() <= 2.1 * logits.scales[0]
