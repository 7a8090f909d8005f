"""A model of acceleration alone, from training to the simulated chip: one tiny run for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from once import make_once
from op_by_op import op_by_op
from reporters import Quiet

from deseptr.contract import DataError, channels_of
from deseptr.data import Dataset, load_dataset
from deseptr.evaluate.over_bus import evaluate_bus
from deseptr.evaluate.predictor import evaluate_model, load_predictor, windows_for
from deseptr.firmware_harness.simulator import VirtualClock
from deseptr.tflite import load_engine

pytestmark = pytest.mark.slow

ACC = channels_of(["acc"])
SIX = load_dataset("synthetic:subjects=4,seconds=12")


@pytest.fixture(scope="module")
def accelerations() -> Dataset:
    return SIX.select(channels=["acc"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, accelerations: Dataset) -> Path:
    """The run, with its conversion to int8."""

    def make(folder: Path) -> None:
        from deseptr.convert import Gate, convert_run
        from deseptr.train import TrainConfig
        from deseptr.train.pipeline import train

        config = TrainConfig(
            model="deseptr", distillation="none", student_epochs=1, dim=8, heads=2, batch_size=64, mirror="y", gain=0.05
        )
        with op_by_op():
            train(accelerations, folder / "run", config, reporter=Quiet())
        convert_run(folder / "run", folder / "acc.tflite", gate=Gate(0.0, 1.0, -99.0))

    return make_once(tmp_path_factory, "acceleration-alone", make)


def test_the_contract_and_the_graph_have_three_channels(made: Path) -> None:
    engine = load_engine(made / "acc.tflite")
    assert (engine.contract.channels, engine.contract.units) == (ACC, ("m/s^2",) * 3)
    assert len(set(engine.contract.input_range)) == 1
    assert engine.contract.graph_channels == 6


def test_int8_agrees_with_float_as_with_six_channels(made: Path, accelerations: Dataset) -> None:
    checkpoint, flatbuffer = load_predictor(made / "run"), load_predictor(made / "acc.tflite")
    windows = windows_for(checkpoint.contract, accelerations)
    exact, rounded = checkpoint.predict(windows.signals), flatbuffer.predict(windows.signals)
    assert np.corrcoef(exact.ravel(), rounded.ravel())[0, 1] > 0.98


def test_six_channels_are_scored_by_the_columns_that_the_model_has(made: Path, accelerations: Dataset) -> None:
    predictor = load_predictor(made / "acc.tflite")
    assert evaluate_model(predictor, SIX).macro_f1 == evaluate_model(predictor, accelerations).macro_f1
    with pytest.raises(
        DataError, match=r"found the channels gyro_x, gyro_y, gyro_z, expected acc_x, acc_y, acc_z; use"
    ):
        evaluate_model(predictor, SIX.select(channels=["gyro"]))


@pytest.mark.parametrize("sensor", ["lsm6dsox", "adxl345"])
def test_every_chip_gives_the_model_its_channels(made: Path, accelerations: Dataset, sensor: str) -> None:
    engine = load_engine(made / "acc.tflite")
    one = accelerations.select(subjects=["4"])
    for dataset in (one, SIX.select(subjects=["4"])):
        run = evaluate_bus(engine, dataset, sensor=sensor, make_clock=VirtualClock)
        assert run.agreement()["share"] > 0.9
        assert run.true
