"""The generated ring, compiled into a library that drives TensorFlow Lite Micro: the bits of whole windows."""

import ctypes
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.contract import ConversionError
from deseptr.convert.micro.column_source import COLUMN_FILES, remove_columns, write_columns
from deseptr.convert.micro.runtime import Arena, open_interpreter, run_micro_outputs
from deseptr.convert.micro.source import check_sources, write_firmware
from deseptr.convert.streaming.cut import cut_graph
from deseptr.device import default_model
from deseptr.tflite import read_tflite, without_archive
from deseptr.tflite.graph import pack, unpack

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the source with")
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-fPIC", "-shared")
UNDEFINED = ("-fsanitize=undefined", "-fno-sanitize-recover", "-static-libubsan")
ARENAS = {"column": Arena(25_872), "time": Arena(7920)}
HOPS = (4, 5, 8, 16, 24, 48, 64, 128)
MODEL = read_tflite(default_model())
LENGTH = MODEL.contract.window_length
NOTHING, WINDOW, FAILED = range(3)
# Of the time graph, in its order.
OUTPUTS = (len(MODEL.contract.labels), MODEL.contract.embedding_width)

LIBRARY = """
#include "columns.h"

using namespace deseptr;

#define STREAM(hop) \\
  case hop: { \\
    static ColumnStream<hop> stream(invoke); \\
    if (!sample) { stream = ColumnStream<hop>(invoke); return 0; } \\
    if (!outputs) { stream.Reset(); return 0; } \\
    return static_cast<int>(stream.Push(sample, outputs)); \\
  }

extern "C" int push(int hop, InvokePart invoke, const float* sample, std::int8_t* const* outputs) {
  switch (hop) {
    HOPS
  }
  return -1;
}
"""
Outputs = ctypes.POINTER(ctypes.c_void_p)
Invoke = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_int, Outputs, Outputs)


class Firmware:
    """The library, its graphs in the interpreter for microcontrollers, and the function that invokes them."""

    def __init__(self, library, graphs) -> None:
        self.graphs = [open_interpreter(content, 1 << 20) for content in (graphs.column, graphs.time)]
        self.calls, self.fails_at = [0, 0], -1
        self._library, self._invoke = library, Invoke(self._invoke_graph)
        self._made = (ctypes.c_int8 * sum(OUTPUTS))()
        begin = ctypes.addressof(self._made)
        self._outputs = (ctypes.c_void_p * 2)(begin, begin + OUTPUTS[0])

    def begin(self, hop: int) -> None:
        self.hop, self.calls = hop, [0, 0]
        self._library.push(hop, self._invoke, None, None)

    def reset(self) -> None:
        self._library.push(self.hop, self._invoke, np.zeros(6, np.float32).ctypes.data_as(ctypes.c_void_p), None)

    def push(self, sample: np.ndarray):
        """How it went, and the logits with the embedding behind them."""
        row = np.ascontiguousarray(sample, np.float32)
        state = self._library.push(self.hop, self._invoke, row.ctypes.data_as(ctypes.c_void_p), self._outputs)
        return state, np.array(self._made, np.int8)

    def _invoke_graph(self, user, part, inputs, outputs) -> bool:
        self.calls[part] += 1
        if sum(self.calls) == self.fails_at:
            return False
        graph = self.graphs[part]
        ends = ((1, 48, 12),) if part == 0 else ((1, 6, 1, 144), (1, 6, 2, 32))
        for number, shape in enumerate(ends):
            graph.set_input(np.ctypeslib.as_array(ctypes.cast(inputs[number], Bytes), shape).copy(), number)
        graph.invoke()
        for number in range(2):
            made = np.ascontiguousarray(graph.get_output(number))
            ctypes.memmove(outputs[number], made.ctypes.data, made.nbytes)
        return True


Bytes = ctypes.POINTER(ctypes.c_int8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firmware")
    write_firmware(folder, MODEL.content, MODEL.contract, Arena(48_800))
    write_columns(folder, cut_graph(without_archive(MODEL.content)), MODEL.contract, ARENAS)
    return folder


@pytest.fixture(scope="module")
def firmware(folder):
    pytest.importorskip("tflite_micro")
    cases = "\n    ".join(f"STREAM({hop})" for hop in HOPS)
    (folder / "library.cc").write_text(LIBRARY.replace("    HOPS", f"    {cases}"))
    sources = ("library.cc", "model.cc", "columns.cc")
    subprocess.run(["g++", *FLAGS, *sources, "-o", "library.so"], cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "library.so"))
    library.push.argtypes = [ctypes.c_int, Invoke, ctypes.c_void_p, Outputs]
    return Firmware(library, cut_graph(without_archive(MODEL.content)))


