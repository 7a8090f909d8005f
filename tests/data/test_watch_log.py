"""A folder as a watch's logger leaves it is imported with the two options that `docs/watch-log.md` names."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from watch_log import LABELS, PEOPLE, write_watch_log

from deseptr.cli.data import import_
from deseptr.cli.train.train import train
from deseptr.data import load_dataset, synthetic_dataset
from deseptr.data.label_oddities import label_runs

OPTIONS = ["--units", "g,dps", "--subject-from", r"P(\d+)"]
SECONDS = 8.0


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_watch_log(tmp_path_factory.mktemp("log") / "wrist", seconds=SECONDS)
    out = folder.parent / "wrist.npz"
    result = CliRunner().invoke(import_, [str(folder), "-o", str(out), *OPTIONS])
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [*["note"] * 3, "next"]
    assert "timestamp as t, accelX as acc_x" in result.stderr
    assert "taken for ns" in result.stderr
    assert "23 recordings were stamped by packets" in result.stderr
    return out


def test_people_rate_labels_and_runs_are_those_of_the_log(imported: Path):
    dataset = load_dataset(imported)
    assert len(dataset.subjects) == PEOPLE == len(dataset.recordings)
    assert set(dataset.label_names) == set(LABELS)
    for recording in dataset.recordings:
        assert recording.rate_hz == pytest.approx(50, rel=1e-2)
    runs = [run for found in label_runs(dataset).values() for run in found]
    assert 0.95 < np.median(runs) < 1.35 > max(runs)


def test_samples_are_those_of_the_wearer_in_si_units(imported: Path):
    """Within the rounding of the log, half a ten-thousandth of g or of a degree a second, and a count of the npz."""
    recording = load_dataset(imported).recordings[0]
    wearer = {
        synthetic.label_names[int(r.labels[0])].upper(): r
        for synthetic in [synthetic_dataset(PEOPLE, SECONDS, seed=0)]
        for r in synthetic.recordings
        if r.subject == "1"
    }
    first = wearer["WALKING"].signals[:10]
    np.testing.assert_allclose(recording.signals[:10, :3], first[:, :3], atol=0.002)
    np.testing.assert_allclose(recording.signals[:10, 3:], first[:, 3:], atol=0.001)


def test_training_names_the_window_that_such_runs_need(imported: Path, tmp_path: Path):
    refused = CliRunner().invoke(train, [str(imported), "-o", str(tmp_path / "run")])
    assert "runs of at most 1.28" in str(refused.exception) or "runs of at most 1.2" in str(refused.exception)
    assert "take all classes with --window-s 1.1" in str(refused.exception)
    assert not (tmp_path / "run").exists()
