"""Measuring a model as on the device: windows passed directly to the engine, and over a simulated bus.

The bus path has the same parts as in use: registers of a chip, its driver, rounding to 16 bits, ring buffer, runtime.
Its result for a window is compared with the engine's result for the same samples of the recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import Scores, SetupError, columns_of, score, softmax, subject_confusions
from deseptr.data import Dataset, Windows, resample
from deseptr.data.windows import samples_before
from deseptr.device import Clock, GapEvent, MountingEvent, MountingWatch
from deseptr.firmware_harness.simulator import ReplayedWindow, replay
from deseptr.tflite import Engine

from .predictor import scores_of, windows_for
from .turned_sensor import WindowsTurnedBack

Progress = Callable[[int], None]
_LISTED = 50


def _silent(done: int) -> None:
    """Ignore progress."""


def evaluate_straight(engine: Engine, dataset: Dataset, progress: Progress = _silent) -> Scores:
    """Score an engine on every labelled window of a dataset, cut as by ``deseptr evaluate``.

    Args:
        engine: the model.
        dataset: labelled recordings.
        progress: called with 1 for each window.

    Raises:
        DataError: if model and dataset have no class in common, or if no run is long enough for a window.
    """
    return scores_of(*straight_logits(engine, dataset, progress))


def straight_logits(
    engine: Engine, dataset: Dataset, progress: Progress = _silent
) -> tuple[Windows, NDArray[np.float32]]:
    """Every labelled window of a dataset and the engine's logits ``[window, class]``, one window after the other."""
    windows = windows_for(engine.contract, dataset)
    logits = np.empty((len(windows), len(engine.contract.labels)), np.float32)
    for index, window in enumerate(windows.signals):
        logits[index] = engine.invoke(window)
        progress(1)
    return windows, logits


@dataclass
class BusRun:
    """Windows that were received over the bus, with their true classes and the engine's result for the same samples.

    Args:
        labels: labels of the model.
        true: true class of each window.
        predicted: predicted class over the bus.
        straight: predicted class of the same samples passed directly to the engine.
        subjects: subject of each window.
        places: recording and first sample of each window.
        differences: ``[window, class]`` differences between the probabilities of both paths.
        margins: difference between the two largest probabilities of the engine for each window.
        gaps: number of gaps on the bus.
        lost_samples: number of samples lost in them.
        mountings: number of recordings by the mounting that was found in them; empty if none was asked for.
    """

    labels: tuple[str, ...]
    true: list[int] = field(default_factory=list)
    predicted: list[int] = field(default_factory=list)
    straight: list[int] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    differences: list[NDArray[np.float32]] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    gaps: int = 0
    lost_samples: int = 0
    mountings: dict[str, int] = field(default_factory=dict)

    def scores(self) -> Scores:
        """Scores of the predictions over the bus."""
        return score(np.array(self.true), np.array(self.predicted), self.labels, np.array(self.subjects))

    def confusions(self) -> NDArray[np.int64]:
        """One confusion matrix per subject, ``[subject, true, predicted]``."""
        return subject_confusions(
            np.array(self.true), np.array(self.predicted), np.array(self.subjects), len(self.labels)
        )

    def agreement(self) -> dict[str, Any]:
        """Agreement of the two paths as plain JSON values; the first windows that differ are listed."""
        differences = np.abs(np.array(self.differences))
        differ = [
            index for index, pair in enumerate(zip(self.predicted, self.straight, strict=True)) if len(set(pair)) > 1
        ]
        return {
            "windows": len(self.predicted),
            "share": 1 - len(differ) / len(self.predicted),
            "largest_difference": round(float(differences.max()), 6),
            "mean_difference": round(float(differences.mean()), 6),
            "pairs": [
                {"straight": self.labels[straight], "bus": self.labels[predicted], "windows": count}
                for (straight, predicted), count in Counter(
                    (self.straight[i], self.predicted[i]) for i in differ
                ).most_common()
            ],
            "differing": [
                {
                    "recording": self.places[index][0],
                    "sample": self.places[index][1],
                    "straight": self.labels[self.straight[index]],
                    "bus": self.labels[self.predicted[index]],
                    "largest_difference": round(float(differences[index].max()), 6),
                    "straight_margin": round(self.margins[index], 6),
                }
                for index in differ[:_LISTED]
            ],
        }


