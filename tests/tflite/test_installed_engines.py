from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.device import default_model
from deseptr.tflite import load_engine, predict, read_tflite
from deseptr.tflite.installed_engines import EngineHere, engines_here, logits_on, output_lsb
from deseptr.tflite.runtimes import RUNTIMES, TfliteRuntime, choose_runtime


@pytest.fixture
def windows() -> np.ndarray:
    rng = np.random.default_rng(0)
    contract = read_tflite(default_model()).contract
    samples = contract.history + contract.window_length
    return rng.normal([0, 9.8, 0, 0, 0, 0], 1, (8, samples, 6)).astype(np.float32)


def test_each_runtime_comes_with_both_kernels():
    names = [engine.name for engine in engines_here()]
    assert names[1] == f"{names[0]}, reference kernels"
    assert len(names) == len(set(names)) in (2, 4)


def test_runtime_that_clashes_with_numpy_or_is_absent_is_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TfliteRuntime, "installed", lambda self: self is RUNTIMES[1])
    monkeypatch.setattr("deseptr.tflite.runtimes.np.__version__", "2.4.1")
    assert engines_here() == []
    monkeypatch.setattr(TfliteRuntime, "installed", lambda self: False)
    assert engines_here() == []


def test_logits_are_the_engines(windows: np.ndarray):
    file = read_tflite(default_model())
    fast, reference = (logits_on(engine, file.content, file.contract, windows) for engine in engines_here()[:2])
    assert (fast == predict(load_engine(default_model()), windows)).all()
    assert (reference == predict(load_engine(default_model(), kernels="reference"), windows)).all()


def test_a_step_of_the_logits_is_the_scale_of_the_output(int8_model: Path, float_model: Path):
    assert output_lsb(int8_model.read_bytes()) == 1 / 32
    assert output_lsb(float_model.read_bytes()) is None


def test_another_kind_of_engine_can_be_added(windows: np.ndarray):
    file = read_tflite(default_model())
    builtin = EngineHere(choose_runtime("auto"), "builtin")
    assert builtin.name.endswith(", builtin kernels")
    assert logits_on(builtin, file.content, file.contract, windows).shape == (8, len(file.contract.labels))


def test_steps_of_the_output(windows: np.ndarray):
    file = read_tflite(default_model())
    lsb = output_lsb(file.content)
    assert lsb is not None
    raw = replace(file.contract, logit_temperature=None)
    steps = logits_on(engines_here()[0], file.content, raw, windows) / lsb
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
