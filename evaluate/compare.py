"""``deseptr compare`` as a function: the figures of several models side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ConversionError, SetupError, macro_f1_interval, score, subject_confusions
from deseptr.data import Dataset, Windows
from deseptr.device import describe_machine
from deseptr.tflite.bare_model import random_feeds, runner
from deseptr.tflite.interleaved import pair, time_interleaved

from .contestant import Contestant, Engines
from .predictor import Predictor, classify

FORMAT = "deseptr compare 1"
_INPUTS = 64


@dataclass(frozen=True)
class Timing:
    """Settings of the timing.

    Args:
        rounds: timed calls of each model.
        warm_up: untimed calls of each model beforehand.
        seed: seed of the orders, the noise and the resamples.
    """

    rounds: int = 1000
    warm_up: int = 20
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Judged:
    """Labelled windows and the classes that a model predicts for them."""

    predictor: Predictor
    windows: Windows
    predicted: NDArray[np.int64]


def compare_models(
    contestants: Sequence[Contestant],
    dataset: Dataset | None,
    engines: Engines,
    timing: Timing,
    machine: dict[str, Any],
    *,
    progress: Callable[[int], None] = lambda rounds: None,
) -> dict[str, Any]:
    """Time models against each other and score them, as plain JSON values.

    Args:
        contestants: models to compare; ratios and agreement refer to the first.
        dataset: labelled recordings of the test subjects, for models with a contract.
        engines: settings with which the contestants were loaded.
        timing: settings of the timing.
        machine: result of :func:`observe_machine` before everything else.
        progress: called with the number of rounds so far.

    Raises:
        ModelError: if a model does not fit its contract.
        DataError: if a model and the dataset have no class in common, or no run is long enough.
        SetupError: if there is a dataset and no model with a contract.
    """
    judged = _judge(contestants, dataset, engines) if dataset is not None else [None] * len(contestants)
    feeds = [_feeds(each, of, timing.seed) for each, of in zip(contestants, judged, strict=True)]
    runners = {each.name: runner(each.model, feed) for each, feed in zip(contestants, feeds, strict=True)}
    durations = time_interleaved(runners, timing.rounds, timing.warm_up, timing.seed, progress=progress)
    latencies = pair(durations, seed=timing.seed)
    models = [
        {
            "name": each.name,
            "path": str(each.path),
            "runtime": each.model.runtime,
            "bytes": len(each.content),
            "arena_bytes": arena_bytes(each),
            "macs": each.macs,
            "ops": each.graph and each.graph.ops,
            "input": "noise" if of is None else "windows",
            "latency": latency.to_dict(),
            "scores": of and _scores(of, judged[0]),
        }
        for each, of, latency in zip(contestants, judged, latencies, strict=True)
    ]
    return {"format": FORMAT, "machine": machine, **asdict(engines), **asdict(timing), "models": models}


def observe_machine() -> dict[str, Any]:
    """The machine and its load; must be called first, before loading and scoring models load the machine."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return describe_machine() | {"processors": os.cpu_count(), "load_average": load}


def arena_bytes(contestant: Contestant) -> int | None:
    """Smallest arena in TensorFlow Lite Micro; None if it cannot run the model or is not installed."""
    if contestant.graph is None:
        return None
    from deseptr.convert.micro.source import measure_arena

    try:
        return measure_arena(contestant.content).bytes
    except (ConversionError, SetupError):
        return None


def _judge(contestants: Sequence[Contestant], dataset: Dataset, engines: Engines) -> list[Judged | None]:
    predictors = [each.predictor(engines) for each in contestants]
    if not any(predictors):
        raise SetupError(
            "--data",
            found="no model with a contract",
            expected="one, to define inputs and classes",
            next_step="pass a contract.json, or a .tflite with a contract, with --contract",
        )
    return [each and Judged(each, *classify(each, dataset)) for each in predictors]


def _feeds(contestant: Contestant, judged: Judged | None, seed: int) -> list[list[NDArray[Any]]]:
    """Inputs for timing: windows from all test subjects, or noise if there is no contract."""
    if judged is None:
        return random_feeds(contestant.model, _INPUTS, seed)
    chosen = np.linspace(0, len(judged.windows) - 1, _INPUTS).astype(int)
    return [contestant.feed(window) for window in judged.windows.signals[chosen]]


def _scores(judged: Judged, first: Judged | None) -> dict[str, Any]:
    windows, labels = judged.windows, judged.predictor.contract.labels
    scores = score(windows.labels, judged.predicted, labels, windows.subjects)
    interval = macro_f1_interval(subject_confusions(windows.labels, judged.predicted, windows.subjects, len(labels)))
    return {
        **scores.to_dict(),
        "macro_f1_interval": interval and interval._asdict(),
        "agreement": _agree(judged, first),
    }


def _agree(judged: Judged, first: Judged | None) -> float | None:
    """Fraction of windows on which a model and the first one predict the same class; None without common windows."""
    if first is None or judged is first or judged.predictor.contract.labels != first.predictor.contract.labels:
        return None
    if not np.array_equal(judged.windows.own_signals, first.windows.own_signals):
        return None
    return float((judged.predicted == first.predicted).mean())
