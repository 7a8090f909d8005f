"""Replay of recordings through a simulated sensor, with the real driver and runtime.

Every recording is a session of its own, from power-up on: its first sample is the first that enters the FIFO, so that
window k starts at its sample k·hop, as in an offline evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deseptr.contract import DeseptrError
from deseptr.data import UNLABELLED, Dataset, Recording
from deseptr.data.acc_count import acc_count_of
from deseptr.device import (
    AUTO,
    SENSORS,
    Clock,
    Event,
    EventWatch,
    LabelTracker,
    MountingWatch,
    Profiler,
    Session,
    UnknownJudge,
    WindowEvent,
    make_sensor,
    run_live,
)
from deseptr.tflite import Engine

from .bus_profiles import BCM2835, BusProfile
from .chips.registry import DEFAULT_CHIP, driver_name, make_chip
from .clock import VirtualClock
from .faults.fault import Fault
from .faults.injector import FaultInjector
from .outcome import Outcome
from .scenario import Scenario
from .sources.source import RecordingSource, SignalSource
from .sources.spec import SourceSpec
from .virtual_bus import VirtualI2cBus


@dataclass(frozen=True, slots=True)
class ReplayedWindow:
    """A window of a replay.

    Args:
        event: the runtime's event.
        recording: index of the recording in the dataset.
        sample: index of the window's first sample in the recording.
        truth: label of all its samples, None if they differ or have none.
    """

    event: WindowEvent
    recording: int
    sample: int
    truth: str | None

    def __str__(self) -> str:
        wrong = self.truth not in (None, self.event.label)
        return f"#{self.recording:<3d} {self.event}" + (f"  (was {self.truth})" if wrong else "")

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --simulate --json``."""
        return self.event.to_dict() | {"recording": self.recording, "sample": self.sample, "truth": self.truth}


@dataclass(frozen=True, slots=True)
class ReplayedEvent:
    """An event of a replay other than a window.

    Args:
        event: the runtime's event.
        recording: index of the recording in the dataset.
    """

    event: Event
    recording: int

    def __str__(self) -> str:
        return f"#{self.recording:<3d} {self.event}"

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device run --simulate --json``."""
        return self.event.to_dict() | {"recording": self.recording}


Replayed = ReplayedWindow | ReplayedEvent


def simulated_session(
    source: SignalSource | None = None,
    *,
    sensor: str = AUTO,
    clock: Clock | None = None,
    profile: BusProfile = BCM2835,
    faults: FaultInjector | Iterable[Fault] = (),
    scenario: Scenario | None = None,
) -> Session:
    """A simulated sensor that measures ``source``, just powered up, with its real driver on a virtual bus.

    Args:
        source: the signals; by default those of the scenario, or a synthetic wearer.
        sensor: the chip; with ``auto`` the scenario's, or :data:`DEFAULT_CHIP`.
        clock: virtual time; a new :class:`VirtualClock` if None.
        profile: the bus's controller; ignored with a scenario.
        faults: the declared faults; ignored with a scenario.
        scenario: its controller and faults are used instead of these.

    Raises:
        SetupError: if there is no simulation of that chip.

    >>> session = simulated_session(sensor="lsm6dsox")
    >>> session.imu.identify()
    'LSM6DSOX or LSM6DSO'
    """
    clock = clock or VirtualClock()
    if scenario is not None:
        profile, faults = scenario.profile, FaultInjector(scenario.faults, scenario.seed)
    if source is None:
        source = (scenario.source if scenario else SourceSpec()).make()
    if sensor == AUTO:
        sensor = scenario.sensor if scenario else DEFAULT_CHIP
    chip = make_chip(sensor, source, clock)
    driver = driver_name(sensor)
    bus = VirtualI2cBus({SENSORS[driver].addresses[0]: chip}, clock, profile, faults)
    imu = make_sensor(driver, bus, clock)
    description = {"name": sensor, "bus": bus.path, "simulated": True, "bus_hz": profile.clock_hz}
    if scenario is not None:
        description["scenario"] = scenario.name
    return Session(imu, clock, lambda: chip.exhausted, description, bus.close)


def simulated_sessions(
    dataset: Dataset,
    *,
    sensor: str = AUTO,
    make_clock: Callable[[], Clock] = VirtualClock,
    scenario: Scenario | None = None,
) -> Iterator[Session]:
    """A session for each recording in turn, each under the scenario from its beginning on.

    >>> from deseptr.data import load_dataset
    >>> sum(1 for session in simulated_sessions(load_dataset("synthetic:subjects=1,seconds=10")))
    6
    """
    for recording in dataset.recordings:
        yield simulated_session(RecordingSource(recording), sensor=sensor, clock=make_clock(), scenario=scenario)


def run_scenario(
    engine: Engine,
    scenario: Scenario,
    *,
    seconds: float | None = None,
    clock: Clock | None = None,
    outcome: Outcome | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Run a model through a scenario, on the scenario's own source.

    Args:
        engine: the model.
        scenario: the scenario.
        seconds: duration of the run; by default that of the scenario.
        clock: virtual time; a new :class:`VirtualClock` if None.
        outcome: counts every event, and records the error that ends the run.
        options: further ones of :func:`deseptr.device.run_live`.

    Raises:
        DeseptrError: the error that ends the run, if any.

    >>> from deseptr.device import RecoveryEvent, default_model
    >>> from deseptr.firmware_harness.simulator import load_scenario
    >>> from deseptr.tflite import load_engine
    >>> events = run_scenario(load_engine(default_model()), load_scenario("brown-out"))
    >>> [event.rung for event in events if isinstance(event, RecoveryEvent)][:1]
    ['reinit']
    """
    outcome = outcome or Outcome()
    try:
        session = simulated_session(scenario=scenario, clock=clock)
        seconds = scenario.duration_s if seconds is None else seconds
        if scenario.patience_s is not None:
            options.setdefault("patience_s", scenario.patience_s)
        for event in run_live(engine, session, seconds=seconds, **options):
            outcome.note(event)
            yield event
    except DeseptrError as error:
        outcome.fail(error)
        raise


