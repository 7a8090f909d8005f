"""What beginners pass by mistake: one line that names it, before anything is written."""

import inspect
import logging
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import deseptr
from deseptr.arguments import train_config
from deseptr.cli.main import deseptr as command_line
from deseptr.contract import DataError, DeseptrError, ModelError, SetupError
from deseptr.evaluate.continuous.summary import SHORTEST_S
from deseptr.progress import FEW_STEPS, training_reporter
from deseptr.train import TrainConfig
from deseptr.wording import in_python_words, python_words

DATA = "synthetic:subjects=4,seconds=12"


@pytest.fixture(scope="module")
def data() -> deseptr.Dataset:
    return deseptr.load(DATA)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"epochs": 3}, SetupError, "expected something like teacher_epochs, student_epochs; correct"),
        ({"batchsize": 3}, SetupError, "expected something like batch_size"),
        ({"zzz": 3}, SetupError, "expected some of model, seed, "),
        ({"student_epochs": "3"}, ModelError, "setting student_epochs: found '3', expected a whole number"),
        ({"student_epochs": 1.5}, ModelError, "setting student_epochs: found 1.5, expected a whole number"),
        ({"student_epochs": True}, ModelError, "setting student_epochs: found True, expected a whole number"),
        ({"student_epochs": 0}, ModelError, "setting student_epochs: found 0, expected at least 1"),
        ({"window_s": 0}, ModelError, "setting window_s: found 0.0, expected above 0"),
        ({"overlap": 1}, ModelError, "setting overlap: found 1.0, expected at least 0 and below 1"),
        ({"model": 3}, ModelError, "setting model: found 3, expected a name"),
        ({"progress": "yes"}, SetupError, "progress: found 'yes', expected True, False or a function"),
        ({"test_subjects": "4"}, DataError, r"test_subjects: found '4', expected a list of names; write .*=\['4'\]"),
        ({"test_subjects": 4}, DataError, r"test_subjects: found 4, expected a list of names"),
        ({"unlabelled": DATA, "model": "cnn-har"}, SetupError, "^unlabelled: found the model cnn-har"),
        ({"unlabelled": 3}, DataError, "data: found a int, expected a Dataset"),
        ({"labelled_subjects": 3}, DataError, "labelled subjects: found 3, expected 1 to 2"),
        ({"unlabelled_share": 1}, ModelError, "unlabelled_share: found 1.0, expected at least 0 and below 1"),
        ({"teacher": "nowhere"}, ModelError, "nowhere: found no such folder"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(
    tmp_path: Path, data: deseptr.Dataset, arguments: dict[str, Any], kind: type[DeseptrError], message: str
):
    with pytest.raises(kind, match=message):
        deseptr.fit(data, tmp_path / "run", **arguments)
    assert not list(tmp_path.iterdir())


def test_what_are_no_recordings(tmp_path: Path):
    frame: Any = [1, 2]
    packaged = deseptr.load_model()
    for call in (deseptr.load, packaged.score, packaged.windows, packaged.simulate):
        with pytest.raises(DataError, match=r"data: found a list, expected a Dataset, .*Dataset\.from_dataframe"):
            call(frame)
    with pytest.raises(DataError, match="data: found a list"):
        deseptr.fit(frame, tmp_path / "run")


def test_a_single_class(tmp_path: Path, data: deseptr.Dataset):
    with pytest.raises(DataError, match="labels: found walking alone, expected at least two classes"):
        deseptr.fit(data.select(labels=["walking"]), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_compared(tiny_run: Path, tmp_path: Path):
    packaged: Any = deseptr.load_model()
    with pytest.raises(SetupError, match="compare: found no model"):
        deseptr.compare()
    with pytest.raises(SetupError, match=r"found a list, .*; write compare\(first, second\)"):
        deseptr.compare([packaged, packaged])  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"found a Run, .*; convert a Run first"):
        deseptr.compare(deseptr.Run(tiny_run), packaged)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"none\.tflite: found no such file"):
        deseptr.compare(packaged, tmp_path / "none.tflite")


