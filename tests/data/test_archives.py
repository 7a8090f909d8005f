"""The original archives, in miniature: same names, columns and units as the real ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import STANDARD_GRAVITY as G, DataError
from deseptr.data import load_dataset

_MOTION = ("attitude.roll", "attitude.pitch", "attitude.yaw", "gravity.x", "gravity.y", "gravity.z")
_MOTION += ("rotationRate.x", "rotationRate.y", "rotationRate.z")
_MOTION += ("userAcceleration.x", "userAcceleration.y", "userAcceleration.z")
NAMES = ("WALKING", "WALKING_UPSTAIRS", "SITTING")


def _zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _unpack(path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def _trial(seed: int, rows: int = 20) -> tuple[str, np.ndarray]:
    values = np.random.default_rng(seed).normal(size=(rows, 12)).round(6)
    lines = [",".join([str(i), *map(repr, row)]) for i, row in enumerate(values.tolist())]
    return "\n".join(["," + ",".join(_MOTION), *lines]) + "\n", values


def _motionsense() -> dict[str, str]:
    places = ("dws_1/sub_1", "dws_11/sub_2", "sit_5/sub_10", "sit_5/sub_2", "wlk_7/sub_1", "ups_3/sub_2")
    files = {f"A_DeviceMotion_data/{place}.csv": _trial(seed)[0] for seed, place in enumerate(places)}
    return files | {"__MACOSX/A_DeviceMotion_data/dws_1/._sub_1.csv": "junk", "A_DeviceMotion_data/.DS_Store": "junk"}


def _columns(values: np.ndarray) -> str:
    return "".join(" ".join(map(repr, row)) + "\n" for row in values.tolist())


def _hapt() -> dict[str, str]:
    rng = np.random.default_rng(0)
    files = {
        "RawData/labels.txt": "1 1 3 3 5 \n1 1 1 7 10\n2 2 2 1 12\n",
        "activity_labels.txt": "".join(f" {i} {name}  \n" for i, name in enumerate(NAMES, 1)),
    }
    for place in ("exp01_user01", "exp02_user02"):
        for sensor in ("acc", "gyro"):
            files[f"RawData/{sensor}_{place}.txt"] = _columns(rng.normal(size=(12, 3)).round(6))
    return files


@pytest.mark.parametrize("packed", [True, False])
def test_motionsense(tmp_path: Path, packed: bool) -> None:
    files = _motionsense()
    source = _zip(tmp_path / "a.zip", files) if packed else _unpack(tmp_path / "a", files)
    dataset = load_dataset(source)
    assert dataset.label_names == ("downstairs", "upstairs", "sitting", "standing", "walking", "jogging")
    assert [(r.subject, r.name, r.labels[0]) for r in dataset.recordings] == [
        ("1", "1", 0),
        ("2", "11", 0),
        ("2", "5", 2),
        ("10", "5", 2),
        ("2", "3", 1),
        ("1", "7", 4),
    ]
    values = _trial(0)[1]
    expected = np.hstack([(values[:, 3:6] + values[:, 9:12]) * G, values[:, 6:9]])
    np.testing.assert_allclose(dataset.recordings[0].signals, expected, rtol=1e-5, atol=1e-6)
    assert dataset.test_subjects == ("10",)
    assert dataset.original_units == ("g",) * 3 + ("rad/s",) * 3


def test_a_byte_identical_copy_of_a_trial_is_left_out_and_reported(tmp_path: Path) -> None:
    files = _motionsense()
    files["A_DeviceMotion_data/sit_13/sub_2.csv"] = files["A_DeviceMotion_data/sit_5/sub_2.csv"]
    dataset = load_dataset(_zip(tmp_path / "a.zip", files))
    assert len(dataset.recordings) == 6
    assert dataset.oddities == (
        "A_DeviceMotion_data/sit_13/sub_2.csv is a byte-identical copy of A_DeviceMotion_data/sit_5/sub_2.csv "
        "and was left out",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "sub_1.csv: found no row"),
        (",".join(_MOTION) + "\n", "sub_1.csv: found no row"),
        (",gravity.x\n0,1\n", r"found no column gravity\.y, gravity\.z, userAcceleration\.x"),
        ("," + ",".join(_MOTION) + "\n0,1\n", "line 2: found 2 columns, expected 13 numbers"),
        ("," + ",".join(_MOTION) + "\n" + ",".join(["0"] * 12 + ["nan"]), "line 2, column 13: found 'nan'"),
        ("," + ",".join(_MOTION) + "\n" + ",".join(["0"] * 3 + ["x"] * 10), "line 2, column 4: found 'x'"),
    ],
)
def test_a_broken_trial_is_named(tmp_path: Path, content: str, message: str) -> None:
    files = _motionsense() | {"A_DeviceMotion_data/dws_1/sub_1.csv": content}
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(_zip(tmp_path / "a.zip", files))
    assert "dws_1/sub_1.csv" in caught.value.thing


@pytest.mark.parametrize("packed", [True, False])
def test_hapt(tmp_path: Path, packed: bool) -> None:
    files = {f"HAPT Data Set/{name}": content for name, content in _hapt().items()}
    source = _zip(tmp_path / "hapt.zip", files) if packed else _unpack(tmp_path / "hapt", files)
    dataset = load_dataset(source)
    assert dataset.label_names == ("walking", "walking_upstairs", "sitting")
    first, second = dataset.recordings
    # labels.txt counts from 1 and includes the last sample.
    assert first.labels.tolist() == [-1, -1, 2, 2, 2, -1, 0, 0, 0, 0, -1, -1]
    assert second.labels.tolist() == [1] * 12
    acc = np.loadtxt(_hapt()["RawData/acc_exp01_user01.txt"].splitlines())
    np.testing.assert_allclose(first.signals[:, :3], acc * G, rtol=1e-5)
    assert (first.subject, first.name, dataset.test_subjects) == ("1", "1", ("2",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("RawData/labels.txt", None, "no RawData/labels.txt"),
        ("activity_labels.txt", None, "no activity_labels.txt"),
        ("activity_labels.txt", "walking\n", "other content"),
        ("RawData/gyro_exp01_user01.txt", None, "gyro_exp01_user01.txt"),
        ("RawData/gyro_exp01_user01.txt", "0 0 0\n", "found 1 row, expected 12"),
        ("RawData/labels.txt", "1 1 9 1 5\n", "label run"),
        ("RawData/labels.txt", "1 1 1 5 13\n", "at most 12 samples"),
        ("RawData/labels.txt", "1 1 1 5\n", "line 1: found 4 columns"),
        ("RawData/acc_exp01_user01.txt", "0 0 inf\n", "line 1, column 3: found 'inf'"),
    ],
)
def test_a_broken_hapt_archive_is_refused(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    files = {**_hapt(), name: content}
    with pytest.raises(DataError, match=message):
        load_dataset(_zip(tmp_path / "a.zip", {n: c for n, c in files.items() if c is not None}))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.97])
def test_a_truncated_zip_is_refused(tmp_path: Path, share: float) -> None:
    whole = _zip(tmp_path / "a.zip", _motionsense()).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cut\.zip"):
        load_dataset(tmp_path / "cut.zip")


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", _motionsense())
    content = bytearray(path.read_bytes())
    content[80:120] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip!A_DeviceMotion_data/dws_1/sub_1\.csv"):
        load_dataset(path)


def test_an_archive_of_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 file of another format"):
        load_dataset(_zip(tmp_path / "a.zip", {"readme.txt": "hello"}))


def _uci_har(stretches: tuple[tuple[str, int, int, int], ...]) -> tuple[dict[str, str], list[np.ndarray]]:
    """Files as UCI writes them, 16 characters a number with an exponent of three digits, and the whole stretches.

    Args:
        stretches: part, subject, label and number of windows of each.
    """
    signals = [f"{sensor}_{axis}" for sensor in ("total_acc", "body_gyro") for axis in "xyz"]
    files = {"activity_labels.txt": "".join(f"{i} {name}\n" for i, name in enumerate(NAMES, 1))}
    rng, whole = np.random.default_rng(4), []
    for part, subject, label, count in stretches:
        samples = np.array([[float(f"{value:.7e}") for value in row] for row in rng.normal(size=(64 * (count + 1), 6))])
        whole.append(samples)
        for channel, signal in enumerate(signals):
            path = f"{part}/Inertial Signals/{signal}_{part}.txt"
            for window in range(count):
                row = samples[64 * window : 64 * window + 128, channel]
                files[path] = files.get(path, "") + "".join(map(_uci_number, row)) + "\n"
        for name, number in ((f"subject_{part}.txt", subject), (f"y_{part}.txt", label)):
            files[f"{part}/{name}"] = files.get(f"{part}/{name}", "") + f"{number}\n" * count
    return {f"UCI HAR Dataset/{name}": content for name, content in files.items()}, whole


def _uci_number(value: float) -> str:
    mantissa, _, exponent = f"{value:.7e}".partition("e")
    return f"{mantissa}e{exponent[0]}{int(exponent[1:]):03d}".rjust(16)


STRETCHES = (("train", 1, 1, 3), ("train", 1, 3, 1), ("train", 7, 1, 2), ("test", 2, 2, 4))


@pytest.mark.parametrize("packed", [True, False])
def test_uci_har(tmp_path: Path, packed: bool) -> None:
    files, whole = _uci_har(STRETCHES)
    source = _zip(tmp_path / "har.zip", files) if packed else _unpack(tmp_path / "har", files)
    dataset = load_dataset(source)
    assert dataset.label_names == ("walking", "walking_upstairs", "sitting")
    assert [(r.subject, r.name, set(r.labels.tolist())) for r in dataset.recordings] == [
        ("1", "1", {0}),
        ("1", "2", {2}),
        ("7", "1", {0}),
        ("2", "1", {1}),
    ]
    for recording, samples in zip(dataset.recordings, whole, strict=True):
        np.testing.assert_array_equal(recording.signals, (samples * ([G] * 3 + [1] * 3)).astype(np.float32))
    assert (dataset.test_subjects, dataset.recordings[0].rate_hz) == (("2",), 50.0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test/y_test.txt", "1\n", r"y_test\.txt: found 1 row, expected 4, as subjects"),
        ("test/y_test.txt", "1\n1\n9\n1\n", "expected labels of 1 to 3"),
        ("test/y_test.txt", "1\n1\n1.5\n1\n", "numbers with a fraction"),
        ("test/subject_test.txt", None, r"subject_test\.txt"),
        ("train/Inertial Signals/body_gyro_z_train.txt", "1 2 3\n", "line 1: found 3 columns, expected 128 numbers"),
        ("activity_labels.txt", None, "no activity_labels.txt"),
    ],
)
def test_a_broken_uci_har_archive_is_refused(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    files = {**_uci_har(STRETCHES)[0], f"UCI HAR Dataset/{name}": content}
    with pytest.raises(DataError, match=message):
        load_dataset(_zip(tmp_path / "a.zip", {n: c for n, c in files.items() if c is not None}))
