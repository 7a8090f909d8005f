"""The reference of the training: classes' means and how the wearers wore the sensor."""

from dataclasses import replace

import numpy as np
from worn_windows import worn_windows

from deseptr.contract import CHANNELS, Mounting
from deseptr.device import MountingCorrection
from deseptr.train.mounting_reference import mounting_reference


def windows(turned=()):
    """Windows of eight wearers, some of whom wear the sensor upside down."""
    cut = worn_windows(8)
    turn = MountingCorrection(Mounting.named("y180").inverse(), CHANNELS)
    other = np.isin(cut.subjects, turned)
    return replace(cut, signals=np.where(other[:, None, None], turn(cut.signals), cut.signals))


def test_each_class_has_its_gravity_and_nobody_is_turned():
    cut = windows()
    reference = mounting_reference(cut)
    assert reference.worn == (("none", 1.0),)
    assert tuple(each.label for each in reference.classes) == cut.label_names
    for index, motion in enumerate(reference.classes):
        mean = cut.signals[cut.labels == index].mean((0, 1))[:3]
        np.testing.assert_allclose(motion.mean[2:5], mean / np.linalg.norm(mean), atol=0.15)
        assert len(motion.mean) == len(motion.deviation) == 26


def test_wearers_who_wear_it_another_way_round_are_found_and_do_not_blur_the_means():
    straight, both = mounting_reference(windows()), mounting_reference(windows(turned=("2", "5")))
    assert both.worn == (("none", 0.75), ("y180", 0.25))
    for one, other in zip(straight.classes, both.classes, strict=True):
        np.testing.assert_allclose(one.mean, other.mean, atol=0.02)
        np.testing.assert_allclose(one.deviation, other.deviation, atol=0.02)


def test_sensors_without_an_accelerometer_have_none_and_classes_without_windows_are_left_out():
    cut = windows()
    assert mounting_reference(cut.with_channels(CHANNELS[3:])) is None
    acc = mounting_reference(cut.with_channels(CHANNELS[:3]).take(cut.labels != 2))
    assert len(acc.classes) == len(cut.label_names) - 1
    assert acc.sensors == ("acc",)
