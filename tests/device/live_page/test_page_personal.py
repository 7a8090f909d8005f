"""Personalising from the page: takes, the file, the stream, and one operator."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from live_page_served import Serve, beginning, received
from threadpoolctl import threadpool_info
from worn_page import BOTH, DECISION, POSES, RATE, Worn, record, wish

from deseptr.contract import (
    AS_TRAINED,
    CHANNELS,
    DataError,
    DecisionConfig,
    DeseptrError,
    ModelContract,
    Mounting,
    SetupError,
)
from deseptr.contract.page_answers import RefusedRequestError
from deseptr.data import load_dataset
from deseptr.device import MountingCorrection
from deseptr.device.drained import Drained
from deseptr.device.live_page.page_recorder import PageRecorder
from deseptr.device.live_page.wearing import Wearing
from deseptr.device.personal import WearerFile
from deseptr.device.personal.guided_session import PATIENCE_S
from deseptr.device.personal.switch import WearerSwitch
from deseptr.device.personal.wearer_folder import WearerFolder
from deseptr.tflite import TfliteEngine, load_engine


@pytest.fixture
def worn(int8_model: Path, tmp_path: Path) -> Iterator[Worn]:
    made = Worn(int8_model, tmp_path / "wearers")
    yield made
    made.page.close()


def test_a_new_activity_is_learned_and_the_stream_tells_it(worn: Worn):
    before = worn.shown("sideways")
    assert before["label"] != "sideways"
    assert "wearer" not in before
    operator = worn.page.begin(wish(("upright", 5), ("sideways", 8)))
    for pose in ("upright", "sideways"):
        worn.take(operator, pose, 8)
        assert worn.session()["check"]["usable"]
        worn.page.act(operator, "keep")
    worn.settle()
    assert worn.session()["phase"] == "done", worn.session()
    assert worn.session()["told"][0].startswith("own windows right: 100.0% with the model as it is, 100.0% corrected")
    assert worn.session()["told"][1] == "new label sideways: 100.0% recognised"
    event = worn.shown("sideways")
    assert (event["label"], event["state"], event["wearer"]) == ("sideways", "sideways", "eve")
    upright = worn.event("upright")
    assert upright.label == "upright"
    # For drift, which knows the model without correction and without further labels.
    assert upright.uncorrected is not None
    assert upright.uncorrected[0] == "upright"
    assert upright.uncorrected[1] != upright.confidence
    assert worn.event("sideways").uncorrected is None
    file = WearerFile.load_for(worn.folder / "eve.deseptr", worn.engine.model)
    assert file.new_labels == ("sideways",)
    assert worn.page.state()["wearers"] == [
        {"name": "eve", "sessions": 1, "new": ["sideways"], "recorded": ["upright", "sideways"]}
    ]
    # Nothing of what was recorded is left.
    assert list(worn.page._unkept.iterdir()) == []


def test_a_fit_is_done_by_one_thread_of_low_priority(worn: Worn):
    found = []

    def decide(contract: ModelContract) -> DecisionConfig:
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        found.append((blas_threads(), niceness - os.getpriority(os.PRIO_PROCESS, os.getpid())))
        return DECISION

    before = blas_threads()
    wearing = worn.page._wearing
    worn.page._wearing = replace(wearing, switch=WearerSwitch(worn.engine, decide))
    found.clear()
    record(worn, "upright", "lying")
    assert worn.session()["phase"] == "done"
    ((threads, lower),) = found
    # Any more would have the priority of the sampling loop.
    assert threads == {1}
    assert lower > 0
    assert blas_threads() == before


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_takes_of_a_turned_sensor_are_turned_back_as_the_stream_is(int8_model: Path, tmp_path: Path):
    # The sensor measures for "upright" what the model knows as "lying", and the run corrects that.
    turn = Mounting.named("z90")
    known = MountingCorrection(turn, CHANNELS)(np.float32([POSES["upright"]]))[0]
    assert abs(known[1]) == pytest.approx(9.8)
    said = {}
    for name, mounting in (("turned", turn), ("as trained", AS_TRAINED)):
        worn = Worn(int8_model, tmp_path / name, mounting=mounting)
        operator = worn.page.begin(wish(*BOTH))
        worn.take(operator, "upright", 8)
        said[name] = worn.session()["check"]["text"]
        worn.page.act(operator, "keep")
        worn.take(operator, "lying", 8)
        worn.page.act(operator, "keep")
        worn.settle()
        (told, *_) = worn.session()["told"]
        assert told.startswith("samples of a sensor turned by 90° about z") == (name == "turned")
        worn.page.close()
    assert said["as trained"].endswith("which the model calls upright (100%)")
    assert "calls upright" not in said["turned"]
    turned, plain = (WearerFile.load(tmp_path / name / "eve.deseptr") for name in said)
    assert (turned.mountings, plain.mountings) == (("z90",), ("none",))
    # Gravity, as the model is to see it.
    for file, gravity in ((turned, known[:3]), (plain, POSES["upright"][:3])):
        upright = file.recorded.labels == file.labels.index("upright")
        assert file.recorded.statistics[upright, :3].mean(0) == pytest.approx(gravity, abs=0.3)


def test_nobody_walks_before_the_run_knows_how_the_sensor_is_turned(int8_model: Path, tmp_path: Path):
    worn = Worn(int8_model, tmp_path, mounting=None)
    with pytest.raises(RefusedRequestError, match="not known yet: walk, stand and sit"):
        worn.page.begin(wish(*BOTH))
    assert worn.session() is None
    worn.turn = Mounting.named("z90")
    operator = worn.page.begin(wish(*BOTH))
    # The next recording of a replay, in which it is estimated anew.
    worn.turn = None
    worn.take_both(operator)
    assert worn.session()["phase"] == "done"
    assert WearerFile.load(tmp_path / "eve.deseptr").mountings == ("z90",)
    worn.page.close()


def test_who_was_recorded_under_another_mounting_is_worn_with_a_warning(worn: Worn):
    worn.take_both(worn.page.begin(wish(*BOTH)))
    for turn, warned in ((Mounting.named("z90"), True), (None, False), (AS_TRAINED, False)):
        worn.turn = turn
        worn.page.wear("eve")
        worn.settle()
        assert worn.page.state()["worn"] == "eve"
        assert ("eve was recorded under the mounting none" in worn.page.state()["trouble"]) == warned


def test_a_wearer_is_taken_off_put_on_and_undone(worn: Worn):
    operator = worn.page.begin(wish(("upright", 5), ("sideways", 8)))
    for pose in ("upright", "sideways"):
        worn.take(operator, pose, 8)
        worn.page.act(operator, "keep")
    worn.settle()
    folder = WearerFolder(worn.folder, worn.engine.model)
    assert folder.remembered() == "eve"
    assert worn.shown("sideways")["state"] == "sideways"
    worn.page.wear(None)
    worn.settle()
    event = worn.shown("sideways")
    assert event["state"] != "sideways"
    assert "sideways" not in event["probabilities"]
    assert (worn.page.state()["worn"], folder.remembered()) == (None, None)
    worn.page.wear("eve")
    worn.settle()
    assert worn.shown("sideways")["state"] == "sideways"
    worn.page.undo("eve")
    worn.settle()
    assert "wearer" not in worn.shown("sideways")
    assert worn.page.state()["wearers"] == []
    worn.page.wear("eve")
    worn.settle()
    assert "eve.deseptr" in worn.page.state()["trouble"]


def test_a_correction_that_does_harm_is_refused_with_the_reason(worn: Worn):
    """Half of each take is the other activity: what is right is contradicted by the rest."""
    operator = worn.page.begin(wish(("upright", 8), ("lying", 8)))
    for named, other in (("upright", "lying"), ("lying", "upright")):
        worn.page.act(operator, "start")
        worn.read(named, 3.2, 4)
        for measured in (named, named, other, other):
            worn.read(measured, 2.1, gap="overflow")
        assert worn.session()["check"]["usable"], worn.session()["check"]["text"]
        worn.page.act(operator, "keep")
    worn.settle()
    assert worn.session()["phase"] == "refused", worn.session()["told"]
    assert "of the windows right with the correction, each part without itself" in worn.session()["told"][0]
    assert not list(worn.folder.glob("*.deseptr"))
    assert "wearer" not in worn.shown("upright")


def test_an_implausible_take_cannot_be_kept_but_repeated_or_left_out(worn: Worn):
    operator = worn.page.begin(wish(("upright", 3), ("lying", 3), ("sideways", 3)))
    worn.page.act(operator, "start")
    worn.read("upright", 3.2, 4)
    stuck = np.tile(np.array(POSES["upright"], np.float32), (200, 1))
    worn.page.drained(Drained(worn.count / RATE, stuck, CHANNELS, RATE))
    worn.settle()
    check = worn.session()["check"]
    assert not check["usable"]
    assert check["text"].endswith("left out")
    with pytest.raises(RefusedRequestError, match="cannot be used; repeat it, or leave the activity out"):
        worn.page.act(operator, "keep")
    for pose in ("upright", "lying"):
        worn.take(operator, pose, 3)
        worn.page.act(operator, "keep")
    worn.page.act(operator, "skip")
    worn.settle()
    assert worn.session()["phase"] == "done"
    assert WearerFile.load(worn.folder / "eve.deseptr").counts().keys() == {"upright", "lying"}


def test_a_take_of_a_chip_whose_counts_are_larger_than_its_noise_can_be_kept(worn: Worn):
    operator = worn.page.begin(wish(*BOTH))
    worn.page.act(operator, "start")
    worn.read("upright", 3.2, 4)
    still = worn.samples("upright", 9)
    still[:, :3] = POSES["upright"][:3]
    worn.page.drained(Drained(worn.count / RATE, still, CHANNELS, RATE, acc_count=0.157))
    worn.settle()
    assert worn.session()["check"]["usable"]


def test_an_activity_alone_is_refused_before_anybody_walks_unless_others_were_recorded_earlier(worn: Worn):
    with pytest.raises(DataError, match="wearer eve: found upright alone, expected at least 2 activities"):
        worn.page.begin(wish(("upright", 5)))
    assert worn.session() is None
    record(worn, "upright", "lying")
    assert worn.page.state()["wearers"] == [
        {"name": "eve", "sessions": 1, "new": [], "recorded": ["lying", "upright"]},
    ]
    record(worn, "upright")
    assert worn.session()["phase"] == "done"
    with pytest.raises(DataError, match="wearer bob: found upright alone"):
        worn.page.begin(wish(("upright", 5), wearer="bob"))


def test_it_is_said_that_an_activity_is_needed_before_it_is_left_out(worn: Worn):
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5), ("sideways", 5)))
    assert not worn.session()["needed"]
    worn.page.act(operator, "skip")
    assert worn.session()["needed"]
    worn.take(operator, "lying", 5)
    worn.page.act(operator, "keep")
    assert worn.session()["needed"]
    worn.page.act(operator, "skip")
    worn.settle()
    assert worn.session()["phase"] == "refused"
    assert "found lying alone, expected at least 2 activities" in worn.session()["told"][0]
    assert list(worn.folder.glob("*.deseptr")) == []


def test_what_the_model_takes_an_activity_for_is_named_unless_it_is_recorded_too(worn: Worn):
    missing = []
    for steps in (("upright", "sideways"), ("upright", "sideways", "lying")):
        operator = worn.page.begin(wish(*((step, 5) for step in steps)))
        worn.page.act(operator, "skip")
        # The model, which has no such label, calls it one of its own.
        worn.take(operator, "lying", 5)
        missing.append(worn.session()["check"]["missing"])
        worn.page.act(operator, "cancel")
        worn.settle()
    assert missing == ["lying", None]


def test_what_was_read_before_the_countdown_ends_is_not_in_the_take(worn: Worn):
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5)))
    worn.page.act(operator, "start")
    worn.read("lying", 3.2, 4)
    worn.read("upright", 5.5, 8)
    (take,) = worn.page._unkept.iterdir()
    first = [float(line.split(",")[1]) for line in take.read_text().splitlines()[1:]]
    assert len(first) == 250
    assert min(first) > 5


def test_the_seconds_of_a_take_are_shown_while_it_is_recorded_and_only_then(worn: Worn):
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5)))
    worn.page.act(operator, "start")
    worn.read("upright", 2)
    assert (worn.session()["phase"], worn.session()["done"]) == ("countdown", 0.0)
    # The countdown is over, and nothing was read since.
    worn.now += 1.5
    worn.page.tick()
    assert worn.session()["done"] == 0.0
    worn.read("upright", 2, 4)
    assert worn.session()["phase"] == "recording"
    assert worn.session()["done"] == pytest.approx(2, abs=0.6)
    worn.read("upright", 5, 8)
    assert (worn.session()["phase"], worn.session()["done"]) == ("checked", 0.0)


def test_takes_are_kept_as_recordings_if_that_is_wished(int8_model: Path, tmp_path: Path):
    recorder = PageRecorder(tmp_path / "takes", "mpu6050", lambda state: None)
    worn = Worn(int8_model, tmp_path / "wearers", recorder)
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5), ("sideways", 5)) | {"keep": True})
    worn.take(operator, "upright", 5)
    worn.take(operator, "upright", 5)
    worn.page.act(operator, "keep")
    worn.take(operator, "lying", 5)
    worn.page.act(operator, "skip")
    worn.take(operator, "sideways", 5)
    worn.page.act(operator, "cancel")
    worn.page.close()
    recorder.close()
    (kept,) = (tmp_path / "takes").iterdir()
    assert list(recorder.takes) == [kept.name]
    (recording,) = load_dataset(kept).recordings
    assert (recording.subject, len(recording)) == ("eve", 250)


@pytest.fixture
def keeping(int8_model: Path, tmp_path: Path) -> Iterator[tuple[Worn, str, Path]]:
    """A run whose operator keeps the takes: it, the operator's key, and the folder of the takes."""
    recorder = PageRecorder(tmp_path / "takes", "mpu6050", lambda state: None)
    worn = Worn(int8_model, tmp_path / "wearers", recorder)
    yield worn, worn.page.begin(wish(("upright", 5), ("lying", 5)) | {"keep": True}), recorder.folder
    worn.page.close()
    recorder.close()