def replay(
    engine: Engine,
    dataset: Dataset,
    *,
    sensor: str = AUTO,
    seconds: float | None = None,
    make_clock: Callable[[], Clock] = VirtualClock,
    profiler: Profiler | None = None,
    tracker: LabelTracker | None = None,
    scenario: Scenario | None = None,
    watch: EventWatch | None = None,
    unknown: UnknownJudge | None = None,
    mounting: MountingWatch | None = None,
    **options: Any,
) -> Iterator[Replayed]:
    """Run a model on every recording of ``dataset``, each in a session of its own.

    Args:
        engine: the model.
        dataset: the recordings.
        sensor: the simulated chip.
        seconds: stop after this duration of the recordings; None for all of them.
        make_clock: makes the clock of a session; :class:`PacedClock` for real time.
        profiler: records the durations of every window.
        tracker: decides on labels; reset for every recording.
        scenario: the sensor's faults, from the beginning of every recording.
        watch: raises alarms; reset for every recording.
        unknown: decides which windows have no label; reset for every recording.
        mounting: corrects windows for a turned sensor; reset for every recording.
        options: further ones of :func:`deseptr.device.run_live`.

    Raises:
        SensorError: if the chip does not fit the model.
        SetupError: if there is no simulation of that chip.

    >>> from deseptr.data import load_dataset
    >>> from deseptr.device import default_model
    >>> from deseptr.tflite import load_engine
    >>> dataset = load_dataset("synthetic:subjects=1,seconds=10")
    >>> windows = list(replay(load_engine(default_model()), dataset))
    >>> windows[0].truth
    'downstairs'
    """
    left_s = seconds
    if unknown is not None:
        unknown.measured_in(acc_count_of(dataset.recordings))
    sessions = simulated_sessions(dataset, sensor=sensor, make_clock=make_clock, scenario=scenario)
    for index, (recording, session) in enumerate(zip(dataset.recordings, sessions, strict=True)):
        for each in (tracker, watch, unknown, mounting):
            if each is not None:
                each.reset()
        deciding: dict[str, Any] = {"tracker": tracker, "watch": watch, "unknown": unknown, "mounting": mounting}
        events = run_live(engine, session, seconds=left_s, profiler=profiler, **deciding, **options)
        yield from _with_truth(events, engine, recording, index, dataset.label_names)
        if left_s is not None:
            left_s -= recording.duration_s
            if left_s <= 0:
                return


def _with_truth(
    events: Iterable[Event],
    engine: Engine,
    recording: Recording,
    index: int,
    label_names: tuple[str, ...],
) -> Iterator[Replayed]:
    length = max(1, round(engine.contract.window_s * recording.rate_hz))
    for event in events:
        if isinstance(event, WindowEvent):
            start = round(event.t * recording.rate_hz) - (length - 1)
            yield ReplayedWindow(event, index, start, truth_of(recording, start, length, label_names))
        else:
            yield ReplayedEvent(event, index)


def truth_of(recording: Recording, start: int, length: int, label_names: tuple[str, ...]) -> str | None:
    """Name of the label that all samples ``start`` to ``start + length`` have; None if they differ or have none.

    >>> from deseptr.data import load_dataset
    >>> dataset = load_dataset("synthetic:subjects=1,seconds=10")
    >>> truth_of(dataset.recordings[0], 0, 100, dataset.label_names)
    'downstairs'
    """
    labels = recording.labels[max(0, start) : start + length]
    if len(labels) == 0 or labels[0] == UNLABELLED or (labels != labels[0]).any():
        return None
    return label_names[int(labels[0])]
