"""A model computed column by column: windows that overlap share the columns that they have in common.

The logits are the whole graph's, to the bit: columns and time graph were cut from it, which the converter has verified.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError

from .engine import Engine, EngineAtHop, TfliteEngine
from .file import StreamingGraphs, TfliteFile, streaming_inside
from .graph_input import GraphTensor, graph_input
from .graph_outputs import OutputPlaces, output_places
from .loading import graph_errors
from .runtimes import TfliteRuntime, check_threads
from .sliding_rows import SlidingRows

_CONVERT_AGAIN = "convert its checkpoint again with `deseptr convert RUN`"


class StreamingEngine:
    """Classifies the windows of a stream, each with the columns that it does not share with an earlier one.

    Windows come in the order of their starts. Samples are encoded once, columns are computed once, whatever the starts:
    for those that are not a hop apart more is computed, but nothing else. All buffers are allocated once.

    Args:
        model: content and contract of the file.
        graphs: the two parts of its graph.
        hop_length: usual number of samples between the starts of windows.
        runtime: the runtime to use.
        threads: threads that it may use, at most 256.
        kernels: ``default`` or ``reference``.

    Raises:
        ModelError: if a part is broken, cannot run here, or does not fit the contract.
        SetupError: if the runtime is missing or clashes with numpy, or the number of threads is not allowed.
    """

    def __init__(
        self,
        model: TfliteFile,
        graphs: StreamingGraphs,
        hop_length: int,
        runtime: TfliteRuntime,
        threads: int = 1,
        *,
        kernels: str = "default",
    ) -> None:
        check_threads(threads)
        self.contract, self.streaming = model.contract, graphs.streaming
        self.hop_length = hop_length
        self._column = _Part(graphs.column, f"{model.path} column graph", runtime, threads, kernels)
        self._time = _Part(graphs.time, f"{model.path} time graph", runtime, threads, kernels)
        self._places = self._check(model)
        window, (source,) = self.contract.window_length, self._column.inputs
        self._encoded = SlidingRows(window, (self.contract.graph_channels,), source.dtype)
        self._encode_all = graph_input(self.contract, source)
        self._encode_hop = graph_input(self.contract, source, min(hop_length, window))
        self._common = gcd(hop_length, self.streaming.column_stride)
        phases = self.streaming.column_stride // self._common
        self._columns = [[self._ring(tensor) for tensor in self._time.inputs] for _ in range(phases)]
        self._logits = np.zeros(len(self.contract.labels), np.float32)
        self._embedding = np.zeros(self.contract.embedding_width, np.float32)
        self._segment, self._origin, self._start = -1, 0, 0

    def invoke(self, samples: NDArray[np.float32], start: int, segment: int = 0) -> NDArray[np.float32]:
        """Logits float32 ``[classes]`` of a window; valid until the next call.

        Args:
            samples: ``[input_length, channels]`` in SI units, as a whole engine takes them.
            start: number of the window's first sample in the stream.
            segment: number of the segment between gaps; nothing is shared between segments.
        """
        if segment != self._segment or start < self._start or (start - self._origin) % self._common:
            self._begin(start, segment)
        self._encode(samples, start)
        self._start = start
        rings = self._columns[(start - self._origin) % self.streaming.column_stride // self._common]
        first = (start - self._origin) // self.streaming.column_stride
        for number in range(max(first, rings[0].end), first + self.streaming.columns):
            self._compute(rings, number, start + (number - first) * self.streaming.column_stride)
        for tensor, ring in zip(self._time.inputs, rings, strict=True):
            self._time.feed(tensor, ring.rows(first, self.streaming.columns))
        self._time.invoke()
        logits = self._time.outputs[self._places.logits]
        self._time.fetch(logits, self._logits)
        logits.to_real(self._logits, self.contract.logit_temperature)
        return self._logits

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Embedding float32 ``[embedding_width]`` of the window before; None if the model has none.

        It is valid until the next call of :meth:`invoke`, and computed from the graph's output when it is read.
        """
        if self._places.embedding is None:
            return None
        tensor = self._time.outputs[self._places.embedding]
        self._time.fetch(tensor, self._embedding)
        tensor.to_real(self._embedding)
        return self._embedding

    def _begin(self, start: int, segment: int) -> None:
        self._segment, self._origin, self._start = segment, start, start
        self._encoded.clear()
        for rings in self._columns:
            for ring in rings:
                ring.clear()

    def _encode(self, samples: NDArray[np.float32], start: int) -> None:
        """Encode the samples that are new; all of them unless windows are a hop apart."""
        end, hop = start + self.contract.window_length, self.hop_length
        if self._encoded.end == end - hop and hop < self.contract.window_length:
            self._encoded.push(end - hop, self._encode_hop.values(samples[-(self.contract.history + hop) :]))
        elif self._encoded.end < end:
            self._encoded.push(start, self._encode_all.values(samples))

    def _compute(self, rings: list[SlidingRows], number: int, start: int) -> None:
        (source,) = self._column.inputs
        self._column.feed(source, self._encoded.rows(start, self.streaming.column_length))
        self._column.invoke()
        for tensor, ring in zip(self._column.outputs, rings, strict=True):
            self._column.fetch(tensor, ring.place(number, 1))

    def _ring(self, tensor: GraphTensor) -> SlidingRows:
        return SlidingRows(self.streaming.columns, self._time.shape(tensor)[2:], tensor.dtype)

    def _check(self, model: TfliteFile) -> OutputPlaces:
        """Compare the parts with each other and with the contract, so that no shape can fail in the loop."""
        streaming, contract = self.streaming, self.contract
        column, time = self._column, self._time
        ends = [[time.shape(tensor) for tensor in time.inputs], [time.shape(tensor) for tensor in time.outputs]]
        rows = [column.shape(tensor) for tensor in column.outputs]
        places = output_places(time.output_names, contract)
        outputs = None if places is None else places.shapes(contract)
        expected = [[(1, streaming.columns, *row[2:]) for row in rows], outputs]
        source = [column.shape(tensor) for tensor in column.inputs]
        single = all(row[:2] == (1, 1) for row in rows) and rows
        fits = source == [(1, streaming.column_length, contract.graph_channels)] and ends == expected and single
        same = [(t.dtype, t.scale, t.zero_point) for t in column.outputs] == [
            (t.dtype, t.scale, t.zero_point) for t in time.inputs
        ]
        if places is None or not fits or not same or streaming.span > contract.window_length:
            raise ModelError(
                f"{model.path} column and time graph",
                found=f"shapes {source} to {rows}, {ends[0]} to {ends[1]}",
                expected=f"{streaming.columns} columns of {streaming.column_length} samples of its window",
                next_step=_CONVERT_AGAIN,
            )
        return places


