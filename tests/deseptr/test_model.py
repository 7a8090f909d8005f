"""A tiny ``.tflite`` and a run in the library, without any training or conversion."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_model import build_flatbuffer

import deseptr
from deseptr.contract import ConversionError, DataError, ModelContract, SetupError
from deseptr.convert import Gate, Recipe
from deseptr.device import MountingEvent, WindowEvent

LABELS = "labels lying, upright, spinning"


def test_a_model_describes_itself_with_its_size_in_units_of_1024_bytes(make_model: Any):
    flatbuffer = build_flatbuffer(np.ones((3, 32, 1, 6), np.float32), (1, 32, 6), True)
    more = 300 * 1024 + 511 - make_model(content=flatbuffer).stat().st_size
    path = make_model(content=flatbuffer + bytes(more))
    assert path.stat().st_size == 307_711
    model = deseptr.load_model(path)
    assert repr(model) == f"Model('{path}', tiny, 300 KB, windows of 0.64 s at 50 Hz, {LABELS})"


def test_windows_of_another_length_or_of_other_channels_are_refused(int8_model: Path):
    model = deseptr.load_model(str(int8_model))
    assert model.predict(np.zeros((5, 32, 6))).shape == (5, 3)
    assert model.predict(np.zeros((32, 6))).shape == (1, 3)
    for shape in ((5, 31, 6), (5, 32, 5), (32, 5), (2, 5, 32, 6)):
        with pytest.raises(DataError, match=r"^windows: found shape .*, expected \[window, 32, 6\]; cut them with"):
            model.predict(np.zeros(shape))


def test_a_wearer_is_played_through_the_models_own_engine(int8_model: Path):
    model = deseptr.load_model(int8_model)
    events = list(model.simulate("synthetic:subjects=1,seconds=4", seconds=3))
    assert sum(hasattr(each.event, "probabilities") for each in events) >= 3
    with pytest.raises(SetupError, match="found none such, expected "):
        list(deseptr.load_model(int8_model, engine="none such").simulate("synthetic:subjects=1,seconds=4"))


def test_a_mounting_that_is_given_is_applied_and_told_in_a_run_and_in_a_stream(int8_model: Path):
    model = deseptr.load_model(int8_model)
    upright = np.tile(np.float32([9.8, 0, 0, 0, 0, 0]), (64, 1))

    def pushed(**options: str) -> tuple[list[str], list[str]]:
        events = deseptr.stream(model, **options).push(upright)
        labels = [event.label for event in events if isinstance(event, WindowEvent)]
        return labels, [event.applied for event in events if isinstance(event, MountingEvent)]

    # The model says upright where gravity is along x, and lying where it is along y.
    assert pushed() == (["upright"] * 3, [])
    assert pushed(mounting="z90") == (["lying"] * 3, ["z90"])
    played = model.simulate("synthetic:subjects=1,seconds=4", seconds=3, mounting="z90")
    assert [each.event.applied for each in played if isinstance(each.event, MountingEvent)] == ["z90"]


def test_a_stream_takes_a_rate_or_the_models_own(int8_model: Path):
    plain = deseptr.stream(int8_model)
    assert [round(event.t, 2) for event in plain.push(np.zeros((64, 6))) if hasattr(event, "probabilities")] == [
        *(0.62, 0.94, 1.26)
    ]
    assert deseptr.stream(int8_model, 50).push(np.zeros((31, 6))) == []
    with pytest.raises(SetupError, match=r"^rate_hz: found '50', expected a number of Hz"):
        deseptr.stream(int8_model, "50")  # type: ignore[arg-type]


def test_comparing_needs_models(int8_model: Path):
    with pytest.raises(SetupError, match=r"^compare: found no model, expected two or more"):
        deseptr.compare()
    with pytest.raises(SetupError, match=r"^compare: found a list, expected models or their files, each an argument"):
        deseptr.compare([int8_model])  # type: ignore[arg-type]
    found = deseptr.compare(int8_model, deseptr.load_model(int8_model), rounds=2)
    assert [each["name"] for each in found.models] == ["tiny", "tiny (2)"]


def test_a_run_is_converted_by_the_limits_and_the_recipe_of_the_call(
    contract: ModelContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "walks").mkdir()
    contract.save(tmp_path / "walks" / "contract.json")
    seen: list[tuple[Any, ...]] = []

    def look(run: Path, output: Path, recipe: Recipe, **settings: Any) -> None:
        seen.append((run, output, recipe, settings["gate"], settings["calibration"], settings["force"]))
        raise ConversionError(run, found="a test", expected="none", next_step="none")

    monkeypatch.setattr("deseptr.convert.convert_run", look)
    monkeypatch.chdir(tmp_path)
    run = deseptr.load_run("walks")
    assert repr(run) == "Run('walks', unfinished)"
    with pytest.raises(ConversionError):
        run.convert()
    with pytest.raises(ConversionError):
        run.convert("b.tflite", mode="float32", target="pi", agreement=98, loss=1, force=True)
    assert seen == [
        (Path("walks"), Path("walks.tflite"), Recipe("int8"), Gate(0.99, 0.005), None, False),
        (Path("walks"), Path("b.tflite"), Recipe("float32"), Gate(0.98, 0.01), None, True),
    ]


@pytest.mark.parametrize(("model", "warns"), [("cnn-har", True), ("random-forest", False)])
def test_a_network_that_takes_few_steps_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, model: str, warns: bool
):
    def train(*_: Any, reporter: Any, **settings: Any) -> None:
        assert (settings["resume"], settings["overwrite"]) == (False, False)
        reporter.stage("student", 1, 0, 100)

    monkeypatch.setattr("deseptr.train.pipeline.train", train)
    deseptr.fit("synthetic:subjects=3,seconds=4", tmp_path / "run", model=model)
    steps = [record for record in caplog.records if "epochs: 1, windows: 100" in record.getMessage()]
    assert ([record.levelno for record in steps] == [logging.WARNING]) == warns


def test_windows_are_predicted_by_the_models_own_engine(int8_model: Path):
    with pytest.raises(SetupError, match="none such"):
        deseptr.load_model(int8_model, engine="none such").predict(np.zeros((1, 32, 6), np.float32))
