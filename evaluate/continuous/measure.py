"""The continuous evaluation of a model: its recordings played, the labels decided, the figures of both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deseptr.contract import DataError, DecisionConfig, EventRule, ModelContract
from deseptr.data import Dataset
from deseptr.device import Clock, MountingWatch
from deseptr.evaluate.predictor import Predictor
from deseptr.tflite import Engine

from .alarms import alarm_figures
from .playing import Played, Progress, over_bus, play
from .summary import SHORTEST_S, figures_of_wearers, summarise
from .track import Track

FORMAT = "deseptr continuous 1"
STRAIGHT, BUS = "straight", "bus"


@dataclass(frozen=True, eq=False)
class Continuous:
    """What a model showed on whole recordings.

    Args:
        played: the recordings and the model's probabilities.
        tracks: of each, the truth and the label.
        config: the decision, its hop included.
        window_s: length of the model's window, s.
        path: ``straight``, or ``bus`` for a simulated sensor and its driver before it.
        figures: of all of it, see :func:`deseptr.evaluate.continuous.summary.summarise`.
    """

    played: tuple[Played, ...]
    tracks: tuple[Track, ...]
    config: DecisionConfig
    window_s: float
    path: str
    figures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The figures and their conditions as plain JSON values."""
        return {
            "format": FORMAT,
            "path": self.path,
            "window_s": self.window_s,
            "decision": self.config.to_dict(),
            **self.figures,
        }


def decision_at(contract: ModelContract, config: DecisionConfig | None) -> DecisionConfig:
    """A decision with its hop: the one given, else the model's own, else the defaults at the hop of the training."""
    chosen = config or contract.decision or DecisionConfig()
    return replace(chosen, hop_s=contract.at_hop(chosen.hop_s).hop_s)


def measure(
    predictor: Predictor,
    dataset: Dataset,
    config: DecisionConfig | None = None,
    *,
    shortest_s: float = SHORTEST_S,
    onsets_of: Sequence[str] = (),
    rules: Sequence[EventRule] = (),
    progress: Progress = lambda windows: None,
) -> Continuous:
    """Measure a model on whole recordings.

    Args:
        predictor: the model.
        dataset: labelled recordings; stretches without a label are played as well.
        config: the decision and its hop; by default the model's own.
        shortest_s: activities that last less are not asked for their delay, s.
        onsets_of: classes that are asked for their delay; all by default.
        rules: of classes that are events, whose alarms are scored.
        progress: called with the number of windows that are done.

    Raises:
        DataError: if the recordings lack a channel of the model, or a sample with one of its labels.
        SetupError: if hop or rate does not fit the model.
    """
    config = decision_at(predictor.contract, config)
    classes = classes_of(predictor.contract, onsets_of)
    played = tuple(play(predictor, dataset, config.hop_s, progress))
    tracks = tuple(each.track(config) for each in played)
    return _measured(played, tracks, config, predictor.contract, STRAIGHT, shortest_s, classes, rules)


def measure_over_bus(
    engine: Engine,
    dataset: Dataset,
    config: DecisionConfig | None = None,
    *,
    sensor: str,
    make_clock: Callable[[], Clock],
    mounting: MountingWatch | None = None,
    shortest_s: float = SHORTEST_S,
    onsets_of: Sequence[str] = (),
    rules: Sequence[EventRule] = (),
    progress: Progress = lambda windows: None,
) -> Continuous:
    """Measure a model on whole recordings that come over a simulated sensor's bus; as :func:`measure` otherwise.

    ``mounting`` corrects them for a turned sensor.
    """
    config = decision_at(engine.contract, config)
    classes = classes_of(engine.contract, onsets_of)
    pairs = list(
        over_bus(engine, dataset, config, sensor=sensor, make_clock=make_clock, mounting=mounting, progress=progress)
    )
    played = tuple(each for each, _ in pairs)
    tracks = tuple(each.track_of(decided) for each, decided in pairs)
    return _measured(played, tracks, config, engine.contract, BUS, shortest_s, classes, rules)


def classes_of(contract: ModelContract, names: Sequence[str]) -> Collection[int] | None:
    """Indices of classes by name; None for no name, which stands for all.

    Raises:
        DataError: if the model has no such class.
    """
    unknown = [name for name in names if name not in contract.labels]
    if unknown:
        raise DataError(
            "onsets of",
            found=unknown[0],
            expected=f"some of {', '.join(contract.labels)}",
            next_step="choose among the model's labels",
        )
    return {contract.labels.index(name) for name in names} or None


def _measured(
    played: tuple[Played, ...],
    tracks: tuple[Track, ...],
    config: DecisionConfig,
    contract: ModelContract,
    path: str,
    shortest_s: float,
    classes: Collection[int] | None,
    rules: Sequence[EventRule],
) -> Continuous:
    wearers = figures_of_wearers(tracks, len(contract.labels), shortest_s=shortest_s, onset_classes=classes)
    figures = {"shortest_s": shortest_s, **summarise(wearers, contract.labels)}
    if rules:
        figures["events"] = alarm_figures(played, contract.at_hop(config.hop_s), rules)
    return Continuous(played, tracks, config, contract.window_s, path, figures)
