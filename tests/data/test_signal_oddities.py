"""What signals and names give away: each oddity is found where it was put in, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from deseptr.data import Dataset, Recording, describe, load_dataset, synthetic_dataset
from deseptr.data.label_oddities import WINDOW_S, alike_key, clean_name, count_windows, label_runs, workable_window_s
from deseptr.data.windows import cut_windows

RATE = 50.0
OF_LABELS = "unbalanced|was not recorded by"


def recording(subject: str = "1", seconds: float = 10.0, up: tuple[float, float, float] = (0, 9.8, 0)) -> Recording:
    rng = np.random.default_rng(int(subject))
    count = round(seconds * RATE)
    signals = rng.normal(0, 0.5, (count, 6))
    signals[:, :3] += up
    return Recording(signals, RATE, subject, np.zeros(count, np.int16))


def oddities(*recordings: Recording, names: tuple[str, ...] = ("a",)) -> str:
    return "\n".join(describe(Dataset(tuple(recordings), names)).oddities)


def changed(signals: np.ndarray, source: Recording) -> Recording:
    return replace(source, signals=signals)


def test_whole_signals_have_no_oddity() -> None:
    assert oddities(recording(), recording("2"), recording("3"), recording("4")) == ""


@pytest.mark.parametrize("strength", [0.3, 5.0])
def test_missing_gravity_is_found(strength: float) -> None:
    rng = np.random.default_rng(0)
    found = oddities(changed(rng.normal(0, strength, (500, 6)), recording()))
    assert "gravity was removed, so that postures cannot be told apart" in found


def test_a_sensor_that_was_off_is_found() -> None:
    signals = recording().signals.copy()
    signals[400:] = 0
    found = oddities(changed(signals, recording()))
    assert "all channels are 0, without gravity, in 1 recording (subject 1, trial 1: for 2.00 s at 8.00 s)" in found
    signals[:] = recording().signals
    signals[400:402] = 0
    assert oddities(changed(signals, recording())) == ""


@pytest.mark.parametrize(("axes", "name"), [(slice(0, 3), "acceleration"), (slice(3, 6), "angular rate")])
def test_a_stuck_sensor_is_found(axes: slice, name: str) -> None:
    signals = recording().signals.copy()
    signals[100:250, axes] = signals[100, axes]
    found = oddities(changed(signals, recording()))
    assert f"{name} does not change in 1 recording (subject 1, trial 1: for 3.0 s at 2.0 s)" in found
    # Two axes at rest on a coarse scale are no fault.
    signals[100:250, axes.start] = recording().signals[100:250, axes.start]
    assert "does not change" not in oddities(changed(signals, recording()))


def test_the_share_that_is_clipped_is_said() -> None:
    signals = recording().signals.copy()
    signals[100:110, 1] = 39.2
    assert "in 1 recording (subject 1, trial 1), 2 % of their samples: the sensor saturates" in oddities(
        changed(signals, recording())
    )


def test_another_mounting_is_found() -> None:
    others = [recording(str(subject)) for subject in range(2, 7)]
    found = oddities(recording("1", up=(9.8, 0, 0)), *others)
    assert "gravity points elsewhere than in the rest for subject 1 (90 degrees off)" in found
    # Where everybody differs, nobody is the odd one.
    ups = [(9.8, 0, 0), (0, 9.8, 0), (0, 0, 9.8), (-9.8, 0, 0), (0, -9.8, 0)]
    mixed = [recording(str(subject), up=up) for subject, up in enumerate(ups, 1)]
    assert "points elsewhere" not in oddities(*mixed)


@pytest.mark.parametrize("degrees", [180, 165])
def test_a_person_who_wore_it_the_other_way_round_in_one_activity_is_found(degrees: int) -> None:
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])

    def walk(subject: str, turned: bool) -> Recording:
        whole, signals = recording(subject), recording(subject).signals.copy()
        if turned:
            signals[250:, :3] = signals[250:, :3] @ turn.T
        return replace(whole, signals=signals, labels=np.array([0] * 250 + [1] * 250, np.int16))

    found = oddities(*(walk(str(subject), subject == 3) for subject in range(1, 7)), names=("sit", "cycle"))
    assert f"for subject 3 ({degrees} degrees off) in cycle alone: the sensor was turned then" in found
    assert "in sit alone" not in found
    assert "points elsewhere" not in oddities(*(walk(str(s), False) for s in range(1, 7)), names=("sit", "cycle"))


def test_recordings_without_gravity_among_others_are_found() -> None:
    bare = recording("2")
    found = oddities(recording("1"), changed(bare.signals - np.float32([0, 9.8, 0, 0, 0, 0]), bare), recording("3"))
    assert "in 1 recording (subject 2, trial 1), unlike in the others: gravity was removed there" in found


def test_a_sensor_with_a_smaller_full_scale_than_the_others_is_found() -> None:
    wide = recording("2").signals * np.float32([20] * 3 + [1] * 3)
    wide[:, 1] -= 19 * 9.8
    narrow = np.clip(wide, -2 * 9.80665, 2 * 9.80665)
    narrow[200:204, 1] = narrow[300:304, 1] = 2 * 9.80665
    found = oddities(changed(narrow, recording("1")), changed(wide, recording("2")))
    assert "acc_y stops at 19.61 m/s^2 in 1 recording (subject 1, trial 1), where others reach" in found
    # One stretch of equal values may be chance.
    once = recording("1").signals.copy()
    once[200:204, 1] = 2 * 9.80665
    assert "stops at" not in oddities(changed(once, recording("1")), changed(wide, recording("2")))
    # A coarse scale at rest has equal values, too.
    coarse = np.round(recording("1").signals)
    assert "stops at" not in oddities(changed(coarse, recording("1")), changed(wide, recording("2")))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("motionsense.npz", []),
        ("sisfall.npz", ["subject 1, trial 2 is a copy of subject 1, trial 1"]),
        # Subject 10 lies on the other side; the sensor of subject 6 was knocked.
        (
            "hapt.npz",
            ["acc_y stays at", "gyro_y stays at", "gyro_z stays at", "for subject 10 (140 degrees off) in laying"],
        ),
    ],
)
def test_nothing_else_is_found_in_recordings_that_are_known(real_file, name: str, known: list[str]) -> None:
    found = [line for line in describe(load_dataset(real_file(name))).oddities if not re.search(OF_LABELS, line)]
    assert len(found) == len(known), found
    for line, words in zip(found, known, strict=True):
        assert words in line


def test_invisible_characters_are_removed_and_accents_written_in_one_way(tmp_path: Path) -> None:
    names = ("Zoë", "Zoe\u0308\u200b")
    rows = [f"{i / 50},0,9.8,0,0,0,0,{names[i % 2]}" for i in range(20)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label", *rows]), encoding="utf-8")
    assert load_dataset(path).label_names == ("Zoë",)
    # Joiners are letters' business in some scripts.
    assert clean_name("نمی‌خواهم") == "نمی‌خواهم"


@given(st.text(max_size=20))
def test_a_cleaned_name_stays_as_it_is(name: str) -> None:
    assert clean_name(clean_name(name)) == clean_name(name)
    assert alike_key(clean_name(name)) == alike_key(name)


def test_classes_that_never_last_a_window_are_named_with_what_takes_them() -> None:
    labels = np.array([0] * 300 + [1] * 60 + [0] * 40 + [1] * 75 + [0] * 25, np.int16)
    found = oddities(replace(recording(), labels=labels), names=("walk", "turn"))
    assert "no run of a window's 2.56 s for turn (longest 1.50 s): --window-s 1.5 puts at least half" in found
    info = describe(Dataset((replace(recording(), labels=labels),), ("walk", "turn")), window_s=1.5)
    assert info.label_windows["turn"] == 1
    assert not [each for each in info.oddities if "no run of" in each]


@given(st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=9), min_size=1, max_size=3))
@example([[1, 1, 1, 3]])
def test_a_workable_window_leaves_half_of_the_time_of_each_class(samples: list[list[int]]) -> None:
    window = workable_window_s([[count / RATE for count in runs] for runs in samples])
    length = round(window * RATE)
    for runs in samples:
        assert 2 * sum(count for count in runs if count >= length) >= sum(runs)
    # With a sample more it would not hold for some class.
    assert any(2 * sum(count for count in runs if count >= length + 1) < sum(runs) for runs in samples)


@given(st.lists(st.integers(-1, 2), min_size=40, max_size=120), st.integers(2, 30))
def test_windows_are_counted_as_training_cuts_them(labels: list[int], length: int) -> None:
    whole = Recording(np.zeros((len(labels), 6), np.float32), RATE, "1", np.array(labels, np.int16))
    dataset = Dataset((whole,), ("a", "b", "c"))
    counts = count_windows(dataset, length / RATE)
    assert {name for name, runs in label_runs(dataset).items() if runs and max(runs) * RATE >= length - 1e-9} == {
        name for name, count in counts.items() if count
    }
    if any(counts.values()):
        windows = cut_windows(dataset, window_length=length, hop_length=max(1, length // 2), rate_hz=RATE)
        assert windows.counts() == counts


def test_the_window_is_that_of_training() -> None:
    from deseptr.train.config import TrainConfig

    assert TrainConfig().window_s == WINDOW_S
    assert sum(count_windows(synthetic_dataset(1, 8), WINDOW_S).values()) == 6 * 5
