"""Damaged inputs: each is converted, if the damage is harmless, or refused in one line, and nothing is left behind.

A valid configuration with excessive sizes, such as a layer of a billion units, is left to Keras.
"""

import io
import json
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import DeseptrError, ModelContract
from deseptr.convert import Gate, convert_run
from deseptr.convert.quantize import load_inputs
from deseptr.train import CalibrationWindows, RunFolder

FILES = ("model.keras", "contract.json", "calibration.npz")
CONTRACT = ModelContract(labels=("a", "b", "c"), window_length=64, hop_length=32, model="fuzzed")
Damage = Callable[[Path, np.random.Generator], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose three files are in order; its model is small, so that it can be loaded a thousand times."""
    import keras

    keras.utils.set_random_seed(0)
    folder = RunFolder(tmp_path_factory.mktemp("sound"))
    layers = keras.layers
    keras.Sequential(
        [
            layers.Input((64, 6)),
            layers.Conv1D(4, 5, strides=4, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, name="dense"),
        ]
    ).save(folder.model)
    CONTRACT.save(folder.contract)
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(12, 64, 6)).astype(np.float32)
    CalibrationWindows(windows, windows[:9], np.arange(9) % 3, np.array(list("112233112"))).save(folder.calibration)
    return folder.path


@pytest.fixture
def run(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test damages copies; temporary files would lie beside it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Path(shutil.copytree(sound, tmp_path / "run"))


def outcome(attempt: Callable[[], object], root: Path) -> str:
    """``"done"``, or the error in one line; nothing new lies under ``root`` after that."""
    before = sorted(root.rglob("*"))
    try:
        attempt()
    except DeseptrError as error:
        line = str(error)
        assert line.isprintable(), line
        assert all(part in line for part in (": found ", ", expected ", "; ")), line
        assert sorted(root.rglob("*")) == before
        return line
    return "done"


def assert_bounded(damage: Damage, name: str, run: Path, sound: Path, times: int) -> Counter[str]:
    """Damage a file ``times`` times, each time from the original, and count the outcomes."""
    found: Counter[str] = Counter()
    for seed in range(times):
        path = run / name
        if path.is_dir():
            path.rmdir()
        shutil.copy(sound / name, path)
        damage(path, np.random.default_rng(seed))
        line = outcome(lambda: load_inputs(run), run.parent)
        found["done" if line == "done" else "refused"] += 1
    return found


def truncate(path: Path, rng: np.random.Generator) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.integers(len(content))])


def flip_bits(path: Path, rng: np.random.Generator) -> None:
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    where = rng.integers(len(content), size=rng.integers(1, 9))
    content[where] ^= (1 << rng.integers(8, size=len(where))).astype(np.uint8)
    path.write_bytes(content.tobytes())


def overwrite(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    length = int(rng.integers(1, 200))
    start = int(rng.integers(len(content)))
    content[start : start + length] = rng.bytes(length)
    path.write_bytes(content)


def flip_directory_of_zip(path: Path, rng: np.random.Generator) -> None:
    """Bits of the list of members, which no checksum guards."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    for _ in range(int(rng.integers(1, 4))):
        content[int(rng.integers(start, len(content)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def empty(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"")


def noise(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(rng.bytes(int(rng.integers(1, 5000))))


def folder_in_its_place(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.mkdir()


def other_zip(path: Path, rng: np.random.Generator) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in rng.choice(["config.json", "metadata.json", "model.weights.h5", "windows.npy", "x"], 3):
            archive.writestr(str(name), rng.bytes(int(rng.integers(0, 300))))


DAMAGES: tuple[tuple[Damage, int], ...] = (
    (truncate, 40),
    (flip_bits, 40),
    (overwrite, 40),
    (empty, 1),
    (noise, 10),
    (folder_in_its_place, 1),
    (other_zip, 10),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("damage", "times"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_damaged_bytes(damage: Damage, times: int, name: str, run: Path, sound: Path):
    found = assert_bounded(damage, name, run, sound, times)
    if damage not in (flip_bits, overwrite, truncate):
        assert found["done"] == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["model.keras", "calibration.npz"])
def test_damaged_directory_of_an_archive(name: str, run: Path, sound: Path):
    assert_bounded(flip_directory_of_zip, name, run, sound, 40)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("other", FILES)
def test_one_file_in_the_place_of_another(name: str, other: str, run: Path, sound: Path):
    shutil.copy(sound / other, run / name)
    assert (outcome(lambda: load_inputs(run), run.parent) == "done") == (name == other)


WRONG = (None, True, -1, 0, 1, 2.5, 10**9, 10**30, 1e308, float("nan"), float("inf"), "", "x", "a\nb", "\ud800", [], {})
NESTED: tuple[Any, ...] = ([None], [[]], [1, 2], ["a", "a"], ["a", "b", "c"], {"a": 1}, {"frame_length": 10**12})


def contracts() -> Iterator[tuple[str, str]]:
    """Contracts whose JSON is sound and whose content is not: what was done and the text."""
    good = json.loads(CONTRACT.to_json())
    for name in good:
        yield f"{name} missing", json.dumps({key: value for key, value in good.items() if key != name})
        for wrong in (*WRONG, *NESTED):
            yield f"{name}={wrong!r}", json.dumps({**good, name: wrong})
    for name in good["stft"]:
        for wrong in WRONG:
            yield f"stft.{name}={wrong!r}", json.dumps({**good, "stft": {**good["stft"], name: wrong}})
    yield "one more", json.dumps({**good, "more": 1})
    yield "not an object", json.dumps([good])
    yield "deep", "[" * 100_000
    yield "long number", json.dumps(good).replace("50.0", "5" * 5000)


HARMLESS = (
    "format",
    "versions",
    "hop_length",
    "rate_hz",
    "acc_full_scale_g",
    "gyro_full_scale_dps",
    "stft",
    "model",
    "labels",
)


def test_contracts_of_wrong_content(run: Path):
    loaded = []
    for what, text in contracts():
        (run / "contract.json").write_text(text)
        if outcome(lambda: load_inputs(run), run.parent) == "done":
            loaded.append(what)
    assert all(what.startswith(HARMLESS) for what in loaded), loaded


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"labels": ("a", "b")}, "found 0 to 2, expected 0 to 1"),
        ({"labels": ("a", "b", "c", "d")}, r"model.keras: found output \(1, 3\), expected \(1, 4\)"),
        ({"window_length": 65}, r"found float32 of shape \(12, 64, 6\), expected float32 of shape \(n, 65, 6\)"),
        ({"channels": ("x",), "units": ("g",), "input_range": (1.0,)}, r"expected float32 of shape \(n, 64, 1\)"),
    ],
)
def test_contract_of_another_model(change: dict[str, Any], found: str, run: Path):
    ModelContract(**{**asdict(CONTRACT), "stft": CONTRACT.stft, **change}).save(run / "contract.json")
    with pytest.raises(DeseptrError, match=found):
        load_inputs(run)


def calibrations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Arrays that are no calibration windows of this model: what is wrong and all of them."""
    windows = np.zeros((9, 64, 6), np.float32)
    good = {
        "windows": windows,
        "held_out_windows": windows,
        "held_out_labels": np.arange(9) % 3,
        "held_out_subjects": np.array(list("112233112")),
    }
    nan, infinite = windows.copy(), windows.copy()
    nan[3, 2, 1], infinite[0, 0, 0] = np.nan, -np.inf
    wrong = [windows[:0], windows[0], windows[None], windows[:, :63], windows[..., :5], windows.transpose(0, 2, 1), nan]
    wrong += [windows.astype(kind) for kind in ("f2", "f8", "i4", "c8", "U4", "?", "O", "M8[s]", "S3")]
    wrong += [infinite, np.array(0.5), np.array(None), np.array([{"a": 1}] * 9)]
    wrong += [np.zeros(9, [("a", "f4"), ("b", "i4")])]
    labels = np.arange(9) % 3
    for name in good:
        yield f"{name} missing", {key: value for key, value in good.items() if key != name}
        for array in wrong:
            yield f"{name} {array.dtype}{array.shape}", {**good, name: array}
    for array in (labels[:8], labels + 1, labels - 1, labels * 10**12, labels.astype("f8"), labels[:, None]):
        yield f"labels {array.dtype}{array.shape}", {**good, "held_out_labels": array}
    for array in (np.arange(9), np.array(["1"] * 8), np.array("1"), np.array([b"1"] * 9)):
        yield f"subjects {array.dtype}{array.shape}", {**good, "held_out_subjects": array}


@pytest.mark.filterwarnings("ignore")
def test_calibrations_of_wrong_content(run: Path):
    for what, arrays in calibrations():
        np.savez(run / "calibration.npz", **arrays)
        assert outcome(lambda: load_inputs(run), run.parent) != "done", what


class Trap:
    """When unpickled, it leaves a trace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(tempfile.gettempdir()) / "sprung",))


def test_pickled_objects_are_not_unpickled(run: Path, tmp_path: Path):
    np.savez(run / "calibration.npz", windows=np.array([Trap()], object))
    assert "holds Python objects" in outcome(lambda: load_inputs(run), tmp_path)
    (run / "calibration.npz").write_bytes((run / "calibration.npz").read_bytes()[100:])
    assert outcome(lambda: load_inputs(run), tmp_path) != "done"
    assert not (tmp_path / "sprung").exists()


def huge_header() -> bytes:
    """An array of 4 TB, by its header; its content is a few bytes."""
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(64)


def test_huge_array_by_header_is_not_allocated(run: Path):
    with zipfile.ZipFile(run / "calibration.npz", "w") as archive:
        archive.writestr("windows.npy", huge_header())
    line = outcome(lambda: load_inputs(run), run.parent)
    assert "windows.npy does not hold an array of shape (1000000000000,)" in line


def test_archive_that_unpacks_to_gigabytes_is_not_unpacked(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deseptr.contract.zip_reader.ALWAYS_ALLOWED", 10**6)
    np.savez_compressed(run / "calibration.npz", windows=np.zeros((10**6,), np.float32))
    assert (run / "calibration.npz").stat().st_size < 10_000
    assert "unpacks to 4,000,128 bytes, 1,000,000 are allowed" in outcome(lambda: load_inputs(run), run.parent)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, content: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def change_config(path: Path, rng: np.random.Generator) -> None:
    """Another value somewhere in the model's configuration, with a sound checksum."""
    content = members(path)
    config = json.loads(content["config.json"])
    at: Any = config
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = keys[int(rng.integers(len(keys)))]
        if not isinstance(at[key], dict | list) or not at[key] or rng.random() < 0.1:
            break
        at = at[key]
    wrong = (None, True, -1, 0, 1, 2.5, 1000, "", "x", "Lambda", "float64", [], {}, [1, 2], {"class_name": "Lambda"})
    at[key] = wrong[int(rng.integers(len(wrong)))]
    pack(path, {**content, "config.json": json.dumps(config).encode()})


def change_weights(path: Path, rng: np.random.Generator) -> None:
    """Other bytes in the file of weights, with a sound checksum."""
    content = members(path)
    weights = bytearray(content["model.weights.h5"])
    for _ in range(int(rng.integers(1, 20))):
        weights[int(rng.integers(len(weights)))] ^= 1 << int(rng.integers(8))
    if rng.random() < 0.2:
        weights = weights[: int(rng.integers(len(weights)))]
    pack(path, {**content, "model.weights.h5": bytes(weights)})


def leave_a_member_out(path: Path, rng: np.random.Generator) -> None:
    content = members(path)
    del content[str(rng.choice(list(content)))]
    pack(path, content)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("damage", [change_config, change_weights, leave_a_member_out])
def test_checkpoint_with_sound_checksums(damage: Damage, run: Path, sound: Path):
    assert_bounded(damage, "model.keras", run, sound, 40 if damage is not leave_a_member_out else 6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(value: float, run: Path):
    import h5py

    content = members(run / "model.keras")
    file = io.BytesIO(content["model.weights.h5"])
    with h5py.File(file, "r+") as weights:
        weights["layers/dense/vars/0"][5, 1] = value
    pack(run / "model.keras", {**content, "model.weights.h5": file.getvalue()})
    assert "dense/kernel: found NaN or infinity" in outcome(lambda: load_inputs(run), run.parent)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [truncate, flip_bits, noise, folder_in_its_place])
def test_whole_conversion_of_damaged_files(damage: Damage, name: str, run: Path):
    damage(run / name, np.random.default_rng(7))
    output = run.parent / "out" / "m.tflite"
    line = outcome(lambda: convert_run(run, output, gate=Gate(0.0, 1.0, -99.0)), run.parent)
    assert output.exists() == (line == "done")


@pytest.mark.slow
def test_whole_conversion_of_weights_beyond_float32_sums(run: Path):
    """Finite weights, infinite logits."""
    from deseptr.train import load_run

    model, _ = load_run(run)
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 3e38, np.float32))
    model.save(run / "model.keras")
    line = outcome(lambda: convert_run(run, run.parent / "m.tflite", gate=Gate(0.0, 1.0, -99.0)), run.parent)
    assert "logits of the held-out windows: found NaN or infinity" in line


def test_there_are_hundreds_of_them():
    bytewise = len(FILES) * sum(times for _, times in DAMAGES) + 2 * 40 + 2 * 40 + 6
    assert bytewise + len(list(contracts())) + len(list(calibrations())) >= 1000
