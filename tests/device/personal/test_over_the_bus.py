"""A corrected model over a simulated bus gives the bits that it gives for the same samples in this process."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import columns_of
from deseptr.data import load_sample
from deseptr.data.windows import samples_before
from deseptr.device import default_model
from deseptr.device.label.class_of_logits import classify_logits
from deseptr.device.personal import PersonalEngine, personalise
from deseptr.firmware_harness.simulator import ReplayedWindow, replay
from deseptr.tflite import load_engine


# Sensors that have the model's rate; samples of others are resampled before the model.
@pytest.mark.parametrize("sensor", ["mpu6050", "mpu6500"])
def test_probabilities_are_those_of_the_received_samples_to_the_bit(sensor):
    plain = load_engine(default_model())
    sample = load_sample()
    engine = PersonalEngine(plain, personalise(plain, plain.model, sample, "eve").file)
    contract = engine.contract
    for recording in sample.recordings:
        received = []
        events = list(
            replay(engine, replace(sample, recordings=(recording,)), sensor=sensor, on_samples=received.append)
        )
        signals = np.concatenate([each.signals for each in received])
        signals = signals[:, columns_of(contract.channels, received[0].channels, sensor)].astype(np.float32)
        windows = [each.event for each in events if isinstance(each, ReplayedWindow)]
        assert len(windows) > 10
        for event in windows:
            own = samples_before(np.array([event.sample]), contract.window_length, contract.history, 0)[0]
            told = classify_logits(engine.invoke(signals[own]), contract.labels)
            assert list(event.probabilities.values()) == told.probabilities.tolist()
            assert (event.label, event.wearer) == (told.label, "eve")
