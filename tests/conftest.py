"""What tests of several rooms share."""

import dataclasses
import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from once import make_once
from op_by_op import op_by_op
from reporters import Quiet, Stop

# A busy machine is no bug: how long an example takes decides no test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

pytest_plugins = ["small_model"]


@pytest.fixture(scope="session", autouse=True)
def _bmi270_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A file of the size and the beginning of Bosch's, which the simulated chip takes for it."""
    path = tmp_path_factory.mktemp("bmi270") / "config.bin"
    path.write_bytes(bytes.fromhex("c82e").ljust(8192, b"\0"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESEPTR_BMI270_CONFIG", str(path))
        yield


_REAL = Path(__file__).parents[2] / "shared" / "data"
TINY_DATA = "synthetic:subjects=4,seconds=12"


@pytest.fixture
def reporter() -> Quiet:
    return Quiet()


@pytest.fixture(scope="session", autouse=True)
def _one_converter() -> Iterator[None]:
    """One process for all conversions of a worker, so that TensorFlow is loaded once for them."""
    from deseptr.convert.isolated import kept_worker

    with kept_worker():
        yield


@pytest.fixture
def eager() -> Iterator[None]:
    """Op by op: for tests that train to see what surrounds the steps."""
    with op_by_op():
        yield


@pytest.fixture(scope="session")
def tiny_config() -> Any:
    from deseptr.train import TrainConfig

    return TrainConfig(
        model="deseptr-spectrogram", teacher_width=4, teacher_epochs=1, student_epochs=2, dim=8, heads=2, batch_size=64
    )


def train_tiny(run: Path, config: Any, reporter: Quiet, **options: Any) -> None:
    from deseptr.data import load_dataset
    from deseptr.train.pipeline import train

    with op_by_op():
        train(load_dataset(TINY_DATA), run, config, reporter=reporter, **options)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_config: Any) -> Path:
    """A run folder that `deseptr train` left behind in a few seconds; it has learned next to nothing."""
    made = make_once(tmp_path_factory, "runs", lambda folder: train_tiny(folder / "tiny", tiny_config, Quiet()))
    return made / "tiny"


@pytest.fixture(scope="session")
def broken_runs(tmp_path_factory: pytest.TempPathFactory, tiny_config: Any) -> dict[int, Path]:
    """The tiny run as Ctrl-C leaves it after 1 of its 3 epochs and, resumed, after 2.

    After 1 the teacher is done and the student not begun, after 2 the student is halfway.
    """

    def make(folder: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            train_tiny(folder / "1", tiny_config, Stop(1))
        shutil.copytree(folder / "1", folder / "2")
        with pytest.raises(KeyboardInterrupt):
            train_tiny(folder / "2", tiny_config, Stop(1), resume=True)

    folder = make_once(tmp_path_factory, "broken-runs", make)
    return {epochs: folder / str(epochs) for epochs in (1, 2)}


@pytest.fixture(scope="session")
def tiny_conversion(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the conversion of the tiny run's student to int8 gave; its file is this worker's own."""
    from deseptr.convert import Gate, convert_run

    def make(folder: Path) -> None:
        conversion = convert_run(tiny_run, folder / "tiny.tflite", gate=Gate(0.0, 1.0, -99.0))
        (folder / "conversion.pickle").write_bytes(pickle.dumps(conversion))

    folder = make_once(tmp_path_factory, "models", make)
    conversion = pickle.loads((folder / "conversion.pickle").read_bytes())
    return dataclasses.replace(conversion, path=folder / "tiny.tflite", source=tiny_run)


@pytest.fixture(scope="session")
def tiny_tflite(tiny_conversion: Any) -> Path:
    """The tiny run's student as int8 flatbuffer."""
    return Path(tiny_conversion.path)


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Path of a file of real recordings; skips the test where it is absent."""

    def find(name: str) -> Path:
        path = _REAL / name
        if not path.exists():
            pytest.skip(f"real recordings are not here: no ../shared/data/{name}")
        return path

    return find
