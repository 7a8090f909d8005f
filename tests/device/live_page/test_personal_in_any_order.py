"""Personalising from the page, in whatever order things come in."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from worn_page import Worn, wish

from deseptr.contract.page_answers import RefusedRequestError
from deseptr.device.personal import WearerFile
from deseptr.device.personal.guided_session import PATIENCE_S


class Session(RuleBasedStateMachine):
    """People who press whatever they like, while samples come or do not."""

    model: Path

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="page-personal-"))
        self.worn = Worn(self.model, self.root)
        self.operator: str | None = None
        self.saved = 0

    @rule(prepare=st.sampled_from([1, 3]), steps=st.integers(2, 3))
    def start_session(self, prepare: int, steps: int) -> None:
        content = wish(*[("upright", 3), ("lying", 3), ("sideways", 3)][:steps]) | {"prepare": prepare}
        session = self.worn.session()
        free = session is None or session["phase"] in ("done", "refused")
        try:
            self.operator = self.worn.page.begin(content)
        except RefusedRequestError:
            # Somebody is at it; only who was silent for too long is not.
            assert not free
        else:
            assert self.worn.session()["phase"] == "ready"
        self.worn.settle()

    @rule(what=st.sampled_from(["start", "stop", "keep", "skip", "cancel"]))
    def press(self, what: str) -> None:
        before = self.worn.session()
        try:
            self.worn.page.act(self.operator, what)
        except RefusedRequestError:
            after = self.worn.session()
            assert (before and before["phase"]) == (after and after["phase"])
        self.worn.settle()

    @rule(kinds=st.integers(2, 3), presses=st.integers(1, 8))
    def go_on(self, kinds: int, presses: int) -> None:
        """Do what is next, some times."""
        for _ in range(presses):
            session = self.worn.session()
            match session and session["phase"]:
                case None | "done" | "refused":
                    self.start_session(1, kinds)
                case "ready":
                    self.press("start")
                case "checked":
                    self.press("keep" if session["check"]["usable"] else "skip")
                case _:
                    self.worn.read(session["steps"][session["number"]]["label"], 4.0, 6)

    @rule(seconds=st.sampled_from([0.2, 2.0, 9.0]), pose=st.sampled_from(["upright", "lying", "sideways"]))
    def measure(self, seconds: float, pose: str) -> None:
        self.worn.read(pose, seconds, 3)

    @rule(seconds=st.sampled_from([1.0, PATIENCE_S + 1]))
    def wait(self, seconds: float) -> None:
        self.worn.now += seconds
        self.worn.page.tick()
        self.worn.settle()

    @rule(name=st.sampled_from([None, "eve"]))
    def change(self, name: str | None) -> None:
        try:
            self.worn.page.wear(name)
        except RefusedRequestError:
            assert self.worn.session() is not None
        self.worn.settle()

    @rule()
    def undo(self) -> None:
        try:
            self.worn.page.undo("eve")
        except RefusedRequestError:
            assert self.worn.session() is not None
        self.worn.settle()

    @invariant()
    def the_stream_wears_what_the_page_says(self) -> None:
        state, event = self.worn.page.state(), self.worn.shown("upright")
        assert event.get("wearer") == state["worn"]
        labels = tuple(event["probabilities"])
        assert labels[:3] == self.worn.engine.contract.labels
        assert event["state"] in (*labels, "unknown")

    @invariant()
    def files_are_whole_and_listed(self) -> None:
        found = {path.name: WearerFile.load_for(path, self.worn.engine.model) for path in self.root.glob("*.deseptr")}
        told = {f"{each['name']}.deseptr": each["sessions"] for each in self.worn.page.state()["wearers"]}
        assert told == {name: len(file.sessions) for name, file in found.items()}

    @invariant()
    def takes_are_those_of_the_session(self) -> None:
        session, takes = self.worn.session(), list(self.worn.page._unkept.iterdir())
        if session is None or session["phase"] in ("done", "refused"):
            assert takes == []
        else:
            assert len(takes) <= session["number"] + 1

    @precondition(lambda self: self.worn.session() is not None)
    @invariant()
    def nothing_hangs(self) -> None:
        session = self.worn.session()
        assert session["phase"] not in ("checking", "fitting")
        assert session["left"] <= 3.0

    def teardown(self) -> None:
        if hasattr(self, "worn"):
            self.worn.page.close()
            shutil.rmtree(self.root)


def test_whatever_is_pressed_in_whatever_order(int8_model: Path):
    machine = type("TheSession", (Session,), {"model": int8_model})
    checks = settings(max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=checks)
