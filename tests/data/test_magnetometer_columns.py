"""Recordings with a magnetometer: read by its own names, by others' names if asked for, and in their units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ALL_CHANNELS, CHANNELS, DataError, channels_of
from deseptr.data import Dataset, ReadOptions, Recording, load_dataset
from deseptr.data.missing_cells import complete
from deseptr.data.quality import find_oddities

FIELD = (18.0, -44.0, 5.0)
NINE = ReadOptions.of({"channels": "acc,gyro,mag"})


def _csv(path: Path, names: tuple[str, ...], factor: float = 1.0) -> Path:
    rng = np.random.default_rng(0)
    lines = [",".join(("t", *CHANNELS, *names, "label"))]
    for i in range(60):
        six = rng.normal((0, 9.81, 0, 0, 0, 0), 0.01)
        field = rng.normal(FIELD, 0.1) * factor
        lines.append(",".join([f"{i / 50:.2f}", *(f"{v:.4f}" for v in six), *(f"{v:.6g}" for v in field), "walking"]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("names", "factor", "unit"),
    [
        (("mag_x", "mag_y", "mag_z"), 1.0, "uT"),
        (("mag_x_ut", "mag_y_ut", "mag_z_ut"), 1.0, "uT"),
        (("mag_x_nt", "mag_y_nt", "mag_z_nt"), 1000.0, "nT"),
        (("mag_x_gauss", "mag_y_gauss", "mag_z_gauss"), 0.01, "gauss"),
        (("mag_x_mgauss", "mag_y_mgauss", "mag_z_mgauss"), 10.0, "mgauss"),
    ],
)
def test_its_own_names_are_read_in_their_units(
    tmp_path: Path, names: tuple[str, ...], factor: float, unit: str
) -> None:
    dataset = load_dataset(_csv(tmp_path / "a.csv", names, factor))
    assert (dataset.channels, dataset.original_units[6:]) == (ALL_CHANNELS, (unit,) * 3)
    np.testing.assert_allclose(dataset.recordings[0].axes("mag").mean(0), FIELD, atol=0.1)
    assert dataset.oddities == ()


@pytest.mark.parametrize(
    "names",
    [
        ("magX", "magY", "magZ"),
        ("mx", "my", "mz"),
        ("Magnetometer x (µT)", "Magnetometer y (µT)", "Magnetometer z (µT)"),
        ("Magnetic field x (\u03bcT)", "Magnetic field y (\u03bcT)", "Magnetic field z (\u03bcT)"),
    ],
)
def test_others_names_are_read_if_it_is_asked_for_and_named_if_not(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = _csv(tmp_path / "a.csv", names)
    six = load_dataset(path)
    assert six.channels == CHANNELS
    (note,) = six.oddities
    assert note == f"{', '.join(names)} may be a magnetic field: --channels acc,gyro,mag reads it"
    nine = load_dataset(path, NINE)
    assert nine.channels == ALL_CHANNELS
    np.testing.assert_allclose(nine.recordings[0].axes("mag").mean(0), FIELD, atol=0.1)


def test_a_part_of_its_columns_is_passed_over_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ("mag_x", "mag_y", "other"))
    assert load_dataset(path).channels == CHANNELS
    with pytest.raises(DataError, match=r"no column mag_z "):
        load_dataset(path, NINE)


def test_a_unit_may_be_said_beside_the_names(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ("magX", "magY", "magZ"), 1000.0)
    dataset = load_dataset(path, ReadOptions.of({"channels": "acc,gyro,mag", "units": "m/s^2,rad/s,nT"}))
    np.testing.assert_allclose(dataset.recordings[0].axes("mag").mean(0), FIELD, atol=0.1)
    for wrong in ("uT", "g,dps,g", "g,dps,uT,uT"):
        with pytest.raises(DataError, match=r"found .*, expected one of m/s.2, g, mg, then one of rad/s"):
            ReadOptions.of({"units": wrong})


def test_a_wrong_unit_is_noticed(tmp_path: Path) -> None:
    dataset = load_dataset(_csv(tmp_path / "a.csv", ("mag_x", "mag_y", "mag_z"), 1000.0))
    (line,) = [line for line in dataset.oddities if "magnetic field" in line]
    assert line.startswith("the median magnetic field is 4.78e+04 uT where the earth's is 22 to 67")


def test_a_slower_magnetometer_is_interpolated_beside_a_gyroscope_that_is_slower_too() -> None:
    t = np.arange(200) / 100
    signals = np.hstack([np.sin(t)[:, None].repeat(3, 1), np.cos(t)[:, None].repeat(3, 1), t[:, None].repeat(3, 1)])
    given = signals.copy()
    given[np.arange(200) % 2 == 1, 3:6] = np.nan
    given[np.arange(200) % 5 != 0, 6:] = np.nan
    whole = complete(t, given, 3.0)
    assert whole.slower == (1, 2)
    assert len(whole.kept) == 196  # beyond its last sample the slowest cannot be known
    np.testing.assert_allclose(whole.signals, signals[whole.kept], atol=1e-3)


def test_a_dataset_says_that_it_has_one() -> None:
    channels = channels_of(["acc", "mag"])
    assert repr(Dataset.from_arrays(np.ones((9, 6)), "still", "ada", 50, channels=["acc", "mag"])).endswith("acc mag)")
    field = Recording(np.full((9, 6), 30.0), 50.0, "ada", np.zeros(9), channels=channels)
    assert field.axes("gyro") is None
    assert field.axes("mag").shape == (9, 3)
    assert not [line for line in find_oddities(Dataset((field,), ("still",))) if "magnetic field is" in line]
