"""Files that earlier versions wrote are read by this one; files of later formats are refused in a line that helps."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deseptr
from deseptr.contract import ModelContract, ModelError
from deseptr.firmware_harness.deploy.bundle import inspect_bundle
from deseptr.firmware_harness.deploy.errors import FlashError
from deseptr.firmware_harness.deploy.target.bundle import header
from deseptr.tflite import load_engine, predict, read_tflite

# Settings of the runs under the names of today.
RENAMED = {"1": {"model": "deseptr-spectrogram"}}
FORMATS = sorted(path for path in (Path(__file__).parent / "formats").iterdir() if path.is_dir())


@pytest.fixture(params=FORMATS, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def facts(folder: Path) -> dict[str, Any]:
    """What the version that wrote the files read from them."""
    return dict(json.loads((folder / "facts.json").read_text()))


@pytest.fixture
def windows(folder: Path) -> np.ndarray:
    with np.load(folder / "windows.npz") as arrays:
        return (arrays["counts"] * arrays["scale"][:, None]).astype(np.float32)


def as_json(contract: ModelContract) -> dict[str, Any]:
    return dict(json.loads(contract.to_json()))


def test_model_gives_the_same_bits(folder: Path, facts: dict[str, Any], windows: np.ndarray):
    """Bit for bit with the reference kernels, which are the same on every processor."""
    engine = load_engine(folder / "model.tflite", kernels="reference")
    told = facts["model"]
    assert as_json(engine.contract) == told["contract"]
    counts = np.array(told["logits_int8"]) - told["zero_point"]
    np.testing.assert_array_equal(predict(engine, windows), counts.astype(np.float32) * np.float32(told["scale"]))


def test_model_is_the_librarys(folder: Path, facts: dict[str, Any], windows: np.ndarray):
    model = deseptr.load_model(folder / "model.tflite")
    assert as_json(model.contract) == facts["model"]["contract"]
    told = np.array(facts["model"]["logits_int8"])
    # Fast kernels may round the other way where two classes are a step or two apart.
    clear = np.diff(np.sort(told, axis=1)[:, -2:], axis=1)[:, 0] > 4
    assert clear.sum() >= 15
    np.testing.assert_array_equal(model.predict(windows).argmax(axis=1)[clear], told.argmax(axis=1)[clear])


def test_run_is_read(folder: Path, facts: dict[str, Any], windows: np.ndarray):
    from deseptr.train import CalibrationWindows, RunFolder, TrainConfig, load_run
    from deseptr.train.history import read_history
    from deseptr.train.predictions import Predictions
    from deseptr.train.training_loop import predict_logits

    run, told = RunFolder(folder / "run"), facts["run"]
    classifier, contract = load_run(run.path)
    assert as_json(contract) == told["contract"]
    np.testing.assert_allclose(predict_logits(classifier, windows), told["logits"], atol=1e-3)
    settings = asdict(TrainConfig.load(run.config))
    assert {name: settings[name] for name in told["config"]} == told["config"] | RENAMED[folder.name]
    assert [row["epoch"] for row in read_history(run.history)] == [1]
    held_out = CalibrationWindows.load(run.calibration)
    metrics = json.loads(run.metrics.read_text())
    assert len(held_out.held_out_windows) == metrics["windows"]["test"]
    assert len(Predictions.load(run.predictions).labels) == metrics["windows"]["test"]


def test_run_is_the_librarys(folder: Path):
    run = deseptr.load_run(folder / "run")
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert list(run.test_subjects) == metrics["subjects"]["test"]
    assert len(run.history) == 1


@pytest.mark.slow
def test_run_is_converted(folder: Path, tmp_path: Path):
    from deseptr.convert import Gate, convert_run

    run = shutil.copytree(folder / "run", tmp_path / "run")
    assert convert_run(run, tmp_path / "m.tflite", gate=Gate(0.0, 1.0, -99.0)).kept.lint.non_int8 == ()


def test_recording_has_the_same_samples(folder: Path, facts: dict[str, Any]):
    dataset, told = deseptr.load(folder / "recording.npz"), facts["recording"]
    recordings = dataset.recordings
    assert list(dataset.label_names) == told["labels"]
    assert list(dataset.subjects) == told["subjects"]
    assert [recording.name for recording in recordings] == told["names"]
    assert [recording.rate_hz for recording in recordings] == told["rate_hz"]
    assert [np.bincount(recording.labels + 1).tolist() for recording in recordings] == told["labelled"]
    assert [hashlib.sha256(recording.signals.tobytes()).hexdigest() for recording in recordings] == told["sha256"]


def test_bundle_is_read(folder: Path, facts: dict[str, Any]):
    manifest, told = inspect_bundle(folder / "wearer.bundle"), facts["bundle"]
    assert (manifest.release, asdict(manifest.target)) == (told["release"], told["target"])
    assert [list(manifest.run), list(manifest.extras), manifest.network] == [
        told["run"],
        told["extras"],
        told["network"],
    ]
    assert {name: entry.size for name, entry in manifest.files.items()} == told["files"]


def of_a_later_contract(folder: Path, tmp_path: Path) -> Callable[[], object]:
    content = json.loads((folder / "run" / "contract.json").read_text())
    path = tmp_path / "contract.json"
    path.write_text(json.dumps({**content, "format": 99}))
    return lambda: ModelContract.load(path)


def of_a_later_model(folder: Path, tmp_path: Path) -> Callable[[], object]:
    path = tmp_path / "model.tflite"
    changed = (folder / "model.tflite").read_bytes()
    path.write_bytes(with_contract(changed, b'"format": 1', b'"format": 99'))
    return lambda: read_tflite(path)


def with_contract(content: bytes, old: bytes, new: bytes) -> bytes:
    """The model with its contract changed; the archive is written anew, as its sums would not fit."""
    import io
    import zipfile

    from deseptr.tflite import without_archive

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO(without_archive(content))
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry.replace(old, new))
    return buffer.getvalue()


def of_a_later_bundle(folder: Path, tmp_path: Path) -> Callable[[], object]:
    from deseptr.firmware_harness.deploy.target.manifest import MANIFEST

    manifest = json.dumps({"format": 99, "release": "of tomorrow"}).encode()
    path = tmp_path / "wearer.bundle"
    path.write_bytes(header(MANIFEST, len(manifest)) + manifest.ljust(512, b"\0"))
    return lambda: inspect_bundle(path)


@pytest.mark.parametrize("later", [of_a_later_contract, of_a_later_model, of_a_later_bundle])
def test_later_format_is_refused_in_one_line_that_says_what_to_do(
    folder: Path, tmp_path: Path, later: Callable[[Path, Path], Callable[[], object]]
):
    read = later(folder, tmp_path)
    with pytest.raises((ModelError, FlashError), match=r"found format 99, expected .*; update deseptr") as caught:
        read()
    assert "\n" not in str(caught.value)
