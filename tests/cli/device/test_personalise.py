import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.main import deseptr
from deseptr.contract import DataError, Mounting, SetupError
from deseptr.data import load_sample, save_npz
from deseptr.device import MountingCorrection, default_model
from deseptr.device.personal import WearerFile

MODEL = str(default_model())


def invoke(*arguments):
    result = CliRunner().invoke(deseptr, [*map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def eve(tmp_path_factory):
    """A guided session of three activities on a simulated sensor; the file and what was said."""
    path = tmp_path_factory.mktemp("eve") / "eve.deseptr"
    labels = [word for name in ("sitting", "standing", "walking") for word in ("--label", name)]
    said = invoke("device", "personalise", MODEL, "--wearer", "eve", *labels, "--simulate", "-o", path)
    return path, said


@pytest.fixture
def eve_who_runs(tmp_path):
    """The file of a wearer whose jogging has a new name."""
    sample = load_sample()
    names = tuple("running" if name == "jogging" else name for name in sample.label_names)
    save_npz(replace(sample, label_names=names), tmp_path / "eve.npz")
    path = tmp_path / "eve.deseptr"
    invoke("personalise", MODEL, tmp_path / "eve.npz", "--wearer", "eve", "--new", "running", "-o", path)
    return path


def test_guides_through_each_activity_and_checks_it(eve):
    path, said = eve
    assert said.stderr.count("get ready:") == 3
    for label in ("sitting", "standing", "walking"):
        assert f"now: {label}, 10 s" in said.stderr
        assert f"{label}: good, 6 windows, which the model calls {label}" in said.stderr
    assert WearerFile.load(path).counts() == {"sitting": 6, "standing": 6, "walking": 6}
    assert f"{path}: eve, 1 session, windows: sitting 6, standing 6, walking 6" in said.stdout
    # The recordings were not kept.
    assert ".csv" not in said.stdout


def test_a_turned_sensor_is_turned_back_before_the_model_learns_from_it(eve, tmp_path):
    sample, turn = load_sample(), Mounting.named("x90")
    measure = MountingCorrection(turn.inverse(), sample.channels)
    turned = [replace(each, signals=measure(each.signals)) for each in sample.recordings]
    save_npz(sample, tmp_path / "plain.npz")
    save_npz(replace(sample, recordings=tuple(turned)), tmp_path / "turned.npz")
    for name, more in (("plain", ()), ("turned", ("--mounting", "x90"))):
        data, path = tmp_path / f"{name}.npz", tmp_path / f"{name}.deseptr"
        invoke("personalise", MODEL, data, "--wearer", "eve", "-o", path, *more)
    plain, turned_back = (WearerFile.load(tmp_path / f"{name}.deseptr").recorded for name in ("plain", "turned"))
    assert np.array_equal(turned_back.logits, plain.logits)
    data, path, words = (
        tmp_path / "turned.npz",
        tmp_path / "live.deseptr",
        ("--label", "sitting", "--label", "standing"),
    )
    session = ("device", "personalise", MODEL, "--wearer", "eve", *words, "--simulate", data, "-o", path)
    assert (
        "sitting: good, 6 windows, which the model calls sitting (100%)" in invoke(*session, "--mounting", "x90").stderr
    )
    counts = WearerFile.load(path).counts()
    assert counts == {"sitting": 6, "standing": 6}
    path.unlink()
    with pytest.raises(DataError, match="each part without itself"):
        invoke(*session, "--mounting", "z180")
    assert not path.exists()


def test_the_mounting_of_takes_is_named_and_not_estimated():
    for words in (("personalise", MODEL, "eve.csv"), ("device", "personalise", MODEL)):
        said = invoke(*words, "--wearer", "eve", "--mounting", "auto")
        assert said.exit_code == 2
        assert "auto needs a run" in said.stderr


def test_a_run_names_the_wearer(eve):
    path, _ = eve
    said = invoke("device", "run", "--wearer", path, "--simulate", "--seconds", 6, "--json")
    events = [json.loads(line) for line in said.stdout.splitlines()]
    windows = [event for event in events if "label" in event]
    assert len(windows) == 3
    assert {event["wearer"] for event in windows} == {"eve"}
    plain = invoke("device", "run", "--simulate", "--seconds", 6, "--json")
    first = next(json.loads(line) for line in plain.stdout.splitlines() if '"label"' in line)
    assert "wearer" not in first
    assert first["probabilities"] != windows[0]["probabilities"]


def test_the_csv_of_a_run_names_the_wearer_and_has_their_new_label(eve_who_runs, tmp_path):
    table = tmp_path / "run.csv"
    invoke("device", "run", "--wearer", eve_who_runs, "--simulate", "--seconds", 6, "--csv", table)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["wearer"] for row in rows if row["event"] in ("window", "label")} == {"eve"}
    windows = [row for row in rows if row["event"] == "window"]
    assert {"p_jogging", "p_running"} < windows[0].keys()
    for row in windows:
        assert sum(float(value) for name, value in row.items() if name.startswith("p_")) == pytest.approx(1, abs=1e-4)


def test_sessions_are_added_and_undone(tmp_path):
    data, path = tmp_path / "eve.npz", tmp_path / "eve.deseptr"
    save_npz(load_sample(), data)
    arguments = ("personalise", MODEL, "--wearer", "eve", "-o", path)
    invoke(*arguments, data)
    first = path.read_bytes()
    assert "2 sessions" in invoke(*arguments, data).stdout
    assert "1 session left" in invoke(*arguments, "--undo").stdout
    assert path.read_bytes() == first
    assert "deleted" in invoke("device", "personalise", MODEL, "--wearer", "eve", "-o", path, "--undo").stdout
    assert not path.exists()


def test_another_wearers_file_is_left_alone(eve, tmp_path):
    data = tmp_path / "bob.npz"
    save_npz(load_sample(), data)
    path, _ = eve
    before = path.read_bytes()
    for undo in ((data,), ("--undo",)):
        with pytest.raises(DataError, match="eve"):
            invoke("personalise", MODEL, "--wearer", "bob", "-o", path, *undo)
    assert path.read_bytes() == before


def test_nothing_is_recorded_for_a_file_that_is_none(tmp_path):
    path = tmp_path / "eve.deseptr"
    path.write_text("{}")
    with pytest.raises(DataError, match="expected the file of a wearer"):
        invoke(
            "device", "personalise", MODEL, "--wearer", "eve", "--simulate", "-o", path, "--recordings", tmp_path / "r"
        )
    assert not (tmp_path / "r").exists()


def test_nothing_is_recorded_of_an_activity_alone(eve, tmp_path):
    path, recordings = tmp_path / "bob.deseptr", tmp_path / "takes"
    words = ("device", "personalise", MODEL, "--label", "sitting", "--simulate", "--seconds", 3)
    with pytest.raises(DataError, match="found sitting alone, expected at least 2 activities"):
        invoke(*words, "--wearer", "bob", "-o", path, "--recordings", recordings)
    assert not path.exists()
    assert not recordings.exists()
    # Others of an earlier session are enough.
    path.write_bytes(eve[0].read_bytes())
    assert "2 sessions" in invoke(*words, "--wearer", "eve", "-o", path).stdout


def test_a_label_that_the_model_lacks_is_new_or_refused(tmp_path):
    with pytest.raises(DataError, match="add it with --new cycling"):
        invoke("device", "personalise", MODEL, "--wearer", "eve", "--label", "cycling", "--simulate")
    data = tmp_path / "walk.npz"
    save_npz(load_sample().select(labels=["walking"]), data)
    with pytest.raises(DataError, match="to tell it from"):
        invoke("personalise", MODEL, data, "--wearer", "eve", "--new", "cycling", "-o", tmp_path / "e.deseptr")


def test_recordings_of_several_people_are_refused(tmp_path):
    with pytest.raises(DataError, match="found recordings of 2 people"):
        invoke("personalise", MODEL, "synthetic:subjects=2,seconds=6", "--wearer", "eve", "-o", tmp_path / "e.deseptr")


def test_a_folder_that_cannot_be_written_is_named_by_its_option(tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    words = ["device", "personalise", MODEL, "--wearer", "eve", "--simulate", "-o", tmp_path / "eve.deseptr"]
    with pytest.raises(SetupError, match="choose another one with --recordings"):
        invoke(*words, "--recordings", tmp_path / "notes.md")
    assert (tmp_path / "notes.md").read_text() == "mine"
