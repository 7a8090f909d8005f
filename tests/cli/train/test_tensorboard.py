import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from deseptr.cli.train.progress import TrainingProgress
from deseptr.cli.train.tensorboard import SCALARS, TensorBoardLog
from deseptr.cli.train.train import train
from deseptr.train import RunFolder
from deseptr.train.history import read_history, write_history

pytestmark = pytest.mark.usefixtures("eager")

ARGUMENTS = ["synthetic:subjects=4,seconds=12", "--model", "cnn-har", "--student-epochs", "3", "--tensorboard", "-o"]


def row(epoch: int) -> dict[str, Any]:
    return {"stage": "student", "epoch": epoch, "time": 1e9 + epoch, **dict.fromkeys(SCALARS, epoch / 8)}


def read(run: Path, stage: str = "student") -> EventAccumulator:
    return EventAccumulator(str(run / "tensorboard" / stage)).Reload()


def points(run: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(run).Scalars(tag)]


def test_resumed_run_has_every_epoch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(TrainingProgress, "epoch", interrupt_after(2))
        assert CliRunner().invoke(train, [*ARGUMENTS, str(tmp_path / "run")]).exit_code == 130
    result = CliRunner().invoke(train, [*ARGUMENTS, str(tmp_path / "run"), "--resume", "--json"])
    assert result.exit_code == 0, result.output
    history = read_history(RunFolder(tmp_path / "run").history)
    for tag in SCALARS:
        assert points(tmp_path / "run", tag) == [(r["epoch"], pytest.approx(r[tag], rel=1e-6)) for r in history]
    picture = read(tmp_path / "run").Images("test_confusion")[0]
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    # Of six classes: 3.3 by 3.1 inches at 150 dpi.
    assert (picture.width, picture.height) == (495, 465)
    assert json.loads(result.stdout)["epochs"]["student"] == 3


def interrupt_after(epochs: int) -> Any:
    def epoch(self: TrainingProgress, row: dict[str, Any]) -> None:
        if row["epoch"] == epochs:
            raise KeyboardInterrupt

    return epoch


def test_epochs_from_before_the_log_are_in_it(tmp_path: Path):
    write_history([row(1), row(2), row(3)], RunFolder(tmp_path).history)
    log = TensorBoardLog(tmp_path)
    log.stage("student", 4, 2, 100)
    log.epoch(row(3))
    assert points(tmp_path, "loss") == [(1, 1 / 8), (2, 2 / 8), (3, 3 / 8)]
    assert [event.wall_time for event in read(tmp_path).Scalars("loss")] == [1e9 + 1, 1e9 + 2, 1e9 + 3]


def test_logged_events_keep_their_bytes(tmp_path: Path):
    log = TensorBoardLog(tmp_path)
    log.stage("student", 4, 0, 100)
    log.epoch(row(1))
    (path,) = (tmp_path / "tensorboard" / "student").iterdir()
    before = path.read_bytes()
    write_history([row(1)], RunFolder(tmp_path).history)
    log.stage("student", 4, 1, 100)
    # All but the first record, which has the time of the file.
    assert len(path.read_bytes()) == len(before)
    assert path.read_bytes()[60:] == before[60:]
