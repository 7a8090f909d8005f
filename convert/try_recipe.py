"""One attempt at a conversion, with all data that show whether the result is still the trained model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, SetupError
from deseptr.tflite.graph import read_graph
from deseptr.tflite.installed_engines import EngineHere, engines_here, output_lsb, outputs_on
from deseptr.train.run_folder import CalibrationWindows, evenly

from .drop_embedding import without_embedding
from .embedding_noise import embedding_sqnr_db
from .lint import Lint
from .parity import Gate, Parity, compare
from .quantize import Quantized, quantize_run
from .recipe import Recipe
from .sqnr import LayerSqnr, layer_sqnr, worst
from .targets import TARGETS
from .user_layers import check_operations

KEPT_IN_FLOAT = 5
_SLOW_ENGINE_WINDOWS = 400
_SQNR_WINDOWS = 24

Report = Callable[[str], None]
_Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Attempt:
    """A recipe and its result.

    Args:
        recipe: the options.
        quantized: the flatbuffer, its float reference and the windows for verification.
        lint: operations of the flatbuffer.
        parities: comparisons with the checkpoint: of the float flatbuffer, and of the converted one on each engine;
            :attr:`deciding` is the one that the gate uses.
        not_run: engines that could not run it, with the reason.
        layers: signal to quantisation noise of each layer; empty for a float model.
        failures: limits of the gate that are not met.
        embedding_failure: the limit that its embedding did not meet, so that it was left out; None if it has one.
    """

    recipe: Recipe
    quantized: Quantized
    lint: Lint
    parities: tuple[Parity, ...]
    not_run: dict[str, str]
    layers: tuple[LayerSqnr, ...]
    failures: tuple[str, ...]
    embedding_failure: str | None = None

    @property
    def deciding(self) -> Parity:
        """Parity of the converted model on the first engine, on all held-out windows."""
        return self.parities[1]

    @property
    def worst(self) -> tuple[LayerSqnr, ...]:
        """The layers with the lowest ratio, the worst first."""
        return worst(self.layers)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "recipe": self.recipe.to_dict(),
            "failures": list(self.failures),
            "lint": self.lint.to_dict(),
            "parity": [parity.to_dict() for parity in self.parities],
            "engines_not_run": self.not_run,
            "worst_layers": [layer.to_dict() for layer in self.worst],
            "layers": [layer.to_dict() for layer in self.layers],
        }


class BrokenAttempt(NamedTuple):
    """A recipe that gave no model.

    Args:
        recipe: the options.
        error: the reason, one line.
    """

    recipe: Recipe
    error: str


def try_recipe(
    run: Path, recipe: Recipe, calibration: CalibrationWindows | None, gate: Gate, report: Report
) -> Attempt:
    """Convert with a recipe and compare the result with the checkpoint.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the graph cannot be lowered or converted, or violates a rule of the target or mode.
        SetupError: if there is no TFLite runtime.
    """
    report(f"converting to {recipe.mode}")
    quantized = quantize_run(run, recipe, calibration)
    target = TARGETS[recipe.target]
    graph = read_graph(quantized.flatbuffer, run)
    check_operations(
        graph,
        read_graph(quantized.reference, run),
        target,
        recipe.mode,
        run,
        float_layers=recipe.float_layers,
        layers=quantized.layers,
    )
    report("comparing with the checkpoint")
    parities, not_run = _parities(quantized)
    if noisy := gate.embedding_failure(parities[1]):
        quantized = _plain(quantized)
        graph = read_graph(quantized.flatbuffer, run)
        parities = tuple(replace(parity, embedding_sqnr_db=None) for parity in parities)
    layers: tuple[LayerSqnr, ...] = ()
    if recipe.quantised:
        report("measuring the noise of each layer")
        windows = quantized.scaled[evenly(len(quantized.scaled), _SQNR_WINDOWS)]
        layers = layer_sqnr(quantized.reference, quantized.integer, windows)
    return Attempt(
        recipe=recipe,
        quantized=quantized,
        lint=Lint.of(graph, target, recipe.mode, recipe.float_layers),
        parities=parities,
        not_run=not_run,
        layers=layers,
        failures=gate.failures(parities[1]),
        embedding_failure=noisy,
    )


def _plain(quantized: Quantized) -> Quantized:
    """The same model without embedding."""
    return replace(
        quantized,
        flatbuffer=without_embedding(quantized.flatbuffer),
        integer=without_embedding(quantized.integer),
        reference=without_embedding(quantized.reference),
        contract=replace(quantized.contract, embedding_width=0),
    )


def next_recipe(tried: Attempt) -> Recipe | None:
    """The next recipe after an attempt that failed: more calibration windows, then the worst layers in float.

    None if nothing is left to try: a float model, 16 bits, a target without float kernels, or layers already in float.
    """
    recipe = tried.recipe
    available = len(tried.quantized.calibration.windows)
    if not recipe.quantised:
        return None
    if recipe.calibration_windows < available:
        return replace(recipe, calibration_windows=available)
    if recipe.float_layers or recipe.mode != "int8" or "float32" not in TARGETS[recipe.target].modes:
        return None
    return replace(recipe, float_layers=tuple(layer.layer for layer in worst(tried.layers, KEPT_IN_FLOAT)))


def _parities(quantized: Quantized) -> tuple[tuple[Parity, ...], dict[str, str]]:
    """Parities of the float flatbuffer and of the converted one on all engines; and the engines that failed."""
    first, *others = _engines()
    contract, content = quantized.contract, quantized.flatbuffer
    windows = quantized.calibration.held_out_windows
    # A runtime encodes the windows of a contract with views itself, also for a float graph.
    scaled = quantized.scaled if contract.views is None else windows
    reference = outputs_on(first, quantized.reference, contract, scaled)
    converted = outputs_on(first, content, contract, windows)
    parities = [
        _parity("float32 flatbuffer", reference, reference, quantized, None),
        _parity(first.name, converted, reference, quantized, output_lsb(content)),
    ]
    chosen = evenly(len(windows), _SLOW_ENGINE_WINDOWS)
    not_run = {}
    for engine in others:
        try:
            outputs = outputs_on(engine, content, contract, windows[chosen])
        except ModelError as error:
            not_run[engine.name] = error.found
        else:
            parities.append(_parity(engine.name, outputs, reference, quantized, output_lsb(content), chosen))
    return tuple(parities), not_run


def _parity(
    name: str,
    outputs: _Outputs,
    exact: _Outputs,
    quantized: Quantized,
    lsb: float | None,
    chosen: NDArray[np.int64] | slice = slice(None),
) -> Parity:
    known, contract = quantized.calibration, quantized.contract
    logits, embeddings = outputs
    found = compare(
        name,
        logits,
        quantized.logits[chosen],
        known.held_out_labels[chosen],
        known.held_out_subjects[chosen],
        contract.labels,
        lsb=lsb,
    )
    return replace(found, embedding_sqnr_db=embedding_sqnr_db(embeddings, exact[1][chosen]))


def _engines() -> list[EngineHere]:
    engines = engines_here()
    if not engines:
        raise SetupError(
            "TFLite runtime",
            found="none that works",
            expected="ai-edge-litert",
            next_step="`pip install ai-edge-litert`",
        )
    return engines
