import dataclasses
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import (
    ALL_CHANNELS,
    DecisionConfig,
    EventRule,
    HeldOut,
    InputViews,
    ModelContract,
    ModelError,
    SetupError,
    StftSpec,
    units_of,
)

CONTRACT = ModelContract(labels=("sit", "walk"), versions={"keras": "3"})

names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
contracts = st.builds(
    ModelContract,
    labels=st.lists(names, min_size=2, max_size=8, unique=True).map(tuple),
    rate_hz=st.floats(10, 1000),
    window_length=st.integers(128, 512),
    hop_length=st.integers(1, 64),
    stft=st.builds(StftSpec, st.integers(2, 64), st.integers(1, 16), st.integers(1, 8)),
    versions=st.dictionaries(st.text(), st.text(), max_size=3),
    mag_full_scale_ut=st.none() | st.floats(1, 10_000),
    logit_temperature=st.none() | st.floats(0.05, 20),
    embedding_width=st.just(0) | st.integers(1, 512),
    views=st.none() | st.builds(InputViews, st.sampled_from((1, 7, 31))),
    held_out=st.none()
    | st.builds(HeldOut.of, st.lists(names, min_size=1, max_size=2), st.binary(min_size=8, max_size=32)),
    decision=st.none()
    | st.builds(
        DecisionConfig,
        st.sampled_from(["none", "exponential", "majority"]),
        st.floats(0.1, 30),
        threshold=st.floats(0, 1),
        dwell_s=st.floats(0, 20),
        hop_s=st.none() | st.just(0.1),
    ),
)
VIEWED = dataclasses.replace(CONTRACT, views=InputViews(history=7))
TUNED = dataclasses.replace(CONTRACT, decision=DecisionConfig(dwell_s=1.0, thresholds={"walk": 0.7}, hop_s=0.32))
TESTED = dataclasses.replace(CONTRACT, held_out=HeldOut.of(["Ada"], bytes(16)))


@given(contracts)
def test_json_round_trip(contract: ModelContract):
    assert ModelContract.from_json(contract.to_json()) == contract


@given(contracts)
def test_same_contract_gives_same_bytes(contract: ModelContract):
    assert ModelContract.from_json(contract.to_json()).to_json() == contract.to_json()


def test_what_is_not_said_is_the_sensor_of_the_documentation():
    plain = ModelContract(labels=("sit", "walk"))
    assert (plain.rate_hz, plain.window_length, plain.hop_length) == (50.0, 128, 64)
    assert plain.channels == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert plain.input_range == (40.0, 40.0, 40.0, 10.0, 10.0, 10.0)
    assert (plain.acc_full_scale_g, plain.gyro_full_scale_dps) == (8.0, 1000.0)


def test_file_round_trip(tmp_path: Path):
    CONTRACT.save(tmp_path / "contract.json")
    assert ModelContract.load(tmp_path / "contract.json") == CONTRACT


def test_differences_are_named():
    other = dataclasses.replace(CONTRACT, rate_hz=25.0, labels=("a", "b"))
    assert CONTRACT.differences(other) == ("labels", "rate_hz")
    assert CONTRACT.differences(CONTRACT) == ()


def test_times_follow_from_rate_and_lengths():
    assert (CONTRACT.window_s, CONTRACT.hop_s) == (2.56, 1.28)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"labels": ("one",)}, "labels"),
        ({"labels": ("same", "same")}, "labels"),
        ({"labels": ("a", "b\nc")}, "labels"),
        ({"labels": ("a", " ")}, "labels"),
        ({"labels": ("a", "\ud800")}, "labels"),
        ({"model": ""}, "model"),
        ({"window_length": 10**9}, "window_length"),
        ({"channels": ("acc_x",) * 6}, "channels"),
        ({"input_range": (1e-300,) * 6}, "input_range"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"rate_hz": float("nan")}, "rate_hz"),
        ({"window_length": 16}, "window_length"),
        ({"hop_length": 0}, "hop_length"),
        ({"hop_length": 129}, "hop_length"),
        ({"units": ("g",)}, "units"),
        ({"input_range": (1.0,)}, "input_range"),
        ({"input_range": (0.0,) * 6}, "input_range"),
        ({"acc_full_scale_g": -1.0}, "acc_full_scale_g"),
        ({"gyro_full_scale_dps": float("inf")}, "gyro_full_scale_dps"),
        ({"embedding_width": -1}, "embedding_width"),
        ({"embedding_width": 65_537}, "embedding_width"),
    ],
)
def test_impossible_values_are_refused_by_name(change: dict, name: str):
    with pytest.raises(ModelError, match=f"^contract.{name}: found"):
        dataclasses.replace(CONTRACT, **change)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "no JSON"),
        ("[]", "format list"),
        ("{}", "format None"),
        ('{"format": 99}', "format 99"),
        ('{"format": 1}', "fields that differ by acc_full_scale_g"),
        (b"\xff\xfe", "no JSON"),
    ],
)
def test_foreign_json_is_refused(text: str, found: str):
    with pytest.raises(ModelError, match=found):
        ModelContract.from_json(text)


