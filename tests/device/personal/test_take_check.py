"""Takes of a wearer who is still are good also of a coarse accelerometer; those of a sensor that hangs are left out."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import STANDARD_GRAVITY
from deseptr.data import Recording
from deseptr.device import ImuConfig
from deseptr.device.personal.take_check import check_take
from deseptr.device.recorder import Activity, Take, record, session_steps
from deseptr.firmware_harness.simulator import RecordingSource, simulated_session
from deseptr.tflite import load_engine

STEPS = session_steps((Activity("sitting", 10.0, prepare_s=3.0),))


def sitting():
    """Sitting with less noise than a count of 16 mg."""
    rng = np.random.default_rng(0)
    signals = rng.normal([0.02, 0.03, 9.73, 0, 0, 0], 0.01, (1000, 6)).astype(np.float32)
    return Recording(signals, 50.0, "ada", np.zeros(1000, np.int16))


@pytest.mark.parametrize(("sensor", "count_g"), [("lis3dh", 16e-3), ("adxl345", 1 / 256)])
def test_a_take_of_a_wearer_who_is_still_is_good_whatever_the_counts_are(acc_model, tmp_path, sensor, count_g):
    engine = load_engine(acc_model)
    session = simulated_session(RecordingSource(sitting()), sensor=sensor)
    events = record(session, STEPS, tmp_path, "ada", ImuConfig.from_contract(engine.contract))
    (take,) = (event for event in events if isinstance(event, Take))
    assert take.acc_count == pytest.approx(count_g * STANDARD_GRAVITY, rel=0.05)
    check = check_take(engine, take.path, acc_count=take.acc_count)
    assert (check.finding, check.usable) == (None, True)


def test_a_sensor_of_fine_counts_that_hangs_is_left_out(acc_model, tmp_path):
    recording = sitting()
    hung = replace(recording, signals=np.tile(recording.signals[:1], (1000, 1)))
    engine = load_engine(acc_model)
    session = simulated_session(RecordingSource(hung), sensor="adxl345")
    events = record(session, STEPS, tmp_path, "ada", ImuConfig.from_contract(engine.contract))
    (take,) = (event for event in events if isinstance(event, Take))
    assert check_take(engine, take.path, acc_count=take.acc_count).finding == "stuck"
