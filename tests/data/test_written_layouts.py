"""What is written in a layout and read again has the same samples, labels and subjects."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import ALL_CHANNELS, STANDARD_GRAVITY as G, DataError
from deseptr.data import WRITTEN_LAYOUTS, Dataset, Recording, check_output, load_dataset, save_dataset

LABELS = ("walking", "going up, stairs", 'a "b"', "Größe", "1")
SUBJECTS = ("1", "ada", "Ada B.", "\u65e5\u672c")
HALF_COUNT = np.array([2.5e-4 * G] * 3 + [1e-3] * 3 + [0.05] * 3) / 2
# Largest error of a sample, absolute and as a share of it: half a count; seven digits; float32 to the last bit.
QUANTUM: dict[str, tuple[object, float]] = {
    "npz": (HALF_COUNT + 1e-5, 0.0),
    "csv": (0.0, 6e-7),
    "edge-impulse": (0.0, 0.0),
    "edge-impulse-cbor": (0.0, 0.0),
    "motion-bids": (0.0, 0.0),
}


@st.composite
def _datasets(draw: st.DrawFn) -> Dataset:
    """Recordings whose runs have two samples or more: one alone has no rate in the layouts of others."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    recordings = []
    for number in range(draw(st.integers(1, 4))):
        runs = draw(st.lists(st.tuples(st.integers(-1, len(LABELS) - 1), st.integers(2, 60)), min_size=1, max_size=4))
        labels = np.concatenate([np.full(length, label, np.int16) for label, length in runs])
        signals = rng.normal([0, 9.81, 0, 0, 0, 0, 20, 0, 40], 3, (len(labels), 9)).astype(np.float32)
        rate = draw(st.sampled_from([12.5, 25.0, 33.3, 100 / 3, 50.0, 104.0, 200.0]))
        recordings.append(
            Recording(signals, rate, draw(st.sampled_from(SUBJECTS)), labels, f"r{number}", channels=ALL_CHANNELS)
        )
    sensors = draw(st.sampled_from([["acc"], ["gyro"], ["acc", "gyro"], ["acc", "gyro", "mag"], ["mag"]]))
    return Dataset(tuple(recordings), LABELS).select(channels=sensors)


def _by_subject(dataset: Dataset) -> dict[str, tuple[np.ndarray, list[str | None], list[float]]]:
    """Samples, labels and rates of each subject, in the order in which they were written."""

    def place(recording: Recording) -> list[int]:
        return [int(each) for each in re.findall(r"\d+", recording.name.rpartition(".")[2])[-2:]]

    found = {}
    for subject in dataset.subjects:
        own = sorted((r for r in dataset.recordings if r.subject == subject), key=place)
        labels = [dataset.label_names[i] if i >= 0 else None for r in own for i in r.labels.tolist()]
        found[subject] = np.concatenate([r.signals for r in own]), labels, [r.rate_hz for r in own for _ in r.signals]
    return found


