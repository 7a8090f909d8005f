"""The readers against independent ones, on made-up recordings of random counts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cwa_builder import AX6, cwa_block, cwa_header, packed, words
from gt3x_builder import INFO, activity, activity2, gt3x, record

from deseptr.contract import STANDARD_GRAVITY as G
from deseptr.data import ReadOptions, load_dataset, save_dataset, synthetic_dataset
from deseptr.data.archive import Archive
from deseptr.data.cwa import _BLOCK, _takes, _values
from deseptr.data.gt3x import _acceleration, _pairs
from deseptr.data.gt3x_records import read_log

NOON = datetime(2023, 11, 14, 12)


def _seconds(index) -> np.ndarray:
    return index.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9


def test_an_ax6_as_another_reader_has_it(tmp_path: Path) -> None:
    other = pytest.importorskip("cwa_reader_rs", reason="an independent reader of .cwa files")
    rng = np.random.default_rng(0)
    raw = rng.integers(-32768, 32768, (30, 40, 6))
    content = cwa_header(hardware=AX6)
    for number, samples in enumerate(raw.tolist()):
        # Forty samples take 0.4 s and 3 ms more: the oscillator is a little slow.
        second = 0.15 + 0.403 * number
        content += cwa_block(
            words(samples),
            40,
            0x62,
            sequence=number,
            moment=NOON + timedelta(seconds=int(second)),
            fraction=second % 1,
            offset=-int(int(second % 1 * 0x8000) / 0x8000 * 100),
            acc_scale=4,
            gyro_scale=3,
        )
    (tmp_path / "a.cwa").write_bytes(content)
    theirs = other.read_cwa_file(str(tmp_path / "a.cwa"))
    with Archive(tmp_path / "a.cwa") as archive:
        (ours,) = _takes(archive, "a.cwa", [])
    acc, gyro = (theirs[[f"{sensor}_{axis}" for axis in "xyz"]].to_numpy() for sensor in ("acc", "gyro"))
    np.testing.assert_allclose(ours.signals[:, :3], acc * G, rtol=1e-6)
    np.testing.assert_allclose(ours.signals[:, 3:], gyro * np.pi / 180, rtol=1e-6)
    # They connect the stamps, and we draw a line through them.
    np.testing.assert_allclose(ours.t, _seconds(theirs.index), atol=0.012)


@pytest.mark.parametrize("form", ["packed", "whole"])
def test_an_ax3_as_another_reader_has_it(tmp_path: Path, form: str) -> None:
    other = pytest.importorskip("cwa_reader_rs", reason="an independent reader of .cwa files")
    rng = np.random.default_rng(1)
    if form == "packed":
        count, kind, scale = 120, 0x30, 0
        samples = np.hstack([rng.integers(-512, 512, (3 * count, 3)), rng.integers(0, 4, (3 * count, 1))])
    else:
        count, kind, scale = 80, 0x32, 4
        samples = rng.integers(-32768, 32768, (3 * count, 3))
    pack = packed if form == "packed" else words
    blocks = b"".join(
        cwa_block(
            pack(samples[count * i : count * i + count].tolist()),
            count,
            kind,
            sequence=i,
            moment=NOON + timedelta(seconds=i),
            acc_scale=scale,
        )
        for i in range(3)
    )
    (tmp_path / "a.cwa").write_bytes(cwa_header() + blocks)
    theirs = other.read_cwa_file(str(tmp_path / "a.cwa"))
    ours, _ = _values(np.frombuffer(blocks, _BLOCK))
    np.testing.assert_allclose(ours, theirs[["acc_x", "acc_y", "acc_z"]].to_numpy() * G, rtol=1e-6)


@pytest.mark.parametrize(("kind", "pack", "limit"), [(0, activity, 2048), (26, activity2, 32768)])
def test_a_gt3x_as_another_reader_has_it(tmp_path: Path, kind: int, pack, limit: int) -> None:
    reader = pytest.importorskip("pygt3x.reader", reason="an independent reader of .gt3x files")
    rng = np.random.default_rng(2)
    samples = rng.integers(-limit, limit, (5, 30, 3))
    log = b"".join(record(kind, 1_700_000_000 + i, pack(second.tolist())) for i, second in enumerate(samples))
    info = INFO + "Acceleration Scale: 256.0\r\n"
    (tmp_path / "a.gt3x").write_bytes(gt3x(log, info))
    with reader.FileReader(str(tmp_path / "a.gt3x")) as file:
        theirs = file.to_pandas()
    t, acc = _acceleration(read_log(log, "log.bin"), _pairs(info), "30", "a.gt3x")
    np.testing.assert_allclose(acc, theirs[["X", "Y", "Z"]].to_numpy() * G, atol=G * 6e-4)
    np.testing.assert_allclose(t, theirs.index.to_numpy(), atol=1e-6)


@pytest.mark.slow
def test_motion_bids_as_another_program_writes_it(tmp_path: Path) -> None:
    other = pytest.importorskip("motionbids", reason="an independent writer of Motion-BIDS")
    rng = np.random.default_rng(3)
    data = rng.normal([0, 9.81, 0, 0, 0, 0] * 2, 1, (200, 12))
    channels = [
        other.Channel(
            channel_name=f"{point}_{kind}_{axis}",
            channel_component=axis,
            channel_type=kind,
            channel_tracked_point=point,
            channel_units=unit,
        )
        for point in ("wrist", "ankle")
        for kind, unit in (("ACCEL", "m/s^2"), ("GYRO", "rad/s"))
        for axis in "xyz"
    ]
    motion = other.MotionData(
        subject="01",
        task_name="walk",
        tracksys="imu",
        sampling_frequency=50.0,
        tracked_points_count=2,
        manufacturer="x",
        data=data,
        channels=channels,
        events=[{"onset": 1.0, "duration": 2.0, "trial_type": "walking"}],
    )
    other.export_bids_motion(motion, out_dir=str(tmp_path / "out"))
    dataset = load_dataset(tmp_path / "out", ReadOptions(placement="wrist"))
    (recording,) = dataset.recordings
    assert (recording.subject, recording.rate_hz, dataset.label_names) == ("01", 50.0, ("walking",))
    assert recording.labels.tolist() == [-1] * 50 + [0] * 100 + [-1] * 50
    # It writes six digits after the point.
    np.testing.assert_allclose(recording.signals, data[:, :6], atol=2e-6)


@pytest.mark.slow
def test_the_validator_of_bids_has_no_objection(tmp_path: Path) -> None:
    validator = shutil.which("bids-validator-deno", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if validator is None:
        pytest.skip("needs the package bids-validator-deno")
    save_dataset(synthetic_dataset(subjects=3, seconds=2.0), tmp_path / "out", "motion-bids")
    said = subprocess.run([validator, "--json", str(tmp_path / "out")], capture_output=True, text=True, check=False)
    issues = json.loads(said.stdout)["issues"]["issues"]
    assert {issue["code"] for issue in issues if issue.get("severity") == "error"} == set()
    # Only what is recommended and not known: authors, and counts of channels that are not there.
    assert {issue["code"] for issue in issues} <= {
        "TOO_FEW_AUTHORS",
        "NO_AUTHORS",
        "JSON_KEY_RECOMMENDED",
        "SIDECAR_KEY_RECOMMENDED",
    }
