import platform
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ConversionError, ModelContract, SetupError
from deseptr.convert.micro.runtime import parse_allocations, run_in_own_process
from deseptr.convert.micro.source import (
    Arena,
    check_sources,
    measure_arena,
    peak_activations,
    resolver_ops,
    run_micro,
    write_firmware,
)
from deseptr.tflite import TfliteFile, read_tflite, without_archive
from deseptr.tflite.graph import Graph, Node, Tensor, pack, read_graph, unpack

HAS_WHEEL = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 15)
needs_micro = pytest.mark.skipif(
    not HAS_WHEEL, reason="tflite-micro has wheels for Linux on x86-64 and Python 3.10 to 3.14 alone"
)
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the source with")
ARENA = Arena(30_000)
L2_NORMALIZATION, GELU, PLACEHOLDER = 11, 150, 127


@pytest.fixture(scope="module")
def model(tiny_tflite: Path) -> TfliteFile:
    return read_tflite(tiny_tflite)


@pytest.fixture(scope="module")
def with_gelu(model: TfliteFile) -> bytes:
    """The model with its L2 normalisations renamed to an operation that TensorFlow Lite Micro has no kernel for."""
    changed = unpack(model.content)
    codes = [changed.operatorCodes[operator.opcodeIndex] for operator in changed.subgraphs[0].operators]
    norm = next(code for code in codes if code.builtinCode == L2_NORMALIZATION)
    norm.builtinCode, norm.deprecatedBuiltinCode = GELU, PLACEHOLDER
    return pack(changed)


def random_inputs(contract: ModelContract, count: int) -> Any:
    rng = np.random.default_rng(0)
    return rng.integers(-128, 128, (count, contract.window_length, len(contract.channels))).astype(np.int8)


def reference(content: bytes, inputs: Any) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for window in inputs:
        interpreter.set_tensor(source, window[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink)[0])
    return np.array(outputs)


@needs_micro
def test_outputs_are_those_of_the_reference_kernels(model: TfliteFile):
    """One unit apart at most: 3 of 24,000 logits of the packaged model were, on recordings."""
    inputs = random_inputs(model.contract, 24)
    outputs = run_micro(model.content, inputs)
    assert outputs.dtype == np.int8
    assert outputs.shape == (24, len(model.contract.labels))
    difference = np.abs(outputs.astype(int) - reference(model.content, inputs))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


@needs_micro
def test_no_window_gives_no_output(model: TfliteFile):
    assert run_micro(model.content, random_inputs(model.contract, 0)).shape == (0, len(model.contract.labels))


@needs_micro
def test_missing_kernel_is_reported_in_one_line(model: TfliteFile, with_gelu: bytes):
    with pytest.raises(ConversionError, match=r"^TensorFlow Lite Micro: found Didn't find op .* 'GELU'"):
        run_micro(with_gelu, random_inputs(model.contract, 1))


@needs_micro
def test_crash_of_the_interpreter_is_an_error():
    with pytest.raises(ConversionError, match="found an interpreter that died"):
        run_in_own_process("os:abort")


