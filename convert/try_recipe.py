"""One try at a conversion, with all that says whether its flatbuffer is the model that was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelError, SetupError
from deseptr.tflite.graph import read_graph
from deseptr.tflite.installed_engines import EngineHere, engines_here, logits_on, output_lsb
from deseptr.train.run_folder import CalibrationWindows, evenly

from .lint import Lint, check
from .parity import Gate, Parity, compare
from .quantize import Quantized, quantize_run
from .recipe import Recipe
from .sqnr import LayerSqnr, layer_sqnr, worst
from .targets import TARGETS

KEPT_IN_FLOAT = 5
_SLOW_ENGINE_WINDOWS = 400
_SQNR_WINDOWS = 24

Teller = Callable[[str], None]


@dataclass(frozen=True)
class Attempt:
    """A recipe and what came of it.

    Args:
        recipe: what was asked for.
        quantized: the flatbuffer, its float reference and the windows it was judged on.
        lint: what it is made of.
        parities: float flatbuffer and quantised flatbuffer on each engine against the checkpoint; the one that decides
            is :attr:`deciding`.
        not_run: engines that could not run it, each with the reason.
        layers: signal to quantisation noise, layer by layer; none of a float model.
        failures: what keeps it from passing the gate.
    """

    recipe: Recipe
    quantized: Quantized
    lint: Lint
    parities: tuple[Parity, ...]
    not_run: dict[str, str]
    layers: tuple[LayerSqnr, ...]
    failures: tuple[str, ...]

    @property
    def deciding(self) -> Parity:
        """The converted model on the first engine, on all held-out windows."""
        return self.parities[1]

    @property
    def worst(self) -> tuple[LayerSqnr, ...]:
        """The layers that lose most, the worst first."""
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


def attempt(run: Path, recipe: Recipe, calibration: CalibrationWindows | None, gate: Gate, tell: Teller) -> Attempt:
    """Convert by a recipe and compare what comes of it with the checkpoint.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the graph cannot be lowered or converted, or breaks a rule of the target or mode.
        SetupError: if there is no TFLite runtime.
    """
    tell(f"converting to {recipe.mode}")
    quantized = quantize_run(run, recipe, calibration)
    target = TARGETS[recipe.target]
    graph = read_graph(quantized.flatbuffer, run)
    check(graph, target, recipe.mode, run, recipe.float_layers)
    tell("comparing with the checkpoint")
    parities, not_run = _parities(quantized)
    layers: tuple[LayerSqnr, ...] = ()
    if recipe.quantised:
        tell("measuring the noise of each layer")
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
    )


def next_recipe(tried: Attempt) -> Recipe | None:
    """What to try after an attempt that failed: more calibration windows, then its worst layers in float.

    None where nothing is left: a float model, 16 bits, a target without float kernels, or layers in float already.
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
    """Of the float flatbuffer, of the converted model on the first engine, then on the others, and who couldn't."""
    first, *others = _engines()
    contract, content = quantized.contract, quantized.flatbuffer
    windows = quantized.calibration.held_out_windows
    reference = logits_on(first, quantized.reference, contract, quantized.scaled)
    converted = logits_on(first, content, contract, windows)
    parities = [
        _parity("float32 flatbuffer", reference, quantized, None),
        _parity(first.name, converted, quantized, output_lsb(content)),
    ]
    chosen = evenly(len(windows), _SLOW_ENGINE_WINDOWS)
    not_run = {}
    for engine in others:
        try:
            logits = logits_on(engine, content, contract, windows[chosen])
        except ModelError as error:
            not_run[engine.name] = error.found
        else:
            parities.append(_parity(engine.name, logits, quantized, output_lsb(content), chosen))
    return tuple(parities), not_run


def _parity(
    name: str,
    logits: NDArray[np.float32],
    quantized: Quantized,
    lsb: float | None,
    chosen: NDArray[np.int64] | slice = slice(None),
) -> Parity:
    known, contract = quantized.calibration, quantized.contract
    return compare(
        name,
        logits,
        quantized.logits[chosen],
        known.held_out_labels[chosen],
        known.held_out_subjects[chosen],
        contract.labels,
        lsb=lsb,
    )


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
