"""All figures of ``deseptr device profile``, from a run of a model on a sensor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from deseptr.contract import DeseptrError, SetupError
from deseptr.contract.counts import counted
from deseptr.device.clock import SystemClock
from deseptr.device.events import WindowEvent
from deseptr.device.host.board import BoardState, read_board
from deseptr.device.host.machine import describe_machine
from deseptr.device.latency import Profiler
from deseptr.device.session import Session, run_live
from deseptr.tflite.engine import Engine

from .caveats import find_caveats
from .histogram import histogram
from .thread_sweep import available_cores
from .usage import Memory, WearMeter, process_memory

FORMAT = "deseptr device profile 1"


@dataclass(frozen=True, repr=False)
class Profile:
    """Figures of a model on a machine, with the description of that machine.

    Args:
        profiler: the durations of the windows.
        machine: the host, the engine and its threads.
        sensor: the sensor; with ``simulated`` true, ``read`` is the host's time for a simulated bus, not for wires.
        hop_s: time from one window to the next, seconds; the deadline of a label.
        wear: processor time per time of wear.
        memory: memory of this process at the end.
        before: the board before the first window.
        after: the board after the last measurement.
        real_time: whether the waits between polls took real time.
        extras: further figures by their key: ``start``, ``streaming``, ``threads``, ``ops``, ``energy``.
        failures: one sentence for each of the extras that failed.
    """

    profiler: Profiler
    machine: dict[str, Any]
    sensor: dict[str, Any]
    hop_s: float
    wear: WearMeter
    memory: Memory
    before: BoardState
    after: BoardState
    real_time: bool
    extras: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    def __repr__(self) -> str:
        figures = self.profiler.stages()["sensor_to_label"]
        return (
            f"Profile({counted(self.profiler.count, 'window')} on {self.machine['engine']}, sensor to label "
            f"p50 {figures['p50_us']:.0f} µs, p99 {figures['p99_us']:.0f} µs, {len(self.caveats)} caveats)"
        )

    @property
    def caveats(self) -> list[str]:
        """Reasons why the figures differ from those of the worn device."""
        found = find_caveats(self.machine, self.sensor, self.before, self.after, real_time=self.real_time)
        return [*found, *self.failures]

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``device profile --json``; under emulation every group of durations has ``emulated`` itself."""
        emulated = bool(self.machine["emulated"])
        windows = self.profiler.count
        made = {
            "format": FORMAT,
            "emulated": emulated,
            "caveats": self.caveats,
            "stages": self.profiler.stages(),
            "histogram": {
                stage: histogram(self.profiler.durations_us(stage)) for stage in ("end_to_end", "sensor_to_label")
            },
            "jitter": {
                "wakeups": self.profiler.wakeup_jitter() if self.real_time else None,
                "labels": self.profiler.label_jitter(),
            },
            "deadlines": {
                "hop_ms": round(self.hop_s * 1000, 3),
                "windows": windows,
                "missed": self.profiler.deadlines_missed,
                "share": self.profiler.deadlines_missed / windows if windows else 0.0,
            },
            "cpu": {**self.wear.to_dict(), "simulation_included": bool(self.sensor["simulated"])},
            "memory": {"rss_bytes": self.memory.resident, "peak_rss_bytes": self.memory.peak},
            "start": None,
            "streaming": None,
            "threads": None,
            "ops": None,
            "energy": None,
            **self.extras,
            "board": {"before": self.before.to_dict(), "after": self.after.to_dict()},
            "machine": self.machine,
            "sensor": self.sensor,
        }
        if emulated:
            for group in (
                "stages",
                "histogram",
                "jitter",
                "deadlines",
                "cpu",
                "start",
                "streaming",
                "threads",
                "ops",
                "energy",
            ):
                made[group] = _marked(made[group])
        return made