def signal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal((0, 0, 9.8, 0, 0, 0), 4, (count, 6)).astype(np.float32)


def whole(parts, hop: int) -> np.ndarray:
    """Outputs of the whole graph for the windows of a stream of parts with gaps between them."""
    encoded = []
    for part in parts:
        before = np.repeat(part[:1], MODEL.contract.history, axis=0)
        rows = MODEL.contract.views.encode(np.concatenate([before, part]), MODEL.contract.input_range)
        encoded += [rows[start : start + LENGTH] for start in range(0, len(part) - LENGTH + 1, hop)]
    return np.hstack(run_micro_outputs(MODEL.content, np.array(encoded, np.int8).reshape(-1, LENGTH, 12)))


def streamed(firmware, parts, hop: int) -> list:
    """(sample's number in its part, outputs) of every window."""
    firmware.begin(hop)
    found = []
    for number, part in enumerate(parts):
        if number:
            firmware.reset()
        for place, sample in enumerate(part):
            state, logits = firmware.push(sample)
            assert state in (NOTHING, WINDOW)
            if state == WINDOW:
                found.append((place, logits))
    return found


@pytest.mark.parametrize(("hop", "count"), [(4, 180), (5, 180), (8, 420), (16, 700), (24, 400), (64, 500), (128, 600)])
def test_windows_have_the_bits_of_the_whole_graph(firmware, hop, count):
    """With a gap in the midst, after which the first window comes when it is full again."""
    parts = [signal(count, 1), signal(100, 2), signal(LENGTH + hop, 3)]
    found = streamed(firmware, parts, hop)
    ends = [range(LENGTH - 1, len(part), hop) for part in parts]
    assert [place for place, _ in found] == [place for each in ends for place in each]
    assert np.array_equal([logits for _, logits in found], whole(parts, hop))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(HOPS), st.lists(st.integers(1, 200), min_size=1, max_size=4), st.integers(0, 1000))
def test_windows_have_the_bits_of_the_whole_graph_wherever_gaps_are(firmware, hop, lengths, seed):
    parts = [signal(length, seed + number) for number, length in enumerate(lengths)]
    found = streamed(firmware, parts, hop)
    assert np.array_equal(np.array([logits for _, logits in found]).reshape(-1, sum(OUTPUTS)), whole(parts, hop))


def test_a_window_computes_no_more_than_its_new_columns(firmware):
    streaming = cut_graph(without_archive(MODEL.content)).streaming
    for hop in (8, 16, 24, 48):
        firmware.begin(hop)
        counted = []
        for sample in signal(LENGTH + 12 * hop, 0):
            if firmware.push(sample)[0] == WINDOW:
                counted.append(firmware.calls[0])
        assert {after - before for before, after in pairwise(counted[2:])} == {streaming.new_columns(hop)}


def test_after_a_failed_graph_the_stream_begins_anew(firmware):
    part = signal(2 * LENGTH, 4)
    firmware.begin(16)
    # The third column and, once it has begun anew, the first time graph.
    states = []
    for fails_at in (3, 7, -1):
        firmware.calls, firmware.fails_at = [0, 0], fails_at
        for sample in part:
            states.append(firmware.push(sample)[0])
            if states[-1] != NOTHING:
                break
    firmware.fails_at = -1
    assert [state for state in states if state] == [FAILED, FAILED, WINDOW]
    assert len(states) == 48 + 2 * 16 + LENGTH + LENGTH


