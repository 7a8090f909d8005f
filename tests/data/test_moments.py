"""Dates and times of day in columns of their own are the times that they were written from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, ReadOptions, load_dataset
from deseptr.data.csv_table import read_table
from deseptr.data.moments import day_seconds

AXES = ",acc_x,acc_y,acc_z\n"
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d")


def read(path: Path, header: str, times: list[str], options: ReadOptions | None = None) -> Dataset:
    path.write_text(header + AXES + "".join(f"{time},{row % 7},0,9.8\n" for row, time in enumerate(times)))
    return load_dataset(path, options)


@given(st.datetimes(datetime(1971, 1, 2), datetime(2199, 1, 1)), st.sampled_from(DAYS), st.integers(-720, 720))
def test_a_date_and_a_time_of_day_are_their_moment(moment: datetime, form: str, zone: int):
    day, time = moment.strftime(form), moment.strftime("%H:%M:%S.%f")
    seconds = (moment - datetime(1970, 1, 1)).total_seconds()
    assert day_seconds(day, time) == pytest.approx(seconds, abs=1e-5)
    shown = f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"
    assert day_seconds(day, time + shown) == pytest.approx(seconds - 60 * zone, abs=1e-5)


@given(
    st.datetimes(datetime(1971, 1, 2), datetime(2199, 1, 1)),
    st.sampled_from(DAYS),
    st.sampled_from([10, 20, 40]),
    st.sampled_from([("date", "time"), ("Date", "Timestamp"), ("DATE", "t")]),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_columns_are_read_as_the_one_that_they_were_split_from(
    tmp_path: Path, begin: datetime, form: str, step_ms: int, names: tuple[str, str]
):
    # In every other recording over midnight.
    begin = begin.replace(hour=23, minute=59, second=59) if begin.second % 2 else begin
    moments = [begin + row * timedelta(milliseconds=step_ms) for row in range(60)]
    whole = read(tmp_path / "a.csv", "t", [moment.isoformat(timespec="microseconds") for moment in moments])
    split = read(tmp_path / "b.csv", ",".join(names), [each.strftime(f"{form},%H:%M:%S.%f") for each in moments])
    (one,), (other,) = whole.recordings, split.recordings
    assert other.rate_hz == one.rate_hz
    seconds = [moment.replace(tzinfo=UTC).timestamp() for moment in moments]
    for name in ("a.csv", "b.csv"):
        np.testing.assert_allclose(read_table(tmp_path / name).t, seconds, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(other.signals, one.signals)
    assert f"the columns {names[0]} and {names[1]} were taken together for the time" in split.oddities


def test_columns_in_other_languages_are_named(tmp_path: Path):
    times = [f"14.11.2023,22:13:20,{20 * row:03d}".replace(":20,", ":20.") for row in range(40)]
    options = ReadOptions.of({"columns": "Datum=date,Uhrzeit=t"})
    (recording,) = read(tmp_path / "a.csv", "Datum,Uhrzeit", times, options).recordings
    assert recording.rate_hz == pytest.approx(50)
    assert read_table(tmp_path / "a.csv", options).t[0] == 1_700_000_000


def test_times_of_day_alone_are_those_of_one_day(tmp_path: Path):
    dataset = read(tmp_path / "a.csv", "time", [f"9:05:00.{20 * row:03d}" for row in range(40)])
    assert dataset.recordings[0].rate_hz == pytest.approx(50)
    assert read_table(tmp_path / "a.csv").t[0] == 32_700
    assert "times of day without a date were taken for those of one day" in dataset.oddities


@pytest.mark.parametrize(
    ("name", "period"),
    [("seconds", 0.02), ("Seconds", 0.02), ("ms", 20), ("elapsed_ms", 20), ("seconds_elapsed", 0.02)],
)
def test_a_time_may_be_named_for_its_unit(tmp_path: Path, name: str, period: float):
    (recording,) = read(tmp_path / "a.csv", name, [f"{period * row:g}" for row in range(40)]).recordings
    assert recording.rate_hz == pytest.approx(50)


def test_a_unit_is_no_time_where_another_column_is(tmp_path: Path):
    (recording,) = read(
        tmp_path / "a.csv", "time,seconds", [f"{0.02 * row:g},{row // 50}" for row in range(90)]
    ).recordings
    assert recording.rate_hz == pytest.approx(50)


@pytest.mark.parametrize(
    ("header", "times", "line"),
    [
        # The third of April or the fourth of March.
        (
            "date,time",
            "03/04/2026,12:00:00",
            r"line 2, column time: found '12:00:00' of '03/04/2026', expected a date and time .* beside a column date "
            "as 2026-01-31; write all times so",
        ),
        ("date,time", "2026-02-30,12:00:00", "line 2, column time: found '12:00:00' of '2026-02-30'"),
        ("date,time", "2026-02-20,25:00:00", "line 2, column time: found '25:00:00' of '2026-02-20'"),
        ("time", "3:59:59 PM", "found '3:59:59 PM', expected a number, or a date and time as 2026"),
        # A unit beside another word is no name of a time.
        ("ms_late", "20", r"found no column t \(only ms_late, acc_x"),
        ("seconds,ms", "1,20", "found the columns seconds, ms more than once, .* say with --columns which one is t"),
    ],
)
def test_what_is_no_time_is_refused_with_what_is_one(tmp_path: Path, header: str, times: str, line: str):
    with pytest.raises(DataError, match=line):
        read(tmp_path / "a.csv", header, [times] * 3)
