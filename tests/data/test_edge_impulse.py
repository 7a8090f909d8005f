"""Samples of Edge Impulse as its devices and its export write them, with the right values."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_files import unpacked, zipped

from deseptr.contract import DataError, SetupError
from deseptr.data import ReadOptions, import_dataset, load_dataset

UNITS = ("m/s2",) * 3 + ("dps",) * 3
NAMES = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
ROW = [0.5, -0.25, 9.5, 90.0, -45.0, 0.0]
# The text of the specification, with a gyroscope.
TEXT = """{
    "protected": {
        "ver": "v1",
        "alg": "HS256",
        "iat": 1564128599
    },
    "signature": "b0ee0572a1984b93b6bc56e6576e2cbbd6bccd65d0c356e26b31bbc9a48210c6",
    "payload": {
        "device_name": "ac:87:a3:0a:2d:1b",
        "device_type": "DISCO-L475VG-IOT01A",
        "interval_ms": 10,
        "sensors": [
            { "name": "accX", "units": "m/s2" },
            { "name": "accY", "units": "m/s2" },
            { "name": "accZ", "units": "m/s2" },
            { "name": "gyrX", "units": "dps" },
            { "name": "gyrY", "units": "dps" },
            { "name": "gyrZ", "units": "dps" }
        ],
        "values": [
            [ -9.81, 0.03, 1.21, 180, -90, 0.5 ],
            [ -9.83, 0.04, 1.27, 180, -90, 0.5 ],
            [ -9.12, 0.03, 1.23, 180, -90, 0.5 ],
            [ -9.14, 0.01, 1.25, 180, -90, 0.5 ]
        ]
    }
}
"""


def _sample(rows: int = 50, names: tuple[str, ...] = NAMES, units: tuple[str, ...] = UNITS, **more: Any) -> str:
    sensors = [{"name": name, "units": unit} for name, unit in zip(names, units, strict=True)]
    payload = {"device_type": "X", "interval_ms": 16, "sensors": sensors, "values": [ROW[: len(names)]] * rows, **more}
    return json.dumps({"protected": {"ver": "v1", "alg": "none"}, "signature": "0" * 64, "payload": payload})


def _text(text: str) -> bytes:
    return (bytes([0x60 + len(text)]) if len(text) < 24 else bytes([0x78, len(text)])) + text.encode()


def _cbor(rows: int = 4) -> bytes:
    """As the C SDK writes it on a device: a map, with an array of unknown length for the values."""
    content = b"\xa3" + _text("protected") + b"\xa3" + _text("ver") + _text("v1") + _text("alg") + _text("HS256")
    content += _text("iat") + b"\x1a" + struct.pack(">I", 1564128599)
    content += _text("signature") + _text("0" * 64) + _text("payload") + b"\xa5"
    content += _text("device_name") + _text("ac:87:a3:0a:2d:1b") + _text("device_type") + _text("DISCO-L475VG-IOT01A")
    content += _text("interval_ms") + b"\xfb" + struct.pack(">d", 10.0) + _text("sensors") + b"\x86"
    for name, unit in zip(NAMES, UNITS, strict=True):
        content += b"\xa2" + _text("name") + _text(name) + _text("units") + _text(unit)
    content += _text("values") + b"\x9f"
    row = b"\xfa" + struct.pack(">f", -9.75) + b"\xfb" + struct.pack(">d", 0.03) + b"\xf9\x3c\x00"
    row += b"\x18\xb4" + b"\x38\x59" + b"\xfa" + struct.pack(">f", 0.5)
    return content + (b"\x86" + row) * rows + b"\xff"


def test_the_specifications_example(tmp_path: Path) -> None:
    (tmp_path / "walking.3kq2.json").write_text(TEXT)
    dataset = load_dataset(tmp_path / "walking.3kq2.json")
    (recording,) = dataset.recordings
    assert (recording.subject, recording.rate_hz, dataset.label_names) == ("ac:87:a3:0a:2d:1b", 100.0, ("walking",))
    np.testing.assert_allclose(
        recording.signals[1], [-9.83, 0.04, 1.27, 3.14159265, -1.57079633, 0.00872665], rtol=1e-6
    )
    assert dataset.original_units == ("m/s^2",) * 3 + ("dps",) * 3
    assert "labels were taken from the files' names, up to the first point; --label-from says otherwise" in (
        dataset.oddities
    )


def test_cbor_as_a_device_writes_it(tmp_path: Path) -> None:
    cbor2 = pytest.importorskip("cbor2")
    (tmp_path / "walking.1.cbor").write_bytes(_cbor())
    dataset = load_dataset(tmp_path / "walking.1.cbor")
    (recording,) = dataset.recordings
    assert (recording.rate_hz, len(recording), dataset.label_names) == (100.0, 4, ("walking",))
    np.testing.assert_allclose(recording.signals[2], [-9.75, 0.03, 1, 3.14159265, -1.57079633, 0.00872665], rtol=1e-6)
    # Both forms say the same.
    (tmp_path / "2.json").write_text(json.dumps(cbor2.loads(_cbor())))
    np.testing.assert_array_equal(load_dataset(tmp_path / "2.json").recordings[0].signals, recording.signals)


def test_an_export_has_its_labels_in_a_file(tmp_path: Path) -> None:
    segments = [{"label": "a", "startIndex": 0, "endIndex": 9}, {"label": "b", "startIndex": 30, "endIndex": 90}]
    files = [
        ("training/x.1.json", {"type": "label", "label": "walking"}),
        ("testing/y.2.json", {"type": "multi-label", "labels": segments}),
        ("testing/z.3.json", {"type": "unlabeled"}),
    ]
    listed = [{"path": path, "name": path, "category": "split", "label": label} for path, label in files]
    content = {"export/info.labels": json.dumps({"version": 1, "files": listed})}
    content |= {f"export/{path}": _sample() for path, _ in files}
    (tmp_path / "export.zip").write_bytes(zipped(content))
    dataset = load_dataset(tmp_path / "export.zip")
    assert dataset.label_names == ("a", "b", "walking")
    assert [each.labels.tolist() for each in dataset.recordings] == [
        [0] * 10 + [-1] * 20 + [1] * 20,
        [-1] * 50,
        [2] * 50,
    ]
    assert dataset.recordings[0].rate_hz == 62.5


def test_a_folder_with_subjects_by_the_path_is_imported(tmp_path: Path) -> None:
    files = {f"{who}/{what}.1.json": _sample(device_name="phone") for who in ("ada", "eve") for what in ("sit", "walk")}
    unpacked(tmp_path, files)
    assert load_dataset(tmp_path).subjects == ("phone",)
    dataset, _ = import_dataset(tmp_path, ReadOptions(subject_from=r"^(\w+)/"))
    assert (dataset.subjects, dataset.label_names, len(dataset.recordings)) == (("ada", "eve"), ("sit", "walk"), 4)


def test_names_and_units_that_nobody_wrote_are_said_by_options(tmp_path: Path) -> None:
    path = tmp_path / "walk.1.json"
    path.write_text(_sample(names=("a1", "a2", "a3", "g1", "g2", "g3"), units=("N/A",) * 6))
    with pytest.raises(DataError, match=r"found no acc_x, acc_y, .*\(only a1, a2, a3, g1, g2, g3\)"):
        load_dataset(path)
    columns = "a1=acc_x,a2=acc_y,a3=acc_z,g1=gyro_x,g2=gyro_y,g3=gyro_z"
    with pytest.raises(DataError, match=r"units of acc_x: found 'N/A', .* say it with --units"):
        load_dataset(path, ReadOptions.of({"columns": columns}))
    (recording,) = load_dataset(path, ReadOptions.of({"columns": columns, "units": "m/s^2,dps"})).recordings
    np.testing.assert_allclose(recording.signals[3], [0.5, -0.25, 9.5, 1.57079633, -0.78539816, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            _sample(names=NAMES[:4], units=UNITS[:4]),
            "found no gyro_y, gyro_z .only accX, accY, accZ, gyrX., expected three axes",
        ),
        (_sample(units=("furlong",) * 6), "units of acc_x: found 'furlong', expected one of m/s"),
        (_sample(units=("dps",) * 6), "units of acc_x: found 'dps'"),
        (_sample(interval_ms=0), "interval_ms: found 0, expected a positive number"),
        (_sample(interval_ms=True), "interval_ms: found True"),
        (_sample(values=[]), "values: found no row"),
        (_sample(values=[ROW, ROW[:5]]), "values, row 2: found .*, expected 6 finite numbers"),
        (_sample(values=[ROW, [*ROW[:5], float("nan")]]), "values, row 2: found"),
        (_sample(sensors=7), "sensors: found no list of them"),
        (_sample()[:-40], "a broken file"),
        ('{"protected": {}, "payload": 3}', "found no payload"),
    ],
)
def test_broken_samples_are_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(tmp_path / "x.json")
    assert "\n" not in str(caught.value)


def test_an_accelerometer_alone_has_its_three_axes_and_must_have_all(tmp_path: Path) -> None:
    path = tmp_path / "walk.a.json"
    path.write_text(_sample(names=NAMES[:3], units=UNITS[:3]))
    dataset = load_dataset(path)
    assert dataset.channels == ("acc_x", "acc_y", "acc_z")
    np.testing.assert_allclose(dataset.recordings[0].signals[0], [0.5, -0.25, 9.5])
    path.write_text(_sample(names=NAMES[:2], units=UNITS[:2]))
    with pytest.raises(DataError, match=r"found no acc_z \(only accX, accY\)"):
        load_dataset(path)


@pytest.mark.parametrize("label", [None, {"type": "box"}, {"type": "multi-label", "labels": [{"label": "a"}]}])
def test_broken_labels_are_one_line(tmp_path: Path, label: object) -> None:
    info = {"version": 1, "files": [{"path": "x.json", "label": label}]}
    unpacked(tmp_path, {"x.json": _sample(), "info.labels": json.dumps(info)})
    with pytest.raises(DataError, match=r"x\.json: its labels? in info\.labels: found"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("content", [_cbor()[:-20], _cbor()[:180] + b"\x81" * 5000])
def test_broken_cbor_is_one_line(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("cbor2")
    (tmp_path / "x.cbor").write_bytes(content)
    with pytest.raises(DataError, match="found a broken file"):
        load_dataset(tmp_path / "x.cbor")


def test_without_the_extra_cbor_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cbor2", None)
    (tmp_path / "x.cbor").write_bytes(_cbor())
    with pytest.raises(SetupError, match=r"found no package cbor2, .* `pip install 'deseptr\[cbor\]'`"):
        load_dataset(tmp_path / "x.cbor")
