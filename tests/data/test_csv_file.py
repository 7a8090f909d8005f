from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording, describe, read_csv, save_csv
from deseptr.data.csv_file import read_csv_folder

HEADER = "t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z"


def _write(path: Path, times: object, header: str = HEADER, tail: str = "", acc_y: float = 9.81) -> Path:
    rows = [f"{t!r},{0.01 * i},{acc_y},0,0.01,{0.001 * i},0{tail}" for i, t in enumerate(map(float, times))]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_plain_file(tmp_path: Path) -> None:
    dataset = read_csv(_write(tmp_path / "anna.csv", np.arange(100) / 50))
    (recording,) = dataset.recordings
    assert (recording.subject, recording.rate_hz, len(recording)) == ("anna", 50.0, 100)
    assert set(recording.labels.tolist()) == {-1}
    assert dataset.label_names == ()
    np.testing.assert_allclose(recording.signals[10], [0.1, 9.81, 0, 0.01, 0.01, 0], rtol=1e-6)


def test_round_trip(synthetic: Dataset, tmp_path: Path) -> None:
    chosen = synthetic.select(subjects=("2", "3"))
    save_csv(chosen, tmp_path / "x.csv")
    back = read_csv(tmp_path / "x.csv")
    assert back.label_names == tuple(sorted(synthetic.label_names))
    for old, new in zip(chosen.recordings, back.recordings, strict=True):
        assert (old.subject, old.name, old.rate_hz) == (new.subject, new.name, new.rate_hz)
        np.testing.assert_allclose(old.signals, new.signals, rtol=1e-6)
        named = [back.label_names[label] for label in new.labels]
        assert named == [chosen.label_names[label] for label in old.labels]


def test_names_with_commas_and_quotes_survive(tmp_path: Path) -> None:
    recording = Recording(np.ones((4, 6), np.float32), 10.0, 'O"Neill, A', np.array([0, 0, 1, -1]), "x,1")
    save_csv(Dataset((recording,), ("a, b", 'c"d')), tmp_path / "x.csv")
    back = read_csv(tmp_path / "x.csv")
    assert (back.recordings[0].subject, back.recordings[0].name) == ('O"Neill, A', "x,1")
    assert back.label_names == ("a, b", 'c"d')
    assert back.recordings[0].labels.tolist() == [0, 0, 1, -1]


def test_a_gap_splits_the_trial_and_is_reported(tmp_path: Path) -> None:
    times = np.concatenate([np.arange(50) / 50, 3 + np.arange(30) / 50])
    dataset = read_csv(_write(tmp_path / "a.csv", times))
    assert [len(r) for r in dataset.recordings] == [50, 30]
    assert [r.start_s for r in dataset.recordings] == pytest.approx([0.0, 3.0])
    (gap,) = describe(dataset).gaps
    assert (gap.at_s, gap.length_s) == pytest.approx((1.0, 2.0))
    save_csv(dataset, tmp_path / "again.csv")
    assert [r.start_s for r in read_csv(tmp_path / "again.csv").recordings] == pytest.approx([0.0, 3.0])


@pytest.mark.parametrize("rate", [12.5, 26.0, 30.0, 52.0, 99.87, 416.0])
def test_the_rate_comes_out_of_rounded_times(tmp_path: Path, rate: float) -> None:
    times = np.round(np.arange(2000) / rate, 3 if rate < 100 else 4)
    (recording,) = read_csv(_write(tmp_path / "a.csv", times)).recordings
    # Times in whole milliseconds determine the rate of 2000 samples to about one part in 2000.
    assert recording.rate_hz == pytest.approx(rate, rel=1e-3)
    assert len(recording) == pytest.approx(2000, abs=2)


