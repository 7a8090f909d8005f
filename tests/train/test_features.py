import numpy as np
import pytest
import scipy.signal
import scipy.stats

from deseptr.contract import CHANNELS, channels_of
from deseptr.train.features import BANDS_HZ, feature_names, window_features

RATE = 50.0
WINDOWS = (np.random.default_rng(0).normal(size=(5, 128, 6)) * 3 + [0, 9.8, 0, 0.5, 0, 0]).astype(np.float32)


@pytest.fixture(scope="module")
def features() -> dict[str, np.ndarray]:
    return dict(zip(feature_names(), window_features(WINDOWS, RATE).T, strict=True))


def extended() -> np.ndarray:
    norms = [np.sqrt((WINDOWS[..., part].astype(float) ** 2).sum(-1)) for part in (slice(3), slice(3, 6))]
    return np.concatenate([WINDOWS, np.stack(norms, -1)], axis=-1)


def of_kind(features: dict[str, np.ndarray], kind: str) -> np.ndarray:
    return np.stack([features[f"{signal}_{kind}"] for signal in (*CHANNELS, "acc", "gyro")], axis=1)


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("mean", lambda x: x.mean(1)),
        ("std", lambda x: x.std(1)),
        ("min", lambda x: x.min(1)),
        ("max", lambda x: x.max(1)),
        ("mad", lambda x: scipy.stats.median_abs_deviation(x, axis=1)),
        ("iqr", lambda x: scipy.stats.iqr(x, axis=1)),
        ("energy", lambda x: (x**2).mean(1)),
    ],
)
def test_features_of_time(kind: str, reference, features: dict[str, np.ndarray]):
    np.testing.assert_allclose(of_kind(features, kind), reference(extended()), rtol=1e-5, atol=1e-5)


def periodogram() -> tuple[np.ndarray, np.ndarray]:
    frequencies, power = scipy.signal.periodogram(extended(), RATE, detrend="constant", scaling="spectrum", axis=1)
    power[:, 1:-1] /= 2
    return frequencies, power


def test_features_of_frequency(features: dict[str, np.ndarray]):
    frequencies, power = periodogram()
    centroid = (frequencies[:, None] * power).sum(1) / power.sum(1)
    np.testing.assert_allclose(of_kind(features, "centroid_hz"), centroid, rtol=1e-4)
    np.testing.assert_allclose(of_kind(features, "dominant_hz"), frequencies[power.argmax(1)], rtol=1e-6)
    for low, high in BANDS_HZ:
        inside = (frequencies >= low) & (frequencies < high)
        expected = power[:, inside].sum(1)
        np.testing.assert_allclose(of_kind(features, f"band_{low:g}_{high:g}_hz"), expected, rtol=1e-4)


def test_correlations_of_the_axes(features: dict[str, np.ndarray]):
    expected = [np.corrcoef(window[:, 3], window[:, 5])[0, 1] for window in WINDOWS]
    np.testing.assert_allclose(features["correlation_gyro_x_gyro_z"], expected, atol=1e-5)
    assert "correlation_acc_x_gyro_x" not in features


def test_sine_is_found_at_its_frequency():
    windows = np.zeros((1, 128, 6), np.float32)
    windows[0, :, 1] = 2 * np.sin(2 * np.pi * 6.25 * np.arange(128) / RATE) + 9.8
    features = dict(zip(feature_names(), window_features(windows, RATE)[0], strict=True))
    assert features["acc_y_dominant_hz"] == features["acc_y_centroid_hz"] == pytest.approx(6.25)
    assert features["acc_y_band_5_10_hz"] == pytest.approx(1.0, rel=1e-3)


def test_wearable_at_rest_has_finite_features():
    assert np.isfinite(window_features(np.zeros((2, 128, 6), np.float32), RATE)).all()


@pytest.mark.parametrize(("sensor", "first"), [("acc", 0), ("gyro", 3)])
def test_features_of_one_sensor_are_those_that_it_has_beside_the_other(sensor: str, first: int) -> None:
    channels = channels_of([sensor])
    alone = dict(zip(feature_names(channels), window_features(WINDOWS[..., first : first + 3], RATE).T, strict=True))
    beside = dict(zip(feature_names(), window_features(WINDOWS, RATE).T, strict=True))
    assert [name for name in beside if sensor in name] == list(alone)
    for name, values in alone.items():
        np.testing.assert_array_equal(values, beside[name])
