from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.contract import STANDARD_GRAVITY as G, DataError, SetupError
from deseptr.data import Dataset, Recording, read_npz, save_npz

HALF_COUNT = np.array([2.5e-4 * G] * 3 + [1e-3] * 3) / 2


def _damaged(path: Path, tmp_path: Path, **changes: object) -> Path:
    """A copy with arrays replaced, or left out where the change is None."""
    arrays = {**np.load(path), **changes}
    out = tmp_path / "damaged.npz"
    np.savez(out, **{name: value for name, value in arrays.items() if value is not None})
    return out


@pytest.fixture
def saved(synthetic: Dataset, tmp_path: Path) -> Path:
    save_npz(synthetic, tmp_path / "saved.npz")
    return tmp_path / "saved.npz"


def test_round_trip_costs_half_a_count(synthetic: Dataset, saved: Path) -> None:
    back = read_npz(saved)
    assert back.label_names == synthetic.label_names
    assert back.test_subjects == synthetic.test_subjects
    assert back.original_units == ("g",) * 3 + ("rad/s",) * 3
    for old, new in zip(synthetic.recordings, back.recordings, strict=True):
        assert (old.subject, old.name, old.rate_hz, old.start_s) == (new.subject, new.name, new.rate_hz, new.start_s)
        assert np.array_equal(old.labels, new.labels)
        # float32 in and out adds a few parts in ten million to the half count.
        assert (np.abs(old.signals - new.signals) <= HALF_COUNT + 1e-5).all()


def test_a_second_round_trip_changes_nothing(saved: Path, tmp_path: Path) -> None:
    save_npz(read_npz(saved), tmp_path / "again.npz")
    first, second = np.load(saved), np.load(tmp_path / "again.npz")
    assert set(first.files) == set(second.files)
    assert all(np.array_equal(first[name], second[name]) for name in first.files)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    peak=st.floats(1e-3, 1e4),
    subject=st.sampled_from(["7", "007", "anna", "40000"]),
    rates=st.lists(st.floats(1, 1000), min_size=1, max_size=3),
)
def test_any_range_name_and_rate_survives(tmp_path: Path, peak: float, subject: str, rates: list[float]) -> None:
    signals = np.array([[peak, -peak, peak / 3] * 2, [0] * 6], np.float32)
    labels = np.array([-1, 0], np.int16)
    recordings = tuple(Recording(signals, rate, subject, labels, f"t{i}", 1.5 * i) for i, rate in enumerate(rates))
    save_npz(Dataset(recordings, ("a",)), tmp_path / "x.npz")
    back = read_npz(tmp_path / "x.npz")
    step = np.maximum(2 * HALF_COUNT, peak / 32767)
    for old, new in zip(recordings, back.recordings, strict=True):
        assert (new.subject, new.name, new.rate_hz, new.start_s) == (subject, old.name, old.rate_hz, old.start_s)
        assert (np.abs(old.signals - new.signals) <= step / 2 * (1 + 1e-5) + 1e-6 * peak).all()
        assert new.labels.tolist() == [-1, 0]


def test_the_layout_is_the_documented_one(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as arrays:
        assert arrays["signals"].dtype == np.int16
        assert arrays["label"].min() == 1
        assert arrays["activity_names"][0] == "unlabelled"
        assert arrays["subject"].dtype == np.int16
        assert arrays["recording_start"].tolist() == list(range(0, 24 * 500 + 1, 500))
        assert arrays["rate_hz"].shape == ()


@pytest.mark.parametrize(
    "name",
    ["signals", "scale", "units", "channels", "recording_start", "subject", "trial", "label", "activity_names"],
)
def test_a_missing_array_is_named(saved: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"damaged.npz: found no array {name}"):
        read_npz(_damaged(saved, tmp_path, **{name: None}))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("signals", np.zeros((10, 6), np.int16), "signals of shape"),
        ("signals", np.array(["x"]), "signals of type <U1, expected numbers"),
        ("label", np.zeros(24 * 500), "label of type float64, expected whole numbers"),
        ("recording_start", np.arange(25.0), "recording_start of type float64, expected whole numbers"),
        ("scale", np.zeros(6), "positive scale"),
        ("scale", np.full(6, np.nan), "positive scale"),
        ("units", np.array(["g"] * 5 + ["furlong"]), "furlong"),
        ("channels", np.array(["a", "b", "c", "d", "e", "f"]), "channels"),
        ("activity_names", np.array(["walking", "sitting"]), "unlabelled"),
        ("activity_names", np.array(["unlabelled", "walking"]), "labels of subject 1"),
        ("recording_start", np.arange(25), "partition the samples"),
        ("rate_hz", np.array(0.0), "rate"),
        ("rate_hz", np.array([50.0, 50.0]), "rate_hz of shape"),
        ("label", np.full(24 * 500, -3), "labels of subject 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    saved: Path, tmp_path: Path, name: str, value: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_npz(_damaged(saved, tmp_path, **{name: value}))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved: Path, tmp_path: Path, share: float) -> None:
    content = saved.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cut\.npz: found a file that cannot be read"):
        read_npz(cut)


def test_flipped_bytes_never_escape_as_another_error(saved: Path, tmp_path: Path) -> None:
    content, rng = saved.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 60):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        (tmp_path / "flipped.npz").write_bytes(changed)
        try:
            read_npz(tmp_path / "flipped.npz")
        except DataError:
            refused += 1
    assert refused > 30


def test_pickles_are_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(_damaged(saved, tmp_path, trial=np.array([{"a": 1}] * 24, dtype=object)))


def test_a_failed_write_leaves_nothing(synthetic: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(SetupError, match="disk full"):
        save_npz(synthetic, tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "recordings", "samples"), [("hapt", 61, 1122772), ("motionsense", 359, 1402573)])
def test_real_files(real_file, name: str, recordings: int, samples: int) -> None:
    dataset = read_npz(real_file(f"{name}.npz"))
    assert (len(dataset.recordings), dataset.samples) == (recordings, samples)
    norm = np.median(np.linalg.norm(np.concatenate([r.signals for r in dataset.recordings])[:, :3], axis=1))
    assert norm == pytest.approx(G, rel=0.05)
