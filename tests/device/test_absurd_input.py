"""What nobody wears is `unknown` within five seconds, from chip to label, with the packaged model."""

import numpy as np
import pytest
from absurd_signals import RATE_HZ, G, constant, rotating, washing_machine, white_noise

from deseptr.contract import DecisionConfig
from deseptr.data import UNLABELLED, Dataset, Recording, load_sample
from deseptr.device import LabelTracker, UnknownJudge, WindowEvent, default_model
from deseptr.firmware_harness.simulator import replay
from deseptr.tflite import load_engine

WITHIN_S = 5.0
# A word of -1 is 0xFFFF.
LAST_BIT = (*[-8 * G / 32768] * 3, *[-np.deg2rad(1000) / 32768] * 3)
ABSURD = {
    "zeros on all axes": (constant(0, 0, 0, 0, 0, 0), "implausible: stuck"),
    "0xFFFF words": (constant(*LAST_BIT), "implausible: stuck"),
    "saturation at -8 g": (constant(*[-8 * G] * 3, *[-np.deg2rad(1000)] * 3), "implausible: saturated"),
    "a washing machine": (washing_machine(), "implausible: spectrum"),
    "constant rotation about a level axis": (rotating(0), "implausible: rotation"),
    "constant rotation about the vertical": (rotating(2), "implausible: rotation"),
    "white noise of 2 g": (white_noise(), "implausible: gravity"),
    "upside down and shaken hard": (white_noise() / 4 - np.float32([0, 0, G, 0, 0, 0]), "unfamiliar"),
}


@pytest.fixture(scope="module")
def engine():
    return load_engine(default_model())


def shown(engine, dataset):
    """The windows of a session of each recording."""
    contract = engine.contract
    tracker = LabelTracker(contract.labels, DecisionConfig(), contract.hop_s)
    events = replay(engine, dataset, sensor="mpu6050", tracker=tracker, unknown=UnknownJudge(contract))
    return [each.event for each in events if isinstance(each.event, WindowEvent)]


@pytest.mark.parametrize("name", ABSURD)
def test_it_is_unknown_within_five_seconds_and_stays_so(engine, name):
    signals, reason = ABSURD[name]
    labels = np.full(len(signals), UNLABELLED)
    windows = shown(engine, Dataset((Recording(signals, RATE_HZ, "nobody", labels),), ()))
    known = [event for event in windows if event.state != "unknown"]
    assert all(event.t < WITHIN_S for event in known)
    assert windows[-1].t > 15
    assert reason in {event.unknown for event in windows}


def test_a_recorded_wearer_is_not(engine):
    windows = shown(engine, load_sample())
    assert len(windows) > 50
    assert sum(event.unknown is not None for event in windows) <= 0.02 * len(windows)