def _marked(value: Any) -> Any:
    """``value`` with ``emulated`` in every dict that holds a figure."""
    if isinstance(value, list):
        return [_marked(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _marked(each) for name, each in value.items()}
    figures = any(isinstance(each, int | float) for each in value.values())
    return {"emulated": True, **made} if figures else made


@dataclass
class Extra:
    """A measurement after the windows.

    Args:
        name: its name in messages.
        measure: makes the measurement; gives plain JSON values or None.
    """

    name: str
    measure: Callable[[], Any]


def profile_model(
    engine: Engine,
    sessions: Callable[[], Iterable[Session]],
    *,
    windows: int = 200,
    extras: Mapping[str, Extra] | None = None,
    progress: Callable[[int], None] = lambda count: None,
    stage: Callable[[str], None] = lambda name: None,
    board: Callable[[], BoardState] = read_board,
    machine: Callable[[], dict[str, Any]] = describe_machine,
) -> Profile:
    """Time ``windows`` windows, then take the extra figures.

    Args:
        engine: the model.
        sessions: makes the sessions to use one after the other; called again as long as they give windows.
        windows: number of windows to time.
        extras: further measurements, by their key in the result.
        progress: called with the number of windows so far after each window.
        stage: called with the name of each extra before it is measured.
        board: reads the board's state, before and after.
        machine: describes the host.

    Raises:
        SensorError: as :func:`deseptr.device.run_live`.
        SetupError: if the sessions give no window at all.

    >>> from deseptr.device import default_model
    >>> from deseptr.firmware_harness.simulator import simulated_session
    >>> from deseptr.tflite import load_engine
    >>> profile = profile_model(load_engine(default_model()), lambda: [simulated_session()], windows=5)
    >>> profile.to_dict()["deadlines"]["windows"]
    5
    """
    before, load = board(), _load_average()
    run = _ProfiledRun(engine, windows, progress)
    run.take(sessions)
    found: dict[str, Any] = {}
    failures: list[str] = []
    memory = process_memory()
    for key, extra in (extras or {}).items():
        stage(extra.name)
        try:
            found[key] = extra.measure()
        except DeseptrError as error:
            # A failed extra must not lose the windows, which took minutes.
            failures.append(f"{extra.name} failed: {error}")
    description = describe_run(engine, run.sensor, machine()) | {
        "load_average": load,
        "processors": available_cores(),
    }
    return Profile(
        profiler=run.profiler,
        machine=description,
        sensor=run.sensor,
        hop_s=engine.contract.hop_length / engine.contract.rate_hz,
        wear=run.wear,
        memory=memory,
        before=before,
        after=board(),
        real_time=run.real_time,
        extras=found,
        failures=tuple(failures),
    )


def describe_run(engine: Engine, sensor: dict[str, Any], machine: dict[str, Any]) -> dict[str, Any]:
    """Description of the machine, the engine and the kind of bus of a measurement."""
    return machine | {
        "engine": engine.name,
        "threads": engine.threads,
        "model": engine.contract.model,
        "simulated_bus": bool(sensor["simulated"]),
    }


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


class _ProfiledRun:
    """The timed windows, session after session."""

    def __init__(self, engine: Engine, windows: int, progress: Callable[[int], None]) -> None:
        self._engine, self._windows, self._progress = engine, windows, progress
        self.profiler = Profiler(capacity=max(1, windows))
        self.wear = WearMeter()
        self.sensor: dict[str, Any] = {}
        self.real_time = True

    @property
    def _enough(self) -> bool:
        return self.profiler.count >= self._windows

    def take(self, sessions: Callable[[], Iterable[Session]]) -> None:
        before = -1
        while before < self.profiler.count < self._windows:
            before = self.profiler.count
            for session in sessions():
                self._take(session)
                if self._enough:
                    break
        if self.profiler.count == 0:
            raise SetupError(
                "profile",
                found="no window",
                expected=f"recordings of at least {self._engine.contract.window_s:g} s",
                next_step="profile with longer recordings",
            )

    def _take(self, session: Session) -> None:
        self.sensor = session.sensor
        self.real_time &= isinstance(session.clock, SystemClock)
        self.wear.session()
        with closing(run_live(self._engine, session, profiler=self.profiler)) as events:
            for event in events:
                if isinstance(event, WindowEvent):
                    self.wear.label(event.t)
                    self._progress(self.profiler.count)
                if self._enough:
                    break