@pytest.mark.parametrize("value", [None, "x", 3, [1, 2], {"a": 1}])
@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(ModelContract) if f.name != "model"])
def test_fields_of_a_wrong_kind_never_escape_as_python_errors(name: str, value: object):
    content = {**json.loads(CONTRACT.to_json()), name: value}
    message = "accepted"
    try:
        ModelContract.from_json(json.dumps(content))
    except ModelError as error:
        message = str(error)
    acceptable = {"versions", "hop_length", "rate_hz", "acc_full_scale_g", "gyro_full_scale_dps"}
    assert "contract" in message or name in acceptable


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"contract.json: found No such file.*; for a network of your own, write one"):
        ModelContract.load(tmp_path / "contract.json")


def test_a_contract_without_views_is_still_of_format_1():
    content = json.loads(CONTRACT.to_json())
    assert content["format"] == 1
    assert "views" not in content
    assert (CONTRACT.history, CONTRACT.input_length, CONTRACT.graph_channels) == (0, 128, 6)


def test_a_contract_with_views_is_of_format_2():
    content = json.loads(VIEWED.to_json())
    assert content["format"] == 2
    assert content["views"] == {"history": 7, "thresholds": list(InputViews().thresholds)}
    assert ModelContract.from_json(VIEWED.to_json()) == VIEWED
    assert (VIEWED.history, VIEWED.input_length, VIEWED.graph_channels) == (7, 135, 12)
    assert CONTRACT.differences(VIEWED) == ("views",)


def test_every_contract_in_the_repository_keeps_its_bytes():
    packaged = Path(__file__).parents[2] / "device" / "models" / "deseptr_motionsense.tflite"
    with zipfile.ZipFile(packaged) as archive:
        text = archive.read("deseptr.json").decode()
    assert ModelContract.from_json(text).to_json() == text


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"format": 1}, "fields that differ by views"),
        ({"views": None}, "a field of the wrong kind"),
        ({"views": 31}, "a field of the wrong kind"),
        ({"views": {"history": 31}}, "views are a history and thresholds"),
        ({"views": {"history": 31, "thresholds": [1.5] * 127}}, "1.5 is not an integer"),
        ({"views": {"history": True, "thresholds": list(range(1, 128))}}, "True is not an integer"),
        ({"views": {"history": 31, "thresholds": [1]}}, "1 integers"),
    ],
)
def test_views_of_a_wrong_kind_are_refused(change: dict, found: str):
    content = {**json.loads(VIEWED.to_json()), **change}
    with pytest.raises(ModelError, match=found):
        ModelContract.from_json(json.dumps(content))


def test_a_later_format_asks_for_a_later_version():
    with pytest.raises(ModelError, match=r"found format 12, expected .* format 1 to 11; update deseptr"):
        ModelContract.from_json('{"format": 12}')


def test_a_contract_with_a_temperature_is_of_format_7_and_others_are_as_before():
    calibrated = dataclasses.replace(CONTRACT, logit_temperature=0.6)
    content = json.loads(calibrated.to_json())
    assert (content["format"], content["logit_temperature"], content["events"]) == (7, 0.6, None)
    assert ModelContract.from_json(calibrated.to_json()) == calibrated
    assert "logit_temperature" not in CONTRACT.to_json()
    for wrong in (None, 0, -1, "0.6", True):
        with pytest.raises(ModelError):
            ModelContract.from_json(json.dumps({**content, "logit_temperature": wrong}))


def test_a_contract_with_a_magnetometer_is_of_format_5_and_others_are_as_before():
    nine = dataclasses.replace(
        CONTRACT,
        channels=ALL_CHANNELS,
        units=units_of(ALL_CHANNELS),
        input_range=(40.0,) * 3 + (10.0,) * 3 + (60.0,) * 3,
        mag_full_scale_ut=400.0,
    )
    content = json.loads(nine.to_json())
    assert (content["format"], content["views"], content["held_out"], content["decision"]) == (5, None, None, None)
    assert ModelContract.from_json(nine.to_json()) == nine
    assert "mag_full_scale_ut" not in CONTRACT.to_json()
    for wrong, found in ((None, "None is not a number"), (0, "contract.mag_full_scale_ut: found 0")):
        with pytest.raises(ModelError, match=found):
            ModelContract.from_json(json.dumps({**content, "mag_full_scale_ut": wrong}))


