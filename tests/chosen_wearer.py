"""A wearer who does what a test says, in real time, before the page of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from live_page_served import Serve, Served

from deseptr.contract import DecisionConfig
from deseptr.device import LabelTracker, Profiler, run_live
from deseptr.device.live_page.wearing import Wearing
from deseptr.device.personal.switch import WearerSwitch
from deseptr.firmware_harness.simulator import PacedClock, simulated_session
from deseptr.tflite import TfliteEngine

RATE = 50
_LOOP_S = 10


class ChosenSource:
    """Plays what belongs to an activity, again and again.

    Args:
        signals: ``[n, 6]`` of each activity, at 50 Hz.
        activity: the first.
    """

    duration_ns = None

    def __init__(self, signals: Mapping[str, np.ndarray], activity: str) -> None:
        self.signals, self.activity = signals, activity

    def at(self, times_ns: np.ndarray) -> np.ndarray:
        """Signals ``[n, 6]``."""
        played = np.asarray(self.signals[self.activity])
        return played[(times_ns * RATE // 1_000_000_000) % len(played)].astype(np.float64)


def still(*pose: float) -> np.ndarray:
    """Signals of somebody who holds a pose, with a sensor's noise."""
    rng = np.random.default_rng(7)
    return np.array(pose) + rng.normal(0, 0.3, (RATE * _LOOP_S, 6))


@dataclass
class ChosenWearer:
    """A run of a model on the wearer, and its page."""

    source: ChosenSource
    served: Served


@contextmanager
def chosen_wearer(
    serve: Serve, engine: TfliteEngine, source: ChosenSource, folder: Path, port: int = 0, **options: Any
) -> Iterator[ChosenWearer]:
    """Run a model on a simulated sensor that the wearer wears, and serve its page, until the block ends."""
    decision = DecisionConfig(threshold=0.0, dwell_s=0.0)
    switch = WearerSwitch(engine, lambda contract: decision)
    wearing = Wearing(folder, engine.model, lambda: TfliteEngine(engine.model, engine.runtime), switch)
    contract = engine.contract
    profiler = Profiler()
    served = serve(port, of=contract, wearing=wearing, profiler=profiler, **options)
    over = threading.Event()
    session = replace(simulated_session(source, clock=PacedClock()), ended=over.is_set)
    tracker = LabelTracker(contract.labels, decision, contract.hop_s)

    def play() -> None:
        options = {"profiler": profiler, "tracker": tracker, "wearers": switch, "on_samples": served.page.drained}
        for event in run_live(engine, session, **options):
            served.page.take(event)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield ChosenWearer(source, served)
    finally:
        over.set()
        thread.join()
        served.page.close()
