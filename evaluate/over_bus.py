"""Measuring a model as on the device: windows passed directly to the engine, and over a simulated bus.

The bus path has the same parts as in use: registers of a chip, its driver, rounding to 16 bits, ring buffer, runtime.
Its result for a window is compared with the engine's result for the same samples of the recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import Scores, SetupError, columns_of, softmax
from deseptr.data import Dataset, Windows, resample
from deseptr.data.windows import samples_before
from deseptr.device import Clock, GapEvent, MountingEvent, MountingWatch
from deseptr.firmware_harness.simulator import ReplayedWindow, replay
from deseptr.tflite import Engine

from .bus_run import BusRun, WrongWindow
from .predictor import scores_of, windows_for
from .turned_sensor import WindowsTurnedBack

Progress = Callable[[int], None]


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


class _Both(NamedTuple):
    """A window over the bus, the same samples of the recording without history, and the probabilities of these."""

    replayed: ReplayedWindow
    samples: NDArray[np.float32]
    straight: NDArray[np.float32]


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
    for both in _windows(engine, dataset, sensor, make_clock, mounting, run):
        progress(1)
        if both is not None and both.replayed.truth in run.labels:
            _judge(run, both, dataset)
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
) -> Iterator[_Both | None]:
    """Each window of the replay, and the engine's result for the same samples; None beyond the recording's end."""
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
        window = samples_before(np.array([start]), length, contract.history, segment)[0]
        if start + length > len(signals):
            yield None
            continue
        samples = turn_back(signals[window])
        yield _Both(replayed, samples[contract.history :], softmax(engine.invoke(samples), np.float32))
    run.mountings = dict(turn_back.named.most_common())


def _judge(run: BusRun, both: _Both, dataset: Dataset) -> None:
    replayed, samples, straight = both
    bus = np.array([replayed.event.probabilities[label] for label in run.labels], np.float32)
    run.true.append(run.labels.index(str(replayed.truth)))
    run.predicted.append(run.labels.index(replayed.event.label))
    if run.predicted[-1] != run.true[-1]:
        run.wrong.append(WrongWindow(len(run.true) - 1, bus, samples))
    run.straight.append(int(straight.argmax()))
    run.subjects.append(dataset.recordings[replayed.recording].subject)
    run.places.append((replayed.recording, replayed.event.sample))
    run.differences.append(bus - straight)
    second, first = np.sort(straight)[-2:]
    run.margins.append(float(first - second))
