from importlib.resources import files

import numpy as np

from deseptr.data import load_dataset, load_sample, wearer_for


def test_sample_is_twenty_seconds_of_each_activity_of_one_wearer():
    sample = load_sample()
    assert sample.name == "sample"
    assert sample.subjects == ("5",)
    assert [recording.duration_s for recording in sample.recordings] == [20.0] * 6
    assert sorted(int(recording.labels[0]) for recording in sample.recordings) == list(range(6))
    assert all(len(np.unique(recording.labels)) == 1 for recording in sample.recordings)


def test_every_command_reads_it_by_its_name():
    np.testing.assert_array_equal(load_dataset("sample").recordings[0].signals, load_sample().recordings[0].signals)


def test_its_licence_is_beside_it():
    text = (files("deseptr.data") / "samples" / "LICENSE.md").read_text()
    assert "Copyright (c) 2018 Mohammad Malekzadeh" in text
    assert "doi 10.1145/3302505.3310068" in text


def test_a_model_gets_the_recorded_wearer_if_it_knows_all_its_activities():
    names = load_sample().label_names
    assert wearer_for([*names, "cycling"]) == "sample"
    assert wearer_for(names[1:]) == "synthetic"