def test_missing_package_is_named(model: TfliteFile, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(SetupError, match=r"tflite-micro: found not installed.*`pip install 'deseptr\[micro\]'`"):
        measure_arena(model.content)


@needs_micro
def test_arena_holds_head_and_tail(model: TfliteFile):
    arena = measure_arena(model.content)
    assert arena.head is not None
    assert arena.tail is not None
    assert arena.bytes % 16 == 0
    assert abs(arena.bytes - arena.head - arena.tail) <= 64
    peak = peak_activations(read_graph(model.content))
    assert 0 <= arena.head - peak.bytes <= 16 * len(peak.tensors)
    assert sum(arena.kinds.values()) <= arena.tail
    assert arena == measure_arena(without_archive(model.content))


def test_report_without_sizes_leaves_the_parts_unknown():
    assert Arena(16, **parse_allocations("a new format")) == Arena(16, None, None, {})


def tensor(index: int, elements: int) -> Tensor:
    return Tensor(index, f"t{index}", "INT8", (1, elements), None, np.ones(1, np.float32), np.zeros(1, np.int64))


def test_peak_counts_what_a_later_operation_still_reads():
    first, wide, narrow, last = tensor(0, 10), tensor(1, 50), tensor(2, 5), tensor(3, 20)
    nodes = (
        Node("CONV_2D", 1, (first,), (wide,)),
        Node("CONV_2D", 1, (wide,), (narrow,)),
        Node("ADD", 1, (narrow, first), (last,)),
    )
    peak = peak_activations(Graph(nodes, (first,), (last,)))
    assert peak.node is nodes[1]
    assert peak.tensors == (wide, first, narrow)
    assert peak.bytes == 65


def test_resolver_adds_each_operation_once(model: TfliteFile):
    methods = resolver_ops(read_graph(model.content))
    assert list(methods) == sorted(set(methods))
    assert {"AddBatchMatMul", "AddConv2D", "AddL2Normalization", "AddMaxPool2D", "AddStridedSlice"} <= set(methods)


def test_operation_without_kernel_is_named(with_gelu: bytes):
    with pytest.raises(ConversionError, match="found no kernel for GELU, expected operations"):
        resolver_ops(read_graph(with_gelu))


def test_array_is_the_flatbuffer_without_the_archive(model: TfliteFile, tmp_path: Path):
    written = write_firmware(tmp_path / "new", model.content, model.contract, ARENA)
    assert [path.name for path in written] == ["model.h", "model.cc"]
    source = written[1].read_text()
    flatbuffer = bytes(int(value, 16) for value in re.findall(r"0x([0-9a-f]{2})\b", source))
    assert model.content.startswith(flatbuffer)
    assert model.content[len(flatbuffer) :].startswith(b"PK\x03\x04")
    header = written[0].read_text()
    assert f"kModelBytes = {len(flatbuffer)};" in header
    assert "kArenaBytes = 33792;" in header  # 30,000 and an eighth in whole KiB


def test_same_model_gives_same_source(model: TfliteFile, tmp_path: Path):
    once = write_firmware(tmp_path / "a", model.content, model.contract, ARENA)
    again = write_firmware(tmp_path / "b", without_archive(model.content), model.contract, ARENA)
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


def test_graph_that_does_not_fit_its_contract_is_refused(model: TfliteFile, tmp_path: Path):
    other = replace(model.contract, labels=("a", "b"), mounting=None)
    with pytest.raises(ConversionError, match=r"graph's output: found INT8 of shape \[1, \d+\] .*expected .*\[1, 2\]"):
        write_firmware(tmp_path / "never", model.content, other, ARENA)
    assert not (tmp_path / "never").exists()


MAIN = """
#include "model.h"

#include <cstdio>

namespace tflite {
enum Status { kOk, kError };
template <unsigned int N>
struct MicroMutableOpResolver {
  unsigned int used = 0;
  Status Add() { return used++ < N ? kOk : kError; }
  %s
};
}  // namespace tflite

int main() {
  tflite::MicroMutableOpResolver<deseptr::kOps> resolver;
  if (!deseptr::AddOps(resolver) || resolver.used != deseptr::kOps || deseptr::AddOps(resolver)) return 1;
  if (reinterpret_cast<std::uintptr_t>(deseptr::kModel) %% deseptr::kArenaAlignment) return 2;
  static float window[deseptr::kWindowLength * deseptr::kChannels];
  static std::int8_t input[deseptr::kWindowLength * deseptr::kChannels];
  if (std::fread(window, sizeof(window), 1, stdin) != 1) return 3;
  deseptr::QuantizeWindow(window, input);
  std::fwrite(input, sizeof(input), 1, stdout);
  std::fwrite(deseptr::kModel, deseptr::kModelBytes, 1, stdout);
  for (const char* label : deseptr::kLabels) std::puts(label);
}
"""


@needs_compiler
def test_source_compiles_and_quantises_as_the_engine_does(model: TfliteFile, tmp_path: Path):
    labels = ('a "b" \\ ??/', "Fuß 1", *model.contract.labels[2:])
    contract = replace(model.contract, labels=labels, model="a b", mounting=None)
    write_firmware(tmp_path, model.content, contract, ARENA)
    methods = resolver_ops(read_graph(model.content))
    stubs = "\n  ".join(f"Status {method}() {{ return Add(); }}" for method in methods)
    (tmp_path / "main.cc").write_text(MAIN % stubs)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["g++", *flags, "main.cc", "model.cc", "-o", "main"], cwd=tmp_path, check=True)

    graph = read_graph(model.content)
    scale, zero_point = graph.inputs[0].scales[0], graph.inputs[0].zero_points[0]
    scales = np.array(contract.input_range, np.float32) * scale
    steps = np.random.default_rng(0).uniform(-200, 200, (contract.window_length, len(contract.channels)))
    window = (steps.astype(np.float32) * scales).astype(np.float32)
    window[:40] = (np.arange(-20, 20)[:, None] + np.float32(0.5)) * scales
    window[40, :2] = np.inf, -np.inf
    run = subprocess.run([tmp_path / "main"], input=window.tobytes(), capture_output=True, check=True)
    expected = np.clip(np.rint(window / scales) + zero_point, -128, 127).astype(np.int8)
    flatbuffer = without_archive(model.content)
    assert run.stdout[: window.size] == expected.tobytes()
    assert run.stdout[window.size :] == flatbuffer + "".join(f"{label}\n" for label in labels).encode()


@pytest.mark.parametrize("name", ["model.h", "model.cc"])
def test_other_sources_are_not_replaced(model: TfliteFile, tmp_path: Path, name: str):
    check_sources(tmp_path)
    write_firmware(tmp_path, model.content, model.contract, ARENA)
    check_sources(tmp_path)
    (tmp_path / name).write_text("#pragma once\n// written by `deseptr convert --target micro`\n")
    with pytest.raises(SetupError, match=rf"{name}: found something else.*; choose another output path$"):
        check_sources(tmp_path)