def test_irregular_steps_are_interpolated_and_reported(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    times = (np.arange(400) + rng.uniform(-0.3, 0.3, 400)) / 50
    path = tmp_path / "a.csv"
    rows = [f"{t!r},{np.sin(2 * np.pi * t):.9f},9.81,0,0,0,0" for t in times.tolist()]
    path.write_text("\n".join([HEADER, *rows]))
    dataset = read_csv(path)
    (recording,) = dataset.recordings
    assert "irregular steps" in dataset.oddities[0]
    grid = times[0] + np.arange(len(recording)) / recording.rate_hz
    # Linear interpolation of 1 Hz at steps of up to 32 ms is off by at most (2 pi 0.032)^2 / 8.
    np.testing.assert_allclose(recording.signals[:, 0], np.sin(2 * np.pi * grid), atol=0.0051)


def test_a_lost_sample_is_filled_without_a_gap(tmp_path: Path) -> None:
    times = np.delete(np.arange(100) / 50, 40)
    (recording,) = read_csv(_write(tmp_path / "a.csv", times)).recordings
    assert (len(recording), recording.rate_hz) == (100, 50.0)


def test_units_in_the_header_are_converted(tmp_path: Path) -> None:
    header = "t_ms,acc_x_g,acc_y_g,acc_z_g,gyro_x_dps,gyro_y_dps,gyro_z_dps"
    path = tmp_path / "a.csv"
    path.write_text(header + "\n" + "".join(f"{20 * i},0,1,0,180,0,-90\n" for i in range(20)))
    dataset = read_csv(path)
    assert dataset.original_units == ("g",) * 3 + ("dps",) * 3
    assert dataset.recordings[0].rate_hz == pytest.approx(50)
    np.testing.assert_allclose(dataset.recordings[0].signals[0], [0, 9.80665, 0, np.pi, 0, -np.pi / 2], rtol=1e-6)
    assert dataset.oddities == ()


def test_acceleration_in_g_without_the_unit_is_noticed(tmp_path: Path) -> None:
    dataset = read_csv(_write(tmp_path / "a.csv", np.arange(50) / 50, acc_y=1.0))
    assert "say so with --units g" in " ".join(dataset.oddities)


def test_subjects_recordings_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        f"{0.02 * i:.2f},0,9.81,0,0,0,0,{label},{subject},{trial}"
        for subject, trial, label in (("2", "a", "walk"), ("1", "a", "sit"), ("2", "b", ""), ("1", "b", "unlabelled"))
        for i in range(10)
    ]
    path.write_text("\n".join([HEADER + ",label,subject,recording", *rows]))
    dataset = read_csv(path)
    assert dataset.label_names == ("sit", "walk")
    assert [(r.subject, r.name, r.labels[0]) for r in dataset.recordings] == [
        ("2", "a", 1),
        ("1", "a", 0),
        ("2", "b", -1),
        ("1", "b", -1),
    ]


def test_a_folder_is_one_dataset_with_files_as_subjects(tmp_path: Path) -> None:
    for name, label in (("s10", "sit"), ("s9", "walk")):
        _write(tmp_path / f"{name}.csv", np.arange(20) / 50, HEADER + ",label", f",{label}")
    dataset = read_csv_folder(tmp_path)
    assert [r.subject for r in dataset.recordings] == ["s9", "s10"]
    assert dataset.label_names == ("sit", "walk")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no column t, acc_x, acc_y, acc_z, gyro_x, gyro_y, gyro_z .only an empty file"),
        ("t,acc_x,acc_y,acc_z,gyro_x\n", "no column gyro_y, gyro_z"),
        (HEADER + "\n", "no row"),
        (HEADER + ",acc_x_g\n", "acc_x, acc_x_g more than once"),
        (HEADER + "\n0,0,0,0,0,0,0\n0.02,0,0,0,0,0\n", r"line 3: found 6 columns, expected 7"),
        (HEADER + "\n0,0,0,0,0,0,0\n0.02,0,0,zero,0,0,0\n", "line 3, column acc_z: found 'zero', expected a number"),
        (HEADER + "\n0,0,0,0,0,0,0\n0.02,0,0,0,0,nan,0\n", "line 3, column gyro_y: found nan, expected a finite"),
        (HEADER + "\n0,0,0,0,0,0,0\n0.02,0,inf,0,0,0,0\n", "line 3, column acc_y: found inf"),
        (HEADER + "\n0.04,0,0,0,0,0,0\n0.02,0,0,0,0,0,0\n", r"line 3, column t: found 0\.02 s after 0\.04 s"),
        (HEADER + "\n0,0,0,0,0,0,0\n0,0,0,0,0,0,0\n", "line 3, column t"),
        (HEADER + "\n0,0,0,0,0,0,0\n", "no two samples"),
    ],
)
def test_bad_files_are_refused_by_line_and_column(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_csv(path)
    assert "bad" in caught.value.thing
    assert "\n" not in str(caught.value)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match=r"bad\.csv: found an unreadable file"):
        read_csv(tmp_path / "bad.csv")


