import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.main import deseptr
from deseptr.contract import DataError, Mounting, SetupError
from deseptr.data import load_sample, save_npz
from deseptr.device import default_model
from deseptr.device.mounting.recordings import turned_back
from deseptr.device.personal import WearerFile
from deseptr.tflite import embed_contract, read_tflite, streaming_inside, without_archive

MODEL = str(default_model())


def invoke(*arguments):
    result = CliRunner().invoke(deseptr, [*map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def turned_sample(turn):
    """The sample, as a sensor that is turned would have measured it."""
    return turned_back(load_sample(), Mounting.named(turn).inverse())


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
    save_npz(load_sample(), tmp_path / "plain.npz")
    save_npz(turned_sample("x90"), tmp_path / "turned.npz")
    read = {}
    for name, how in (("plain", "none"), ("turned", "x90"), ("turned", "auto"), ("plain", "auto")):
        path = tmp_path / f"{name}-{how}.deseptr"
        said = invoke(
            "personalise", MODEL, tmp_path / f"{name}.npz", "--wearer", "eve", "-o", path, "--mounting", how
        ).stdout
        read[name, how] = WearerFile.load(path)
        assert ("the sensor seems" in said) == (how == "auto")
    plain = read["plain", "none"].recorded
    for (name, _), file in read.items():
        assert np.array_equal(file.recorded.logits, plain.logits)
        assert file.mountings == ("x90" if name == "turned" else "none",)
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


def test_the_mounting_of_a_guided_session_is_estimated_and_said(tmp_path):
    data, path = tmp_path / "turned.npz", tmp_path / "eve.deseptr"
    save_npz(turned_sample("x90"), data)
    names = ("walking", "sitting", "upstairs", "standing")
    labels = [word for name in names for word in ("--label", name)]
    session = ("device", "personalise", MODEL, "--wearer", "eve", "--simulate", data, "-o", path)
    said = invoke(*session, *labels, "--mounting", "auto")
    first, *_, last = (line for line in said.stderr.splitlines() if ": good, 6 windows" in line)
    assert first.startswith("walking")
    assert first.endswith("how the sensor is turned is not known yet")
    assert last.endswith("standing: good, 6 windows, which the model calls standing (100%)")
    assert "the sensor seems turned by 90° about x" in said.stdout
    assert WearerFile.load(path).mountings == ("x90",)


def test_a_mounting_that_is_not_clear_is_refused_and_the_file_stays_as_it_was(tmp_path):
    data, path = tmp_path / "turned.npz", tmp_path / "eve.deseptr"
    save_npz(turned_sample("x90").select(labels=("sitting",)), data)
    with pytest.raises(DataError, match="leave open how the sensor is turned"):
        invoke("personalise", MODEL, data, "--wearer", "eve", "-o", path, "--mounting", "auto")
    assert not path.exists()


def test_a_model_that_cannot_estimate_is_refused_before_anybody_walks(tmp_path):
    model = read_tflite(MODEL)
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(
        embed_contract(without_archive(model.content), replace(model.contract, mounting=None), streaming_inside(model))
    )
    with pytest.raises(SetupError, match="does not know how the sensor was worn"):
        invoke("device", "personalise", bare, "--wearer", "eve", "--simulate", "--mounting", "auto")


def test_takes_that_look_turned_are_noted_and_kept_as_they_are(tmp_path):
    data, path = tmp_path / "turned.npz", tmp_path / "eve.deseptr"
    save_npz(turned_sample("x90"), data)
    said = invoke("personalise", MODEL, data, "--wearer", "eve", "-o", path)
    assert "the sensor seems turned by 90° about x" in said.stdout
    assert "--undo this and repeat it with --mounting x90" in said.stdout
    assert WearerFile.load(path).mountings == ("none",)


def test_a_run_under_another_mounting_warns_in_one_line(tmp_path):
    plain, turned = tmp_path / "plain.deseptr", tmp_path / "turned.deseptr"
    for path, mounting in ((plain, "none"), (turned, "x90")):
        save_npz(turned_sample(mounting), tmp_path / "data.npz")
        invoke("personalise", MODEL, tmp_path / "data.npz", "--wearer", "eve", "-o", path, "--mounting", mounting)

    def warnings(file, *more):
        said = invoke("device", "run", "--wearer", file, "--simulate", "--seconds", 4, "--plain", *more)
        return [line for line in (said.stdout + said.stderr).splitlines() if "eve was recorded under" in line]

    (at_start,) = warnings(turned)
    assert "under the mounting x90, and the run is under none" in at_start
    assert at_start.endswith("run with --mounting x90")
    (of_event,) = warnings(plain, "--mounting", "x90")
    assert of_event.count("record again with --mounting x90") == 1
    for file, more in ((plain, ()), (turned, ("--mounting", "x90")), (plain, ("--mounting", "none"))):
        assert warnings(file, *more) == []


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