def evaluate_bus(
    engine: Engine,
    dataset: Dataset,
    *,
    sensor: str,
    make_clock: Callable[[], Clock],
    mounting: MountingWatch | None = None,
    progress: Progress = _silent,
) -> BusRun:
    """Play a dataset through a simulated sensor and score every window whose samples all have the same known label.

    Args:
        engine: the model.
        dataset: labelled recordings.
        sensor: name of the simulated chip.
        make_clock: creates the clock for a recording: virtual, or running in real time.
        mounting: corrects the windows of both paths for a turned sensor; begins anew with each recording.
        progress: called with 1 for each window.

    Raises:
        SensorError: if the chip does not fit the model.
        SetupError: if the chip cannot be simulated, or if no window has one known label.
    """
    run = BusRun(engine.contract.labels)
    for event, straight in _windows(engine, dataset, sensor, make_clock, mounting, run):
        progress(1)
        if straight is None or event.truth not in run.labels:
            continue
        _judge(run, event, straight, dataset)
    if not run.true:
        raise SetupError(
            "evaluation over the bus",
            found="no window with one known label",
            expected="labelled runs longer than a window",
            next_step="choose other recordings, or evaluate --straight",
        )
    return run


def bus_windows(engine: Engine, dataset: Dataset) -> int:
    """Approximate number of windows over the bus: one per hop of every recording."""
    contract = engine.contract
    rest = (recording.duration_s - contract.window_s for recording in dataset.recordings)
    return sum(int(seconds * contract.rate_hz / contract.hop_length) + 1 for seconds in rest if seconds >= 0)


def _windows(
    engine: Engine,
    dataset: Dataset,
    sensor: str,
    make_clock: Callable[[], Clock],
    mounting: MountingWatch | None,
    run: BusRun,
) -> Iterator[tuple[ReplayedWindow, NDArray[np.float32] | None]]:
    """Each window of the replay and the engine's result for the same samples; None beyond the end of the recording."""
    contract = engine.contract
    length, hop = contract.window_length, contract.hop_length
    current, signals = -1, np.empty((0, 0), np.float32)
    segment = last = 0
    turn_back = WindowsTurnedBack(mounting, contract)
    for replayed in replay(engine, dataset, sensor=sensor, make_clock=make_clock, mounting=mounting):
        if replayed.recording != current:
            current = replayed.recording
            own = resample(dataset.recordings[current], contract.rate_hz)
            signals = own.signals[:, columns_of(contract.channels, own.channels, own.title)]
            segment, last = 0, -hop
            turn_back.begin()
        if not isinstance(replayed, ReplayedWindow):
            if isinstance(replayed.event, GapEvent):
                run.gaps += 1
                run.lost_samples += replayed.event.lost_samples
            if isinstance(replayed.event, MountingEvent):
                turn_back.note(replayed.event)
            continue
        start = replayed.event.sample
        # The windows of a segment are a hop apart; after a gap the history starts again.
        segment, last = segment if start == last + hop else start, start
        whole = start + length <= len(signals)
        window = samples_before(np.array([start]), length, contract.history, segment)[0]
        yield replayed, softmax(engine.invoke(turn_back(signals[window])), np.float32) if whole else None
    run.mountings = dict(turn_back.named.most_common())


def _judge(run: BusRun, replayed: ReplayedWindow, straight: NDArray[np.float32], dataset: Dataset) -> None:
    bus = np.array([replayed.event.probabilities[label] for label in run.labels], np.float32)
    run.true.append(run.labels.index(str(replayed.truth)))
    run.predicted.append(run.labels.index(replayed.event.label))
    run.straight.append(int(straight.argmax()))
    run.subjects.append(dataset.recordings[replayed.recording].subject)
    run.places.append((replayed.recording, replayed.event.sample))
    run.differences.append(bus - straight)
    second, first = np.sort(straight)[-2:]
    run.margins.append(float(first - second))
