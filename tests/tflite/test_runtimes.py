import pytest

from deseptr.contract import SetupError
from deseptr.tflite import runtimes as tflite_runtimes
from deseptr.tflite.loading import graph_errors
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


@pytest.fixture
def make_runtime(tmp_path, monkeypatch):
    """A function that makes a runtime whose module is a text."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(kind: str, text: str) -> TfliteRuntime:
        module = f"{tmp_path.name}_{kind}"
        (tmp_path / f"{module}.py").write_text(text)
        return TfliteRuntime(kind, f"{kind}-package", module)

    return make


WORKING = "class Interpreter: ...\nOpResolverType = {'AUTO': 0}"
CLASHES = [
    "import numpy; numpy.no_such_name",
    "raise RuntimeError('module compiled against ABI version 0x1000009')",
    "raise SystemError('initialization raised an unreported exception')",
    "raise ImportError('numpy.core.multiarray failed to import')",
    "raise SystemExit(1)",
    "x = 1",
    "class Interpreter: ...\nOpResolverType = {}",
]


@pytest.mark.parametrize("text", CLASHES)
def test_auto_takes_the_next_runtime_where_the_first_fails_by_any_exception(monkeypatch, make_runtime, text):
    runtimes = (make_runtime("litert", text), make_runtime("tflite", WORKING))
    monkeypatch.setattr(tflite_runtimes, "RUNTIMES", runtimes)
    assert choose_runtime("auto") is runtimes[1]
    with pytest.raises(SetupError, match=r"^litert-package: found .* `pip install --force-reinstall litert-package`"):
        choose_runtime("litert")


def test_where_no_runtime_works_the_first_is_named(monkeypatch, make_runtime, capsys):
    noisy = "import sys; sys.stderr.write('A module that was compiled using NumPy 1.x'); raise AttributeError('_ARRAY')"
    monkeypatch.setattr(tflite_runtimes, "RUNTIMES", (make_runtime("litert", noisy), make_runtime("tflite", "1 / 0")))
    with pytest.raises(SetupError, match=r"litert-package: found AttributeError when it was loaded \(_ARRAY\)"):
        choose_runtime("auto")
    assert capsys.readouterr().err == ""


def test_an_interpreter_that_clashes_when_it_is_made_is_no_fault_of_the_model(make_runtime):
    text = "class Interpreter:\n    def __init__(self, **_): raise SystemError('flags')\nOpResolverType = {'AUTO': 0}"
    runtime = make_runtime("litert", text)
    with (
        pytest.raises(SetupError, match="litert-package: found SystemError"),
        graph_errors("m", "litert-package 1", ""),
    ):
        runtime.interpreter()()


def test_tflite_runtime_under_numpy_2_is_refused_before_it_crashes(monkeypatch):
    monkeypatch.setattr(tflite_runtimes.np, "__version__", "2.4.1")
    with pytest.raises(SetupError, match=r"tflite-runtime: found numpy 2.4.1, expected numpy below 2; `pip install"):
        RUNTIMES[1].interpreter()


def test_a_module_without_its_package():
    with pytest.raises(SetupError, match="ai-edge-litter: found a module json of no package"):
        TfliteRuntime("litert", "ai-edge-litter", "json").version()


def test_runtime_that_does_not_import():
    broken = TfliteRuntime("litert", "ai-edge-litert", "ai_edge_litert.no_such_module")
    with pytest.raises(SetupError, match="pip install --force-reinstall ai-edge-litert"):
        broken.interpreter()
