from dataclasses import replace

import pytest

from deseptr.contract import SetupError
from deseptr.device import BusError, WindowEvent, default_model, live_session, run_live, session
from deseptr.firmware_harness.simulator import ConstantSource, simulated_session
from deseptr.tflite import load_engine

STANDING = [0.0, 9.8, 0.0, 0.0, 0.0, 0.0]
SPINNING = [0.0, 0.0, 9.8, 0.0, 0.0, 9.0]


@pytest.mark.parametrize(("signals", "label"), [(STANDING, "lying"), (SPINNING, "spinning")])
def test_real_engine_over_the_simulated_bus(int8_model, signals, label):
    engine = load_engine(int8_model)
    events = list(run_live(engine, simulated_session(ConstantSource(signals)), seconds=3))
    assert len(events) >= 7
    assert {event.label for event in events} == {label}


def test_session_is_closed_at_the_end_and_after_a_failure(int8_model):
    closed = []
    engine = load_engine(int8_model)
    made = simulated_session(ConstantSource(STANDING))
    list(run_live(engine, replace(made, close=lambda: closed.append("end")), seconds=1))
    broken = replace(made, imu=None, close=lambda: closed.append("failure"))
    with pytest.raises(AttributeError):
        list(run_live(engine, broken))
    assert closed == ["end", "failure"]


def test_live_session_without_a_bus():
    with pytest.raises(BusError, match=r"/dev/i2c-4095: found no such bus"):
        live_session(4095)


def test_default_model_is_the_packaged_one(monkeypatch, tmp_path):
    monkeypatch.setattr(session, "files", lambda package: tmp_path)
    with pytest.raises(SetupError, match="--model: found no model, and no packaged one in this installation"):
        default_model()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "notes.txt").write_text("no model")
    (tmp_path / "models" / "deseptr.tflite").write_bytes(b"")
    assert default_model() == tmp_path / "models" / "deseptr.tflite"


def test_chip_that_falls_asleep_is_woken(int8_model):
    made = simulated_session(ConstantSource(STANDING))
    events = run_live(load_engine(int8_model), made)
    next(events)
    made.imu.pwr_mgmt_1.write(SLEEP=1)
    recovery, gap, window = (next(events) for _ in range(3))
    assert (recovery.rung, recovery.count) == ("reinit", 1)
    assert "PWR_MGMT_1 = 0x40" in recovery.cause
    assert gap.reason == "reset"
    assert isinstance(window, WindowEvent)
    assert window.sample >= gap.lost_samples
