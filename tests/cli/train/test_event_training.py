import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.train.train import train
from deseptr.contract import ModelContract
from deseptr.data import Dataset, Recording, save_dataset

TINY = ("--model", "cnn-har", "--student-epochs", 1, "--dim", 8, "--batch-size", 64)


@pytest.fixture
def falls(tmp_path):
    """Four people who walk, and fall once in each of two recordings."""
    rng = np.random.default_rng(0)
    recordings = []
    for subject in ("ada", "ben", "cem", "dora"):
        for label in (0, 1, 0, 1):
            signals = rng.normal(0, 1, (600, 6)).astype(np.float32)
            signals[:, 2] += 9.8
            if label:
                signals[300:310, :3] += 80
            recordings.append(Recording(signals, 50.0, subject, np.full(600, label)))
    path = tmp_path / "falls.npz"
    save_dataset(Dataset(tuple(recordings), ("walking", "fall")), path)
    return path


def invoke(*arguments):
    result = CliRunner().invoke(train, list(map(str, arguments)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_preset_trains_a_model_that_raises_alarms_by_itself(falls, tmp_path, eager):
    run = tmp_path / "run"
    result = invoke(falls, "--preset", "falls", *TINY, "--overlap", 0.5, "-o", run)
    assert result.exit_code == 0, result.stderr
    contract = ModelContract.load(run / "contract.json")
    assert (contract.window_s, contract.hop_s) == (4.0, 2.0)
    assert (contract.acc_full_scale_g, contract.gyro_full_scale_dps) == (16.0, 2000.0)
    (rule,) = contract.events
    assert (rule.label, rule.confirm_s, rule.posture_deg) == ("fall", 10.0, 60.0)
    # Of the 12 s of a fall, 6 s are learned: two windows, where walking has five.
    rows = {words[0]: words[1:4] for words in map(str.split, result.stderr.splitlines()) if len(words) == 6}
    walking, fall = (list(map(int, rows[label])) for label in ("walking", "fall"))
    assert walking[0] / walking[1] == 5
    assert fall[0] / fall[1] == 2


def test_a_span_without_an_event_is_refused(falls, tmp_path):
    result = invoke(falls, "--event-span", 2, "-o", tmp_path / "run")
    assert result.exit_code == 2
    assert "--event-span goes with --event" in result.stderr


def test_an_event_that_is_no_class_is_refused(falls, tmp_path):
    with pytest.raises(Exception, match="tumble"):
        invoke(falls, "--event", "tumble", "-o", tmp_path / "run")
