"""What tests of several rooms share."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no bug: how long an example takes decides no test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

pytest_plugins = ["small_model"]

_REAL = Path(__file__).parents[2] / "shared" / "data"
TINY_DATA = "synthetic:subjects=4,seconds=12"


class Quiet:
    """A reporter of training that keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[tuple[Any, ...]] = []
        self.rows: list[dict[str, Any]] = []
        self.stops: list[int] = []
        self.windows = 0

    def stage(self, *facts: Any) -> None:
        self.stages.append(facts)

    def batch(self, windows: int) -> None:
        self.windows += windows

    def epoch(self, row: dict[str, Any]) -> None:
        self.rows.append(row)

    def stopped(self, epochs: int) -> None:
        self.stops.append(epochs)


@pytest.fixture
def reporter() -> Quiet:
    return Quiet()


@pytest.fixture(scope="session")
def tiny_config() -> Any:
    from deseptr.train import TrainConfig

    return TrainConfig(teacher_width=4, teacher_epochs=1, student_epochs=2, dim=8, heads=2, batch_size=16)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_config: Any) -> Path:
    """A run folder that `deseptr train` left behind in a few seconds; it has learned next to nothing."""
    from deseptr.data import load_dataset
    from deseptr.train.pipeline import train

    run = tmp_path_factory.mktemp("runs") / "tiny"
    train(load_dataset(TINY_DATA), run, tiny_config, reporter=Quiet())
    return run


@pytest.fixture(scope="session")
def tiny_tflite(tiny_run: Path) -> Path:
    """The tiny run's student as int8 flatbuffer."""
    from deseptr.convert import Gate, convert_run

    path = tiny_run.parent / "tiny.tflite"
    convert_run(tiny_run, path, gate=Gate(0.0, 1.0))
    return path


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Path of a file of real recordings; skips the test where it is absent."""

    def find(name: str) -> Path:
        path = _REAL / name
        if not path.exists():
            pytest.skip(f"real recordings are not here: no ../shared/data/{name}")
        return path

    return find
