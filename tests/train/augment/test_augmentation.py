"""The complete augmentation: its parts, and that they run in a graph."""

import keras
import numpy as np
import pytest

from deseptr.contract import StftSpec
from deseptr.train.augment import Augmentation
from deseptr.train.front_end import DftSpectrogram, quantise
from deseptr.train.window_front_end import WindowScale

TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
WINDOWS = np.random.default_rng(0).normal(size=(4, 64, 6)).astype(np.float32)
OFF = {"shift": 0.0, "rotation_degrees": 0.0, "warp": 0.0, "mask": 0.0, "cutmix_rate": 0.0}


def spectrograms() -> DftSpectrogram:
    return DftSpectrogram(StftSpec(16, 8, 2), [10.0] * 6)


def parts(augmentation: Augmentation) -> list[str]:
    layers = [*augmentation.on_windows, *augmentation.on_spectrograms, *augmentation.cutmix]
    return [" ".join(filter(None, (type(layer).__name__, getattr(layer, "axis", "")))) for layer in layers]


def test_parts_by_default():
    assert parts(Augmentation(spectrograms(), [0.1] * 6)) == [
        "GaussianNoise",
        "TimeShift",
        "Rotation",
        "Warp time",
        "Warp frequency",
        "BandMask time",
        "BandMask frequency",
        "BandCutMix time",
        "BandCutMix frequency",
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"noise": [0.0, 0.1]}, ["GaussianNoise"]),
        ({"shift": 0.5}, ["TimeShift"]),
        ({"mirror": "y"}, ["Mirror y"]),
        ({"rotation_degrees": 10.0}, ["Rotation"]),
        ({"gain": 0.1}, ["Gain"]),
        ({"rate_jitter": 0.1}, ["RateJitter"]),
        ({"dropped_samples": 0.1}, ["DroppedSamples"]),
        ({"warp": 0.1}, ["Warp time", "Warp frequency"]),
        ({"mask": 0.2}, ["BandMask time", "BandMask frequency"]),
        ({"cutmix_rate": 0.1}, ["BandCutMix time", "BandCutMix frequency"]),
    ],
)
def test_a_part_at_zero_is_not_built(settings: dict, expected: list[str]):
    augmentation = Augmentation(spectrograms(), **{"noise": [0.0] * 6, **OFF, **settings})
    assert parts(augmentation) == expected
    assert len(augmentation.variables) == len(expected)


def test_all_off_only_transforms():
    augmentation = Augmentation(spectrograms(), [0.0] * 6, **OFF)
    spectrogram, targets = augmentation(WINDOWS, TARGETS, training=True)
    np.testing.assert_allclose(spectrogram, spectrograms()(WINDOWS), atol=1e-6)
    np.testing.assert_array_equal(targets, TARGETS)


def test_every_part_together_in_a_graph():
    augmentation = Augmentation(spectrograms(), [0.1] * 6, mirror="x", gain=0.1, rate_jitter=0.1, dropped_samples=0.1)
    windows, targets = keras.Input((64, 6)), keras.Input((3,))
    graph = keras.Model([windows, targets], augmentation(windows, targets))
    spectrogram, mixed = graph([WINDOWS, TARGETS], training=True)
    plain = np.asarray(spectrograms()(WINDOWS))
    assert spectrogram.shape == plain.shape
    assert np.isfinite(np.asarray(spectrogram)).all()
    assert np.abs(np.asarray(spectrogram) - plain).max() > 1e-3
    np.testing.assert_allclose(np.asarray(mixed).sum(axis=-1), 1.0, rtol=1e-6)


def test_models_on_windows_get_only_the_augmentation_of_windows():
    augmentation = Augmentation(WindowScale([10.0] * 6), [0.1] * 6)
    scaled, targets = augmentation(WINDOWS, TARGETS, training=True)
    np.testing.assert_array_equal(targets, TARGETS)
    assert scaled.shape == WINDOWS.shape
    assert np.abs(np.asarray(scaled) - WINDOWS / 10).max() > 1e-3
    np.testing.assert_allclose(augmentation(WINDOWS, TARGETS, training=False)[0], quantise(WINDOWS / 10), atol=1e-6)
