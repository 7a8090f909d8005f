import copy
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import ModelError
from deseptr.evaluate.figures_check import count, number, positive, scores, text
from deseptr.evaluate.finished_run import read_train_run

RUN = Path(__file__).parents[1] / "formats" / "1" / "run"
SCORES = {
    "labels": ["sit", "walk"],
    "macro_f1": 0.9,
    "accuracy": 1,
    "confusion": [[3, 0], [0, 4]],
    "per_class_f1": {"sit": 1.0, "walk": None},
    "per_subject_f1": {"ada": 0.5},
    "calibration": {"ece": 0.1, "mce": 0.2, "bins": [{"windows": 0, "confidence": None, "accuracy": None}]},
    "interval": {"low": 0.1, "high": 0.2, "level": 0.95},
}


def test_whole_scores_pass():
    before = copy.deepcopy(SCORES)
    scores(SCORES, "student")
    scores({**SCORES, "calibration": None, "interval": None}, "student")
    assert before == SCORES


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"labels": ["sit", "sit"]}, "student.labels is ['sit', 'sit'], not names that differ"),
        ({"labels": [["sit"], "walk"]}, "student.labels[0] is ['sit'], not a text"),
        ({"confusion": [[3, 0]]}, "student.confusion is [[3, 0]], not 2 rows of as many counts"),
        ({"confusion": [[3, 0], [0, -4]]}, "student.confusion[1][1] is -4, not a whole number"),
        ({"confusion": [[3, 0], [0, True]]}, "student.confusion[1][1] is True, not a whole number"),
        ({"accuracy": math.nan}, "student.accuracy is nan, not a number"),
        ({"macro_f1": "0.9"}, "student.macro_f1 is '0.9', not a number"),
        ({"per_class_f1": {"sit": 1.0}}, "student.per_class_f1 is ['sit'], not an F1 for each label"),
        ({"per_subject_f1": [0.5]}, "student.per_subject_f1 is [0.5], not an object"),
        ({"interval": {"low": 0.1, "level": 0.95}}, "no student.interval.high"),
        ({"calibration": {"ece": 0.1, "bins": [{"windows": 1}]}}, "no student.calibration.bins[0].confidence"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], line: str):
    with pytest.raises(ValueError, match="student") as caught:
        scores({**SCORES, **changes}, "student")
    assert str(caught.value) == line


def test_what_is_quoted_is_short():
    with pytest.raises(ValueError, match="not a number") as caught:
        number("a" * 100_000, "student.macro_f1")
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("value", [1e300, -1e16, math.inf, None, True, "1", [1]])
def test_no_number(value: Any):
    with pytest.raises(ValueError, match=r"minutes is .*, not a number"):
        number(value, "minutes")


def test_counts_numbers_above_0_and_texts():
    count(0, "seed")
    positive(0.001, "window_s")
    text("", "dataset")
    for check, value in ((count, 1.0), (count, 10**16), (positive, 0), (text, None)):
        with pytest.raises(ValueError, match="value is"):
            check(value, "value")


def _places(tree: Any) -> Any:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(value)


@settings(max_examples=60)
@given(st.sampled_from(["metrics.json", "config.json"]), st.data())
def test_a_changed_entry_of_a_run_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, file: str, data: Any):
    run = tmp_path_factory.mktemp("run")
    for name in ("metrics.json", "config.json", "history.csv"):
        shutil.copy(RUN / name, run)
    content = copy.deepcopy(json.loads((run / file).read_text()))
    holder, key = data.draw(st.sampled_from(list(_places(content))))
    holder[key] = data.draw(st.sampled_from([None, [], {}, "x", -1, 1e308, math.nan, [["x"]], {"a": 1}]))
    (run / file).write_text(json.dumps(content))
    message = ""
    try:
        assert read_train_run(run)[0].figures["float"]["labels"]
    except ModelError as error:
        message = str(error)
    assert len(message) < 600