def test_files_of_a_folder_in_different_units_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", np.arange(5) / 50)
    _write(tmp_path / "b.csv", np.arange(5) / 50, HEADER.replace("acc_x", "acc_x_g"))
    with pytest.raises(DataError, match="different units"):
        read_csv_folder(tmp_path)


def test_a_byte_order_mark_and_quotes_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeff"t",' + HEADER[2:] + '\n"0",0,0,0,0,0,0\n\n0.5,0,0,0,0,0,0\n', encoding="utf-8")
    assert read_csv(path).recordings[0].rate_hz == pytest.approx(2)


ROW = "0.{:02d},1,9.8,0.1,0,0,0.125"


@pytest.mark.parametrize("tail", ["0.06,1,9.8", "0.06,1,9.8,0.1,0,0,-", "0", "\0\0\0"])
def test_an_incomplete_last_line_is_left_out_and_reported(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *(ROW.format(2 * i) for i in range(3)), tail]))
    dataset = read_csv(path)
    assert len(dataset.recordings[0]) == 3
    assert dataset.oddities[0] == "a.csv was cut off in its last line, which was left out"
    # The same line with its end is an error as ever.
    path.write_text(path.read_text() + "\n")
    with pytest.raises(DataError, match=r"a\.csv, line 5"):
        read_csv(path)


def test_a_whole_last_line_without_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *(ROW.format(2 * i) for i in range(3))]))
    dataset = read_csv(path)
    assert (len(dataset.recordings[0]), dataset.oddities) == (3, ())


def test_a_character_cut_in_two_costs_only_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [ROW.format(2 * i) + ",Zoë" for i in range(4)]
    content = "\n".join([HEADER + ",subject", *rows]).encode()
    path.write_bytes(content[:-1])
    (recording,) = read_csv(path).recordings
    assert (recording.subject, len(recording)) == ("Zoë", 3)
    path.write_bytes(content[:-1] + b"\n" + rows[0].encode())
    with pytest.raises(DataError, match=r"line 5, column subject: found bytes that are not text, expected text in UTF"):
        read_csv(path)


@pytest.mark.parametrize("content", ["", "t,acc_", HEADER, HEADER + "\n", HEADER + "\n0.0"])
def test_a_file_without_a_row_does_not_spoil_its_folder(tmp_path: Path, content: str) -> None:
    _write(tmp_path / "a.csv", np.arange(20) / 50)
    (tmp_path / "b.csv").write_text(content)
    dataset = read_csv_folder(tmp_path)
    assert len(dataset.recordings) == 1
    assert dataset.oddities[0].startswith("b.csv was left out: ")
    (tmp_path / "a.csv").unlink()
    with pytest.raises(DataError, match=r"b\.csv"):
        read_csv_folder(tmp_path)


def test_a_wrong_header_spoils_its_folder(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", np.arange(20) / 50)
    (tmp_path / "b.csv").write_text("time,acc_x\n")
    with pytest.raises(DataError, match=r"b\.csv: found no column acc_y"):
        read_csv_folder(tmp_path)