def test_a_take_that_is_stopped_as_it_is_complete_is_not_left_behind(keeping: tuple[Worn, str, Path]):
    worn, operator, folder = keeping
    worn.page.act(operator, "start")
    worn.read("upright", 3.2, 4)
    worn.read("upright", 3, 4)
    session = worn.page._session
    assert session is not None

    def complete() -> None:
        worn.page.act(operator, "stop")
        worn.page._check(session, RATE)

    worn.page._worker.enqueue(complete)
    worn.settle()
    assert worn.session()["phase"] == "ready"
    assert list(folder.iterdir()) == []


def test_a_failure_that_nobody_has_foreseen_is_told_and_the_run_goes_on(keeping: tuple[Worn, str, Path]):
    worn, operator, folder = keeping

    def broken() -> TfliteEngine:
        raise ValueError("a scale of 0")

    worn.page._wearing = replace(worn.page._wearing, make_engine=broken)
    worn.page.act(operator, "start")
    worn.read("upright", 3.2, 4)
    worn.read("upright", 5.5, 8)
    assert (worn.session()["phase"], worn.session()["told"]) == ("refused", ["ValueError: a scale of 0"])
    assert list(folder.iterdir()) == []
    assert worn.page.begin(wish(("lying", 5), ("upright", 5)))
    worn.read("lying", 1)


