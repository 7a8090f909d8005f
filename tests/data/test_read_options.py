"""Choices of a reader as people write them, and the file that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import DataError, SetupError
from deseptr.data import ReadOptions, load_dataset
from deseptr.data.choices_file import read_choices, save_choices
from deseptr.data.read_options import COLUMNS, TIME_UNITS

NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)
OPTIONS = st.builds(
    ReadOptions,
    columns=st.dictionaries(NAMES, st.sampled_from((*COLUMNS, "acc_x_g", "t_ms")), max_size=4).map(
        lambda pairs: tuple(pairs.items())
    ),
    time_unit=st.sampled_from([None, *TIME_UNITS]),
    units=st.sampled_from([None, ("g", "dps"), ("m/s^2", "rad/s")]),
    encoding=st.sampled_from([None, "cp1252"]),
    subject_from=st.sampled_from([None, r"s(\d+)", r"[\\/]'\"(.+)"]),
    label=st.none() | NAMES,
    fill_gaps=st.sampled_from([None, 0.1, 2.0]),
    merge_alike=st.booleans(),
    placement=st.sampled_from([None, "watch"]),
)


@given(OPTIONS)
@settings(max_examples=60, deadline=None)
def test_what_is_kept_is_read(tmp_path_factory, options: ReadOptions) -> None:
    folder = tmp_path_factory.mktemp("f")
    save_choices(folder, options)
    assert read_choices(folder) == options
    assert ReadOptions.of(options.chosen()) == options


@given(OPTIONS, OPTIONS)
@settings(max_examples=60, deadline=None)
def test_choices_win_over_those_kept(ours: ReadOptions, kept: ReadOptions) -> None:
    both = ours.over(kept)
    assert both.time_unit == (ours.time_unit or kept.time_unit)
    assert dict(both.columns) == {**dict(kept.columns), **dict(ours.columns)}
    assert ours.over(ReadOptions()) == ours == ReadOptions().over(ours)


def test_a_label_on_the_command_line_wins_over_a_pattern_that_was_kept() -> None:
    assert ReadOptions(label_from="(a)").over(ReadOptions(label="b")) == ReadOptions(label_from="(a)")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"columns": "x_acc"}, "options: columns: found 'x_acc', expected THEIRS=OURS"),
        ({"columns": "x_acc=accx"}, "found 'accx', expected one of t, date, acc_x"),
        ({"columns": {"x": 1}}, "expected names of the header"),
        ({"time_unit": "min"}, "time_unit: found 'min', expected one of s, ms, us, ns, iso"),
        ({"time_unit": ["ms"]}, "time_unit: found .'ms'., expected one of"),
        ({"units": 5}, "units: found 5, expected one of"),
        ({"units": "dps"}, "units: found 'dps', expected one of .*, as g or g,dps;"),
        ({"units": "dps,g"}, "units: found 'dps,g', expected one of"),
        ({"encoding": "utf-99"}, "encoding: found 'utf-99'"),
        ({"encoding": "base64"}, "encoding: found 'base64'"),
        ({"subject_from": "s("}, "subject_from: found .* expected a regular expression"),
        ({"subject_from": "(a+)+$"}, "at most 4 repeats, none of them of a group"),
        ({"label": 5}, "label: found 5, expected a text"),
        ({"colums": "a=b"}, "colums: found no such choice, expected one of columns"),
    ],
)
def test_wrong_choices_are_one_line(choices: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        ReadOptions.of(choices)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["time_unit =", "time_unit = 5", "rate = 50", 'columns = "a"', "\xff", "x = 1e999"])
def test_a_wrong_file_is_one_line_that_names_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text("t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n0,0,9.8,0,0,0,0\n0.02,0,9.8,0,0,0,0\n")
    (tmp_path / "recordings.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"recordings\.toml") as caught:
        load_dataset(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_of_somebodys_own_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "recordings.toml").write_text('time_unit = "ms"\n')
    with pytest.raises(SetupError, match="something else, which would be lost"):
        save_choices(tmp_path, ReadOptions())
    assert read_choices(tmp_path) == ReadOptions(time_unit="ms")
