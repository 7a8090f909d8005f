from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.data import load_sample
from deseptr.device import default_model
from deseptr.device.personal import WearerFile, personalise
from deseptr.device.personal.wearer_file import MOST_WINDOWS
from deseptr.tflite import load_engine


@pytest.fixture(scope="module")
def engine():
    return load_engine(default_model())


def test_a_file_never_gets_more_windows_than_are_read(engine, tmp_path):
    sample = load_sample()
    file = personalise(engine, engine.model, sample, "eve").file
    few = len(file.recorded)
    full = replace(file, sessions=file.sessions * (MOST_WINDOWS // few))
    full.save(tmp_path / "eve.deseptr")
    again = WearerFile.load(tmp_path / "eve.deseptr")
    with pytest.raises(DataError, match=f"expected at most {MOST_WINDOWS}"):
        personalise(engine, engine.model, sample, "eve", before=again)


def test_a_correction_that_does_harm_is_refused(engine):
    """Each name is that of another activity in every second stretch, so that the rest contradicts what is held out."""
    sample = load_sample()
    recordings = []
    for each in sample.recordings:
        labels = np.array(each.labels)
        kinds = np.unique(labels[labels >= 0])
        assert len(kinds) == 1
        half = len(labels) // 2
        labels[:half] = (labels[:half] + 1) % len(sample.label_names)
        recordings.append(replace(each, labels=labels))
    with pytest.raises(DataError, match=r"wearer eve: found .* right with the correction"):
        personalise(engine, engine.model, replace(sample, recordings=tuple(recordings)), "eve")


def test_an_activity_alone_is_refused_unless_another_was_recorded_earlier(engine):
    """Of it nothing is learned: without the refusal there is a file that changes no logit."""
    sample = load_sample()
    sitting, others = sample.select(labels=["sitting"]), sample.select(labels=["standing", "walking"])
    with pytest.raises(DataError, match="wearer eve: found sitting alone, expected at least 2 activities"):
        personalise(engine, engine.model, sitting, "eve")
    before = personalise(engine, engine.model, others, "eve").file
    both = personalise(engine, engine.model, sitting, "eve", before=before).file
    assert both.counts().keys() == {"sitting", "standing", "walking"}


def test_a_model_that_knows_a_label_gets_it_as_no_new_one(engine):
    with pytest.raises(DataError, match="labels that the model lacks"):
        personalise(engine, engine.model, load_sample(), "eve", new_labels=["walking"])


@pytest.mark.parametrize("name", ["", " ", "\x1b[2J", "x" * 1000])
def test_a_new_label_that_no_file_can_hold_is_refused(engine, name):
    with pytest.raises(DataError, match=r"new label: found .*printable characters"):
        personalise(engine, engine.model, load_sample(), "eve", new_labels=[name])
