"""The firmware's source for windows that share their columns: both graphs, and the loop with its ring.

``columns.h`` stands beside ``model.h``. Its class knows neither interpreter nor arena: a function of the firmware
invokes the graphs, so that the same header runs wherever a C++ compiler is.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from string import Template

from deseptr.contract import ConversionError, ModelContract, atomic_write
from deseptr.tflite import StreamingGraphs
from deseptr.tflite.graph import Graph, read_graph
from deseptr.tflite.graph_outputs import output_places

from .runtime import ALIGNMENT, Arena
from .source_text import add_ops, arena_room, byte_rows, check_int8, escaped

COLUMN_FILES = ("columns.h", "columns.cc")


def write_columns(
    folder: Path, graphs: StreamingGraphs, contract: ModelContract, arenas: Mapping[str, Arena]
) -> list[Path]:
    """Write ``columns.h`` and ``columns.cc`` beside the files of :func:`.source.write_firmware`.

    Args:
        folder: folder to write to.
        graphs: column graph and time graph of an int8 model.
        contract: the model's contract.
        arenas: of ``column`` and ``time``, as :func:`.runtime.measure_arena` returns them.

    Raises:
        ConversionError: if a graph is not int8 or does not fit its contract, or has an operation without a kernel.
        SetupError: if the folder cannot be written.
    """
    column, time = read_graph(graphs.column), read_graph(graphs.time)
    values = {"model": escaped(contract.model), "alignment": str(ALIGNMENT)}
    values |= _shapes(column, time, graphs, contract) | _outputs(time, contract) | _encoding(contract)
    for name, graph, content in (("column", column, graphs.column), ("time", time, graphs.time)):
        values |= {
            f"{name}_bytes": str(len(content)),
            f"{name}_content": byte_rows(content),
            f"{name}_measured": str(arenas[name].bytes),
            f"{name}_arena": str(arena_room(arenas[name])),
            f"{name}_add_ops": add_ops(f"Add{name.title()}Ops", f"k{name.title()}Ops", graph),
        }
    written = []
    for name, template in zip(COLUMN_FILES, (_HEADER, _SOURCE), strict=True):
        atomic_write(folder / name, template.substitute(values))
        written.append(folder / name)
    return written


def remove_columns(folder: Path) -> None:
    """Remove the files of an earlier conversion, whose columns are not those of the model beside them."""
    for name in COLUMN_FILES:
        (folder / name).unlink(missing_ok=True)


def _shapes(column: Graph, time: Graph, graphs: StreamingGraphs, contract: ModelContract) -> dict[str, str]:
    streaming = graphs.streaming
    check_int8(column.inputs[0], "input", (1, streaming.column_length, contract.graph_channels))
    for made, read in zip(column.outputs, time.inputs, strict=True):
        check_int8(made, "column", (1, 1, *made.shape[2:]))
        check_int8(read, "columns", (1, streaming.columns, *made.shape[2:]))
    return {
        "column_length": str(streaming.column_length),
        "column_stride": str(streaming.column_stride),
        "columns": str(streaming.columns),
        "row": str(contract.graph_channels),
        "parts": str(len(column.outputs)),
        "part_bytes": ", ".join(str(prod(tensor.shape)) for tensor in column.outputs),
        "column_total": str(sum(prod(tensor.shape) for tensor in column.outputs)),
    }


def _outputs(time: Graph, contract: ModelContract) -> dict[str, str]:
    places = output_places([tensor.name for tensor in time.outputs], contract)
    if places is None:
        raise ConversionError(
            "time graph",
            found=f"the outputs {', '.join(tensor.name for tensor in time.outputs)}",
            expected="those of its contract",
            next_step="convert its checkpoint again with `deseptr convert RUN`",
        )
    for tensor, shape in zip(time.outputs, places.shapes(contract), strict=True):
        check_int8(tensor, "output", shape)
    named = ["logits, int8[kClasses]"]
    if places.embedding is not None:
        named.insert(places.embedding, f"the embedding, int8[{contract.embedding_width}]")
    return {"outputs": ", then ".join(named), "output_count": str(len(named))}


def _encoding(contract: ModelContract) -> dict[str, str]:
    if contract.views is None:
        return {"encode": "QuantizeSample", "reset": "", "encoder": ""}
    return {"encode": "encoder_.Encode", "reset": "encoder_.Reset();\n    ", "encoder": "ViewEncoder encoder_;\n  "}


_HEADER = Template("""\
// $model column by column for TensorFlow Lite Micro, written by `deseptr convert --target micro`.
//
// A window that overlaps the one before needs its new columns alone, and has the same bits as with the graph of
// model.h, which then need not be on the device. Both graphs below have an interpreter, and a function of yours invokes
// them:
//
//   bool Invoke(void*, deseptr::Part part, const std::int8_t* const* inputs, std::int8_t* const* outputs) {
//     tflite::MicroInterpreter& graph = part == deseptr::Part::kColumn ? column : time;
//     for (std::size_t i = 0; i < graph.inputs_size(); ++i)
//       std::memcpy(graph.input(i)->data.int8, inputs[i], graph.input(i)->bytes);
//     if (graph.Invoke() != kTfLiteOk) return false;
//     for (std::size_t i = 0; i < graph.outputs_size(); ++i)
//       std::memcpy(outputs[i], graph.output(i)->data.int8, graph.output(i)->bytes);
//     return true;
//   }
//
//   static deseptr::ColumnStream<deseptr::kColumnStride> stream(Invoke);  // a window every kColumnStride samples
//   std::int8_t* outputs[deseptr::kTimeOutputs] = {...};                   // $outputs
//   if (stream.Push(sample, outputs) == deseptr::Pushed::kWindow) ...;     // and stream.Reset() after every gap
#ifndef DESEPTR_COLUMNS_H_
#define DESEPTR_COLUMNS_H_