def test_a_run_is_no_model_and_a_model_no_run(tiny_run: Path, tiny_tflite: Path):
    with pytest.raises(ModelError, match=r"found a folder, expected a \.tflite file; .*load_run\(.*\)\.convert\(\)"):
        deseptr.load_model(tiny_run)
    with pytest.raises(ModelError, match="found no such folder, expected a run folder"):
        deseptr.load_run(tiny_tflite)


def test_what_cannot_be_predicted_or_pushed():
    packaged = deseptr.load_model()
    with pytest.raises(DataError, match=r"windows: found a list that is no array of numbers.*windows\(data\)\.signals"):
        packaged.predict([["sitting"]])
    for shape in ((159,), (128, 6), (2, 128, 6), (2, 159, 5), (1, 2, 159, 6)):
        with pytest.raises(DataError, match=re.escape(f"windows: found shape {shape}, expected [window, 159, 6]")):
            packaged.predict(np.zeros(shape, np.float32))
    one = np.random.default_rng(0).normal(size=(159, 6))
    assert packaged.predict(one).shape == (1, len(packaged.contract.labels))
    assert (packaged.predict(np.stack([one, one])) == packaged.predict(one)).all()
    stream = deseptr.stream(packaged, rate_hz=100)
    assert repr(stream) == "PushStream(deseptr_d32, samples at 100 Hz, resampled to 50 Hz)"
    with pytest.raises(DataError, match="samples: found values that are no numbers"):
        stream.push([["sitting"] * 6])
    with pytest.raises(SetupError, match="rate_hz: found '100', expected a number of Hz"):
        deseptr.stream(packaged, rate_hz="100")  # type: ignore[arg-type]


def test_messages_name_arguments_and_not_options(tiny_run: Path, tmp_path: Path, data: deseptr.Dataset):
    with pytest.raises(SetupError, match='pass if_exists="resume" to continue it, if_exists="overwrite" to start'):
        deseptr.fit(data, tiny_run)
    run = deseptr.load_run(tiny_run)
    with pytest.raises(DeseptrError, match=r"^mode: found int4"):
        run.convert(tmp_path / "m.tflite", mode="int4")
    with pytest.raises(SetupError, match=r"^sensor: found mpu,"):
        next(deseptr.load_model().simulate(data, sensor="mpu"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("choose another -o", "choose another folder"),
        ("try another --mode, or --force (worst", "try another mode, or force=True (worst"),
        ("leave --teacher out", "leave teacher out"),
        ("choose other --test-subjects", "choose other test_subjects"),
        ("runs/a--b and /x--y", "runs/a--b and /x--y"),
        (
            "finish it with --resume, as `deseptr train --resume`",
            'finish it with if_exists="resume", as `deseptr train --resume`',
        ),
        ("`run --csv F` or `run --mqtt` and --rate-hz", "`run --csv F` or `run --mqtt` and rate_hz"),
    ],
)
def test_options_become_arguments(text: str, words: str):
    assert python_words(text) == words


def test_an_error_keeps_its_kind_and_its_parts():
    with pytest.raises(DataError) as caught, in_python_words():
        raise DataError("--data", found="x", expected="y", next_step="add --resume")
    assert caught.value.args == ("data", "x", "y", 'pass if_exists="resume"')
    assert caught.value.next_step == 'pass if_exists="resume"'


def test_numbers_of_numpy_are_numbers():
    from deseptr.arguments import train_config

    config = train_config({"student_epochs": np.int64(3), "window_s": np.float32(2)})
    assert (config.student_epochs, config.window_s) == (3, 2.0)
    assert (type(config.student_epochs), type(config.window_s)) == (int, float)