def streamed(engine: Engine) -> StreamingEngine | None:
    """The model of an engine by columns, for windows a hop of its contract apart; None if that would save nothing.

    That is so if its file has no columns, if its windows share too few, and on an Edge TPU.

    Raises:
        ModelError: if its columns are broken, or do not fit its contract.
    """
    whole = engine.engine if isinstance(engine, EngineAtHop) else engine
    if not isinstance(whole, TfliteEngine) or whole.delegate is not None:
        return None
    graphs, hop = streaming_inside(whole.model), engine.contract.hop_length
    if graphs is None or not graphs.streaming.pays(hop):
        return None
    return StreamingEngine(whole.model, graphs, hop, whole.runtime, whole.threads, kernels=whole.kernels)


class _Part:
    """One graph on a runtime, with its ends in the order of the flatbuffer."""

    def __init__(self, content: bytes, source: str, runtime: TfliteRuntime, threads: int, kernels: str) -> None:
        with graph_errors(source, runtime.version(), _CONVERT_AGAIN):
            self._interpreter = runtime.interpreter(kernels)(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            self._interpreter.invoke()
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._views: dict[int, Any] = {}
        self.inputs = self._ends(self._interpreter.get_input_details())
        self.outputs = self._ends(self._interpreter.get_output_details())
        self.output_names = [str(detail["name"]) for detail in self._interpreter.get_output_details()]

    def _ends(self, details: list[dict[str, Any]]) -> tuple[GraphTensor, ...]:
        found = []
        for detail in details:
            scale, zero_point = detail["quantization"]
            tensor = GraphTensor(int(detail["index"]), np.dtype(detail["dtype"]), float(scale), int(zero_point))
            self._shapes[tensor.index] = tuple(int(n) for n in detail["shape"])
            self._views[tensor.index] = self._interpreter.tensor(tensor.index)
            found.append(tensor)
        return tuple(found)

    def shape(self, tensor: GraphTensor) -> tuple[int, ...]:
        return self._shapes[tensor.index]

    def feed(self, tensor: GraphTensor, rows: NDArray[Any]) -> None:
        # A tensor's view must not outlive its statement: the runtime refuses to run while one exists.
        np.copyto(self._views[tensor.index]()[0], rows)

    def fetch(self, tensor: GraphTensor, row: NDArray[Any]) -> None:
        np.copyto(row, self._views[tensor.index]()[0])

    def invoke(self) -> None:
        self._interpreter.invoke()
