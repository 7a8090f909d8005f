"""``deseptr convert`` as a function: a checkpoint in, a checked ``.tflite`` with its contract inside out."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deseptr.contract import ConversionError, ModelContract, SetupError, atomic_path, atomic_write
from deseptr.tflite import embed_contract, load_engine
from deseptr.tflite.graph import Graph, read_graph
from deseptr.train.provenance import package_versions, source_commit
from deseptr.train.run_folder import CalibrationWindows

from .edgetpu import NO_COMPILER, EdgeTpuReport, compile_for_edgetpu
from .input_range import range_warnings
from .isolated import kept_worker
from .micro.source import Arena, measure_arena, resolver_ops, write_firmware
from .parity import Gate
from .recipe import Recipe
from .try_recipe import Attempt, Teller, attempt, next_recipe

_PACKAGES = ("deseptr", "tensorflow", "keras", "numpy", "ai-edge-litert", "tflite-runtime", "tflite-micro")


@dataclass(frozen=True, repr=False)
class Conversion:
    """What was converted and how it compares with the checkpoint on held-out windows.

    Args:
        path: the ``.tflite`` file.
        source: the checkpoint.
        content: of the file.
        contract: what is inside it.
        attempts: what was tried, the best last, which was kept.
        gate: what it had to pass.
        warnings: what a reader should know of the calibration windows.
        arena: what TensorFlow Lite Micro needs; None for other targets.
        edgetpu: what the Edge TPU compiler said; None for other targets and where there is none.
        firmware: C++ files written for the target ``micro``.
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
        """What the file is made of."""
        return read_graph(self.content, self.path)

    @property
    def passed(self) -> bool:
        """Whether the model passed the gate; one that did not was written because that was forced."""
        return not self.kept.failures

    def to_dict(self) -> dict[str, Any]:
        """What ``model.json`` says: plain JSON values, the same for the same checkpoint and versions."""
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
                {"recipe": tried.recipe.to_dict(), "failures": list(tried.failures)} for tried in self.attempts[:-1]
            ],
            "layer_sizes": [
                {"layer": node.name, "op": node.op, "bytes": sum(len(w.constant or b"") for w in node.weights)}
                for node in graph.nodes
            ],
            "arena": None if self.arena is None else asdict(self.arena),
            "edgetpu": None if self.edgetpu is None else self.edgetpu.to_dict(),
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
    tell: Teller = lambda text: None,
) -> Conversion:
    """Convert a checkpoint to a ``.tflite`` and prove that it is the same model.

    A quantised model that fails the gate is tried again with more calibration windows and then with its worst layers in
    float. ``output``, and ``model.json`` beside it under the same name, are written only after the graph has passed the
    lint, the gate, and run on this machine.

    Args:
        run: run folder of ``deseptr train``, or a ``.keras`` file with its contract beside it.
        output: file to write.
        recipe: how; full int8 for a Raspberry Pi by default.
        calibration: windows to calibrate and judge on; those beside the checkpoint by default.
        gate: what a quantised model must keep.
        force: also write a model that fails the gate.
        tell: told what is being done.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the graph cannot be lowered or converted, breaks a rule of mode or target, or is not the
            same model.
        SetupError: if ``output`` cannot be written or there is no TFLite runtime.
    """
    recipe, gate = recipe or Recipe(), gate or Gate()
    _check_writable(output)
    with kept_worker():
        attempts = _attempts(run, recipe, calibration, gate, tell)
        if attempts[-1].failures and not force:
            raise _not_the_same(run, attempts)
        return _write(run, output, tuple(attempts), gate)


def _attempts(
    run: Path, recipe: Recipe, calibration: CalibrationWindows | None, gate: Gate, tell: Teller
) -> list[Attempt]:
    """Attempts until one passes the gate or nothing is left to try, the best last."""
    attempts = [attempt(run, recipe, calibration, gate, tell)]
    while attempts[-1].failures and (following := next_recipe(attempts[-1])):
        tell(f"{attempts[-1].failures[0]}; trying again")
        attempts.append(attempt(run, following, calibration, gate, tell))
    return sorted(attempts, key=lambda tried: (not tried.failures, tried.deciding.agreement))


def _not_the_same(run: Path, attempts: list[Attempt]) -> ConversionError:
    kept = attempts[-1]
    lossy = ", ".join(f"{layer.op} {layer.layer.split(';')[0]}" for layer in kept.worst)
    tried = f" after {len(attempts)} attempts" if len(attempts) > 1 else ""
    return ConversionError(
        run,
        found=f"in {kept.recipe.mode} a model that is not the same{tried} ({'; '.join(kept.failures)})",
        expected="the checkpoint's predictions",
        next_step=f"train longer or on more varied data, take another --mode, or --force (worst layers: {lossy})",
    )


def _write(run: Path, output: Path, attempts: tuple[Attempt, ...], gate: Gate) -> Conversion:
    kept = attempts[-1]
    quantized = kept.quantized
    content = embed_contract(quantized.flatbuffer, quantized.contract)
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
        firmware = write_firmware(output.with_suffix(""), quantized.flatbuffer, quantized.contract, arena)
    conversion = Conversion(
        path=output,
        source=run,
        content=content,
        contract=quantized.contract,
        attempts=attempts,
        gate=gate,
        warnings=_warnings(kept, edgetpu),
        arena=arena,
        edgetpu=edgetpu,
        firmware=tuple(firmware),
    )
    atomic_write(output.with_suffix(".json"), json.dumps(conversion.to_dict(), indent=2) + "\n")
    return conversion


def _warnings(kept: Attempt, edgetpu: EdgeTpuReport | None) -> tuple[str, ...]:
    quantized = kept.quantized
    found = list(range_warnings(quantized.calibration.windows, quantized.contract))
    if kept.recipe.target == "coral" and edgetpu is None:
        found.append(NO_COMPILER)
    if kept.failures:
        found += [f"failed the gate, written by force: {failure}" for failure in kept.failures]
    return tuple(found)


def _check_writable(output: Path) -> None:
    """Find out before minutes of work, not after."""
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if output.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SetupError(
            output,
            found="a folder" if output.is_dir() else f"{folder}, which cannot be written to",
            expected="a file in a writable folder",
            next_step="choose another output path",
        )


def _digest(source: Path) -> str | None:
    file = source / "model.keras" if source.is_dir() else source
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