def test_a_take_that_cannot_be_removed_does_not_end_the_run(keeping: tuple[Worn, str, Path]):
    worn, operator, folder = keeping
    worn.take(operator, "upright", 5)
    (take,) = folder.iterdir()
    take.unlink()
    take.mkdir()
    worn.page.act(operator, "start")
    worn.settle()
    worn.read("upright", 3.2, 4)
    assert worn.session()["phase"] == "recording"


def test_the_page_is_told_of_what_happens_in_its_order(worn: Worn):
    """The fit is over before the server's thread has told that it began."""
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5)))
    worn.take(operator, "upright", 5)
    worn.page.act(operator, "keep")
    worn.take(operator, "lying", 5)
    done = threading.Event()
    phases = []

    def tell(state: dict[str, Any]) -> None:
        phase = state["session"]["phase"]
        if phase == "fitting":
            done.wait(0.5)
        phases.append(phase)
        if phase == "done":
            done.set()

    worn.page._changed = tell
    worn.page.act(operator, "keep")
    worn.settle()
    assert phases == ["fitting", "done"]


def test_one_operator_at_a_time(worn: Worn):
    operator = worn.page.begin(wish(("upright", 5), ("lying", 5)))
    for refused in (
        lambda: worn.page.begin(wish(("lying", 5), ("upright", 5))),
        lambda: worn.page.wear(None),
        lambda: worn.page.undo("eve"),
    ):
        with pytest.raises(RefusedRequestError, match="somebody is personalising for eve"):
            refused()
    for other in ("", "x", None, operator + "x", "é"):
        with pytest.raises(RefusedRequestError, match="somebody else's"):
            worn.page.act(other, "start")
    worn.page.act(operator, "cancel")
    assert worn.session() is None
    with pytest.raises(RefusedRequestError, match="this session is over"):
        worn.page.act(operator, "start")


