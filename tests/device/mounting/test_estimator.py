"""A turned sensor is named by what it measures; what cannot be told apart, or is not clear, is not."""

from dataclasses import replace

import numpy as np
import pytest
from worn_windows import worn_windows

from deseptr.contract import AS_TRAINED, CHANNELS, MOUNTINGS, ClassMotion, Mounting, MountingReference
from deseptr.contract.mounting_features import mounting_features
from deseptr.device import MountingCorrection
from deseptr.device.mounting.estimator import COUNTED_WINDOWS, LEAST_WINDOWS, MountingEstimator
from deseptr.train.mounting_reference import mounting_reference


@pytest.fixture(scope="module")
def cut():
    return worn_windows()


@pytest.fixture(scope="module")
def reference(cut):
    return mounting_reference(cut.of_subjects(("1", "2", "3", "4")))


def found(reference, samples, turn=AS_TRAINED):
    estimator = MountingEstimator(reference, CHANNELS)
    for window in MountingCorrection(turn.inverse(), CHANNELS)(samples):
        estimator.add(window)
    return estimator.found()


@pytest.mark.parametrize("turn", MOUNTINGS, ids=lambda turn: turn.name)
def test_every_turn_is_named(reference, cut, turn):
    estimate = found(reference, cut.of_subjects(("6",)).signals, turn)
    assert (estimate.turns, estimate.names) == ((turn,), turn.name)
    assert estimate.clear
    assert str(estimate) == str(turn)


def test_turns_that_the_wearers_do_not_tell_apart_are_named_together(reference, cut):
    either = MountingReference(reference.classes, (("none", 0.6), ("y180", 0.4)))
    samples = cut.of_subjects(("6",)).signals
    assert found(either, samples, Mounting.named("y90")).names == "y90 or y270"
    # The smaller turn comes first.
    x90 = found(either, samples, Mounting.named("x90"))
    assert x90.turns[0] == Mounting.named("x90")
    assert [each.degrees for each in x90.turns] == [90, 180]
    for turn in ("none", "y180"):
        assert found(either, samples, Mounting.named(turn)).turns == (AS_TRAINED,)
    # Who wears it the other way round, and has it turned by 90° about x besides.
    worn = MountingCorrection(Mounting.named("y180").inverse(), CHANNELS)(samples)
    assert Mounting.named("x90") in found(either, worn, Mounting.named("x90")).turns


def test_a_few_windows_or_the_same_posture_for_long_are_not_enough(reference, cut):
    samples = cut.of_subjects(("6",)).signals
    assert not found(reference, samples[: LEAST_WINDOWS - 1]).clear
    still = samples[cut.of_subjects(("6",)).labels == cut.label_names.index("sitting")]
    few, many = (found(reference, np.resize(still, (count, 128, 6))) for count in (COUNTED_WINDOWS * 2, 200))
    assert many.lead == pytest.approx(few.lead, rel=0.3)


def test_forgotten_windows_do_not_count(reference, cut):
    samples = cut.of_subjects(("5",)).signals
    estimator = MountingEstimator(reference, CHANNELS)
    for window in MountingCorrection(Mounting.named("x90"), CHANNELS)(samples):
        estimator.add(window)
    estimator.reset()
    assert estimator.found() == replace(estimator.found(), windows=0, lead=0.0)
    for window in samples:
        estimator.add(window)
    assert estimator.found().turns == (AS_TRAINED,)


@pytest.mark.parametrize("channels", [CHANNELS[:3], CHANNELS])
def test_each_posture_counts_for_itself_whichever_way_gravity_is(channels):
    """Half of those that count in each of six postures are never too many, nor are all: these say twice as much."""
    rng = np.random.default_rng(0)
    count = len(channels)
    motion = rng.normal(0, 1, (64, count)) * np.linspace(0.4, 1.4, count)
    down = [np.eye(count)[axis] * sign * 9.8 for axis in range(3) for sign in (1, -1)]
    postures = [(motion * (0.8 + 0.1 * number) + each).astype(np.float32) for number, each in enumerate(down)]
    classes = tuple(
        ClassMotion(str(number), tuple(features), (0.1,) * len(features))
        for number, features in enumerate(mounting_features(np.stack(postures), channels).tolist())
    )

    def lead(windows):
        estimator = MountingEstimator(MountingReference(classes), channels)
        for window in postures * windows:
            estimator.add(window)
        assert estimator.found().turns == (AS_TRAINED,)
        return estimator.found().lead

    half = COUNTED_WINDOWS // 2
    assert lead(half) > 10
    assert lead(COUNTED_WINDOWS) == pytest.approx(2 * lead(half))
    assert lead(2 * COUNTED_WINDOWS) == pytest.approx(lead(COUNTED_WINDOWS))
