"""Common properties of all augmentation layers."""

import numpy as np
import pytest

from deseptr.train import augment
from deseptr.train.augment import (
    AxisLayer,
    BandCutMix,
    BandMask,
    DroppedSamples,
    Gain,
    GaussianNoise,
    Mirror,
    Mixup,
    RandomLayer,
    RateJitter,
    Rotation,
    SampleShift,
    TimeShift,
    TimeWarp,
    Warp,
)

WINDOWS = np.random.default_rng(0).normal(size=(64, 50, 6)).astype(np.float32)
SPECTROGRAMS = np.random.default_rng(1).normal(size=(64, 17, 25, 6)).astype(np.float32)
TARGETS = np.eye(4, dtype=np.float32)[np.arange(64) % 4]

LAYERS = {
    "noise": (GaussianNoise, {"stddev": [0.1] * 6}, (WINDOWS,)),
    "shift": (TimeShift, {}, (WINDOWS,)),
    "sample shift": (SampleShift, {"max_samples": 5}, (WINDOWS,)),
    "time warp of a window": (TimeWarp, {"max_samples": 5.0}, (WINDOWS,)),
    "mirror": (Mirror, {}, (WINDOWS,)),
    "rotation": (Rotation, {}, (WINDOWS,)),
    "gain": (Gain, {}, (WINDOWS,)),
    "mixup": (Mixup, {}, (WINDOWS, TARGETS)),
    "rate jitter": (RateJitter, {}, (WINDOWS,)),
    "dropped samples": (DroppedSamples, {}, (WINDOWS,)),
    "time warp": (Warp, {"axis": "time"}, (SPECTROGRAMS,)),
    "frequency warp": (Warp, {"axis": "frequency"}, (SPECTROGRAMS,)),
    "time mask": (BandMask, {"axis": "time"}, (SPECTROGRAMS,)),
    "frequency mask": (BandMask, {"axis": "frequency"}, (SPECTROGRAMS,)),
    "time CutMix": (BandCutMix, {"axis": "time"}, (SPECTROGRAMS, TARGETS)),
    "frequency CutMix": (BandCutMix, {"axis": "frequency"}, (SPECTROGRAMS, TARGETS)),
}
# What is left of the input where nothing is changed.
UNCHANGED = {"sample shift": (WINDOWS[:, 5:-5],)}
every_layer = pytest.mark.parametrize("name", LAYERS)


def run(name: str, training: bool, **settings) -> list[np.ndarray]:
    kind, arguments, inputs = LAYERS[name]
    outputs = kind(**{**arguments, "seed": 7, **settings})(*inputs, training=training)
    return [np.asarray(output) for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


def unchanged(name: str) -> tuple[np.ndarray, ...]:
    return UNCHANGED.get(name, LAYERS[name][2])


def test_every_layer_is_tried():
    faces = {each for each in vars(augment).values() if isinstance(each, type) and issubclass(each, RandomLayer)}
    assert faces - {RandomLayer, AxisLayer} == {kind for kind, *_ in LAYERS.values()}


@every_layer
def test_changes_nothing_outside_training(name: str):
    for output, given in zip(run(name, training=False, rate=1.0), unchanged(name), strict=True):
        np.testing.assert_array_equal(output, given)


@every_layer
def test_changes_nothing_at_rate_zero(name: str):
    for output, given in zip(run(name, training=True, rate=0.0), unchanged(name), strict=True):
        np.testing.assert_allclose(output, given, atol=2e-5)


@every_layer
def test_changes_about_the_requested_fraction_of_examples(name: str):
    (output, *_), given = run(name, training=True, rate=0.5), unchanged(name)[0]
    changed = (np.abs(output - given) > 1e-5).any(axis=tuple(range(1, given.ndim)))
    assert 12 <= changed.sum() <= 48
    assert np.isfinite(output).all()


@every_layer
def test_same_seed_gives_the_same(name: str):
    for first, second in zip(run(name, training=True), run(name, training=True), strict=True):
        np.testing.assert_array_equal(first, second)


@every_layer
def test_config_round_trip(name: str):
    kind, arguments, _ = LAYERS[name]
    layer = kind(**{**arguments, "rate": 0.3, "seed": 5})
    assert kind.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("kind", [Warp, BandMask, BandCutMix])
def test_unknown_axis_is_refused(kind):
    with pytest.raises(ValueError, match="Received: axis=channel"):
        kind(axis="channel")


def test_impossible_rate_is_refused():
    with pytest.raises(ValueError, match="Received: rate=2"):
        TimeShift(rate=2)
