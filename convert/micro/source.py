"""``deseptr convert --target micro``: a model as C++ source for TensorFlow Lite Micro.

``model.cc`` and ``model.h`` contain the flatbuffer, the operations it needs, the size of its arena, and windows and
labels of its contract. They name no class of the library, whose namespaces have changed over time; the firmware around
them is up to the reader. :mod:`.runtime` runs the graph on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np

from deseptr.contract import ConversionError, ModelContract, SetupError, atomic_write
from deseptr.contract.host_files import text_of
from deseptr.tflite import without_archive
from deseptr.tflite.graph import Graph, Tensor, read_graph

from .input_source import c_float, view_input, window_input
from .runtime import ALIGNMENT, Arena, Peak, measure_arena, peak_activations, run_micro

__all__ = ["Arena", "Peak", "measure_arena", "peak_activations", "resolver_ops", "run_micro", "write_firmware"]

# Method names of built-in operators in tensorflow/lite/micro/micro_mutable_op_resolver.h, without the prefix Add.
_KERNELS = """
    Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo
    CallOnce Cast Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div DynamicUpdateSlice
    Elu EmbeddingLookup Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather GatherNd Greater
    GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd LogicalNot LogicalOr
    Logistic LogSoftmax Maximum MaxPool2D Mean Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2 Prelu Quantize
    ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round
    Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt Square SquaredDifference
    Squeeze StridedSlice Sub Sum Svdf Tanh Transpose TransposeConv UnidirectionalSequenceLSTM Unpack VarHandle While
    ZerosLike
"""
_METHODS = {name.upper(): f"Add{name}" for name in _KERNELS.split()}
_ROW = 20


def resolver_ops(graph: Graph) -> tuple[str, ...]:
    """Methods of ``tflite::MicroMutableOpResolver`` that register a graph's operations, each once, in order of name.

    Raises:
        ConversionError: names the operations without a kernel in the library.
    """
    missing = [op for op in graph.ops if op.replace("_", "") not in _METHODS]
    if missing:
        raise ConversionError(
            "TensorFlow Lite Micro",
            found=f"no kernel for {', '.join(missing)}",
            expected="operations that the resolver can add",
            next_step="lower these layers, or convert without --target micro",
        )
    return tuple(sorted(_METHODS[op.replace("_", "")] for op in graph.ops))


def write_firmware(folder: Path, flatbuffer: bytes, contract: ModelContract, arena: Arena) -> list[Path]:
    """Write ``model.cc`` and ``model.h``; the same input gives the same bytes.

    The arena is an eighth larger than measured and rounded up to a whole KiB: the optimised kernels of CMSIS-NN need
    scratch memory that the reference kernels do not, for a convolution four columns of its im2col matrix.

    Args:
        folder: folder to write to; created if necessary.
        flatbuffer: flatbuffer of an int8 graph, with or without an archive behind it.
        contract: the model's contract.
        arena: as :func:`measure_arena` returns it.

    Raises:
        ConversionError: if the graph is not int8 or does not fit its contract, or has an operation without a kernel.
        SetupError: if the folder cannot be written.
    """
    content = without_archive(flatbuffer)
    graph = read_graph(content)
    values = _values(contract, arena) | _input(graph, contract) | _output(graph, contract) | _operations(graph)
    values |= {"bytes": str(len(content)), "content": _rows([f"0x{byte:02x}" for byte in content])}
    written = []
    for name, template in (("model.h", _HEADER), ("model.cc", _SOURCE)):
        atomic_write(folder / name, template.substitute(values))
        written.append(folder / name)
    return written


def check_sources(folder: Path) -> None:
    """Refuse a folder whose ``model.h`` or ``model.cc`` was not written by :func:`write_firmware`.

    Raises:
        SetupError: if there is such a file.
    """
    for path in (folder / "model.h", folder / "model.cc"):
        if path.exists() and _AUTHOR not in text_of(path).partition("\n")[0]:
            raise SetupError(
                path,
                found="something else, which would be lost",
                expected="source of an earlier conversion, or no file",
                next_step="choose another output path",
            )


def _values(contract: ModelContract, arena: Arena) -> dict[str, str]:
    return {
        "model": _escaped(contract.model),
        "window_length": str(contract.window_length),
        "hop_length": str(contract.hop_length),
        "rate": c_float(contract.rate_hz),
        "channels": str(len(contract.channels)),
        "classes": str(len(contract.labels)),
        "channel_names": _strings(contract.channels),
        "units": _strings(contract.units),
        "labels": _strings(contract.labels),
        "measured": str(arena.bytes),
        "arena": str(-(-arena.bytes * 9 // 8 // 1024) * 1024),
        "alignment": str(ALIGNMENT),
    }


def _input(graph: Graph, contract: ModelContract) -> dict[str, str]:
    window = graph.inputs[0]
    _check(window, "input", (1, contract.window_length, contract.graph_channels))
    scale, zero_point = np.float32(window.scales[0]), int(window.zero_points[0])
    if contract.views is None:
        return window_input(contract, scale, zero_point)
    return view_input(contract, scale, zero_point)


def _output(graph: Graph, contract: ModelContract) -> dict[str, str]:
    logits = graph.outputs[0]
    _check(logits, "output", (1, len(contract.labels)))
    return {
        "output_scale": c_float(logits.scales[0]),
        "output_zero_point": str(logits.zero_points[0]),
    }


def _operations(graph: Graph) -> dict[str, str]:
    methods = resolver_ops(graph)
    calls = " &&\n         ".join(f"added(resolver.{method}())" for method in methods)
    return {"ops": str(len(methods)), "calls": calls}


def _check(tensor: Tensor, end: str, shape: tuple[int, ...]) -> None:
    if (tensor.type, tensor.shape, len(tensor.scales)) != ("INT8", shape, 1):
        raise ConversionError(
            f"graph's {end}",
            found=f"{tensor.type} of shape {list(tensor.shape)} with {len(tensor.scales)} scales",
            expected=f"INT8 of shape {list(shape)} with one scale, as in its contract",
            next_step="convert its checkpoint again with `deseptr convert RUN`",
        )


def _strings(texts: Sequence[str]) -> str:
    return ", ".join(f'"{_escaped(text)}"' for text in texts)


def _escaped(text: str) -> str:
    """Text for a C++ string literal or comment: bytes other than plain ASCII as octal escapes."""
    plain = {ord(c) for c in map(chr, range(32, 127)) if c not in '"\\?'}
    return "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode())


def _rows(values: Sequence[str]) -> str:
    rows = (", ".join(values[start : start + _ROW]) for start in range(0, len(values), _ROW))
    return ",\n    ".join(rows)


# In the first line of both files.
_AUTHOR = "written by `deseptr convert --target micro`"
_HEADER = Template("""\
// $model for TensorFlow Lite Micro, written by `deseptr convert --target micro`.
//
//   alignas(deseptr::kArenaAlignment) std::uint8_t arena[deseptr::kArenaBytes];
//   tflite::MicroMutableOpResolver<deseptr::kOps> resolver;
//   deseptr::AddOps(resolver);
//   tflite::MicroInterpreter interpreter(tflite::GetModel(deseptr::kModel), resolver, arena, sizeof(arena));
//   interpreter.AllocateTensors();
$usage
#ifndef DESEPTR_MODEL_H_
#define DESEPTR_MODEL_H_

