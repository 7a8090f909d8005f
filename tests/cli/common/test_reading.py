"""Options that say how recordings are read, in the commands that read them beside or without a DATA argument."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deseptr.cli.common.options import load_learnable
from deseptr.cli.convert import convert
from deseptr.cli.device.evaluate import evaluate as device_evaluate
from deseptr.cli.evaluate.compare import compare
from deseptr.cli.main import deseptr
from deseptr.contract import DataError
from deseptr.data import load_dataset
from deseptr.device import default_model

COLUMNS = "when,p,q,r,u,v,w,what,who"
OPTIONS = ["--columns", "when=t_s,p=acc_x,q=acc_y,r=acc_z,u=gyro_x,v=gyro_y,w=gyro_z,what=label,who=subject"]
MODEL = default_model()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Four wearers under names that nobody could guess."""
    dataset = load_dataset("synthetic:subjects=4,seconds=6")
    lines = [COLUMNS]
    for recording in dataset.recordings:
        name = dataset.label_names[int(recording.labels[0])]
        lines += [
            ",".join([f"{row / recording.rate_hz:.3f}", *(f"{value:.4f}" for value in sample), name, recording.subject])
            for row, sample in enumerate(recording.signals)
        ]
    path = tmp_path / "foreign" / "watch.csv"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return path


def run(command: click.Command, *arguments: object):
    return CliRunner().invoke(command, list(map(str, arguments)))


def test_compare_and_device_evaluate_read_as_told(foreign: Path):
    for command, arguments in (
        (compare, [MODEL, MODEL, "--rounds", 2, "--data", foreign]),
        (device_evaluate, [MODEL, foreign, "--straight"]),
    ):
        refused = run(command, *arguments)
        assert isinstance(refused.exception, DataError), refused.output
        assert "--columns" in str(refused.exception)
        done = run(command, *arguments, *OPTIONS)
        assert done.exit_code == 0, done.output


def test_convert_reads_its_data_as_told(foreign: Path, tiny_run: Path, tmp_path: Path):
    arguments = [tiny_run, "-o", tmp_path / "m.tflite", "--data", foreign]
    assert "--columns" in str(run(convert, *arguments).exception)
    # Without a common label the conversion ends right after the recordings have been read.
    other = run(convert, *arguments, "--columns", OPTIONS[1].replace("what=label,", ""), "--label", "juggling")
    assert "found the labels juggling" in str(other.exception)


@pytest.mark.parametrize("command", [convert, compare])
def test_reading_options_without_recordings_are_refused(command: click.Command):
    refused = run(command, MODEL, "--time-unit", "ms")
    assert refused.exit_code == 2
    assert "--time-unit goes with --data" in refused.stderr


@pytest.mark.parametrize(
    "words", ["device run --simulate", "device profile {model} --simulate", "firmware simulate --source"]
)
def test_a_command_without_reading_options_says_which_has_them(words: str, foreign: Path):
    told = run(deseptr, *words.format(model=MODEL).split(), foreign)
    assert "--columns" in str(told.exception)
    assert str(told.exception).endswith("; `deseptr data import` has these options, and keeps them beside the data")
    other = run(deseptr, *words.format(model=MODEL).split(), "nothing.csv")
    assert "data import" not in str(other.exception)


def test_unlabelled_recordings_are_read_as_told(foreign: Path):
    choices = {"columns": OPTIONS[1]}
    assert len(load_learnable(str(foreign), None, str(foreign), choices).unlabelled) == 24
    # A source that needs no choices leaves them to the other.
    for labelled, unlabelled in (("synthetic:subjects=3,seconds=4", foreign), (foreign, "synthetic")):
        assert load_learnable(str(labelled), None, str(unlabelled), choices).unlabelled
    with pytest.raises(DataError, match="choices for reading text: columns"):
        load_learnable("synthetic:subjects=3,seconds=4", None, "synthetic", choices)