def test_who_left_is_not_waited_for(worn: Worn):
    worn.page.begin(wish(("upright", 5), ("lying", 5)))
    worn.now += PATIENCE_S - 1
    worn.page.tick()
    assert worn.session() is not None
    worn.now += 2
    worn.page.tick()
    assert worn.session() is None
    operator = worn.page.begin(wish(("lying", 5), ("upright", 5)))
    # The sensor is gone in the middle of a take.
    worn.page.act(operator, "start")
    worn.read("lying", 3.2, 4)
    worn.now += PATIENCE_S + 11
    assert worn.page.begin(wish(("upright", 5), ("lying", 5), wearer="bob"))
    worn.read("lying", 20, 4)
    assert worn.session()["phase"] == "ready"


@pytest.mark.parametrize(
    ("content", "error", "match"),
    [
        (wish(("upright", 5), wearer="../eve"), DataError, "without / and"),
        (wish(("upright", 5), wearer=".eve"), DataError, "begins with no dot"),
        (wish(("upright", 5), wearer="e\x00ve"), DataError, "printable"),
        (wish(("upright", 5), wearer="é" * 80), DataError, "at most 150 bytes"),
        (wish(("upright", 5), wearer=" "), DataError, "printable"),
        (wish(("upright", 2)), SetupError, "seconds of upright: found 2, expected at least 3 and at most 60"),
        (wish(("upright", float("nan"))), SetupError, "seconds of upright"),
        (wish(("upright", 5), ("unknown", 5)), DataError, "other than unknown"),
        (wish(("upright", 5), ("x" * 61, 5)), DataError, "at most 60 characters"),
        (wish(("upright", 5), ("upright", 5)), DataError, "each once"),
        (wish(("sideways", 5)), DataError, "one of the model's beside a new one: lying, upright, spinning"),
        (wish(), SetupError, "activities: found none, expected 2 to 20"),
        (wish(*[("upright", 5)] * 21), SetupError, "activities: found 21, expected 2 to 20"),
        ({"wearer": "eve", "prepare": 0, "steps": [["upright", 5]]}, SetupError, "countdown"),
        ({"wearer": ["eve"], "prepare": 3, "steps": [["upright", 5]]}, DataError, "wearer"),
        ({"wearer": "eve", "prepare": 3, "steps": ["upright"]}, DataError, "activity"),
        ({"wearer": "eve", "prepare": 3, "steps": ["up"]}, DataError, "activity: found ''"),
        ({"wearer": "eve", "prepare": 3, "steps": [["upright", 5, 5]]}, DataError, "activity: found ''"),
        ({"wearer": "eve", "prepare": 3, "steps": {"upright": 5}}, SetupError, "activities"),
    ],
)
def test_wishes_that_are_refused(worn: Worn, content: Any, error: type[DeseptrError], match: str):
    with pytest.raises(error, match=match):
        worn.page.begin(content)
    assert worn.session() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["upright", "eve"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["wearer", "prepare"]), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def lasting(int8_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worn]:
    made = Worn(int8_model, tmp_path_factory.mktemp("lasting") / "wearers")
    yield made
    made.page.close()