#include <cstddef>
#include <cstdint>

namespace deseptr {

// The flatbuffer.
extern const unsigned char kModel[];
constexpr std::size_t kModelBytes = $bytes;

// The smallest arena on a 64-bit machine with the reference kernels is $measured bytes. This is an eighth more, in
// whole KiB, for the scratch memory of CMSIS-NN. ESP-NN copies whole layers and may need more: once the tensors are
// allocated, interpreter.arena_used_bytes() tells.
constexpr std::size_t kArenaBytes = $arena;
constexpr std::size_t kArenaAlignment = $alignment;

// A window is [kWindowLength][kChannels]; the next begins kHopLength samples later.
constexpr int kWindowLength = $window_length;
constexpr int kHopLength = $hop_length;
constexpr float kRateHz = $rate;
constexpr int kChannels = $channels;
extern const char* const kChannelNames[kChannels];
extern const char* const kChannelUnits[kChannels];

$input_constants

// logit = (int8 - kOutputZeroPoint) * kOutputScale; the largest names the class.
constexpr int kClasses = $classes;
constexpr float kOutputScale = $output_scale;
constexpr int kOutputZeroPoint = $output_zero_point;
extern const char* const kLabels[kClasses];

$input_functions

// Register the kernels that the model needs in a MicroMutableOpResolver<kOps> or larger; false if one is refused.
constexpr unsigned int kOps = $ops;

template <template <unsigned int> class Resolver, unsigned int N>
bool AddOps(Resolver<N>& resolver) {
  static_assert(N >= kOps, "the resolver has too little room");
  // kTfLiteOk is 0.
  const auto added = [](auto status) { return static_cast<int>(status) == 0; };
  return $calls;
}

}  // namespace deseptr

#endif  // DESEPTR_MODEL_H_
""")

_SOURCE = Template("""\
// $model for TensorFlow Lite Micro, written by `deseptr convert --target micro`.
#include "model.h"

$includes

namespace deseptr {

const char* const kChannelNames[kChannels] = {$channel_names};
const char* const kChannelUnits[kChannels] = {$units};
const char* const kLabels[kClasses] = {$labels};
$input_values

$input_code

alignas($alignment) const unsigned char kModel[] = {
    $content};

}  // namespace deseptr
""")
