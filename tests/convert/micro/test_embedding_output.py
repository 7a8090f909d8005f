"""The embedding in the source for microcontrollers, and on their interpreter."""

import platform
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ConversionError
from deseptr.convert.micro.runtime import run_micro, run_micro_outputs
from deseptr.convert.micro.source import Arena, write_firmware
from deseptr.tflite import load_engine, predict_with_embeddings, read_tflite
from deseptr.tflite.graph import read_graph

ARENA = Arena(30_000)
ORDERS = pytest.mark.parametrize("first", ["logits", "embedding"])
needs_micro = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() == "x86_64"), reason="tflite-micro has wheels for x86-64 alone"
)
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the source with")
MAIN = """
#include "model.h"

#include <cstdio>

int main() {
  static_assert(deseptr::kEmbeddingOutput + deseptr::kLogitsOutput == 1, "two outputs");
  std::printf("%d\\n", deseptr::kEmbeddingOutput);
  std::int8_t output[deseptr::kEmbeddingWidth];
  float values[deseptr::kEmbeddingWidth];
  for (int value = -128; value < 128; ++value) {
    for (std::int8_t& each : output) each = static_cast<std::int8_t>(value);
    deseptr::Embed(output, values);
    for (float each : values) std::printf("%.9g\\n", static_cast<double>(each));
  }
}
"""


@needs_micro
@ORDERS
def test_the_interpreter_gives_both_outputs_whatever_their_order(make_embedded, tiny_contract, first: str):
    engine = load_engine(make_embedded(first=first))
    windows = np.random.default_rng(0).normal(0, 8, (6, tiny_contract.window_length, 6)).astype(np.float32)
    inputs = np.stack([engine.graph_input(window).astype(np.int8) for window in windows])
    content = read_tflite(make_embedded(first=first)).content
    graph, found = read_graph(content), run_micro_outputs(content, inputs)
    assert np.array_equal(run_micro(content, inputs), found[0])
    for tensor, steps, expected in zip(
        (graph.logits, graph.embedding), found, predict_with_embeddings(engine, windows), strict=True
    ):
        real = (steps.astype(np.float32) - tensor.zero_points[0]) * tensor.scales[0]
        np.testing.assert_allclose(real, expected, atol=tensor.scales[0])


@needs_compiler
@ORDERS
def test_source_names_the_output_and_gives_real_numbers(make_embedded, tmp_path: Path, first: str):
    file = read_tflite(make_embedded(first=first))
    write_firmware(tmp_path, file.content, file.contract, ARENA)
    (tmp_path / "main.cc").write_text(MAIN)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["g++", *flags, "main.cc", "-o", "main"], cwd=tmp_path, check=True)
    place, *values = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout.split()
    graph = read_graph(file.content)
    assert graph.outputs[int(place)].name == "embedding"
    tensor = graph.embedding
    expected = (np.arange(-128, 128, dtype=np.float32) - tensor.zero_points[0]) * tensor.scales[0]
    assert np.array_equal(np.float32(values).reshape(256, 3), np.repeat(expected[:, None], 3, axis=1))


def test_source_without_embedding_does_not_speak_of_one(int8_model, tiny_contract, tmp_path: Path):
    header, _ = write_firmware(tmp_path, int8_model.read_bytes(), tiny_contract, ARENA)
    assert "mbed" not in header.read_text()


def test_outputs_other_than_the_contracts_are_refused(int8_model, tiny_contract, tmp_path: Path):
    with pytest.raises(ConversionError, match="graph: found outputs logits, expected logits and one named embedding"):
        write_firmware(tmp_path, int8_model.read_bytes(), replace(tiny_contract, embedding_width=3), ARENA)
