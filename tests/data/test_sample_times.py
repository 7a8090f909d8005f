"""Times as radios, loggers and clocks stamp them, against the times at which the samples were taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from numpy.typing import NDArray

from deseptr.contract import DataError
from deseptr.data import Dataset, ReadOptions, describe, load_dataset
from deseptr.data.sample_times import is_stamped_by_packets, set_back, spread

HEADER = "t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z"


def read(path: Path, t: NDArray[np.float64], options: ReadOptions | None = None, empty: str = "") -> Dataset:
    """A file of these times; acc_x is the number of the row, gyro_z half of it, empty where ``empty`` says so."""
    rows = [f"{float(time)!r},{i},9.81,0,0.01,0,{i / 2}" for i, time in enumerate(t)]
    for i in range(len(rows)) if empty else ():
        cells = rows[i].split(",")
        if empty == "gyro" and i % 4:
            cells[4:] = [""] * 3
        if empty == "one" and i == 30:
            cells[1] = ""
        if empty == "apart":
            cells[1 if i % 2 else 4 : 4 if i % 2 else 7] = [""] * 3
        rows[i] = ",".join(cells)
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return load_dataset(path, options)


def notes(dataset: Dataset) -> str:
    return "\n".join(dataset.oddities)


@pytest.mark.parametrize("size", [2, 3, 10, 25])
@pytest.mark.parametrize("inside", [0.0, 0.0002])
def test_packets_are_spread_at_the_true_rate(tmp_path: Path, size: int, inside: float) -> None:
    row = np.arange(400)
    dataset = read(tmp_path / "a.csv", (row // size + 1) * size * 0.02 + row % size * inside)
    (recording,) = dataset.recordings
    assert recording.rate_hz == pytest.approx(50, rel=1e-3)
    np.testing.assert_array_equal(recording.signals[:, 0], row)
    assert "samples share stamps or come in bursts, and were spread evenly at 50 Hz" in notes(dataset)
    assert "irregular steps" not in notes(dataset)


def test_samples_lost_between_packets_are_a_gap(tmp_path: Path) -> None:
    row = np.arange(400)
    t = (row // 10 + 1) * 0.2 + row % 10 * 0.0002
    t[200:] += 3.0
    dataset = read(tmp_path / "a.csv", t)
    assert [len(each) for each in dataset.recordings] == [200, 200]
    (gap,) = describe(dataset).gaps
    assert gap.length_s == pytest.approx(3.0, abs=0.03)
    assert {each.rate_hz for each in dataset.recordings} == {50.0}


@given(
    st.lists(st.integers(2, 20), min_size=12, max_size=60),
    st.floats(10, 400),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
@example([13, 15, *[2] * 10], 10.0, 0, False)
@settings(max_examples=60, deadline=None)
def test_spread_times_are_right_to_a_few_periods_and_rise(sizes, rate, seed, epoch) -> None:
    count = sum(sizes)
    taken = np.arange(count) / rate + 1.7e9 * epoch
    last = np.cumsum(sizes) - 1
    # A radio delivers a packet up to a period after its last sample.
    stamp = taken[last] + np.random.default_rng(seed).uniform(0, 1, len(sizes)) / rate
    t = np.repeat(stamp, sizes)
    assert is_stamped_by_packets(t)
    found = spread(t, 3.0)
    assert found is not None
    assert found.starts == [0]
    # Offsets of up to a period at both ends of the line tilt it by less than two periods over all.
    assert abs(found.rate_hz / rate - 1) < 2 / (count - sizes[-1])
    assert (np.diff(found.t) > 0).all()
    assert np.abs(found.t - taken).max() * rate < 3


def test_even_and_jittered_times_are_no_packets() -> None:
    rng = np.random.default_rng(1)
    row = np.arange(1000)
    assert not is_stamped_by_packets(row / 50)
    assert not is_stamped_by_packets((row + rng.uniform(-0.3, 0.3, 1000)) / 50)
    assert not is_stamped_by_packets(np.round(row / 99.87, 3))


def test_a_sensor_that_samples_in_turns_has_its_own_rate(tmp_path: Path) -> None:
    t = np.concatenate([2.0 * turn + np.arange(10) / 50 for turn in range(30)])
    dataset = read(tmp_path / "a.csv", t)
    assert {(len(each), each.rate_hz) for each in dataset.recordings} == {(10, 50.0)}
    # So it is if two of its samples share a stamp.
    t[15] = t[14]
    dataset = read(tmp_path / "a.csv", t)
    assert [len(each) for each in dataset.recordings] == [10] * 30
    assert dataset.recordings[0].rate_hz == pytest.approx(50, rel=0.01)


def test_where_a_clock_was_set_back_a_recording_begins(tmp_path: Path) -> None:
    t = 1.7e9 + np.concatenate([np.arange(200) / 50, 2.0 + np.arange(200) / 50])
    dataset = read(tmp_path / "a.csv", t)
    assert [(r.name, len(r), r.start_s) for r in dataset.recordings] == [("1", 200, 0.0), ("1-2", 200, 0.0)]
    assert "the clock was set back by 2 s at line 202: a recording ends there, and 1-2 begins" in notes(dataset)
    assert describe(dataset).gaps == ()


@given(st.integers(1, 4), st.integers(50, 90))
def test_each_step_back_is_found(count: int, length: int) -> None:
    t = np.tile(np.arange(float(length)), count + 1)
    assert set_back(t) == [length * (number + 1) for number in range(count)]


def test_sorting_is_advised_only_where_it_makes_one_recording(tmp_path: Path) -> None:
    t = np.arange(60) / 50
    with pytest.raises(DataError, match=r"line 3, column t: found 1\.16 s after 1\.18 s.*; sort the rows, or separate"):
        read(tmp_path / "a.csv", t[::-1])
    # Two recordings, row by row.
    with pytest.raises(DataError, match=r"time that increases .*; separate recordings by a column `recording`$"):
        read(tmp_path / "a.csv", np.stack([t + 0.1, t + 0.098], 1).ravel())


@pytest.mark.parametrize(
    ("rate", "wanted"), [(1.0, "1000 Hz if the times are in ms"), (4.0, "check"), (4000.0, "check")]
)
def test_a_rate_of_no_sensor_is_odd(tmp_path: Path, rate: float, wanted: str) -> None:
    odd = describe(read(tmp_path / "a.csv", np.arange(60) / rate)).oddities
    (line,) = [each for each in odd if "is no rate of such a sensor" in each]
    assert line.startswith(f"{rate:g} Hz in subject a, trial 1")
    assert wanted in line


def test_gaps_are_filled_up_to_the_length_that_was_allowed(tmp_path: Path) -> None:
    row = np.delete(np.arange(400), [*range(100, 104), *range(200, 230)])
    assert [len(each) for each in read(tmp_path / "a.csv", row / 50).recordings] == [100, 96, 170]
    dataset = read(tmp_path / "a.csv", row / 50, ReadOptions(fill_gaps=0.1))
    assert [len(each) for each in dataset.recordings] == [200, 170]
    assert "1 gap of up to 0.1 s was interpolated, as allowed" in notes(dataset)
    # acc_x rises by one from row to row of the file, so by a fifth over each of the five periods.
    np.testing.assert_allclose(dataset.recordings[0].signals[99:105, 0], 99 + np.arange(6) / 5, rtol=1e-6)


def test_gaps_between_packets_are_filled_up_to_the_length_that_was_allowed(tmp_path: Path) -> None:
    row = np.arange(400)
    t = (row // 10 + 1) * 0.2 + row % 10 * 0.0002
    t[100:] += 0.4
    t[200:] += 3.0
    assert [len(each) for each in read(tmp_path / "a.csv", t).recordings] == [100, 100, 200]
    dataset = read(tmp_path / "a.csv", t, ReadOptions(fill_gaps=0.5))
    assert [len(each) for each in dataset.recordings] == [220, 200]
    assert "1 gap of up to 0.42 s was interpolated, as allowed" in notes(dataset)
    # acc_x rises by one over the 21 periods from the last sample before the gap to the first after it.
    np.testing.assert_allclose(dataset.recordings[0].signals[99:121, 0], 99 + np.arange(22) / 21, atol=0.02)
    assert "interpolated, as allowed" not in notes(read(tmp_path / "a.csv", t))


def test_a_lost_sample_and_a_slower_sensor(tmp_path: Path) -> None:
    t = np.arange(400) / 50
    dataset = read(tmp_path / "a.csv", t, empty="one")
    np.testing.assert_allclose(dataset.recordings[0].signals[:, 0], np.arange(400), rtol=1e-6)
    assert "1 row with an empty cell was left out" in notes(dataset)
    dataset = read(tmp_path / "a.csv", t, empty="gyro")
    (recording,) = dataset.recordings
    np.testing.assert_allclose(recording.signals[:, 5], np.arange(397) / 2, rtol=1e-6)
    assert "angular rate is slower or stamped apart and was interpolated" in notes(dataset)


def test_sensors_with_rows_of_their_own_are_merged(tmp_path: Path) -> None:
    (recording,) = read(tmp_path / "a.csv", np.arange(400) / 100, empty="apart").recordings
    assert recording.rate_hz == 50
    np.testing.assert_allclose(recording.signals[:, 5], recording.signals[:, 0] / 2, rtol=1e-6)


def test_a_column_of_empty_cells_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "\n" + "".join(f"{i / 50},0,9.8,0,0,,0\n" for i in range(20)))
    with pytest.raises(DataError, match=r"column gyro_y: found empty cells alone"):
        load_dataset(tmp_path / "a.csv")


def test_a_last_line_without_its_end_is_not_complete_with_an_empty_cell(tmp_path: Path) -> None:
    rows = [f"{i / 50},0,9.8,0,0,0,0.5" for i in range(20)]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows, "0.4,0,9.8,0,0,0,"]))
    dataset = load_dataset(tmp_path / "a.csv")
    assert len(dataset.recordings[0]) == 20
    assert "a.csv was cut off in its last line, which was left out" in dataset.oddities


def test_thousands_of_remarks_are_one_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    parts = [start + (np.arange(30) + rng.uniform(-0.3, 0.3, 30)) / 50 for start in range(0, 200, 2)]
    dataset = read(tmp_path / "a.csv", np.concatenate(parts))
    assert len(dataset.recordings) == 100
    (line,) = [each for each in dataset.oddities if "irregular" in each]
    assert line.startswith("100 stretches have irregular steps, up to 0.")


@pytest.mark.parametrize("value", [-1, 11, "soon", True, float("nan")])
def test_seconds_to_fill_are_a_number(value: object) -> None:
    with pytest.raises(DataError, match=r"fill_gaps: found .*, expected a number of seconds from 0 to 10"):
        ReadOptions.of({"fill_gaps": value})
