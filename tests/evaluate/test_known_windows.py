"""Prototypes and limit of the windows that a model knows."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DataError, HeldOut, ModelContract, nearest, window_statistics
from deseptr.evaluate.known_windows import PROTOTYPES, find_known_windows, known_subjects
from deseptr.evaluate.predictor import windows_for


def test_a_larger_share_gives_a_larger_limit_and_the_same_prototypes(wearers_contract, wearers):
    few, most = (find_known_windows(wearers_contract, wearers, share).known for share in (0.6, 0.95))
    assert few.limit < most.limit
    assert few.prototypes == most.prototypes
    assert find_known_windows(wearers_contract, wearers, 0.95).known == most


def test_prototypes_are_near_the_windows_they_come_from(wearers_contract, wearers):
    found = find_known_windows(wearers_contract, wearers, 0.9)
    assert found.subjects == wearers.subjects
    known = found.known
    assert len(known.table) <= PROTOTYPES * len(wearers_contract.labels)
    windows = windows_for(wearers_contract, wearers)
    assert found.windows == len(windows)
    rows = window_statistics(windows.signals, wearers_contract.channels)
    away = nearest(rows / known.scale, known.table)
    # The limit is that of wearers who are not among the prototypes, so that those who are keep it more often.
    assert (away <= known.limit).mean() >= 0.9
    turned = rows.copy()
    turned[:, :3] = np.roll(rows[:, :3], 1, axis=1)
    assert np.median(nearest(turned / known.scale, known.table)) > known.limit


def test_one_wearer_is_not_enough(wearers_contract, wearers):
    with pytest.raises(DataError, match="found windows of 1 wearer"):
        find_known_windows(wearers_contract, wearers.select(subjects=wearers.subjects[:1]), 0.9)


def test_a_magnetometer_alone_has_no_statistics(wearers):
    channels = ("mag_x", "mag_y", "mag_z")
    recordings = tuple(replace(each, signals=each.signals[:, :3], channels=channels) for each in wearers.recordings)
    magnetic = replace(wearers, recordings=recordings)
    contract = ModelContract(
        wearers.label_names,
        rate_hz=wearers.recordings[0].rate_hz,
        channels=channels,
        units=("uT",) * 3,
        input_range=(100.0,) * 3,
        mag_full_scale_ut=4900.0,
    )
    with pytest.raises(DataError, match="found the channels mag_x, mag_y, mag_z, expected an accelerometer"):
        find_known_windows(contract, magnetic, 0.9)


def test_those_held_out_of_the_training_are_not_known(wearers_contract, wearers):
    assert known_subjects(wearers_contract, wearers, ("2",)) == ("2",)
    tested = replace(wearers_contract, held_out=HeldOut.of(["1", "3"], bytes(16)))
    assert known_subjects(tested, wearers, None) == ("2", "4")
