"""The test windows of finished runs, cut again, against predictions written here by hand."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording
from deseptr.evaluate.finished_run import Setting
from deseptr.evaluate.run_windows import confused_by, recut_windows
from deseptr.train.predictions import Predictions

NAMES = ("sit", "walk")
SETTING = Setting("made", None, "loso", (("eve", ("eve",)), ("ada", ("ada",))), ("ada", "eve"), 1.0, 0.0, NAMES, (4, 4))


def recording(subject: str) -> Recording:
    signals = np.arange(80 * 6, dtype=np.float32).reshape(80, 6)
    return Recording(signals, 20.0, subject, np.repeat(np.array([0, 1], np.int16), 40))


@pytest.fixture
def dataset() -> Dataset:
    return Dataset((recording("ada"), recording("eve")), NAMES)


def run(given: list[int], kind: str = "float") -> Predictions:
    logits = np.eye(2, dtype=np.float32)[given]
    return Predictions(
        logits=logits,
        int8_logits=logits if kind == "int8" else np.empty((0, 2), np.float32),
        labels=np.array([0, 0, 1, 1] * 2),
        subjects=np.array(["eve"] * 4 + ["ada"] * 4),
        label_names=np.array(NAMES),
    )


def test_windows_are_in_the_order_of_the_folds(dataset: Dataset):
    windows, chosen = recut_windows(SETTING, dataset)
    assert windows.subjects.tolist() == ["eve"] * 4 + ["ada"] * 4
    assert windows.labels.tolist() == [0, 0, 1, 1] * 2
    assert windows.start.tolist() == [0, 20, 40, 60] * 2
    assert [chosen.recordings[i].subject for i in windows.recording] == ["eve"] * 4 + ["ada"] * 4


def test_overlap_is_that_of_the_runs(dataset: Dataset):
    windows, _ = recut_windows(replace(SETTING, overlap=0.5, windows=(6, 6)), dataset)
    assert windows.start.tolist() == [0, 10, 20, 40, 50, 60] * 2


def test_other_recordings_are_refused(dataset: Dataset):
    with pytest.raises(DataError, match=r"found 8 test windows, expected the 9 of the run, class by class"):
        recut_windows(replace(SETTING, windows=(4, 5)), dataset)
    with pytest.raises(DataError, match="dataset: found 0 test windows"):
        recut_windows(replace(SETTING, folds=(("bob", ("bob",)),)), dataset)
    with pytest.raises(DataError, match="fly"):
        recut_windows(replace(SETTING, labels=("sit", "fly")), dataset)


def test_windows_in_another_order_are_refused(dataset: Dataset):
    origin = recut_windows(replace(SETTING, folds=SETTING.folds[::-1]), dataset)
    with pytest.raises(DataError, match="windows in another order"):
        confused_by([run([0] * 8)], "float", 1.0, origin)


def test_a_confused_window_has_its_signals(dataset: Dataset):
    confused = confused_by([run([0, 0, 1, 0, 0, 0, 1, 1])], "float", 1.0, recut_windows(SETTING, dataset))
    assert confused is not None
    (pair,) = confused.pairs
    assert (pair.true, pair.given, pair.windows) == (1, 0, 1)
    (example,) = pair.examples
    assert (example.subject, example.start_s) == ("eve", 3.0)
    assert np.array_equal(example.signals, dataset.recordings[1].signals[60:80])


def test_predictions_that_kept_places_have_the_times_without_the_recordings():
    plain = run([0, 0, 1, 0, 0, 0, 1, 1])
    placed = replace(plain, trials=np.array(list("aabbccdd")), starts_s=np.arange(8.0))
    for seeds in ([placed], [plain, placed]):
        confused = confused_by(seeds, "float", 1.5)
        assert confused is not None
        assert (confused.window_s, confused.channels) == (1.5, ())
        (example,) = confused.pairs[0].examples
        assert (example.subject, example.trial, example.start_s, example.signals) == ("eve", "b", 3.0, None)


def test_places_are_pooled_only_if_every_fold_has_them():
    plain = run([0] * 8)
    placed = replace(plain, trials=np.array(list("aabbccdd")), starts_s=np.arange(8.0))
    assert Predictions.pool([placed, placed]).starts_s.tolist() == [*range(8), *range(8)]
    assert "".join(Predictions.pool([placed, placed]).trials) == "aabbccdd" * 2
    assert not Predictions.pool([placed, plain]).has_places


@pytest.mark.parametrize(
    "wrong", [{"trials": np.arange(8)}, {"starts_s": np.arange(7.0)}, {"starts_s": np.array(["0"] * 8)}]
)
def test_places_of_other_windows_are_refused(wrong: dict[str, np.ndarray]):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} of shape"):
        replace(run([0] * 8), **wrong)


def test_seeds_are_pooled_and_a_window_is_shown_once(dataset: Dataset):
    seeds = [run([0, 0, 1, 0, 0, 0, 1, 1]), run([0, 0, 1, 0, 0, 0, 1, 0])]
    confused = confused_by(seeds, "float", 1.0, recut_windows(SETTING, dataset))
    assert confused is not None
    assert [(pair.windows, len(pair.examples)) for pair in confused.pairs] == [(3, 2)]
    assert [each.subject for each in confused.pairs[0].examples] == ["eve", "ada"]


def test_runs_without_predictions_have_no_confused_windows():
    assert confused_by([run([0] * 8), None], "float", 1.0) is None
    assert confused_by([run([0] * 8)], "int8", 1.0) is None
    assert confused_by([run([0] * 8, kind="int8")], "int8", 1.0) is not None


def test_the_limit_is_kept():
    confused = confused_by([run([1, 1, 0, 0, 1, 1, 0, 0])], "float", 1.0, limit=3)
    assert confused is not None
    assert [len(pair.examples) for pair in confused.pairs] == [2, 1]
