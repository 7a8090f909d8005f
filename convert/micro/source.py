"""``deseptr convert --target micro``: a model as C++ source for TensorFlow Lite Micro.

``model.cc`` and ``model.h`` contain the flatbuffer, the operations it needs, the size of its arena, and windows and
labels of its contract; :mod:`.column_source` adds what lets windows share columns. They name no class of the library,
whose namespaces have changed over time; the firmware around them is up to the reader. :mod:`.runtime` runs the graph
on this machine.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

import numpy as np

from deseptr.contract import ConversionError, ModelContract, SetupError, atomic_write
from deseptr.contract.host_files import text_of
from deseptr.tflite import without_archive
from deseptr.tflite.graph import Graph, read_graph
from deseptr.tflite.graph_outputs import expected_outputs, output_places

from .column_source import COLUMN_FILES
from .input_source import c_float, view_input, window_input
from .runtime import ALIGNMENT, Arena, Peak, measure_arena, peak_activations, run_micro
from .source_text import AUTHOR, add_ops, arena_room, byte_rows, check_int8, escaped, resolver_ops, strings

__all__ = ["Arena", "Peak", "measure_arena", "peak_activations", "resolver_ops", "run_micro", "write_firmware"]


def write_firmware(folder: Path, flatbuffer: bytes, contract: ModelContract, arena: Arena) -> list[Path]:
    """Write ``model.cc`` and ``model.h``; the same input gives the same bytes.

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
    values = _values(contract, arena) | _input(graph, contract) | _output(graph, contract)
    values |= {"add_ops": add_ops("AddOps", "kOps", graph)}
    values |= {"bytes": str(len(content)), "content": byte_rows(content)}
    written = []
    for name, template in (("model.h", _HEADER), ("model.cc", _SOURCE)):
        atomic_write(folder / name, template.substitute(values))
        written.append(folder / name)
    return written


def check_sources(folder: Path) -> None:
    """Refuse a folder with a file in the firmware's place that was not written by an earlier conversion.

    Raises:
        SetupError: if there is such a file.
    """
    for path in (folder / name for name in ("model.h", "model.cc", *COLUMN_FILES)):
        if path.exists() and AUTHOR not in text_of(path).partition("\n")[0]:
            raise SetupError(
                path,
                found="something else, which would be lost",
                expected="source of an earlier conversion, or no file",
                next_step="choose another output path",
            )


def _values(contract: ModelContract, arena: Arena) -> dict[str, str]:
    return {
        "model": escaped(contract.model),
        "window_length": str(contract.window_length),
        "hop_length": str(contract.hop_length),
        "rate": c_float(contract.rate_hz),
        "channels": str(len(contract.channels)),
        "classes": str(len(contract.labels)),
        "channel_names": strings(contract.channels),
        "units": strings(contract.units),
        "labels": strings(contract.labels),
        "measured": str(arena.bytes),
        "arena": str(arena_room(arena)),
        "alignment": str(ALIGNMENT),
    }


def _input(graph: Graph, contract: ModelContract) -> dict[str, str]:
    window = graph.inputs[0]
    check_int8(window, "input", (1, contract.window_length, contract.graph_channels))
    scale, zero_point = np.float32(window.scales[0]), int(window.zero_points[0])
    if contract.views is None:
        return window_input(contract, scale, zero_point)
    return view_input(contract, scale, zero_point)


def _output(graph: Graph, contract: ModelContract) -> dict[str, str]:
    if output_places([output.name for output in graph.outputs], contract) is None:
        raise ConversionError(
            "graph",
            found=f"outputs {', '.join(output.name for output in graph.outputs)}",
            expected=expected_outputs(contract),
            next_step="convert its checkpoint again with `deseptr convert RUN`",
        )
    logits = graph.logits
    check_int8(logits, "output", (1, len(contract.labels)))
    return {
        "output": str(graph.outputs.index(logits)),
        "output_scale": c_float(logits.scales[0]),
        "output_zero_point": str(logits.zero_points[0]),
        "embedding": _embedding(graph, contract),
    }


def _embedding(graph: Graph, contract: ModelContract) -> str:
    """Declarations of the second output; empty without one."""
    embedding = graph.embedding
    if embedding is None:
        return ""
    check_int8(embedding, "embedding", (1, contract.embedding_width))
    return _EMBEDDING.substitute(
        output=graph.outputs.index(embedding),
        width=contract.embedding_width,
        scale=c_float(embedding.scales[0]),
        zero_point=embedding.zero_points[0],
    )


_EMBEDDING = Template("""
// What the model's heads read of a window: of movements that are alike, the embeddings are near each other.
// Embed(interpreter.output(deseptr::kEmbeddingOutput)->data.int8, values) after Invoke().
constexpr int kEmbeddingOutput = $output;
constexpr int kEmbeddingWidth = $width;
constexpr float kEmbeddingScale = $scale;
constexpr int kEmbeddingZeroPoint = $zero_point;

inline void Embed(const std::int8_t* output, float* values) {
  for (int i = 0; i < kEmbeddingWidth; ++i) {
    values[i] = (output[i] - kEmbeddingZeroPoint) * kEmbeddingScale;
  }
}
""")
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

// logit = (int8 - kOutputZeroPoint) * kOutputScale of interpreter.output(kLogitsOutput); the largest names the class.
constexpr int kLogitsOutput = $output;
constexpr int kClasses = $classes;
constexpr float kOutputScale = $output_scale;
constexpr int kOutputZeroPoint = $output_zero_point;
extern const char* const kLabels[kClasses];
$embedding
$input_functions

// Register the kernels that the model needs in a MicroMutableOpResolver<kOps> or larger; false if one is refused.
$add_ops

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
