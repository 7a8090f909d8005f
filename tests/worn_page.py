"""A run of a tiny model on whose page somebody personalises, on a clock that is set by hand."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import AS_TRAINED, CHANNELS, DecisionConfig, Mounting
from deseptr.device import LabelTracker, WindowEvent
from deseptr.device.drained import Drained
from deseptr.device.latency import WindowTimes
from deseptr.device.live_page.page_personal import PagePersonal
from deseptr.device.live_page.page_recorder import PageRecorder
from deseptr.device.live_page.wearing import Wearing
from deseptr.device.personal.switch import WearerSwitch
from deseptr.device.stream.windows import Window
from deseptr.device.window_classifier import WindowClassifier
from deseptr.tflite import TfliteEngine, load_engine

RATE = 50.0
# Which way gravity points; the tiny model knows the first two.
POSES = {"upright": (9.8, 0, 0, 0, 0, 0), "lying": (0, 9.8, 0, 0, 0, 0), "sideways": (4.6, 5.0, 7.1, 0, 0, 0)}
BOTH = (("upright", 8), ("lying", 8))
# Its logits differ little.
DECISION = DecisionConfig(dwell_s=0.0, threshold=0.0)


class Worn:
    """A run of the tiny model that somebody personalises, on a clock that is set by hand."""

    def __init__(
        self, model: Path, folder: Path, recorder: PageRecorder | None = None, mounting: Mounting | None = AS_TRAINED
    ) -> None:
        self.engine = load_engine(model)
        self.now, self.count = 0.0, 0
        self.switch = WearerSwitch(self.engine, lambda contract: DECISION)
        made = (lambda: TfliteEngine(self.engine.model, self.engine.runtime)), self.switch
        self.folder, self.told = folder, list[dict[str, Any]]()
        self.turn = mounting
        wearing = Wearing(folder, self.engine.model, *made, mounting=lambda: self.turn)
        self.page = PagePersonal(wearing, "mpu6050", self.told.append, lambda: self.now, recorder)
        tracker = LabelTracker(self.engine.contract.labels, DECISION, self.engine.contract.hop_s)
        self.stream = WindowClassifier(self.engine, tracker, lambda: 0, wearers=self.switch)
        self.rng = np.random.default_rng(5)

    def samples(self, pose: str, seconds: float) -> np.ndarray:
        count = round(seconds * RATE)
        return (np.array(POSES[pose]) + self.rng.normal(0, 0.3, (count, 6))).astype(np.float32)

    def read(self, pose: str, seconds: float, pieces: int = 1, gap: str | None = None) -> None:
        """Let time pass in which the sensor measures a pose, after a gap if there is a reason for one."""
        for _ in range(pieces):
            signals = self.samples(pose, seconds / pieces)
            self.now += len(signals) / RATE
            self.page.drained(Drained(self.count / RATE, signals, CHANNELS, RATE, gap, 5 if gap else 0))
            self.count += len(signals)
        self.settle()

    def settle(self) -> None:
        """Wait until the page has done what it was asked to."""
        done = threading.Event()
        self.page._worker.enqueue(done.set)
        done.wait(30)

    def event(self, pose: str) -> WindowEvent:
        """The stream's event of a window."""
        window = Window(self.count, self.samples(pose, 32 / RATE), 0, 0)
        event = self.stream.classify(window, self.now, 0, WindowTimes())[0]
        assert isinstance(event, WindowEvent)
        return event

    def shown(self, pose: str) -> dict[str, Any]:
        """The same as JSON values."""
        return self.event(pose).to_dict()

    def session(self) -> Any:
        return self.page.state()["session"]

    def take(self, operator: str, pose: str, seconds: float) -> None:
        self.page.act(operator, "start")
        self.read(pose, 3.2, 4)
        assert self.session()["phase"] == "recording"
        self.read(pose, seconds + 0.5, 8)
        assert self.session()["phase"] == "checked"

    def take_both(self, operator: str) -> None:
        """Record and keep all of a session of the poses that the model knows."""
        for pose, seconds in BOTH:
            self.take(operator, pose, seconds)
            self.page.act(operator, "keep")
        self.settle()


def wish(*steps: tuple[str, float], wearer: str = "eve") -> dict[str, Any]:
    """What the page is asked for: a session of these poses and their seconds."""
    return {"wearer": wearer, "prepare": 3, "steps": [list(step) for step in steps]}


def record(worn: Worn, *poses: str) -> None:
    """A whole session of eve's."""
    operator = worn.page.begin(wish(*((pose, 5) for pose in poses)))
    for pose in poses:
        worn.take(operator, pose, 5)
        worn.page.act(operator, "keep")
    worn.settle()