def test_a_contract_that_remembers_subjects_is_of_format_3_and_names_nobody():
    content = json.loads(TESTED.to_json())
    assert (content["format"], content["views"]) == (3, None)
    assert "Ada" not in TESTED.to_json()
    assert ModelContract.from_json(TESTED.to_json()) == TESTED


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"format": 2}, "fields that differ by held_out"),
        ({"held_out": None}, "a field of the wrong kind"),
        ({"held_out": ["Ada"]}, "a field of the wrong kind"),
        ({"held_out": {"salt": "00" * 16}}, "held_out is a salt and hashes"),
        ({"held_out": {"salt": "00" * 16, "hashes": []}}, "contract.held_out: found no hash"),
        ({"held_out": {"salt": "00" * 16, "hashes": ["Ada"]}}, "contract.held_out: found Ada"),
        ({"held_out": {"salt": 0, "hashes": ["00" * 8]}}, "not a list of names"),
    ],
)
def test_held_out_subjects_of_a_wrong_kind_are_refused(change: dict, found: str):
    content = {**json.loads(TESTED.to_json()), **change}
    with pytest.raises(ModelError, match=found):
        ModelContract.from_json(json.dumps(content))


def test_decision_is_format_4_and_a_contract_without_is_as_before():
    content = json.loads(TUNED.to_json())
    assert (content["format"], content["views"], content["held_out"]) == (4, None, None)
    assert content["decision"]["thresholds"] == {"walk": 0.7}
    assert ModelContract.from_json(TUNED.to_json()) == TUNED
    assert (json.loads(CONTRACT.to_json())["format"], "decision" in json.loads(CONTRACT.to_json())) == (1, False)


@pytest.mark.parametrize(
    "change",
    [
        {"smoothing": "kalman"},
        {"horizon_s": True},
        {"threshold": 1.5},
        {"thresholds": {"walk": "much"}},
        {"thresholds": []},
        {"hop_s": "fast"},
        {"more": 1},
    ],
)
def test_broken_decision_is_refused(change: dict):
    content = json.loads(TUNED.to_json())
    content["decision"] |= change
    with pytest.raises(ModelError, match="found a field of the wrong kind"):
        ModelContract.from_json(json.dumps(content))


def test_a_contract_with_an_embedding_is_of_format_8_and_others_are_as_before():
    embedded = dataclasses.replace(CONTRACT, embedding_width=48)
    content = json.loads(embedded.to_json())
    assert (content["format"], content["embedding_width"], content["logit_temperature"]) == (8, 48, None)
    assert ModelContract.from_json(embedded.to_json()) == embedded
    assert "embedding_width" not in dataclasses.replace(CONTRACT, logit_temperature=0.6).to_json()
    for wrong in (None, True, 48.0, "48", [48]):
        with pytest.raises(ModelError, match="a field of the wrong kind"):
            ModelContract.from_json(json.dumps({**content, "embedding_width": wrong}))


@pytest.mark.parametrize("decision", [DecisionConfig(thresholds={"run": 0.5}), DecisionConfig(hop_s=3.0)])
def test_decision_that_does_not_fit_the_model_is_refused(decision: DecisionConfig):
    with pytest.raises(ModelError, match=r"contract\.decision"):
        dataclasses.replace(CONTRACT, decision=decision)


def test_another_hop_keeps_all_else():
    other = CONTRACT.at_hop(0.32)
    assert CONTRACT.differences(other) == ("hop_length",)
    assert (other.hop_s, CONTRACT.at_hop(None)) == (0.32, CONTRACT)
    for hop_s in (0.001, 2.6, float("nan"), 1e308):
        with pytest.raises(SetupError, match="hop: found"):
            CONTRACT.at_hop(hop_s)


RULES = (EventRule("walk", threshold=0.8, windows=2, posture_deg=60.0), EventRule("sit"))


def test_events_are_format_6_and_a_contract_without_is_as_before():
    watched = dataclasses.replace(CONTRACT, events=RULES)
    content = json.loads(watched.to_json())
    assert (content["format"], content["decision"], content["mag_full_scale_ut"]) == (6, None, None)
    assert content["events"][0]["threshold"] == 0.8
    assert ModelContract.from_json(watched.to_json()) == watched
    assert "events" not in CONTRACT.to_json()
    tuned = dataclasses.replace(watched, decision=TUNED.decision)
    assert ModelContract.from_json(tuned.to_json()) == tuned


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 1.5},
        {"threshold": "high"},
        {"threshold": True},
        {"windows": 1.5},
        {"confirm_s": None},
        {"label": 3},
        {"label": "fly"},
        {"siren": 1},
    ],
)
def test_broken_events_are_refused(change: dict):
    content = json.loads(dataclasses.replace(CONTRACT, events=RULES).to_json())
    content["events"][0] |= change
    with pytest.raises(ModelError):
        ModelContract.from_json(json.dumps(content))


@pytest.mark.parametrize("events", [{}, [], None, [None], "walk"])
def test_other_events_are_refused(events):
    content = json.loads(dataclasses.replace(CONTRACT, events=RULES).to_json())
    with pytest.raises(ModelError):
        ModelContract.from_json(json.dumps(content | {"events": events}))


def test_events_that_do_not_fit_the_model_are_refused():
    for rules in ((EventRule("fly"),), (EventRule("sit"), EventRule("sit")), ()):
        with pytest.raises(ModelError, match=r"contract\.events"):
            dataclasses.replace(CONTRACT, events=rules)
