"""Whether ai-edge-litert and tflite-runtime 2.14, the newest that armv7l has, read a model alike.

tflite-runtime needs numpy 1, so it lives in an environment of its own, which a script reaches that needs numpy only.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deseptr.data import cut_windows, load_dataset
from deseptr.device import default_model
from deseptr.tflite import read_tflite
from deseptr.tflite.graph import read_graph
from deseptr.train import CalibrationWindows, RunFolder

pytestmark = pytest.mark.slow

WINDOWS = 200
# Steps of the logits. One operation differs by one step at most, most often MEAN, which XNNPACK rounds its own way;
# to the logits that grew to 10 in 3,000 windows, both runtimes as near the float graph as the reference kernels are.
TOLERANCE = 12
# The tiny model has learned next to nothing: the margin of its choices is a third of the packaged one's.
AGREEMENT = {"tiny": 0.98, "packaged": 0.99}

SCRIPT = """
import sys
import numpy as np

try:
    from ai_edge_litert import interpreter as runtime
except ImportError:
    from tflite_runtime import interpreter as runtime

model, inputs, outputs, resolver = sys.argv[1:]
loaded = runtime.Interpreter(model, experimental_op_resolver_type=runtime.OpResolverType[resolver], num_threads=1)
loaded.allocate_tensors()
window, logits = loaded.get_input_details()[0]["index"], loaded.get_output_details()[0]["index"]
found = []
for steps in np.load(inputs):
    loaded.set_tensor(window, steps[None])
    loaded.invoke()
    found.append(loaded.get_tensor(logits)[0])
np.save(outputs, np.stack(found))
"""


def logits_of(python: Path, model: Path, steps: np.ndarray, resolver: str, folder: Path) -> np.ndarray:
    """Raw int8 logits of int8 windows on the TFLite runtime of another Python."""
    np.save(folder / "inputs.npy", steps)
    arguments = [model, folder / "inputs.npy", folder / "outputs.npy", resolver]
    command = [python, "-I", "-c", SCRIPT, *arguments]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found: np.ndarray = np.load(folder / "outputs.npy")
    return found


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with tflite-runtime 2.14; skips where none can be made."""
    base = shutil.which("python3.11") or (sys.executable if sys.version_info[:2] == (3, 11) else None)
    if base is None:
        pytest.skip("tflite-runtime 2.14 has wheels up to Python 3.11, which is not here")
    folder = tmp_path_factory.mktemp("tflite-runtime")
    python = folder / "bin" / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    packages = ["tflite-runtime==2.14.0", "numpy<2"]
    for command in ([base, "-m", "venv", folder], [python, "-m", "pip", "install", "--quiet", *packages]):
        made = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if made.returncode:
            pytest.skip(f"tflite-runtime 2.14 cannot be installed here: {made.stderr.strip().splitlines()[-1]}")
    return python


@pytest.fixture(scope="module", params=["tiny", "packaged"])
def model(request: pytest.FixtureRequest) -> tuple[Path, np.ndarray]:
    """A model and int8 windows for it: a tiny run's own calibration windows, then a synthetic wearer's."""
    tiny = request.param == "tiny"
    path = request.getfixturevalue("tiny_tflite") if tiny else default_model()
    file = read_tflite(path)
    contract = file.contract
    dataset = load_dataset("synthetic:subjects=4,seconds=40,seed=3")
    cut = cut_windows(
        dataset,
        window_length=contract.window_length,
        hop_length=16,
        rate_hz=contract.rate_hz,
        history=contract.history,
    )
    windows = cut.signals[np.random.default_rng(0).permutation(len(cut))]
    if tiny:
        own = CalibrationWindows.load(RunFolder(request.getfixturevalue("tiny_run")).calibration)
        windows = np.concatenate([own.windows, windows])
    if contract.views is not None:
        return path, contract.views.encode(windows[:WINDOWS], contract.input_range)
    window = read_graph(file.content).inputs[0]
    steps = np.rint(windows[:WINDOWS] / np.float32(contract.input_range) / window.scales[0]) + window.zero_points[0]
    assert len(steps) == WINDOWS
    return path, np.clip(steps, -128, 127).astype(np.int8)


def test_reference_kernels_give_the_same_bytes(model: tuple[Path, np.ndarray], old_python: Path, tmp_path: Path):
    old, new = (logits_of(python, *model, "BUILTIN_REF", tmp_path) for python in (old_python, Path(sys.executable)))
    assert old.dtype == new.dtype == np.int8
    assert old.tobytes() == new.tobytes()


def test_default_kernels_differ_by_roundings_only(
    model: tuple[Path, np.ndarray], old_python: Path, tmp_path: Path, request: pytest.FixtureRequest
):
    old, new = (logits_of(python, *model, "AUTO", tmp_path) for python in (old_python, Path(sys.executable)))
    assert np.abs(old.astype(int) - new).max() <= TOLERANCE
    assert np.mean(old.argmax(axis=1) == new.argmax(axis=1)) >= AGREEMENT[request.node.callspec.params["model"]]
