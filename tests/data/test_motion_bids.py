from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import STANDARD_GRAVITY as G, DataError, SetupError
from deseptr.data import Dataset, ReadOptions, load_dataset, save_dataset, synthetic_dataset

STEM = "sub-01_ses-2_task-walk_tracksys-imu_run-3"
# After the example of the specification: two tracked points, of which the foot has no gyroscope.
CHANNELS = (
    "name\tcomponent\ttype\ttracked_point\tunits\treference_frame\n"
    "f_acc_x\tx\tACCEL\tfoot\tm/s^2\tlocal\n"
    "w_gyro_x\tx\tGYRO\twrist\tdeg/s\tlocal\n"
    "w_gyro_y\ty\tGYRO\twrist\tdeg/s\tlocal\n"
    "w_gyro_z\tz\tGYRO\twrist\tdeg/s\tlocal\n"
    "w_acc_z\tz\tACCEL\twrist\tg\tlocal\n"
    "w_acc_y\ty\tACCEL\twrist\tg\tlocal\n"
    "w_acc_x\tx\tACCEL\twrist\tg\tlocal\n"
)
ROW = "1\t90\t0\t-180\t1\t0.5\t{x}"


def _write(root: Path, **changes: str | None) -> Path:
    """A dataset with one recording of a second at 50 Hz whose acceleration along x numbers the samples."""
    files: dict[str, str | None] = {
        "participants.tsv": "participant_id\tage\nsub-01\tn/a\n",
        f"{STEM}_motion.tsv": "".join(ROW.format(x=number) + "\n" for number in range(50)),
        f"{STEM}_motion.json": json.dumps({"TaskName": "walk", "SamplingFrequency": 50}),
        f"{STEM}_channels.tsv": CHANNELS,
        f"{STEM}_events.tsv": "onset\tduration\ttrial_type\n0.2\t0.4\twalking\n0.7\tn/a\tbeep\n0.8\t9\tn/a\n",
        **changes,
    }
    for name, content in files.items():
        path = root / ("sub-01/ses-2/motion" if name.startswith("sub-01_ses") else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_text(content, "utf-8", newline="")
    return root


def test_values_units_labels_and_names(tmp_path: Path) -> None:
    dataset = load_dataset(_write(tmp_path))
    (recording,) = dataset.recordings
    assert (recording.subject, recording.name, recording.rate_hz, len(recording)) == (
        "01",
        "ses-2_task-walk_run-3",
        50.0,
        50,
    )
    expected = [7 * G, 0.5 * G, G, np.pi / 2, 0, -np.pi]
    np.testing.assert_allclose(recording.signals[7], expected, rtol=1e-6)
    np.testing.assert_allclose(recording.signals[:, 0], np.arange(50) * G, rtol=1e-6)
    assert dataset.label_names == ("walking",)
    assert recording.labels.tolist() == [-1] * 10 + [0] * 20 + [-1] * 20
    assert dataset.original_units == ("g",) * 3 + ("dps",) * 3


def test_files_above_hold_for_all_below_and_the_nearest_wins(tmp_path: Path) -> None:
    _write(tmp_path, **{f"{STEM}_motion.json": None, f"{STEM}_channels.tsv": None})
    (tmp_path / "task-walk_motion.json").write_text('{"SamplingFrequency": 25, "SamplingFrequencyEffective": 0}')
    (tmp_path / "tracksys-imu_channels.tsv").write_text(CHANNELS)
    (tmp_path / "tracksys-other_channels.tsv").write_text("name\n")
    assert load_dataset(tmp_path).recordings[0].rate_hz == 25.0
    (tmp_path / "sub-01" / "sub-01_tracksys-imu_motion.json").write_text('{"SamplingFrequencyEffective": 20.5}')
    assert load_dataset(tmp_path).recordings[0].rate_hz == 20.5


def test_a_latency_channel_has_the_times(tmp_path: Path) -> None:
    rows = "".join(ROW.format(x=0) + f"\t{number / 100 + (5 if number > 19 else 0)}\n" for number in range(50))
    channels = CHANNELS + "time\tn/a\tLATENCY\tn/a\ts\tn/a\n"
    dataset = load_dataset(_write(tmp_path, **{f"{STEM}_motion.tsv": rows, f"{STEM}_channels.tsv": channels}))
    assert [(len(r), r.rate_hz, r.start_s) for r in dataset.recordings] == [(20, 100.0, 0.0), (30, 100.0, 5.2)]


def test_values_that_are_not_available_are_lost_samples(tmp_path: Path) -> None:
    rows = [ROW.format(x=number) for number in range(50)]
    rows[10] = ROW.format(x="n/a")
    # The foot's value is not read.
    rows[11] = "n/a" + rows[11][1:]
    dataset = load_dataset(_write(tmp_path, **{f"{STEM}_motion.tsv": "\n".join(rows)}))
    assert "1 sample with an empty cell" in "".join(dataset.oddities) or any(
        "empty" in each for each in dataset.oddities
    )
    assert sum(len(r) for r in dataset.recordings) == 50


def test_of_several_points_one_is_chosen(tmp_path: Path) -> None:
    both = CHANNELS.replace("f_acc_x\tx\tACCEL\tfoot", "f_acc_x\tx\tMISC\tfoot")
    both += "".join(f"a{axis}\t{axis}\tACCEL\tankle\tm/s^2\tlocal\n" for axis in "xyz")
    both += "".join(f"g{axis}\t{axis}\tGYRO\tankle\trad/s\tlocal\n" for axis in "xyz")
    rows = "".join(ROW.format(x=0) + "\t1\t2\t3\t4\t5\t6\n" for _ in range(50))
    _write(tmp_path, **{f"{STEM}_motion.tsv": rows, f"{STEM}_channels.tsv": both})
    first = load_dataset(tmp_path)
    assert first.recordings[0].signals[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert first.oddities[0] == "the sensor ankle was taken; --placement wrist takes another"
    wrist = load_dataset(tmp_path, ReadOptions.of({"placement": "wrist"}))
    assert wrist.recordings[0].signals[0, 2] == pytest.approx(G)
    with pytest.raises(DataError, match="found no sensor knee, expected one of ankle, wrist"):
        load_dataset(tmp_path, ReadOptions.of({"placement": "knee"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({f"{STEM}_channels.tsv": None}, r"_motion\.tsv: found no file …_channels\.tsv for it"),
        (
            {f"{STEM}_channels.tsv": CHANNELS.replace("GYRO", "POS").replace("ACCEL", "POS")},
            "found no tracked point with them, expected channels",
        ),
        ({f"{STEM}_channels.tsv": CHANNELS.replace("deg/s", "rpm")}, r"_channels\.tsv: units: found 'rpm'"),
        ({f"{STEM}_channels.tsv": "name\ttype\n"}, "found no column component, units"),
        (
            {f"{STEM}_channels.tsv": CHANNELS + "x\n"},
            "_channels.tsv, row 9: found 1 column, expected 6 as in the header",
        ),
        ({f"{STEM}_channels.tsv": CHANNELS + "t\tx\tMISC\tn/a\tn/a\tn/a\n"}, "line 1: found 7 columns, expected 8"),
        ({f"{STEM}_motion.json": None}, "SamplingFrequency: found no file …_motion.json for it"),
        ({f"{STEM}_motion.json": "{}"}, "SamplingFrequency: found no file"),
        ({f"{STEM}_motion.json": '{"SamplingFrequency": "50"}'}, "SamplingFrequency: found '50'"),
        ({f"{STEM}_motion.json": "[" * 99}, "found no JSON"),
        ({f"{STEM}_motion.json": "[]"}, "found no object"),
        ({f"{STEM}_motion.tsv": "acc\tx\ty\tz\ta\tb\tc\n" + ROW.format(x=1)}, "line 1, column 7: found 'c'"),
        ({f"{STEM}_motion.tsv": ROW.format(x="nan")}, "line 1, column 7: found 'nan', expected a number or n/a"),
        ({f"{STEM}_motion.tsv": ""}, "found no row, expected rows of numbers without a header"),
        ({f"{STEM}_events.tsv": "onset\tduration\ttrial_type\n0\tlong\tx\n"}, "_events.tsv: found 'long'"),
    ],
)
def test_what_is_missing_or_broken_is_named(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(_write(tmp_path, **changes))


def test_what_is_written_is_a_dataset_of_motion_bids(tmp_path: Path) -> None:
    dataset = synthetic_dataset(subjects=3, seconds=2.0)
    save_dataset(dataset, tmp_path / "out", "motion-bids")
    files = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert files[:4] == ["README", "dataset_description.json", "participants.json", "participants.tsv"]
    stem = "sub-1/motion/sub-1_task-activities_tracksys-imu_run-01"
    assert [f"{stem}_{end}" in files for end in ("motion.tsv", "motion.json", "channels.tsv", "events.tsv")] == [
        True
    ] * 4
    channels = (tmp_path / "out" / f"{stem}_channels.tsv").read_text().splitlines()
    assert channels[1] == "acc_x\tx\tACCEL\tsensor\tm/s^2"
    assert channels[6] == "gyro_z\tz\tGYRO\tsensor\trad/s"
    assert len((tmp_path / "out" / f"{stem}_motion.tsv").read_text().splitlines()) == 100
    assert load_dataset(tmp_path / "out").test_subjects == dataset.test_subjects


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ada", "eve"], ["ada", "eve"]),
        (["ada b", "eve"], ["adab", "eve"]),
        (["a-b", "ab"], ["1", "2"]),
        (["A", "a"], ["1", "2"]),
    ],
)
def test_identifiers_are_letters_and_digits(
    make_recording, tmp_path: Path, names: list[str], expected: list[str]
) -> None:
    dataset = Dataset(tuple(make_recording([0] * 9, subject=name) for name in names), ("x",))
    save_dataset(dataset, tmp_path / "out", "motion-bids")
    assert sorted(path.name for path in (tmp_path / "out").glob("sub-*")) == [f"sub-{each}" for each in expected]
    assert load_dataset(tmp_path / "out").subjects == tuple(sorted(names))


def test_a_label_that_means_none_is_refused_and_nothing_written(make_recording, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name 'n/a': found a label or subject that means none"):
        save_dataset(Dataset((make_recording([0] * 9),), ("n/a",)), tmp_path / "out", "motion-bids")
    assert not any(tmp_path.iterdir())


def test_a_folder_that_is_there_is_not_touched(synthetic: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    for layout in ("motion-bids", "edge-impulse"):
        with pytest.raises(SetupError, match="out: found a folder with files in it, expected no such folder"):
            save_dataset(synthetic, tmp_path / "out", layout)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]