def test_source_is_defined_in_all_it_does(folder, tmp_path):
    """Long after its counter has begun a new period, with graphs that do nothing, under the sanitizer."""
    (tmp_path / "main.cc").write_text("""
#include "columns.h"
using namespace deseptr;
static bool Invoke(void* user, Part part, const std::int8_t* const*, std::int8_t* const*) {
  return ++static_cast<int*>(user)[part == Part::kTime], true;
}
template <int kHop> bool Counts() {
  int calls[2] = {};
  static ColumnStream<kHop> stream(Invoke, calls);
  const float sample[kChannels] = {};
  std::int8_t logits[kClasses];
  std::int8_t* outputs[kTimeOutputs] = {logits};
  const int samples = kWindowLength + 1000 * kHop;
  for (int i = 0; i < samples; ++i) {
    const bool ends = i + 1 >= kWindowLength && (i + 1 - kWindowLength) % kHop == 0;
    if ((stream.Push(sample, outputs) == Pushed::kWindow) != ends) return false;
  }
  const int step = std::gcd(kHop, kColumnStride);
  return calls[1] == 1001 && calls[0] == (samples - kColumnLength) / step + 1;
}
int main() { return !(Counts<5>() && Counts<8>() && Counts<16>() && Counts<24>() && Counts<kHopLength>()); }
""")
    sources = (tmp_path / "main.cc", "model.cc", "columns.cc")
    flags = (*FLAGS[:-2], *UNDEFINED, "-I", str(folder))
    subprocess.run(["g++", *flags, *sources, "-o", tmp_path / "main"], cwd=folder, check=True)
    ended = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_arrays_are_the_graphs_and_the_header_has_arenas_and_operations(folder):
    graphs = cut_graph(without_archive(MODEL.content))
    arrays = re.findall(r"\[\] = \{(.*?)\}", (folder / "columns.cc").read_text(), re.DOTALL)
    assert [bytes(int(byte, 16) for byte in re.findall(r"0x(\w\w)", text)) for text in arrays] == [
        graphs.column,
        graphs.time,
    ]
    header = (folder / "columns.h").read_text()
    for line in ("kColumnArenaBytes = 29696;", "kTimeArenaBytes = 9216;", "kColumnOps = 10;", "kTimeOps = 8;"):
        assert line in header
    assert "kPartBytes[kParts] = {144, 64};" in header


def test_columns_that_do_not_fit_the_contract_are_refused(tmp_path):
    graphs = cut_graph(without_archive(MODEL.content))
    for wrong in ({"labels": ("a", "b")}, {"embedding_width": 48}):
        with pytest.raises(ConversionError, match=r"time graph|graph's output"):
            write_columns(tmp_path / "never", graphs, replace(MODEL.contract, mounting=None, **wrong), ARENAS)
    assert not (tmp_path / "never").exists()


def test_files_of_an_earlier_conversion_go_and_others_stop_it(tmp_path):
    graphs = cut_graph(without_archive(MODEL.content))
    written = write_columns(tmp_path, graphs, MODEL.contract, ARENAS)
    assert [path.name for path in written] == list(COLUMN_FILES)
    check_sources(tmp_path)
    remove_columns(tmp_path)
    assert list(tmp_path.iterdir()) == []
    remove_columns(tmp_path)


def edited(content: bytes, edit) -> bytes:
    model = unpack(content)
    edit(model, model.subgraphs[0])
    return pack(model)


def test_a_second_output_is_told_with_its_place(tmp_path):
    def swap(model, graph) -> None:
        graph.outputs = list(reversed(graph.outputs))

    graphs = cut_graph(without_archive(MODEL.content))
    for time, told in (
        (graphs.time, "logits, int8[kClasses], then the embedding, int8[64]"),
        (edited(graphs.time, swap), "the embedding, int8[64], then logits, int8[kClasses]"),
    ):
        header, _ = write_columns(tmp_path, replace(graphs, time=time), MODEL.contract, ARENAS)
        assert "kTimeOutputs = 2;" in header.read_text()
        assert f"// Outputs of the time graph: {told}.\n" in header.read_text()


def test_a_graph_of_plain_windows_compiles_too(tmp_path):
    def narrow(model, graph) -> None:
        tensor = graph.tensors[int(graph.inputs[0])]
        tensor.shape = [*tensor.shape[:2], 6]

    graphs, contract = cut_graph(without_archive(MODEL.content)), replace(MODEL.contract, views=None)
    write_firmware(tmp_path, edited(without_archive(MODEL.content), narrow), contract, Arena(48_800))
    write_columns(tmp_path, replace(graphs, column=edited(graphs.column, narrow)), contract, ARENAS)
    (tmp_path / "main.cc").write_text('#include "columns.h"\ntemplate class deseptr::ColumnStream<8>;\n')
    command = ["g++", *FLAGS[:-1], "-fsyntax-only", "main.cc", "model.cc"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"column_length": 40},
            r"graph's input: found INT8 of shape \[1, 48, 12\] .*, expected INT8 of shape \[1, 40, 12\]",
        ),
        ({"columns": 5}, r"graph's columns: found INT8 of shape \[1, 6, .*, expected INT8 of shape \[1, 5, "),
    ],
)
def test_graphs_of_another_cut_are_refused(tmp_path, wrong, message):
    graphs = cut_graph(without_archive(MODEL.content))
    graphs = replace(graphs, streaming=replace(graphs.streaming, **wrong))
    with pytest.raises(ConversionError, match=message):
        write_columns(tmp_path, graphs, MODEL.contract, ARENAS)