@given(st.fixed_dictionaries({}, optional={"wearer": JSON, "prepare": JSON | st.just(3), "steps": JSON}), JSON)
def test_whatever_is_sent_is_taken_or_refused(lasting: Worn, content: dict[str, Any], other: Any):
    page = lasting.page
    for ask in (
        lambda: page.begin(content),
        lambda: page.act(other, other),
        lambda: page.wear(other),
        lambda: page.undo(other),
    ):
        with suppress(RefusedRequestError, DeseptrError):
            ask()
    lasting.now += PATIENCE_S + 1
    page.tick()
    lasting.settle()
    assert list(lasting.folder.glob("*.deseptr")) == []
    assert lasting.session() is None


def test_a_wearer_of_another_model_is_refused_before_anybody_walks(worn: Worn, tmp_path: Path):
    worn.folder.joinpath("eve.deseptr").write_text("{}")
    with pytest.raises(DataError, match=r"eve\.deseptr: found something else"):
        worn.page.begin(wish(("upright", 5), ("lying", 5)))
    assert WearerFolder(worn.folder, worn.engine.model).wearers() == []


def test_a_power_cut_while_the_file_is_written_leaves_the_one_before(worn: Worn, monkeypatch: pytest.MonkeyPatch):
    record(worn, "upright", "lying")
    before = (worn.folder / "eve.deseptr").read_bytes()
    monkeypatch.setattr("os.replace", _power_cut)
    record(worn, "lying")
    assert worn.session()["phase"] == "refused"
    assert (worn.folder / "eve.deseptr").read_bytes() == before


