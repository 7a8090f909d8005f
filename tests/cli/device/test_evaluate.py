import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner
from worn_windows import wearer_samples, worn_windows

from deseptr.cli.device.evaluate import evaluate
from deseptr.contract import CHANNELS, DataError, Mounting, SetupError
from deseptr.data import UNLABELLED, Dataset, Recording, load_dataset, save_npz
from deseptr.device import MountingCorrection, MountingWatch, default_model
from deseptr.evaluate.bus_run import BusRun
from deseptr.evaluate.over_bus import bus_windows, evaluate_bus, evaluate_straight
from deseptr.firmware_harness.simulator import VirtualClock
from deseptr.tflite import load_engine
from deseptr.train.mounting_reference import mounting_reference

MODEL = default_model()
DATA = "synthetic:subjects=4,seconds=12"
KEYS = {"windows", "accuracy", "macro_f1", "labels", "per_class_f1", "per_subject_f1", "confusion"}


def run(*arguments):
    return CliRunner().invoke(evaluate, [str(MODEL), DATA, *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def engine():
    return load_engine(MODEL)


def test_both_ways_have_the_keys_of_evaluate_and_agree():
    result = run("--json")
    made = json.loads(result.stdout)
    assert KEYS | {"model", "runtime", "data", "subjects"} <= made.keys()
    assert made["bus"].keys() >= KEYS
    assert made["path"] == "straight"
    assert made["windows"] == np.sum(made["confusion"])
    agreement = made["agreement"]
    assert agreement["windows"] == made["bus"]["windows"] > 0
    assert agreement["share"] >= 0.95
    assert 0 < agreement["mean_difference"] <= agreement["largest_difference"] < 0.2
    assert "over the bus" in result.stderr


def test_the_direct_way_agrees_with_evaluate():
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    dataset = load_dataset(DATA)
    whole = evaluate_model(load_predictor(MODEL), dataset).to_dict()
    assert evaluate_straight(load_engine(MODEL), dataset).to_dict() == whole


def test_page_has_both_ways_and_the_windows_that_each_confused(tmp_path):
    page = tmp_path / "page.html"
    result = run("-o", str(page))
    assert f"page: {page}" in result.stdout
    content, text = json.loads(page.with_suffix(".json").read_text()), page.read_text()
    assert content["format"] == "deseptr evaluate 1"
    assert content["bus"]["windows"] == np.sum(content["bus"]["confusion"])
    for title in ("Confusion, straight", "Confusion, over the bus", "Classes and wearers, over the bus"):
        assert f"<h2>{title}</h2>" in text
    straight, bus = text.split("<h2>Confusion, over the bus</h2>")
    for part, figures in ((straight, content), (bus, content["bus"])):
        wrong = np.array(figures["confusion"]) * (1 - np.eye(len(content["labels"]), dtype=int))
        assert part.count("</svg><span>wearer") == np.minimum(wrong, 6).sum() > 0
    assert "## over the bus" in page.with_suffix(".md").read_text()


@pytest.mark.parametrize(("option", "other"), [("--straight", "bus"), ("--bus", "straight")])
def test_one_way_alone(option, other):
    made = json.loads(run(option, "--test-subjects", "2", "--json").stdout)
    assert made["path"] != other
    assert made["subjects"] == ["2"]
    assert ("bus" in made) == ("agreement" in made) == (option == "--bus")
    if option == "--bus":
        assert made["confusion"] == made["bus"]["confusion"]


def test_as_text():
    text = run().stdout
    for part in ("straight", "over the bus", "macro-F1", "true (rows)", "same samples both ways: "):
        assert part in text


def recording(labels, seed=0):
    signals = np.random.default_rng(seed).normal(0, 3, (len(labels), 6)).astype(np.float32)
    return Recording(signals, 50.0, "1", np.asarray(labels, np.int16))


def test_only_windows_of_one_known_label_are_judged(engine):
    contract = engine.contract
    length, hop = contract.window_length, contract.hop_length
    names = (contract.labels[0], "swimming")
    # A window of the first class, then hops that cross into no label, into a class the model does not know.
    labels = [0] * (length + 2 * hop) + [UNLABELLED] * length + [1] * (2 * length) + [0] * (3 * length)
    dataset = Dataset((recording(labels),), names)
    advanced = []
    run = evaluate_bus(engine, dataset, sensor="mpu6050", make_clock=VirtualClock, progress=advanced.append)
    starts = range(0, len(labels) - length + 1, hop)
    expected = [start for start in starts if set(labels[start : start + length]) == {0}]
    assert [sample for _, sample in run.places] == expected
    assert set(run.true) == {0}
    assert sum(advanced) == len(starts) == bus_windows(engine, dataset)


def test_every_recording_starts_again(engine):
    length = engine.contract.window_length
    dataset = Dataset(tuple(recording([0] * (length + 7), seed) for seed in range(2)), (engine.contract.labels[0],))
    run = evaluate_bus(engine, dataset, sensor="mpu6050", make_clock=VirtualClock)
    assert run.places == [(0, 0), (1, 0)]
    assert np.abs(run.differences).max() < 0.2


def test_windows_confused_over_the_bus_have_their_places_and_their_samples(engine):
    length, hop, labels = engine.contract.window_length, engine.contract.hop_length, engine.contract.labels
    recordings = [recording([1] * (length + hop), seed) for seed in range(2)]
    named = [replace(recordings[0], name="first"), replace(recordings[1], name="second", start_s=100.0)]
    dataset = Dataset(tuple(named), labels[:2])
    run = evaluate_bus(engine, dataset, sensor="mpu6050", make_clock=VirtualClock)
    confused = run.confused(engine.contract, dataset)
    wrong = [index for index, pair in enumerate(zip(run.true, run.predicted, strict=True)) if len(set(pair)) > 1]
    assert sum(pair.windows for pair in confused.pairs) == len(wrong) > 0
    assert confused.window_s == engine.contract.window_s
    for pair in confused.pairs:
        for each in pair.examples:
            index = ["first", "second"].index(each.trial)
            start = round((each.start_s - dataset.recordings[index].start_s) * 50)
            assert np.array_equal(each.signals, dataset.recordings[index].signals[start : start + length])
            place = run.places.index((index, start))
            assert place in wrong
            assert (run.true[place], run.predicted[place]) == (pair.true, pair.given)
            probabilities = next(window.probabilities for window in run.wrong if window.number == place)
            assert each.given == pytest.approx(probabilities[pair.given], abs=1e-6)
            assert each.true == pytest.approx(probabilities[1], abs=1e-6)
    assert run.confused(engine.contract, dataset, limit=1).crowded


def test_without_confused_windows_there_is_no_pair(engine):
    labels = engine.contract.labels
    dataset = Dataset((recording([0]),), labels[:1])
    assert BusRun(labels).confused(engine.contract, dataset).pairs == ()


def test_differences_are_reported():
    run = BusRun(("a", "b"))
    run.true, run.predicted, run.straight, run.subjects = [0, 1, 1], [0, 1, 0], [0, 1, 1], ["1", "1", "2"]
    run.places = [(0, 0), (0, 64), (1, 0)]
    run.differences = [np.array(pair, np.float32) for pair in ((0, 0), (0.25, -0.25), (0.5, -0.5))]
    run.margins = [0.9, 0.5, 0.125]
    made = run.agreement()
    assert made["share"] == pytest.approx(2 / 3)
    assert (made["largest_difference"], made["mean_difference"]) == (0.5, 0.25)
    assert made["pairs"] == [{"straight": "b", "bus": "a", "windows": 1}]
    where = {"recording": 1, "sample": 0, "straight": "b", "bus": "a"}
    assert made["differing"] == [where | {"largest_difference": 0.5, "straight_margin": 0.125}]
    assert run.scores().accuracy == pytest.approx(2 / 3)


@pytest.fixture
def turned_files(tmp_path):
    """Three wearers' recordings, and the same by a sensor that is turned."""
    dataset, turn = load_dataset("synthetic:subjects=3,seconds=12"), Mounting.named("x90+z180")
    measure = MountingCorrection(turn.inverse(), dataset.channels)
    turned = [replace(each, signals=measure(each.signals)) for each in dataset.recordings]
    for name, recordings in (("plain", dataset.recordings), ("turned", tuple(turned))):
        save_npz(replace(dataset, recordings=recordings), tmp_path / f"{name}.npz")
    return tmp_path


@pytest.mark.parametrize("more", [(), ("--continuous",)])
def test_recordings_of_a_turned_sensor_have_the_figures_of_the_sensor_as_it_was(turned_files, more):
    def figures(name, *options):
        command = [str(MODEL), str(turned_files / f"{name}.npz"), *more, *options, "--json"]
        made = json.loads(CliRunner().invoke(evaluate, command, catch_exceptions=False).stdout)
        return made.get("mounting"), {key: made[key] for key in made if key not in ("mounting", "data", "machine")}

    asked, corrected = figures("turned", "--mounting", "x90+z180")
    assert asked == "x90+z180"
    assert corrected == figures("plain")[1]
    assert corrected != figures("turned")[1]


def test_the_mounting_is_estimated_over_the_bus_and_the_same_samples_are_compared(engine):
    walked = [wearer_samples(7, label, 4) for _ in range(8) for label in ("walking", "standing", "sitting")]
    signals = np.concatenate(walked)
    labels = np.full(len(signals), engine.contract.labels.index("walking"), np.int16)
    turn = Mounting.named("x90")
    measured = MountingCorrection(turn.inverse(), CHANNELS)(signals)
    reference = mounting_reference(worn_windows())

    class Referring:
        contract = replace(engine.contract, mounting=reference)
        name, threads, invoke, embedding = engine.name, engine.threads, engine.invoke, None

    watch = MountingWatch(Referring.contract, "auto")
    recordings = (Recording(measured, 50.0, "1", labels), Recording(signals, 50.0, "2", labels))
    run = evaluate_bus(
        Referring(),
        Dataset(recordings, engine.contract.labels),
        sensor="mpu6050",
        make_clock=VirtualClock,
        mounting=watch,
    )
    assert run.mountings == {"x90": 1, "none": 1}
    # Straight, each window is corrected from where it was over the bus.
    assert np.abs(run.differences).max() < 0.1


def test_an_estimate_needs_the_bus():
    command = [str(MODEL), DATA, "--straight", "--mounting", "auto"]
    with pytest.raises(UsageError, match="--mounting auto is estimated over the bus"):
        CliRunner().invoke(evaluate, command, standalone_mode=False, catch_exceptions=False)


def test_what_was_found_of_the_mounting_is_said():
    text = run("--mounting", "auto").stdout
    assert "mounting over the bus, of recordings that were long enough: none found; the straight way is without" in text
    assert "mounting z90: samples are turned back" in run("--mounting", "z90").stdout


def test_without_judged_windows_it_is_one_line(engine):
    length = engine.contract.window_length
    dataset = Dataset((recording([UNLABELLED] * (2 * length)),), (engine.contract.labels[0],))
    with pytest.raises(SetupError, match="found no window with one known label"):
        evaluate_bus(engine, dataset, sensor="mpu6050", make_clock=VirtualClock)
    with pytest.raises(DataError):
        evaluate_straight(engine, dataset)


def test_no_training_framework_is_loaded():
    code = (
        "import sys\nfrom deseptr.cli.device.evaluate import evaluate\n"
        f"try: evaluate([{str(MODEL)!r}, 'synthetic:subjects=3,seconds=6', '--json'])\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'tensorflow', 'keras', 'deseptr.train', 'sklearn', 'jinja2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["windows"] > 0
