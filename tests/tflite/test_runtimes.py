import pytest

from deseptr.contract import SetupError
from deseptr.tflite import runtimes as tflite_runtimes
from deseptr.tflite.runtimes import RUNTIMES, TfliteRuntime, choose_runtime


def test_unknown_kind():
    with pytest.raises(SetupError) as caught:
        choose_runtime("gpu")
    assert str(caught.value) == (
        "--engine: found gpu, expected one of auto, litert, tflite, edgetpu; choose one of these"
    )


def test_no_runtime_names_what_to_install(monkeypatch):
    monkeypatch.setattr(TfliteRuntime, "installed", lambda self: False)
    with pytest.raises(SetupError) as caught:
        choose_runtime("auto")
    assert str(caught.value) == (
        "TFLite runtime: found none installed, expected ai-edge-litert or tflite-runtime; `pip install ai-edge-litert`"
    )


def test_auto_falls_back_to_tflite_runtime(monkeypatch):
    monkeypatch.setattr(TfliteRuntime, "installed", lambda self: self.kind == "tflite")
    assert choose_runtime("auto") is RUNTIMES[1]


def test_tflite_runtime_under_numpy_2_is_refused_before_it_crashes(monkeypatch):
    monkeypatch.setattr(tflite_runtimes.np, "__version__", "2.4.1")
    with pytest.raises(SetupError, match=r"tflite-runtime: found numpy 2.4.1, expected numpy below 2; `pip install"):
        RUNTIMES[1].interpreter()


def test_runtime_that_does_not_import():
    broken = TfliteRuntime("litert", "ai-edge-litert", "ai_edge_litert.no_such_module")
    with pytest.raises(SetupError, match="pip install --force-reinstall ai-edge-litert"):
        broken.interpreter()
