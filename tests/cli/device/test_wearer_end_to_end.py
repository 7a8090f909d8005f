"""From the doctor over the guided session to a run, on a simulated sensor: a wearer who sits as others stand."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.main import deseptr
from deseptr.contract import DataError
from deseptr.data import load_sample, save_npz
from deseptr.device import default_model

MODEL = str(default_model())
LABELS = ("sitting", "standing", "walking")
LEANING_DEG = 25
SECONDS, RECORDED_S, SHORT_S = 14, 20, 10


def invoke(*arguments):
    result = CliRunner().invoke(deseptr, [*map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def turn_towards_standing(sample, degrees):
    """The rotation in the plane of gravity in sitting and in standing, from one towards the other."""
    sitting, standing = (gravity(sample, label) for label in ("sitting", "standing"))
    first = sitting / np.linalg.norm(sitting)
    second = standing - (standing @ first) * first
    second /= np.linalg.norm(second)
    plane, angle = np.stack([first, second]), np.radians(degrees)
    swing = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.eye(3) + plane.T @ (swing - np.eye(2)) @ plane


def gravity(sample, label):
    wanted = sample.label_names.index(label)
    return np.concatenate([each.signals[each.labels == wanted, :3] for each in sample.recordings]).mean(axis=0)


def of_label(sample, label):
    """The samples of a label, gravity and turning rates, leaning where the wearer sits."""
    wanted = sample.label_names.index(label)
    signals = np.concatenate([each.signals[each.labels == wanted] for each in sample.recordings])
    if label != "sitting":
        return signals
    turn = turn_towards_standing(sample, LEANING_DEG)
    return np.concatenate([signals[:, :3] @ turn.T, signals[:, 3:]], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def wearer(tmp_path_factory):
    """Two files: what the wearer does when asked to, and a later day, other samples of the same in a row."""
    folder = tmp_path_factory.mktemp("wearer")
    sample = load_sample()
    rate = round(sample.recordings[0].rate_hz)
    halves = {label: np.array_split(of_label(sample, label), 2) for label in LABELS}

    def recording(signals, label):
        labels = np.full(len(signals), sample.label_names.index(label), np.int16)
        return replace(sample.recordings[0], signals=signals, labels=labels)

    asked = [recording(first, label) for label, (first, _) in halves.items()]
    day = [recording(second[: SECONDS * rate], label) for label, (_, second) in halves.items()]
    joined = replace(
        day[0],
        signals=np.concatenate([each.signals for each in day]),
        labels=np.concatenate([each.labels for each in day]),
    )
    for name, recordings in (("asked", asked), ("day", [joined])):
        save_npz(replace(sample, recordings=tuple(recordings)), folder / f"{name}.npz")
    return folder


def session(wearer, path, seconds):
    """The guided session of the wearer, and what was said."""
    labels = [word for label in LABELS for word in ("--label", label)]
    source = ("--simulate", wearer / "asked.npz", "--seconds", seconds)
    return invoke("device", "personalise", MODEL, "--wearer", "eve", *labels, *source, "-o", path)


@pytest.fixture(scope="module")
def eve(wearer):
    """The file that the guided session writes."""
    path = wearer / "eve.deseptr"
    return path, session(wearer, path, RECORDED_S)


def run(*arguments):
    """Objects of a run's windows and of its changes of the label."""
    # Whether such a posture is familiar is another question.
    said = invoke("device", "run", "--json", "--no-unknown", *arguments)
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    return [line for line in lines if "label" in line], [line for line in lines if "change" in line]


def counted_for_drift(path):
    """Classes and confidences of the one part of a day in a CSV file."""
    with path.open(newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["event"] == "drift"]
    counted = json.loads(row["detail"])
    return {name: counted[name] for name in ("windows", "labels", "mean_confidence", "confidence")}


def shares_right(windows):
    """Share of right windows of each label."""
    known = [window for window in windows if window["truth"] is not None]
    return {
        label: np.mean([window["label"] == label for window in known if window["truth"] == label]) for label in LABELS
    }


def test_the_doctor_finds_nothing_against_the_sensor():
    said = invoke("device", "doctor", "--simulate", "--json")
    findings = {each["check"]: each["level"] for each in json.loads(said.stdout)["findings"]}
    assert findings["plausible"] == findings["model-fit"] == "ok"


def test_the_guided_session_says_what_the_model_made_of_each_activity(eve):
    _, said = eve
    assert "sitting: good" in said.stderr
    assert "which the model calls standing" in said.stderr.split("sitting: good")[1].split("\n")[0]
    assert "with the model as it is, 100.0% corrected" in said.stdout


def test_a_session_too_short_to_tell_the_two_apart_is_refused(wearer, tmp_path):
    path = tmp_path / "eve.deseptr"
    with pytest.raises(DataError, match="record each activity for longer"):
        session(wearer, path, SHORT_S)
    assert not path.exists()


def test_the_labels_of_the_run_change_as_the_wearer_does(wearer, eve, tmp_path):
    path, _ = eve
    played = ("--simulate", wearer / "day.npz")
    plain, without = run(*played, "--csv", tmp_path / "plain.csv")
    corrected, changes = run(*played, "--wearer", path, "--csv", tmp_path / "run.csv")
    assert shares_right(plain)["sitting"] < 0.5
    assert min(shares_right(corrected).values()) > 0.9
    assert "sitting" not in [each["change"]["label"] for each in without]
    assert [each["change"]["label"] for each in changes if each["change"]["label"] != "unknown"] == list(LABELS)
    assert {each["wearer"] for each in (*corrected, *changes)} == {"eve"}
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["event"] == "label"]
    assert [(row["label"], row["wearer"]) for row in rows] == [(each["change"]["label"], "eve") for each in changes]
    # To drift, which is told from the model as it is, this is the same day.
    own, corrected_too = (counted_for_drift(tmp_path / name) for name in ("plain.csv", "run.csv"))
    assert own == corrected_too
    assert own["labels"]["standing"] > sum(window["label"] == "standing" for window in corrected)


def test_the_file_of_another_model_or_a_torn_one_is_refused(wearer, eve, int8_model, tmp_path):
    path, _ = eve
    played = ("--simulate", wearer / "day.npz")
    with pytest.raises(DataError, match="what eve recorded for the model"):
        run("--model", int8_model, *played, "--wearer", path)
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 3):
        torn = tmp_path / "torn.deseptr"
        torn.write_bytes(whole[:length])
        with pytest.raises(DataError, match="expected the file of a wearer"):
            run(*played, "--wearer", torn)


def test_the_file_of_another_person_is_run_under_their_name_and_not_added_to(wearer, eve):
    """Nothing in samples tells who wears the sensor: the output says for whom the model is corrected."""
    path, _ = eve
    windows, changes = run("--simulate", "--seconds", 6, "--wearer", path)
    assert {each["wearer"] for each in (*windows, *changes)} == {"eve"}
    before = path.read_bytes()
    with pytest.raises(DataError, match="found a file of eve"):
        invoke("device", "personalise", MODEL, "--wearer", "bob", "--simulate", wearer / "asked.npz", "-o", path)
    assert path.read_bytes() == before