#include <cstring>
#include <numeric>

#include "model.h"

namespace deseptr {

// The flatbuffers.
extern const unsigned char kColumnModel[];
extern const unsigned char kTimeModel[];
constexpr std::size_t kColumnModelBytes = $column_bytes;
constexpr std::size_t kTimeModelBytes = $time_bytes;

// Measured, as that of model.h: $column_measured and $time_measured bytes. Each interpreter keeps data in its arena.
constexpr std::size_t kColumnArenaBytes = $column_arena;
constexpr std::size_t kTimeArenaBytes = $time_arena;

// A column is computed of kColumnLength samples; the next begins kColumnStride samples later. A window has kColumns.
constexpr int kColumnLength = $column_length;
constexpr int kColumnStride = $column_stride;
constexpr int kColumns = $columns;
constexpr int kRowBytes = $row;

// Outputs of the column graph, which are inputs of the time graph once kColumns of each are in a row.
constexpr int kParts = $parts;
constexpr int kPartBytes[kParts] = {$part_bytes};
constexpr int kColumnBytes = $column_total;
// Outputs of the time graph: $outputs.
constexpr int kTimeOutputs = $output_count;

// Register the kernels of the graphs, as AddOps of model.h.
$column_add_ops

$time_add_ops

enum class Part { kColumn, kTime };
enum class Pushed { kNothing, kWindow, kFailed };

// Copies the inputs, invokes the graph, copies the outputs; false if that failed.
using InvokePart = bool (*)(void* user, Part part, const std::int8_t* const* inputs, std::int8_t* const* outputs);

// The columns of a stream whose windows start kHop samples apart. It allocates nothing.
template <int kHop>
class ColumnStream {
  static_assert(0 < kHop && kHop <= kWindowLength, "windows further apart than their length share nothing");
  // No column comes between a window's last and its end.
  static_assert(kWindowLength - kColumnLength < kColumns * kColumnStride, "the window has room for another column");

 public:
  explicit ColumnStream(InvokePart invoke, void* user = nullptr) : invoke_(invoke), user_(user) {}

  // Begin anew, after every gap: the next window is complete kWindowLength samples later.
  void Reset() {
    ${reset}samples_ = 0;
  }

  // Take a sample of kChannels values, each in its unit. If it completes a window, `outputs` have those of the time
  // graph. After a failure the stream begins anew.
  Pushed Push(const float* sample, std::int8_t* const* outputs) {
    std::memmove(rows_, rows_ + kRowBytes, sizeof(rows_) - kRowBytes);
    $encode(sample, rows_ + sizeof(rows_) - kRowBytes);
    ++samples_;
    const int column = samples_ - kColumnLength, window = samples_ - kWindowLength;
    if (column >= 0 && column % kStep == 0 && !AddColumn(rings_[column / kStep % kPhases])) return Fail();
    // The next samples are counted as those a period ago, so that the number never overflows.
    if (window == kHop * kPhases) samples_ = kWindowLength;
    if (window < 0 || window % kHop) return Pushed::kNothing;
    const std::int8_t* inputs[kParts] = {rings_[window / kStep % kPhases]};
    for (int part = 1; part < kParts; ++part) inputs[part] = inputs[part - 1] + kColumns * kPartBytes[part - 1];
    return invoke_(user_, Part::kTime, inputs, outputs) ? Pushed::kWindow : Fail();
  }

 private:
  // Columns start where one of a window may; windows that start in different phases of the stride share none.
  static constexpr int kStep = std::gcd(kHop, kColumnStride), kPhases = kColumnStride / kStep;

  // Compute the column of the last rows into its place behind those before, the oldest of which goes.
  bool AddColumn(std::int8_t* ring) {
    const std::int8_t* input = rows_;
    std::int8_t* newest[kParts];
    for (int part = 0; part < kParts; ring += kColumns * kPartBytes[part++]) {
      newest[part] = ring + (kColumns - 1) * kPartBytes[part];
      std::memmove(ring, ring + kPartBytes[part], (kColumns - 1) * kPartBytes[part]);
    }
    return invoke_(user_, Part::kColumn, &input, newest);
  }

  Pushed Fail() {
    Reset();
    return Pushed::kFailed;
  }

  InvokePart invoke_;
  void* user_;
  ${encoder}int samples_ = 0;
  std::int8_t rows_[kColumnLength * kRowBytes] = {};
  std::int8_t rings_[kPhases][kColumns * kColumnBytes] = {};
};

}  // namespace deseptr

#endif  // DESEPTR_COLUMNS_H_
""")

_SOURCE = Template("""\
// $model column by column for TensorFlow Lite Micro, written by `deseptr convert --target micro`.
#include "columns.h"

namespace deseptr {

alignas($alignment) const unsigned char kColumnModel[] = {
    $column_content};

alignas($alignment) const unsigned char kTimeModel[] = {
    $time_content};

}  // namespace deseptr
""")
