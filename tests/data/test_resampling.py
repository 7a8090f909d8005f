from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import signal

from deseptr.contract import DataError
from deseptr.data import Dataset, Recording, resample, resample_dataset
from deseptr.data.resampling import interpolate


def _sines(rate_hz: float, seconds: float, *frequencies: float) -> np.ndarray:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    return np.stack([np.sin(2 * np.pi * f * t + f) for f in frequencies], 1).astype(np.float32)


def _recording(signals: np.ndarray, rate_hz: float, labels: np.ndarray | None = None) -> Recording:
    chosen = np.zeros(len(signals), np.int16) if labels is None else labels
    return Recording(signals, rate_hz, "1", chosen)


def test_the_same_rate_returns_the_same_recording(make_recording) -> None:
    recording = make_recording([0] * 30)
    assert resample(recording, 50.0) is recording
    assert resample(recording, 50.0 * (1 + 1e-7)) is recording


@given(
    rate=st.floats(5, 400), wanted=st.floats(5, 400), samples=st.integers(1, 200), level=st.floats(-80, 80, width=32)
)
def test_a_constant_stays_constant_and_the_span_is_kept(rate: float, wanted: float, samples: int, level: float) -> None:
    out = resample(_recording(np.full((samples, 6), level, np.float32), rate), wanted)
    np.testing.assert_allclose(out.signals, level, rtol=1e-5, atol=1e-5)
    assert (len(out) - 1) / out.rate_hz <= (samples - 1) / rate + 1e-6
    assert len(out) / out.rate_hz > (samples - 1) / rate - 1e-6


@pytest.mark.parametrize(("rate", "wanted"), [(50.0, 100.0), (50.0, 52.0), (100.0, 50.0), (104.0, 50.0), (200.0, 50.0)])
def test_sines_in_the_pass_band_are_kept(rate: float, wanted: float) -> None:
    frequencies = (0.5, 2.0, 5.0, 9.0, 14.0, 17.0)
    out = resample(_recording(_sines(rate, 8, *frequencies), rate), wanted)
    expected = _sines(wanted, 8, *frequencies)[: len(out)]
    inner = slice(int(wanted), len(out) - int(wanted))
    # Kaiser beta 8 has about 80 dB of stop band: one part in a thousand leaves room for the transition band.
    np.testing.assert_allclose(out.signals[inner], expected[inner], atol=1e-3)


def test_what_the_lower_rate_cannot_hold_is_filtered_out() -> None:
    out = resample(_recording(_sines(200, 8, 1, 31, 37, 45, 60, 90), 200.0), 50.0)
    inner = out.signals[50:-50]
    assert np.abs(inner[:, 0]).max() > 0.99
    assert np.abs(inner[:, 1:]).max() < 0.01


@pytest.mark.parametrize(
    ("rate", "wanted", "up", "down"),
    [(100.0, 50.0, 1, 2), (200.0, 50.0, 1, 4), (104.0, 50.0, 25, 52), (50.0, 100.0, 2, 1)],
)
def test_agrees_with_scipys_polyphase_resampler(rate: float, wanted: float, up: int, down: int) -> None:
    rng = np.random.default_rng(5)
    band = signal.butter(6, 10, fs=rate, output="sos")
    noise = signal.sosfiltfilt(band, rng.standard_normal((1000, 6)), axis=0).astype(np.float32)
    ours = resample(_recording(noise, rate), wanted).signals
    theirs = signal.resample_poly(noise, up, down, axis=0, window=("kaiser", 8.0))
    np.testing.assert_allclose(ours[50:-50], theirs[50 : len(ours) - 50], atol=0.01 * noise.std())


def test_labels_come_from_the_nearest_sample() -> None:
    recording = _recording(np.zeros((10, 6), np.float32), 10.0, np.repeat([0, 1], 5).astype(np.int16))
    assert resample(recording, 20.0).labels.tolist() == [0] * 9 + [1] * 10
    assert resample(recording, 5.0).labels.tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan")])
def test_a_rate_that_is_no_positive_number_is_refused(make_recording, rate: float) -> None:
    with pytest.raises(DataError, match="rate_hz"):
        resample(make_recording([0] * 5), rate)


def test_a_dataset_is_resampled_with_what_it_has_without_labels(make_recording) -> None:
    some = Dataset((make_recording([0] * 30), make_recording([0] * 20, rate_hz=25.0)), ("a",))
    whole = some.with_unlabelled(some)
    out = resample_dataset(whole, 25.0)
    assert [len(r) for r in out.recordings] == [len(r) for r in out.unlabelled] == [15, 20]
    assert {r.rate_hz for r in (*out.recordings, *out.unlabelled)} == {25.0}
    np.testing.assert_array_equal(out.recordings[0].signals, resample(some.recordings[0], 25.0).signals)


@pytest.mark.parametrize("cutoff", [1.0, 0.7])
def test_a_signal_and_its_reverse_are_interpolated_alike(cutoff: float) -> None:
    rng = np.random.default_rng(0)
    signals, positions = rng.normal(size=(200, 2)).astype(np.float32), rng.uniform(0, 199, 50)
    forth = interpolate(signals, positions, cutoff)
    back = interpolate(signals[::-1], 199 - positions, cutoff)
    np.testing.assert_allclose(back, forth, atol=2e-6)
