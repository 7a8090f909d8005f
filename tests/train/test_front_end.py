import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings, strategies as st

from deseptr.contract import StftSpec
from deseptr.train.front_end import INPUT_STEPS, SATURATION, DftSpectrogram, dft_kernels, quantise

RANGE = [10.0] * 6


def on_input_steps(windows: np.ndarray) -> np.ndarray:
    """Windows that the int8 input holds exactly."""
    return np.asarray(quantise(windows / RANGE[0]) * RANGE[0])


def reference(signal: np.ndarray, spec: StftSpec) -> np.ndarray:
    """Complex ``[frames, bins]`` by scipy: DC of the signal, the other bins of the frames without their mean."""

    def stft(detrend: str | bool) -> np.ndarray:
        _, _, values = scipy.signal.stft(
            signal.astype(np.float64),
            window="hann",
            nperseg=spec.frame_length,
            noverlap=max(0, spec.frame_length - spec.frame_step),
            boundary=None,
            padded=False,
            scaling="spectrum",
            detrend=detrend,
        )
        return values.T

    values = stft("constant")
    values[:, 0] = stft(False)[:, 0]
    return values


@given(st.integers(4, 24).map(lambda n: 2 * n), st.integers(1, 8), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_projections_are_the_stft_turned_by_each_direction(length: int, step: int, directions: int, seed: int):
    spec = StftSpec(length, step, directions)
    signal = np.random.default_rng(seed).normal(size=length + 40)
    analysis, synthesis = dft_kernels(spec)
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[::step]
    spectrum = reference(signal, spec)
    projections = frames @ analysis
    bins = synthesis.argmax(axis=1)
    for k in range(spec.bins):
        mine = projections[:, bins == k]
        angles = np.pi * np.arange(mine.shape[1]) / directions
        expected = np.real(spectrum[:, k, None] * np.exp(-1j * angles))
        np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_magnitudes_are_scipys_within_the_stated_ripple(rng: np.random.Generator):
    spec = StftSpec(32, 4, 4)
    windows = on_input_steps(rng.normal(size=(3, 128, 6)).astype(np.float32))
    mine = np.asarray(DftSpectrogram(spec, RANGE)(windows)) * RANGE[0]
    doubled = np.where(np.arange(spec.bins) % 16 == 0, 1, 2)
    ratios = []
    for batch, channel in np.ndindex(3, 6):
        spectrum = reference(windows[batch, :, channel], spec) * doubled
        np.testing.assert_allclose(mine[batch, 0, :, channel], spectrum[:, 0].real, atol=1e-5)
        np.testing.assert_allclose(mine[batch, -1, :, channel], np.abs(spectrum[:, -1]), atol=1e-5)
        ratios.append(mine[batch, 1:-1, :, channel].T / np.abs(spectrum[:, 1:-1]))
    assert 1 - 0.0525 < np.min(ratios) < 1 - 0.05
    assert 1 + 0.025 < np.max(ratios) < 1 + 0.0265


def test_dc_keeps_the_sign_of_gravity():
    windows = np.zeros((2, 128, 6), np.float32)
    windows[0, :, 1], windows[1, :, 1] = 9.8, -9.8
    spectrogram = np.asarray(DftSpectrogram(StftSpec(), RANGE)(windows))
    np.testing.assert_allclose(spectrogram[0, 0, :, 1], 125 / INPUT_STEPS, rtol=1e-5)
    np.testing.assert_allclose(spectrogram[1], -spectrogram[0] * (np.arange(17)[:, None, None] == 0), atol=1e-6)


def test_gain_acts_before_saturation():
    windows = on_input_steps(np.full((1, 128, 6), 5.0, np.float32))
    gain = [4.0] + [1.0] * 16
    assert np.allclose(DftSpectrogram(StftSpec(), RANGE, gain)(windows)[0, 0], 4.0 * windows[0, 0, 0] / RANGE[0])
    gain[0] = 40.0
    assert np.allclose(DftSpectrogram(StftSpec(), RANGE, gain)(windows)[0, 0], SATURATION)


def test_input_has_the_steps_of_an_int8():
    scaled = np.linspace(-1.2, 1.2, 10_001, dtype=np.float32)
    steps = np.asarray(quantise(scaled)) * INPUT_STEPS
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert set(np.round(steps)) == set(range(-128, 128))
    inside = np.abs(scaled) < 127 / INPUT_STEPS
    assert np.abs(steps / INPUT_STEPS - scaled)[inside].max() < 0.5001 / INPUT_STEPS


def test_each_level_is_the_magnified_spectrogram(rng: np.random.Generator):
    windows = on_input_steps(rng.normal(size=(3, 128, 6)).astype(np.float32))
    gain = list(rng.uniform(1, 9, 17))
    levels = np.asarray(DftSpectrogram(StftSpec(), RANGE, gain, levels=[1.0, 16.0])(windows)).reshape(3, 17, 25, 6, 2)
    quiet = np.asarray(DftSpectrogram(StftSpec(), RANGE, [16.0 * value for value in gain])(windows))
    np.testing.assert_allclose(levels[..., 0], DftSpectrogram(StftSpec(), RANGE, gain)(windows), atol=1e-5)
    np.testing.assert_allclose(levels[:, 1:, ..., 1], quiet[:, 1:], atol=1e-4)
    assert not levels[:, 0, ..., 1].any()
    assert (levels[:, 1:, ..., 1] >= levels[:, 1:, ..., 0] - 1e-5).all()


def test_input_saturates_at_its_range():
    windows = np.full((1, 128, 6), 1000.0, np.float32)
    assert np.allclose(DftSpectrogram(StftSpec(), RANGE)(windows)[0, 0], 127 / INPUT_STEPS)


def test_layer_contract(layer_faults, rng: np.random.Generator):
    windows = rng.normal(size=(2, 128, 6)).astype(np.float32)
    layer = DftSpectrogram(StftSpec(32, 4), RANGE, list(rng.uniform(1, 2, 17)), [1.0, 16.0])
    assert not layer_faults(layer, windows, shapes=[(2, 17, 25, 12)], fits=False)
    assert layer.compute_output_shape((None, 128, 6)) == (None, 17, 25, 12)


def test_gain_of_wrong_length_is_refused():
    with pytest.raises(ValueError, match="Received: 3 for 17 bins"):
        DftSpectrogram(StftSpec(), RANGE, [1.0] * 3)
