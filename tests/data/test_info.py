from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from deseptr.data import Dataset, Recording, describe, load_dataset
from deseptr.data.quality import short_list


def _with(recording: Recording, channel: int, values: object) -> Recording:
    signals = recording.signals.copy()
    signals[:, channel] = values
    return replace(recording, signals=signals)


def _oddities(*recordings: Recording, names: tuple[str, ...] = ("a", "b")) -> str:
    return "\n".join(describe(Dataset(tuple(recordings), names)).oddities)


def test_figures(make_recording) -> None:
    first = make_recording([-1] * 50 + [0] * 100, subject="2")
    second = make_recording([1] * 300, subject="10", rate_hz=100.0)
    info = describe(Dataset((first, second), ("a", "b"), name="made", test_subjects=("10",)))
    assert (info.name, info.recordings, info.samples, info.rates_hz) == ("made", 2, 450, (50.0, 100.0))
    assert info.subjects == ("2", "10")
    assert info.minutes == pytest.approx(6 / 60)
    assert info.subject_label_minutes["2"] == pytest.approx({"a": 2 / 60, "b": 0, "unlabelled": 1 / 60})
    assert info.label_minutes == pytest.approx({"a": 2 / 60, "b": 3 / 60, "unlabelled": 1 / 60})
    assert info.subject_minutes == pytest.approx({"2": 3 / 60, "10": 3 / 60})
    values = np.concatenate([first.signals, second.signals])[:, 1]
    channel = info.channels[1]
    assert (channel.name, channel.unit, channel.original_unit) == ("acc_y", "m/s^2", "m/s^2")
    assert (channel.minimum, channel.maximum) == (values.min(), values.max())
    assert channel.standard_deviation == pytest.approx(values.std(dtype=np.float64))


def test_to_dict_is_json(synthetic: Dataset) -> None:
    content = describe(synthetic).to_dict()
    back = json.loads(json.dumps(content))
    assert back["labels"] == list(synthetic.label_names)
    assert back["subject_minutes"]["1"] == pytest.approx(1.0)
    assert len(back["channels"]) == 6


def test_clean_recordings_have_no_oddity(make_recording) -> None:
    labels = [0] * 150 + [1] * 150
    assert _oddities(make_recording(labels), make_recording(labels, "2", seed=1)) == ""


def test_each_oddity_is_found(make_recording) -> None:
    plain = make_recording([0, 1] * 50)
    other = make_recording([0, 1] * 50, "2", seed=1)
    assert "gyro_z is constant in 1 recording (subject 1, trial 1)" in _oddities(_with(plain, 5, 0.0), other)
    clipped = np.minimum(plain.signals[:, 1] * 2, 19.6)
    clipped[10:14] = 19.6
    assert "acc_y stays at its largest value, 19.6 m/s^2" in _oddities(_with(plain, 1, clipped), other)
    assert "subject 3, trial 1 is a copy of subject 1, trial 1" in _oddities(plain, replace(plain, subject="3"), other)
    assert "sample rates differ, 50 to 52 Hz" in _oddities(plain, replace(other, rate_hz=52.0))
    assert "b was not recorded by subject 2" in _oddities(plain, make_recording([0] * 100, "2", seed=1))
    assert "class c has no sample" in _oddities(plain, names=("a", "b", "c"))
    assert "classes are unbalanced: " in _oddities(make_recording([0] * 60 + [1] * 10))
    assert "--label-from names the labels, --segments takes them from a table, or deseptr" in _oddities(
        make_recording([-1] * 50)
    )


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1 / 9.81, "if the values are in g, say so with --units g, or name the columns acc_x_g"),
        (0.8, "check the unit and the sensor's"),
    ],
)
def test_gravity_that_is_off_is_found(make_recording, factor: float, message: str) -> None:
    recording = make_recording([0, 1] * 50)
    signals = recording.signals * np.array([factor] * 3 + [1] * 3, np.float32)
    assert message in _oddities(replace(recording, signals=signals))


def test_angular_rate_in_degrees_is_found(make_recording) -> None:
    recording = make_recording([0, 1] * 50)
    found = _oddities(_with(recording, 3, np.linspace(-150, 150, 100)))
    assert "in deg/s, say so with --units, as m/s^2,dps, or name the columns gyro_x_dps" in found


@pytest.mark.parametrize(("largest", "found"), [(34.5, False), (36.0, True)])
def test_the_fastest_angular_rate_is_2000_degrees_a_second(make_recording, largest: float, found: bool) -> None:
    turning = _with(make_recording([0, 1] * 50), 3, np.repeat([-largest, largest], 50))
    assert ("beyond the 35 of a 2000 deg/s" in _oddities(turning)) is found


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "a"), (4, "a, b, c, d"), (5, "a, b, c, d and 1 more"), (7, "a, b, c, d and 3 more")],
)
def test_a_long_list_names_the_first_four(count: int, text: str) -> None:
    assert short_list("abcdefg"[:count]) == text


def test_a_readers_findings_come_first_and_once(make_recording) -> None:
    recording = make_recording([-1] * 50)
    found = describe(Dataset((recording,), (), oddities=("seen first", "seen first"))).oddities
    assert found[0] == "seen first"
    assert found.count("seen first") == 1


@pytest.mark.real_data
def test_what_is_known_of_hapt(real_file) -> None:
    info = describe(load_dataset(real_file("hapt.npz")))
    assert "lie_to_sit was not recorded by subject 28" in info.oddities
    assert any(oddity.startswith("gyro_y stays at its largest value, 10.01 rad/s") for oddity in info.oddities)
    assert info.minutes == pytest.approx(6.24 * 60, rel=0.01)
