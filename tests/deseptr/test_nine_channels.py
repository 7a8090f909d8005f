"""A model of accelerometer, gyroscope and magnetometer, from training to int8: one tiny run for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from once import make_once
from op_by_op import op_by_op
from reporters import Quiet

from deseptr.contract import ALL_CHANNELS, DataError, SensorError, units_of
from deseptr.data import Dataset, load_dataset
from deseptr.evaluate.over_bus import evaluate_bus
from deseptr.evaluate.predictor import evaluate_model, load_predictor, windows_for
from deseptr.firmware_harness.simulator import VirtualClock
from deseptr.tflite import load_engine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nine() -> Dataset:
    return load_dataset("synthetic:subjects=4,seconds=12,mag=1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, nine: Dataset) -> Path:
    """The run, with its conversion to int8."""

    def make(folder: Path) -> None:
        from deseptr.convert import Gate, convert_run
        from deseptr.train import TrainConfig
        from deseptr.train.pipeline import train

        config = TrainConfig(
            model="deseptr", distillation="none", student_epochs=2, dim=8, heads=2, batch_size=64, mirror="x", gain=0.05
        )
        with op_by_op():
            train(nine, folder / "run", config, reporter=Quiet())
        convert_run(folder / "run", folder / "nine.tflite", gate=Gate(0.0, 1.0, -99.0))

    return make_once(tmp_path_factory, "nine-channels", make)


def test_the_contract_and_the_graph_have_nine_channels(made: Path) -> None:
    contract = load_engine(made / "nine.tflite").contract
    assert (contract.channels, contract.units) == (ALL_CHANNELS, units_of(ALL_CHANNELS))
    assert contract.graph_channels == 18
    assert contract.mag_full_scale_ut == 400.0
    assert 40 < contract.input_range[8] == contract.input_range[6] < 70


def test_int8_agrees_with_float(made: Path, nine: Dataset) -> None:
    checkpoint, flatbuffer = load_predictor(made / "run"), load_predictor(made / "nine.tflite")
    windows = windows_for(checkpoint.contract, nine)
    exact, rounded = checkpoint.predict(windows.signals), flatbuffer.predict(windows.signals)
    assert np.corrcoef(exact.ravel(), rounded.ravel())[0, 1] > 0.98


def test_six_channels_are_refused_with_both_lists(made: Path, nine: Dataset) -> None:
    predictor = load_predictor(made / "nine.tflite")
    with pytest.raises(DataError, match=r"found the channels acc_x, .*, gyro_z, expected acc_x, .*, mag_z; use"):
        evaluate_model(predictor, nine.select(channels=["acc", "gyro"]))


@pytest.mark.parametrize("sensor", ["mpu9250", "icm20948"])
def test_a_chip_with_a_magnetometer_gives_the_model_its_nine_channels(made: Path, nine: Dataset, sensor: str) -> None:
    """The ICM's samples come at 51.1 Hz and are resampled; the field of a sample is up to 10 ms old."""
    run = evaluate_bus(
        load_engine(made / "nine.tflite"), nine.select(subjects=["4"]), sensor=sensor, make_clock=VirtualClock
    )
    assert run.true
    assert run.gaps == 0
    assert run.agreement()["share"] > 0.9
    assert np.median(np.abs(np.array(run.differences))) < 0.02


def test_a_chip_without_one_is_refused_with_both_lists(made: Path, nine: Dataset) -> None:
    with pytest.raises(
        SensorError, match=r"found channels acc_x .* gyro_z, expected acc_x .* gyro_z mag_x mag_y mag_z"
    ):
        evaluate_bus(load_engine(made / "nine.tflite"), nine, sensor="mpu6050", make_clock=VirtualClock)
