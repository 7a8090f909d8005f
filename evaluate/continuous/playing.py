"""Whole recordings through the device's own stream and decision, in virtual time.

Windows come from :class:`deseptr.device.PushStream`, the label from :class:`deseptr.device.LabelTracker`, as on the
device; only the bus is left out. The model runs once for all windows of a hop, so that decisions can be tried in
microseconds; :func:`over_bus` takes the whole way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DecisionConfig, ModelContract, columns_of
from deseptr.data import Dataset, Recording
from deseptr.data.acc_count import acc_count_of
from deseptr.device import (
    UNKNOWN,
    Clock,
    LabelTracker,
    MountingWatch,
    PushStream,
    UnknownJudge,
    WindowEvent,
    classify_logits,
)
from deseptr.evaluate.predictor import Predictor
from deseptr.firmware_harness.simulator import ReplayedWindow, replay
from deseptr.tflite import Engine, at_hop

from .track import NONE, Track

Progress = Callable[[int], None]
_PIECE = 4096


@dataclass(frozen=True, eq=False)
class Played:
    """A recording's windows: when each was complete, and what the model found.

    Args:
        index: of the recording in its dataset.
        recording: it.
        truth: int16 ``[sample]``, index into the model's labels, ``NONE`` for what is unlabelled or not among them.
        t: ``[window]``, time of each window's last sample, seconds.
        probabilities: float32 ``[window, class]``.
        unknown: why a window has no label, as that its samples are implausible; None if it has one.
        labels: of the model.
        hop_s: time from one window to the next, seconds.
    """

    index: int
    recording: Recording
    truth: NDArray[np.int16]
    t: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    unknown: tuple[str | None, ...]
    labels: tuple[str, ...]
    hop_s: float

    def decide(self, config: DecisionConfig) -> list[str]:
        """The decided label after each window."""
        tracker = LabelTracker(self.labels, config, self.hop_s)
        windows = zip(self.t.tolist(), self.probabilities, self.unknown, strict=True)
        return [tracker.update(t, row, why).label for t, row, why in windows]

    def track(self, config: DecisionConfig) -> Track:
        """The decided label at every sample."""
        return self.track_of(self.decide(config))

    def track_of(self, decided: Sequence[str]) -> Track:
        """The track of a label after each window; one that is no class, as ``unknown``, is none."""
        indices = {label: index for index, label in enumerate(self.labels) if label != UNKNOWN}
        shown = np.full(len(self.recording), NONE, np.int16)
        rate_hz = self.recording.rate_hz
        starts = [round(t * rate_hz) for t in self.t.tolist()]
        for start, stop, label in zip(starts, [*starts[1:], len(shown)][: len(starts)], decided, strict=True):
            shown[start:stop] = indices.get(label, NONE)
        return Track(self.recording.subject, self.truth, shown, rate_hz)


def play(
    predictor: Predictor, dataset: Dataset, hop_s: float | None = None, progress: Progress = lambda windows: None
) -> Iterator[Played]:
    """Play each recording of a dataset, from its first sample to its last.

    Args:
        predictor: the model.
        dataset: recordings; parts without a label are played as well.
        hop_s: time from one window to the next; None for the contract's.
        progress: called with the number of windows that are done.

    Raises:
        DataError: if the recordings lack a channel of the model.
        SetupError: if the hop or the recordings' rate does not fit the model.
    """
    contract = predictor.contract.at_hop(hop_s)
    table = truth_table(contract, dataset)
    acc_count = acc_count_of(dataset.recordings)
    for index, recording in enumerate(dataset.recordings):
        tap = _Tap(contract)
        unknown = UnknownJudge(contract)
        unknown.measured_in(acc_count)
        stream = PushStream(tap, recording.rate_hz, unknown=unknown)
        signals = signals_of(recording, contract)
        events: list[WindowEvent] = []
        rows: list[NDArray[np.float32]] = []
        for start in range(0, len(signals), _PIECE):
            events += [each for each in stream.push(signals[start : start + _PIECE]) if isinstance(each, WindowEvent)]
            windows = tap.take()
            if len(windows):
                logits = predictor.predict(windows)
                rows += [classify_logits(row, contract.labels).probabilities for row in logits]
                progress(len(windows))
        yield _played(index, recording, table, contract, events, rows)


def over_bus(
    engine: Engine,
    dataset: Dataset,
    config: DecisionConfig,
    *,
    sensor: str,
    make_clock: Callable[[], Clock],
    mounting: MountingWatch | None = None,
    progress: Progress = lambda windows: None,
) -> Iterator[tuple[Played, list[str]]]:
    """Play each recording through a simulated sensor, its bus and its driver, and take the label that the run decides.

    Args:
        engine: the model.
        dataset: recordings.
        config: the decision, with its hop.
        sensor: name of the simulated chip.
        make_clock: makes the clock for a recording.
        mounting: corrects the windows for a turned sensor; begins anew with each recording.
        progress: called with the number of windows that are done.

    Raises:
        SensorError: if the chip does not fit the model.
        SetupError: if the chip cannot be simulated, or the hop does not fit the model.
    """
    engine = at_hop(engine, config.hop_s)
    contract = engine.contract
    table = truth_table(contract, dataset)
    tracker = LabelTracker(contract.labels, config, contract.hop_s)
    events: list[list[WindowEvent]] = [[] for _ in dataset.recordings]
    unknown = UnknownJudge(contract)
    session_events = replay(
        engine,
        dataset,
        sensor=sensor,
        make_clock=make_clock,
        tracker=tracker,
        unknown=unknown,
        mounting=mounting,
    )
    for replayed in session_events:
        if isinstance(replayed, ReplayedWindow):
            events[replayed.recording].append(replayed.event)
            progress(1)
    for index, (recording, found) in enumerate(zip(dataset.recordings, events, strict=True)):
        rows = [np.array([event.probabilities[label] for label in contract.labels], np.float32) for event in found]
        yield _played(index, recording, table, contract, found, rows), [str(event.state) for event in found]


def truth_table(contract: ModelContract, dataset: Dataset) -> NDArray[np.int16]:
    """The model's class for each of a dataset's labels; the last entry, that of -1, is ``NONE``."""
    return np.array(
        [contract.labels.index(name) if name in contract.labels else NONE for name in dataset.label_names] + [NONE],
        np.int16,
    )


def windows_of(contract: ModelContract, dataset: Dataset) -> int:
    """Number of windows that a dataset gives, of each of its recordings one a hop."""
    lengths = (round(recording.duration_s * contract.rate_hz) for recording in dataset.recordings)
    return sum(max(0, (n - contract.window_length) // contract.hop_length + 1) for n in lengths)


def signals_of(recording: Recording, contract: ModelContract) -> NDArray[np.float32]:
    """The channels of the model, ``[sample, channel]``."""
    return recording.signals[:, columns_of(contract.channels, recording.channels, recording.title)]


def _played(
    index: int,
    recording: Recording,
    table: NDArray[np.int16],
    contract: ModelContract,
    events: Sequence[WindowEvent],
    rows: Sequence[NDArray[np.float32]],
) -> Played:
    return Played(
        index,
        recording,
        table[recording.labels],
        np.array([event.t for event in events]),
        np.array(rows, np.float32).reshape(-1, len(contract.labels)),
        tuple(event.unknown for event in events),
        contract.labels,
        contract.hop_s,
    )


class _Tap:
    """Stands where the engine does and keeps the windows, for a model that takes many at once."""

    name, threads, embedding = "tap", 1, None

    def __init__(self, contract: ModelContract) -> None:
        self.contract = contract
        self._windows: list[NDArray[np.float32]] = []
        self._logits = np.zeros(len(contract.labels), np.float32)

    def invoke(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        self._windows.append(window.copy())
        return self._logits

    def take(self) -> NDArray[np.float32]:
        """The windows since the last call, ``[n, input_length, channels]``."""
        taken, self._windows = self._windows, []
        return np.array(taken, np.float32).reshape(-1, self.contract.input_length, len(self.contract.channels))