@pytest.mark.parametrize("verb", ["fit", "crossval"])
def test_what_is_no_answer_to_a_folder_in_use(tmp_path: Path, data: deseptr.Dataset, verb: str):
    with pytest.raises(SetupError, match="if_exists: found maybe, expected error, resume or overwrite; choose one"):
        getattr(deseptr, verb)(data, tmp_path / "run", if_exists="maybe")
    assert not (tmp_path / "run").exists()


COMMANDS = [
    (deseptr.compare, "compare"),
    (deseptr.crossval, "crossval"),
    (deseptr.Run.convert, "convert"),
    (deseptr.Model.profile, "device profile"),
    (deseptr.Model.run, "device run"),
    (deseptr.stream, "device run"),
    (deseptr.load_model, "device run"),
]


@pytest.mark.parametrize(("function", "command"), COMMANDS, ids=lambda each: getattr(each, "__qualname__", each))
def test_defaults_are_those_of_the_command(function: Any, command: str):
    found: Any = command_line
    for name in command.split():
        found = found.get_command(click.Context(found), name)
    options = {each.name: each.to_info_dict()["default"] for each in found.params}
    of_function = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    # A library's caller who measures no cold starts waits for none.
    both = [name for name in of_function if options.get(name) is not None and name != "cold_starts"]
    assert {name: of_function[name] for name in both} == {name: options[name] for name in both}
    assert both


@pytest.mark.parametrize(
    ("epochs", "batch_size", "warns"), [(FEW_STEPS - 1, 128, True), (FEW_STEPS, 128, False), (1, None, False)]
)
def test_few_steps_are_warned_of(caplog: pytest.LogCaptureFixture, epochs: int, batch_size: int | None, warns: bool):
    with training_reporter(False, "run", batch_size) as reporter:
        reporter.stage("student", epochs, 0, 100)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert bool(warnings) == warns
    assert all("found 99 (epochs: 99, windows: 100, batch_size: 128)" in text for text in warnings)


def test_progress_prints_in_a_line():
    figures = {"epoch": 3, "loss": 1.25, "val_macro_f1": 0.5, "time": 1795729271.2}
    assert (
        str(deseptr.Progress("student", 3, 20, 0.15, figures)) == "student 3 of 20, 15%  loss 1.250  val_macro_f1 0.500"
    )
    assert str(deseptr.Progress("converting to int8")) == "converting to int8"


def test_windows_print_in_a_line(data: deseptr.Dataset):
    windows = deseptr.load_model().windows(data.select(subjects=["1"]))
    # 128 samples and the 31 before them, from which the fine view takes its mean.
    assert repr(windows).startswith(f"Windows([{len(windows)}, 159, 6] at 50 Hz, ")
    assert "\n" not in repr(windows)


@pytest.mark.parametrize("field", fields(TrainConfig), ids=lambda field: field.name)
def test_every_setting_is_taken_as_it_is_and_none_only_where_the_model_decides(field):
    value = getattr(TrainConfig(), field.name)
    assert getattr(train_config({field.name: value}), field.name) == value
    if field.default is None:
        assert train_config({field.name: None}) == TrainConfig()
    else:
        with pytest.raises(ModelError, match=f"setting {field.name}: found None"):
            train_config({field.name: None})


def test_names_and_flags_are_settings_too():
    config = train_config({"model": "deseptr", "members": ["wave1d", "cnn-har"], "views": True})
    assert config.members == ("wave1d", "cnn-har")
    with pytest.raises(ModelError, match="setting views: found 1, expected True or False"):
        train_config({"views": 1})
    with pytest.raises(ModelError, match="setting members: found 'wave1d', expected a list of names"):
        train_config({"members": "wave1d"})


def test_a_continuous_evaluation_asks_for_the_delay_of_activities_of_five_seconds_as_the_command_does():
    assert inspect.signature(deseptr.Model.continuous).parameters["shortest_s"].default == SHORTEST_S == 5.0
