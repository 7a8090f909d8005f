"""The packaged model on real recordings: labels over the bus agree with an offline evaluation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deseptr.data import load_dataset
from deseptr.device import default_model
from deseptr.evaluate.predictor import windows_for
from deseptr.firmware_harness.simulator import ReplayedWindow, replay
from deseptr.tflite import load_engine, predict


@pytest.mark.real_data
def test_labels_over_the_bus_agree_with_offline_ones_on_a_held_out_subject(real_file: Callable[[str], Path]):
    dataset = load_dataset(real_file("motionsense.npz")).select(subjects=["5"])
    engine = load_engine(default_model())
    contract = engine.contract
    windows = windows_for(contract, dataset)
    offline = predict(engine, windows.signals).argmax(axis=1)
    events = [event for event in replay(engine, dataset) if isinstance(event, ReplayedWindow)]
    assert [(e.recording, e.sample) for e in events] == list(zip(windows.recording, windows.start, strict=True))
    online = np.array([contract.labels.index(e.event.label) for e in events])
    assert (online == offline).mean() >= 0.99
    assert (online == windows.labels).mean() > 0.85