@pytest.mark.parametrize("layout", WRITTEN_LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(dataset=_datasets())
def test_written_and_read_again(layout: str, dataset: Dataset) -> None:
    if layout == "edge-impulse-cbor":
        pytest.importorskip("cbor2", reason="reads CBOR")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{layout}"
        save_dataset(dataset, path, layout)
        back = load_dataset(path)
    before, after = _by_subject(dataset), _by_subject(back)
    assert before.keys() == after.keys()
    absolute, relative = QUANTUM[layout]
    if isinstance(absolute, np.ndarray):
        absolute = absolute[[ALL_CHANNELS.index(channel) for channel in dataset.channels]]
    for subject, (signals, labels, rates) in before.items():
        found, found_labels, found_rates = after[subject]
        assert found_labels == labels
        assert (np.abs(found - signals) <= absolute + relative * np.abs(signals)).all()
        np.testing.assert_allclose(found_rates, rates, rtol=3e-4)


@pytest.mark.parametrize("layout", ["npz", "edge-impulse", "motion-bids"])
@pytest.mark.parametrize("held_out", [(), ("ada",), ("ada", "ben")])
def test_held_out_subjects_stay_held_out(
    make_recording, tmp_path: Path, layout: str, held_out: tuple[str, ...]
) -> None:
    recordings = tuple(make_recording([0] * 9, subject=subject, seed=3) for subject in ("ada", "ben", "cem"))
    save_dataset(Dataset(recordings, ("x",), test_subjects=held_out), tmp_path / f"out.{layout}", layout)
    assert load_dataset(tmp_path / f"out.{layout}").test_subjects == held_out


def test_samples_of_edge_impulse_are_signed_as_it_says(make_recording, tmp_path: Path) -> None:
    dataset = Dataset((make_recording([0] * 5),), ("walking",))
    save_dataset(dataset, tmp_path / "signed", "edge-impulse", key="ab12")
    (path,) = (tmp_path / "signed" / "training").iterdir()
    content = path.read_bytes()
    sample = json.loads(content)
    assert sample["protected"] == {"ver": "v1", "alg": "HS256"}
    # The signature is of the file with 64 zeros in its place.
    unsigned = content.replace(sample["signature"].encode(), b"0" * 64)
    assert sample["signature"] == hmac.new(b"ab12", unsigned, hashlib.sha256).hexdigest()
    save_dataset(dataset, tmp_path / "plain", "edge-impulse")
    plain = json.loads(next((tmp_path / "plain" / "training").iterdir()).read_bytes())
    assert (plain["protected"]["alg"], plain["signature"]) == ("none", "0" * 64)
    assert plain["payload"]["interval_ms"] == 20.0
    assert [sensor["name"] for sensor in plain["payload"]["sensors"]] == [
        "accX",
        "accY",
        "accZ",
        "gyrX",
        "gyrY",
        "gyrZ",
    ]
    assert {sensor["units"] for sensor in plain["payload"]["sensors"]} == {"m/s2", "rad/s"}


def test_cbor_has_what_json_has(make_recording, tmp_path: Path) -> None:
    cbor2 = pytest.importorskip("cbor2", reason="an independent reader of CBOR")
    # 24, 256 and 65,536 rows need longer heads.
    for rows in (5, 24, 300, 66_000):
        dataset = Dataset((make_recording([0] * rows),), ("walking",))
        samples = []
        for layout, parse in (("edge-impulse", json.loads), ("edge-impulse-cbor", cbor2.loads)):
            save_dataset(dataset, tmp_path / f"{layout}-{rows}", layout, key="ab12")
            (path,) = (tmp_path / f"{layout}-{rows}" / "training").iterdir()
            samples.append(parse(path.read_bytes()))
        for sample in samples:
            np.testing.assert_array_equal(
                np.array(sample["payload"].pop("values"), np.float32), dataset.recordings[0].signals
            )
            assert len(sample.pop("signature")) == 64
        assert samples[0] == samples[1]


def test_runs_of_edge_impulse_are_files_with_their_label(make_recording, tmp_path: Path) -> None:
    recordings = (make_recording([0, 0, 1, 1, -1, -1], subject="ada x"), make_recording([1, 1], subject="eve"))
    dataset = Dataset(recordings, ("walk.fast", "sit"), test_subjects=("eve",))
    save_dataset(dataset, tmp_path / "out", "edge-impulse")
    listed = json.loads((tmp_path / "out" / "info.labels").read_text())
    assert [(each["path"], each["category"], each["label"]) for each in listed["files"]] == [
        ("training/walk_fast.ada_x-00001-00001.json", "training", {"type": "label", "label": "walk.fast"}),
        ("training/sit.ada_x-00001-00002.json", "training", {"type": "label", "label": "sit"}),
        ("training/unlabeled.ada_x-00001-00003.json", "training", {"type": "unlabeled"}),
        ("testing/sit.eve-00002-00001.json", "testing", {"type": "label", "label": "sit"}),
    ]
    assert all((tmp_path / "out" / each["path"]).is_file() for each in listed["files"])


@pytest.mark.parametrize(
    ("name", "layout", "key", "message"),
    [
        ("x.csv", "npz", None, r"suffix \.csv, expected \.npz"),
        ("x", None, None, r"suffix \(none\), expected \.npz or \.csv"),
        ("x", "parquet", None, "layout: found parquet, expected npz, csv, edge-impulse"),
        ("x", "motion-bids", "ab", "found a key, and a layout without signatures, expected edge-impulse or"),
        ("x.npz", None, "ab", "found a key"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    tmp_path: Path, name: str, layout: str | None, key: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check_output(tmp_path / name, layout, key)


@pytest.mark.parametrize("layout", ["edge-impulse", "motion-bids"])
def test_a_failed_write_leaves_nothing(
    synthetic: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", fail)
    from deseptr.contract import SetupError

    with pytest.raises(SetupError, match="disk full"):
        save_dataset(synthetic, tmp_path / "out", layout)
    assert list(tmp_path.iterdir()) == []
