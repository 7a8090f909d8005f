"""The library from recordings to events: each verb does what its command does."""

import inspect
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import deseptr
from deseptr.contract import ConversionError, DataError, ModelError, SetupError
from deseptr.convert import Gate
from deseptr.device import run_live
from deseptr.train import RunFolder

pytestmark = pytest.mark.usefixtures("eager")

# The settings of the fixture `tiny_run`.
TINY: dict[str, Any] = {
    "model": "deseptr-spectrogram",
    "teacher_width": 4,
    "teacher_epochs": 1,
    "student_epochs": 2,
    "dim": 8,
    "heads": 2,
    "batch_size": 64,
}
DATA = "synthetic:subjects=4,seconds=12"


@pytest.fixture(scope="module")
def data() -> deseptr.Dataset:
    return deseptr.load(DATA)


@pytest.fixture(scope="module")
def model(tiny_tflite: Path) -> deseptr.Model:
    return deseptr.load_model(tiny_tflite)


def test_fit_is_silent_and_logs_and_the_same_seed_gives_the_same_model(
    tiny_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    capfd.readouterr()
    with caplog.at_level(logging.INFO, "deseptr"):
        run = deseptr.fit(DATA, str(tmp_path / "run"), **TINY)
    assert capfd.readouterr() == ("", "")
    assert "student, epoch 2: loss" in caplog.text
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert run.metrics == metrics
    assert run.macro_f1 == metrics["student"]["macro_f1"]
    assert run.test_subjects == tuple(metrics["subjects"]["test"])
    assert [row["stage"] for row in run.history] == ["teacher", "student", "student"]
    assert run.config["dim"] == 8
    assert f"macro_f1 {run.macro_f1:.4f}" in repr(run)
    windows = np.random.default_rng(0).normal(size=(5, 128, 6)).astype(np.float32) * 5
    np.testing.assert_array_equal(run.predict(windows), deseptr.load_run(tiny_run).predict(windows))


def test_callback_follows_and_cancels_and_the_run_goes_on(tiny_run: Path, tmp_path: Path, data: deseptr.Dataset):
    seen: list[deseptr.Progress] = []

    def stop_in_the_student(progress: deseptr.Progress) -> bool:
        seen.append(progress)
        return not (progress.stage == "student" and progress.done == 1)

    with pytest.raises(deseptr.CancelledError, match="in student, 1 of 2 done"):
        deseptr.fit(data, tmp_path / "run", progress=stop_in_the_student, **TINY)
    shares = [each.share for each in seen if each.stage == "teacher"]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert deseptr.Run(tmp_path / "run").__repr__().endswith("unfinished)")
    assert RunFolder(tmp_path / "run").model.exists()

    seen.clear()
    run = deseptr.fit(data, tmp_path / "run", if_exists="resume", progress=seen.append, **TINY)
    assert [(each.stage, each.done) for each in seen if each.figures] == [("student", 2)]
    whole = deseptr.load_run(tiny_run)
    assert np.array_equal(run.predict(run.windows(data).signals), whole.predict(run.windows(data).signals))


def test_folder_in_use_follows_if_exists(tiny_run: Path, tmp_path: Path, data: deseptr.Dataset):
    before = {path.name: path.read_bytes() for path in tiny_run.iterdir() if path.is_file()}
    with pytest.raises(SetupError, match="found a run"):
        deseptr.fit(data, tiny_run, **TINY)
    with pytest.raises(SetupError, match="if_exists: found maybe, expected error, resume or overwrite"):
        deseptr.fit(data, tiny_run, if_exists="maybe", **TINY)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="as when the run began"):
        deseptr.fit(data, tiny_run, if_exists="resume", **{**TINY, "heads": 1})
    assert {path.name: path.read_bytes() for path in tiny_run.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", ["patience_s", "rate_tolerance"])
def test_model_has_the_defaults_of_the_runtime(name: str):
    default = inspect.signature(run_live).parameters[name].default
    for verb in (deseptr.Model.simulate, deseptr.Model.run):
        assert inspect.signature(verb).parameters[name].default == default


def test_setting_of_the_decision_is_named_by_its_argument():
    with pytest.raises(SetupError, match=r"^horizon_s: found 0, expected seconds above 0"):
        deseptr.DecisionConfig(horizon_s=0)
    with pytest.raises(SetupError, match=r"^smoothing: found median, expected none, exponential, majority or markov"):
        deseptr.DecisionConfig(smoothing="median")  # type: ignore[arg-type]


def test_unknown_setting_is_named_before_anything_is_written(tmp_path: Path, data: deseptr.Dataset):
    with pytest.raises(SetupError, match="setting epochs: found no such setting"):
        deseptr.fit(data, tmp_path / "run", epochs=3)
    assert not list(tmp_path.iterdir())


def test_run_scores_as_evaluate_does(tiny_run: Path, data: deseptr.Dataset):
    from deseptr.evaluate.predictor import evaluate_model, load_predictor

    run = deseptr.load_run(str(tiny_run))
    assert run.score(data).to_dict() == evaluate_model(load_predictor(tiny_run), data).to_dict()
    assert run.teacher is not None
    assert run.teacher.predict(run.windows(data).signals[0]).shape == (1, len(run.contract.labels))
    assert "Scores(macro_f1=" in repr(run.score(data))


def test_run_and_model_know_whom_they_were_not_trained_on(tiny_run: Path, model: deseptr.Model, data: deseptr.Dataset):
    for classifier in (deseptr.load_run(tiny_run), model):
        assert classifier.held_out(data).subjects == ("4",)
    with pytest.raises(DataError, match="none of the 1 that the model held out"):
        model.held_out("synthetic:subjects=3,seconds=4")


def test_convert_writes_what_the_command_writes(tiny_run: Path, tmp_path: Path):
    from deseptr.cli.convert import convert

    commanded = tmp_path / "command" / "m.tflite"
    commanded.parent.mkdir()
    done = CliRunner().invoke(convert, [str(tiny_run), "-o", str(commanded), "--agreement", "0", "--loss", "100"])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "library"
    folder.mkdir()
    steps: list[str] = []
    model = deseptr.load_run(tiny_run).convert(
        folder / "m.tflite", agreement=0, loss=100, page=True, progress=lambda p: steps.append(p.stage)
    )
    assert (folder / "m.tflite").read_bytes() == commanded.read_bytes()
    assert {path.name for path in folder.iterdir()} == {"m.tflite", "m.json", "m.html"}
    assert model.conversion is not None
    assert model.conversion.to_dict() == json.loads((folder / "m.json").read_text())
    assert "agreement" in repr(model.conversion)
    assert steps[0] == "converting to int8"


def test_conversion_can_be_cancelled_and_writes_nothing(tiny_run: Path, tmp_path: Path):
    with pytest.raises(deseptr.CancelledError, match="converting to int8"):
        deseptr.load_run(tiny_run).convert(tmp_path / "m.tflite", progress=lambda p: False)
    assert not list(tmp_path.iterdir())


def test_gate_refuses_in_the_library_too(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # No limit is one that no model meets: a single differing window is always allowed.
    monkeypatch.setattr(Gate, "failures", lambda gate, parity: (f"at most {gate.loss:g} was asked",))
    with pytest.raises(ConversionError, match=r"not the same .*at most 0\.02 was asked"):
        deseptr.load_run(tiny_run).convert(tmp_path / "m.tflite", mode="float16", loss=2)
    assert not list(tmp_path.iterdir())


def test_model_predicts_scores_and_describes_itself(model: deseptr.Model, data: deseptr.Dataset):
    windows = model.windows(data)
    logits = model.predict(windows.signals)
    assert logits.shape == (len(windows), len(model.contract.labels))
    scores = model.score(data)
    assert scores.windows == len(windows)
    assert scores.accuracy == (logits.argmax(1) == windows.labels).mean()
    assert repr(model).startswith(f"Model('{model.path}', deseptr_spectrogram_d8_h2")
    with pytest.raises(DataError, match=r"windows: found shape \(3, 6\)"):
        model.predict(np.zeros((3, 6)))


def test_simulate_gives_the_windows_of_an_offline_evaluation(model: deseptr.Model, data: deseptr.Dataset):
    one = data.select(subjects=["1"])
    events = list(model.simulate(one))
    named = [event for event in events if event.to_dict().get("truth")]
    windows = model.windows(one)
    offline = [model.contract.labels[index] for index in model.predict(windows.signals).argmax(1)]
    assert len(named) == len(offline)
    agree = np.mean([event.event.label == label for event, label in zip(named, offline, strict=True)])
    assert agree > 0.9
    assert str(named[0]).startswith("#0 ")


def test_profile_has_the_command_s_keys(model: deseptr.Model):
    profile = model.profile(DATA, windows=5)
    figures = profile.to_dict()
    assert figures["deadlines"]["windows"] == 5
    assert figures["sensor"]["simulated"] is True
    assert repr(profile).startswith("Profile(5 windows on ")
    json.dumps(figures)


def test_compare_has_the_command_s_keys(model: deseptr.Model, data: deseptr.Dataset):
    rounds: list[int] = []
    result = deseptr.compare(model, model.path, data=data, rounds=3, progress=lambda p: rounds.append(p.done))
    assert rounds == [1, 2, 3]
    first, second = result.models
    assert first["scores"] == second["scores"] | {"agreement": first["scores"]["agreement"]}
    assert result.to_dict()["format"] == "deseptr compare 1"
    assert "macro_f1" in repr(result)
    with pytest.raises(AttributeError, match="Comparison has no 'winner'; it has "):
        result.winner  # noqa: B018


def test_crossval_keeps_folds_and_can_be_cancelled(tmp_path: Path, data: deseptr.Dataset):
    settings = {"model": "random-forest"}
    out = tmp_path / "out"

    def stop_after_one(progress: deseptr.Progress) -> bool:
        return progress.done < 1

    with pytest.raises(deseptr.CancelledError, match="in folds, 1 of 4 done"):
        deseptr.crossval(data, out, progress=stop_after_one, **settings)
    done: list[int] = []
    result = deseptr.crossval(data, str(out), progress=lambda p: done.append(p.done), **settings)
    assert done == [1, 2, 3, 4]
    assert len(result.folds) == 4
    assert result.to_dict() == json.loads((out / "crossval.json").read_text())
    assert 0 <= result.macro_f1 <= 1
    assert "4 folds, float macro_f1" in repr(result)
    with pytest.raises(SetupError, match="found a folder in use"):
        deseptr.crossval(data, out, if_exists="error", **settings)


def test_missing_things_are_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"contract\.json"):
        deseptr.load_run(tmp_path)
    with pytest.raises(ModelError, match=r"none\.tflite"):
        deseptr.load_model(tmp_path / "none.tflite")
    with pytest.raises(DataError, match="found no such file"):
        deseptr.load(tmp_path / "none.csv")


def test_packaged_model_is_the_default():
    assert deseptr.load_model().contract.rate_hz == 50
