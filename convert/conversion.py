"""``deseptr convert`` as a function: a checkpoint in, a verified ``.tflite`` with its contract inside out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from deseptr.contract import (
    ConversionError,
    ModelContract,
    ModelError,
    SetupError,
    atomic_path,
    atomic_write,
    check_replaceable,
)
from deseptr.contract.counts import counted
from deseptr.tflite import embed_contract, load_engine
from deseptr.tflite.graph import Graph, read_graph
from deseptr.train.checkpoint import TORCH_SUFFIX
from deseptr.train.provenance import package_versions, source_commit
from deseptr.train.run_folder import CalibrationWindows
from deseptr.train.torch_program.archive import has_example

from .edgetpu import NO_COMPILER, EdgeTpuReport, compile_for_edgetpu
from .input_range import range_warnings
from .isolated import kept_worker
from .micro.column_source import remove_columns, write_columns
from .micro.source import Arena, check_sources, measure_arena, resolver_ops, write_firmware
from .parity import Gate
from .recipe import Recipe
from .streaming.try_cut import StreamingCut, try_cut
from .targets import TARGETS
from .try_recipe import Attempt, BrokenAttempt, Report, next_recipe, try_recipe
from .user_layers import user_layer

_NOT_WANTED = StreamingCut(reason="not asked for")
_PACKAGES = ("deseptr", "tensorflow", "keras", "numpy", "ai-edge-litert", "tflite-runtime", "tflite-micro")


@dataclass(frozen=True, repr=False)
class Conversion:
    """A converted model and its comparison with the checkpoint on held-out windows.

    Args:
        path: the ``.tflite`` file.
        source: the checkpoint.
        content: content of the file.
        contract: the contract inside the file.
        attempts: all attempts, the best last; that one was written.
        gate: limits that the model had to meet.
        warnings: problems of the calibration windows and of the target.
        arena: memory that TensorFlow Lite Micro needs; None for other targets.
        edgetpu: report of the Edge TPU compiler; None for other targets and without the compiler.
        firmware: C++ files written for the target ``micro``.
        written: whether the file was written; a refused model is not.
        broken_attempts: attempts that ended in an error, after one that gave a model.
        streaming: what became of the cut into columns.
    """

    path: Path
    source: Path
    content: bytes
    contract: ModelContract
    attempts: tuple[Attempt, ...]
    gate: Gate
    warnings: tuple[str, ...]
    arena: Arena | None = None
    edgetpu: EdgeTpuReport | None = None
    firmware: tuple[Path, ...] = ()
    written: bool = True
    broken_attempts: tuple[BrokenAttempt, ...] = ()
    streaming: StreamingCut = _NOT_WANTED

    def __repr__(self) -> str:
        parity, state = self.kept.deciding, "passed" if self.passed else "failed the gate"
        return (
            f"Conversion({str(self.path)!r}, {self.kept.recipe.mode} for {self.kept.recipe.target}, "
            f"{len(self.content)} bytes, agreement {parity.agreement:.2%}, "
            f"macro_f1 {parity.scores.macro_f1:.4f}, {state})"
        )

    @property
    def kept(self) -> Attempt:
        """The attempt whose model was written."""
        return self.attempts[-1]

    @cached_property
    def graph(self) -> Graph:
        """Operations and tensors of the file."""
        return read_graph(self.content, self.path)

    @property
    def passed(self) -> bool:
        """Whether the model passed the gate; one that failed was written only because ``force`` was set."""
        return not self.kept.failures

    def to_dict(self) -> dict[str, Any]:
        """The content of ``model.json``: plain JSON values, identical for the same checkpoint and versions."""
        kept, graph = self.kept, self.graph
        return {
            "path": self.path.name,
            "source": self.source.name,
            "model": self.contract.model,
            "labels": list(self.contract.labels),
            "passed": self.passed,
            "gate": {"agreement": self.gate.agreement, "loss": self.gate.loss},
            "recipe": kept.recipe.to_dict(),
            "warnings": list(self.warnings),
            "bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "checkpoint_sha256": _digest(self.source),
            "windows": kept.deciding.windows,
            "agreement": kept.deciding.agreement,
            "float": kept.deciding.reference.to_dict(),
            "converted": kept.deciding.scores.to_dict(),
            **kept.to_dict(),
            "earlier_attempts": [
                {"recipe": recipe.to_dict(), "failures": list(failures)}
                for recipe, failures in (
                    *((tried.recipe, tried.failures) for tried in self.attempts[:-1]),
                    *((broken.recipe, (broken.error,)) for broken in self.broken_attempts),
                )
            ],
            "layer_sizes": [
                {"layer": node.name, "op": node.op, "bytes": sum(len(w.constant or b"") for w in node.weights)}
                for node in graph.nodes
            ],
            "arena": None if self.arena is None else asdict(self.arena),
            "edgetpu": None if self.edgetpu is None else self.edgetpu.to_dict(),
            "streaming": self.streaming.to_dict(),
            "resolver_ops": list(resolver_ops(graph)) if kept.recipe.target == "micro" else None,
            "contract": json.loads(self.contract.to_json()),
            "versions": package_versions(_PACKAGES),
            "commit": source_commit(),
        }


def convert_run(
    run: Path,
    output: Path,
    recipe: Recipe | None = None,
    *,
    calibration: CalibrationWindows | None = None,
    gate: Gate | None = None,
    force: bool = False,
    streaming: bool = True,
    report: Report = lambda text: None,
    refused: Callable[[Conversion], None] = lambda conversion: None,
) -> Conversion:
    """Convert a checkpoint to a ``.tflite`` and verify that it is the same model.

    A quantised model that fails the gate is tried again with more calibration windows, then with its worst layers in
    float. ``output`` and the ``.json`` file of the same name are written only after the graph has passed the lint and
    the gate and has run on this machine.

    Args:
        run: run folder of ``deseptr train``, or a ``.keras`` or ``.pt2`` file with its contract beside it.
        output: file to write.
        recipe: options of the conversion; full int8 for a Raspberry Pi by default.
        calibration: windows for calibration and verification; those beside the checkpoint by default.
        gate: limits that a quantised model must meet.
        force: also write a model that fails the gate.
        streaming: whether to add a column graph and a time graph, if they give the same bits.
        report: called with a line of text at each step.
        refused: called with a conversion that failed the gate and is not written, before the error is raised.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the graph cannot be lowered or converted, violates a rule of mode or target, or is not the
            same model.
        SetupError: if ``output`` cannot be written or there is no TFLite runtime.
    """
    recipe, gate = recipe or Recipe(), gate or Gate()
    check_output_files(output)
    if recipe.target == "micro":
        check_sources(output.with_suffix(""))
    with kept_worker():
        tried = _attempts(run, recipe, calibration, gate, report)
        if tried.kept.failures and not force:
            refused(_unwritten(run, output, tried, gate))
            other = _other_mode(run, tried.kept, calibration, gate, report)
            raise _not_the_same(run, tried, other)
        return _write(run, output, tried, gate, _cut(tried.kept, report) if streaming else _NOT_WANTED)


class _Tried(NamedTuple):
    """Attempts, the best last, and those that did not lead to a model."""

    attempts: tuple[Attempt, ...]
    broken: tuple[BrokenAttempt, ...]

    @property
    def kept(self) -> Attempt:
        return self.attempts[-1]


def _attempts(run: Path, recipe: Recipe, calibration: CalibrationWindows | None, gate: Gate, report: Report) -> _Tried:
    """Attempts until one passes the gate or nothing is left to try.

    An error in the first one is raised. One in a later one, such as a layer in float for which the target has no
    kernel, ends the attempts, and what there is remains.
    """
    attempts, broken = [try_recipe(run, recipe, calibration, gate, report)], []
    while attempts[-1].failures and (following := next_recipe(attempts[-1])):
        report(f"{attempts[-1].failures[0]}; trying again")
        try:
            attempts.append(try_recipe(run, following, calibration, gate, report))
        except (ConversionError, ModelError) as error:
            broken.append(BrokenAttempt(following, str(error)))
            break
    best_last = sorted(attempts, key=lambda tried: (not tried.failures, tried.deciding.agreement))
    return _Tried(tuple(best_last), tuple(broken))


def _other_mode(
    run: Path, kept: Attempt, calibration: CalibrationWindows | None, gate: Gate, report: Report
) -> str | None:
    """A mode of the target in which the model passes the gate, the smallest first; None if there is none."""
    modes = TARGETS[kept.recipe.target].modes
    if kept.recipe.mode == "int8" and "int16x8" in modes:
        report("trying int16x8, to name a mode that would work")
        with suppress(ConversionError, ModelError):
            if not try_recipe(run, Recipe("int16x8", target=kept.recipe.target), calibration, gate, report).failures:
                return "int16x8"
    return "float32" if "float32" in modes and not gate.failures(kept.parities[0]) else None


def _not_the_same(run: Path, tried: _Tried, other: str | None) -> ConversionError:
    kept = tried.kept
    layers = kept.quantized.layers
    lossy = ", ".join(f"{layer.op} {user_layer(layer.layer, layers)}" for layer in kept.worst)
    count = len(tried.attempts) + len(tried.broken)
    after = f" after {counted(count, 'attempt')}" if count > 1 else ""
    mode = f"--mode {other}, which passes" if other else "another --mode"
    return ConversionError(
        run,
        found=f"a model that is not the same in {kept.recipe.mode}{after} ({'; '.join(kept.failures)})",
        expected="the checkpoint's predictions",
        next_step=(
            f"train longer or on more varied data, try {mode}, lower --agreement or raise --loss, or --force "
            f"(worst layers: {lossy})"
        ),
    )


def _unwritten(run: Path, output: Path, tried: _Tried, gate: Gate) -> Conversion:
    """The conversion as it would have been written, for the page that explains why it was not."""
    quantized = tried.kept.quantized
    return Conversion(
        path=output,
        source=run,
        content=embed_contract(quantized.flatbuffer, quantized.contract),
        contract=quantized.contract,
        attempts=tried.attempts,
        broken_attempts=tried.broken,
        gate=gate,
        warnings=tuple(range_warnings(quantized.calibration.windows, quantized.contract)),
        written=False,
    )


def _cut(kept: Attempt, report: Report) -> StreamingCut:
    report("cutting into columns")
    quantized = kept.quantized
    return try_cut(quantized.flatbuffer, quantized.contract, kept.recipe, quantized.calibration.held_out_windows)


def _write(run: Path, output: Path, tried: _Tried, gate: Gate, streaming: StreamingCut) -> Conversion:
    kept = tried.kept
    quantized = kept.quantized
    content = embed_contract(quantized.flatbuffer, quantized.contract, streaming.graphs)
    target = kept.recipe.target
    arena = edgetpu = None
    with atomic_path(output) as temporary:
        temporary.write_bytes(content)
        load_engine(temporary)
        if target == "micro" and kept.recipe.mode == "int8":
            arena = measure_arena(quantized.flatbuffer)
        if target == "coral":
            edgetpu = compile_for_edgetpu(temporary)
    firmware: list[Path] = []
    if arena is not None:
        folder = output.with_suffix("")
        firmware = write_firmware(folder, quantized.flatbuffer, quantized.contract, arena)
        if streaming.graphs is None:
            remove_columns(folder)
        else:
            firmware += write_columns(folder, streaming.graphs, quantized.contract, streaming.arenas)
    conversion = Conversion(
        path=output,
        source=run,
        content=content,
        contract=quantized.contract,
        attempts=tried.attempts,
        broken_attempts=tried.broken,
        gate=gate,
        warnings=_warnings(run, kept, edgetpu),
        arena=arena,
        edgetpu=edgetpu,
        firmware=tuple(firmware),
        streaming=streaming,
    )
    atomic_write(output.with_suffix(".json"), json.dumps(conversion.to_dict(), indent=2) + "\n")
    return conversion


def _warnings(source: Path, kept: Attempt, edgetpu: EdgeTpuReport | None) -> tuple[str, ...]:
    quantized = kept.quantized
    found = list(range_warnings(quantized.calibration.windows, quantized.contract))
    if source.suffix == TORCH_SUFFIX and not has_example(source):
        found.append("not compared with PyTorch: the file has no check.json")
    if kept.recipe.target == "coral" and edgetpu is None:
        found.append(NO_COMPILER)
    if kept.embedding_failure:
        found.append(f"written without embedding, which is too noisy: {kept.embedding_failure}")
    if kept.failures:
        found += [f"failed the gate, written by force: {failure}" for failure in kept.failures]
    return tuple(found)


def check_output_files(output: Path) -> None:
    """Fail now rather than after minutes of work, and let only files of earlier conversions be replaced.

    Raises:
        SetupError: if the model or its JSON cannot be written, or something else is there.
    """
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if output.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SetupError(
            output,
            found="a folder" if output.is_dir() else f"{folder}, which is not writable",
            expected="a file in a writable folder",
            next_step="choose another output path",
        )
    # A flatbuffer names its kind behind four bytes of offset (https://flatbuffers.dev/internals).
    check_replaceable(output, b"TFL3", "a .tflite file", "output path", offset=4)
    check_replaceable(output.with_suffix(".json"), b'{\n  "path": ', "the JSON of a conversion", "output path")


def _digest(source: Path) -> str | None:
    file = source / "model.keras" if source.is_dir() else source
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
