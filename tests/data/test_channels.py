"""Recordings of one sensor alone: read, chosen, checked and written by their own channels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st

from deseptr.cli.data import data
from deseptr.contract import ALL_CHANNELS, CHANNELS, SENSORS, DataError, channels_of
from deseptr.data import (
    Dataset,
    ReadOptions,
    Recording,
    cut_windows,
    describe,
    load_dataset,
    save_dataset,
    synthetic_dataset,
)
from deseptr.data.run_peaks import run_peaks

ACC, GYRO = channels_of(["acc"]), channels_of(["gyro"])
UPRIGHT = (0.0, 9.81, 0.0, 0.1, 0.2, 0.3, 18.0, -44.0, 5.0)


def _csv(path: Path, channels: tuple[str, ...], rows: int = 100, extra: str = "") -> Path:
    values = dict(zip(ALL_CHANNELS, UPRIGHT, strict=True))
    header = ",".join(("t", *channels, *filter(None, [extra]), "label"))
    lines = [
        ",".join(
            [f"{i / 50:.2f}", *(f"{values[c] + 0.01 * (i % 7):.3f}" for c in channels), *filter(None, [extra and "1"])]
        )
        for i in range(rows)
    ]
    path.write_text("\n".join([header, *(f"{line},walking" for line in lines)]) + "\n")
    return path


@pytest.mark.parametrize("channels", [ACC, GYRO, CHANNELS, ALL_CHANNELS, channels_of(["acc", "mag"])])
def test_a_table_has_the_channels_of_its_columns(tmp_path: Path, channels: tuple[str, ...]) -> None:
    dataset = load_dataset(_csv(tmp_path / "a.csv", channels))
    assert dataset.channels == channels
    assert dataset.oddities == ()
    assert dataset.recordings[0].signals.shape == (100, len(channels))
    assert [channel.name for channel in describe(dataset).channels] == list(channels)


@pytest.mark.parametrize("suffix", ["csv", "npz"])
@pytest.mark.parametrize("channels", [ACC, GYRO])
def test_what_is_written_is_read_again(tmp_path: Path, channels: tuple[str, ...], suffix: str) -> None:
    dataset = synthetic_dataset(2, 4).select(channels=channels)
    path = tmp_path / f"x.{suffix}"
    save_dataset(dataset, path)
    again = load_dataset(path)
    assert again.channels == channels
    for before, after in zip(dataset.recordings, again.recordings, strict=True):
        np.testing.assert_allclose(after.signals, before.signals, atol=2e-3)
    # A file of the package's own is replaced.
    assert CliRunner().invoke(data, ["convert", "synthetic:subjects=2,seconds=4", str(path)]).exit_code == 0


@given(st.sets(st.sampled_from(sorted(SENSORS)), min_size=1), st.sets(st.sampled_from(sorted(SENSORS)), min_size=1))
def test_a_choice_of_channels_keeps_their_columns(first: set[str], second: set[str]) -> None:
    whole = Recording(np.arange(18.0).reshape(2, 9), 50.0, "ada", np.zeros(2), channels=ALL_CHANNELS)
    dataset = Dataset((whole,), ("walking",), original_units=("g",) * 3 + ("dps",) * 3 + ("nT",) * 3)
    once = dataset.select(channels=sorted(first))
    columns = [ALL_CHANNELS.index(channel) for channel in channels_of(first)]
    np.testing.assert_array_equal(once.recordings[0].signals, whole.signals[:, columns])
    assert once.original_units == tuple(dataset.original_units[column] for column in columns)
    if second <= first:
        again = once.select(channels=sorted(second))
        np.testing.assert_array_equal(
            again.recordings[0].signals, dataset.select(channels=sorted(second)).recordings[0].signals
        )
    else:
        with pytest.raises(DataError, match="found the channels"):
            once.select(channels=sorted(second))


def test_recordings_of_different_channels_are_refused_and_read_by_what_all_have(tmp_path: Path) -> None:
    for name, channels in (("a", CHANNELS), ("b", ACC), ("c", CHANNELS)):
        _csv(tmp_path / f"{name}.csv", channels)
    with pytest.raises(DataError, match=r"2 with acc and gyro, 1 with acc, expected the same .* --channels acc$"):
        load_dataset(tmp_path)
    dataset = load_dataset(tmp_path, ReadOptions.of({"channels": "acc"}))
    assert (dataset.channels, len(dataset.recordings)) == (ACC, 3)


def test_recordings_without_a_common_sensor_are_refused(tmp_path: Path) -> None:
    _csv(tmp_path / "a.csv", ACC)
    _csv(tmp_path / "b.csv", GYRO)
    with pytest.raises(DataError, match="1 with acc, 1 with gyro, expected the same channels in all; read them as"):
        load_dataset(tmp_path)


def test_unlabelled_recordings_must_have_the_same_channels() -> None:
    six = synthetic_dataset(2, 4)
    with pytest.raises(DataError, match="recordings of different channels"):
        six.select(channels=["acc"]).with_unlabelled(six)
    assert six.with_unlabelled(six).select(channels=["gyro"]).unlabelled[0].channels == GYRO


def test_a_broken_gyroscope_is_not_read_when_it_is_not_asked_for(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", CHANNELS)
    path.write_text(path.read_text().replace("0.100,", "oops,"))
    with pytest.raises(DataError, match="column gyro_x: found 'oops'"):
        load_dataset(path)
    assert load_dataset(path, ReadOptions.of({"channels": "acc"})).channels == ACC


@pytest.mark.parametrize(("there", "missing"), [(("acc_x", "acc_y"), "acc_z"), ((*ACC, "gyro_x"), "gyro_y, gyro_z")])
def test_a_sensor_with_a_part_of_its_columns_is_asked_about(
    tmp_path: Path, there: tuple[str, ...], missing: str
) -> None:
    with pytest.raises(DataError, match=f"no column {missing}"):
        load_dataset(_csv(tmp_path / "a.csv", there))


def test_a_column_that_may_be_the_missing_sensor_is_asked_about(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ACC, extra="gyroscope_reading")
    with pytest.raises(
        DataError, match=r"no column gyro_x, gyro_y, gyro_z .*; or read what there is with --channels acc"
    ):
        load_dataset(path)
    assert load_dataset(path, ReadOptions.of({"channels": "acc"})).channels == ACC


def test_the_unit_of_an_accelerometer_alone_is_one_word(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ACC)
    plain, in_g = (load_dataset(path, ReadOptions.of({"units": units})) for units in ("m/s^2", "g"))
    assert in_g.original_units == ("g", "g", "g")
    np.testing.assert_allclose(in_g.recordings[0].signals, plain.recordings[0].signals * 9.80665, rtol=1e-6)


def test_columns_that_are_passed_over_are_named(tmp_path: Path) -> None:
    dataset = load_dataset(_csv(tmp_path / "a.csv", ACC, extra="rot_x"))
    (note,) = dataset.oddities
    assert note.startswith(
        "no column of angular rate is recognised, so that acc alone is read; if it is among the other columns (rot_x)"
    )


def test_figures_of_every_step_follow_the_channels() -> None:
    dataset = synthetic_dataset(3, 6).select(channels=["gyro"])
    windows = cut_windows(dataset, window_length=128, hop_length=64, rate_hz=50.0)
    assert (windows.signals.shape[2], windows.channels) == (3, GYRO)
    assert run_peaks(dataset)["walking"].shape == (3, 1)
    assert describe(dataset).oddities == ()


def test_gravity_is_not_missed_where_there_is_no_accelerometer() -> None:
    still = Recording(np.random.default_rng(0).normal(0, 0.01, (600, 3)), 50.0, "ada", np.zeros(600), channels=GYRO)
    assert not [line for line in describe(Dataset((still,), ("rest",))).oddities if "gravity" in line]
    off = replace(still, signals=np.zeros((600, 3), np.float32))
    (line,) = [line for line in describe(Dataset((off,), ("rest",))).oddities if "all channels are 0" in line]
    assert "gravity" not in line


@pytest.mark.parametrize(
    "channels", [("acc_x",), ("gyro_x", "gyro_y", "gyro_z", "acc_x", "acc_y", "acc_z"), (), ("a",)]
)
def test_channels_of_no_sensor_are_refused(channels: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"channels: found .* all three of one sensor or of several, in this order"):
        Recording(np.zeros((2, len(channels))), 50.0, "ada", np.zeros(2), channels=channels)


def test_arrays_name_their_channels() -> None:
    signals = np.ones((100, 3))
    with pytest.raises(DataError, match=r"shape \(100, 3\), expected \[sample, 6\]: acc_x.* name those .* channels="):
        Dataset.from_arrays(signals, "still", "ada", 50)
    assert Dataset.from_arrays(signals, "still", "ada", 50, channels=ACC).channels == ACC
    assert repr(Dataset.from_arrays(signals, "still", "ada", 50, channels=["gyro"])).endswith("gyro alone)")


@pytest.mark.parametrize("source", ["synthetic:subjects=2,seconds=4", "sample"])
def test_every_source_follows_the_choice(source: str) -> None:
    assert load_dataset(source, ReadOptions.of({"channels": "acc"})).channels == ACC


def test_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "acc.npz"
    done = CliRunner().invoke(data, ["convert", "synthetic:subjects=2,seconds=4", str(out), "--channels", "acc"])
    assert done.exit_code == 0, done.exception
    shown = CliRunner().invoke(data, ["info", str(out), "--json", "--plot", str(tmp_path / "a.svg")])
    assert [channel["name"] for channel in json.loads(shown.output)["channels"]] == list(ACC)
    assert "acceleration" in (tmp_path / "a.svg").read_text()
    refused = CliRunner().invoke(data, ["info", str(out), "--channels", "gyro"])
    assert isinstance(refused.exception, DataError)
    assert "found the channels acc_x, acc_y, acc_z, expected gyro_x, gyro_y, gyro_z" in str(refused.exception)


def test_an_import_keeps_the_choice_beside_the_data(tmp_path: Path) -> None:
    folder = tmp_path / "watch"
    folder.mkdir()
    _csv(folder / "a.csv", CHANNELS)
    arguments = ["import", str(folder), "-o", str(tmp_path / "x.npz"), "--channels", "gyro"]
    assert CliRunner().invoke(data, arguments).exit_code == 0
    assert load_dataset(folder).channels == GYRO