def _power_cut(*_: object) -> None:
    raise OSError(5, "Input/output error")


def test_over_the_server(serve: Serve, int8_model: Path, tmp_path: Path):
    engine = load_engine(int8_model)
    switch = WearerSwitch(engine, lambda contract: DecisionConfig())
    wearing = Wearing(tmp_path, engine.model, lambda: TfliteEngine(engine.model, engine.runtime), switch)
    served = serve(of=engine.contract, wearing=wearing)
    with served.watch() as socket:
        assert beginning(socket)["personal"][0]["session"] is None
        answer = served.post("personal/begin", wish(("upright", 3), ("lying", 3)))
        assert answer.status == 200
        told = received(socket, "personal")
        if told["session"] is None:
            # The list of wearers, which a thread of its own had just read.
            told = received(socket, "personal")
        assert told["session"]["wearer"] == "eve"
        for content in ({"operator": "x", "do": "start"}, {"do": "start"}, {}):
            assert served.post("personal/act", content).status == 403
        assert served.post("personal/begin", wish(("upright", 3), ("lying", 3))).status == 409
        operator = json.loads(answer.content)["operator"]
        assert served.post("personal/act", {"operator": operator, "do": "rm"}).status == 404
    for name in ("begin", "act", "wear", "undo"):
        assert served.get(f"personal/{name}").status == 404
        assert served.post(f"personal/{name}", {}, Origin="http://evil.example").status == 403
    plain = serve()
    assert plain.post("personal/begin", wish(("upright", 3), ("lying", 3))).status == 404
