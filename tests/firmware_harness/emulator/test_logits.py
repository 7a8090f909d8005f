import json
import subprocess
import sys

import numpy as np

from deseptr.device import default_model
from deseptr.firmware_harness.emulator.logits import random_windows
from deseptr.tflite import load_engine, predict


def test_windows_are_seeded_and_cover_the_whole_range():
    contract = load_engine(default_model()).contract
    windows = random_windows(contract, 200, 1)
    assert windows.shape == (200, contract.history + contract.window_length, len(contract.channels))
    assert windows.dtype == np.float32
    assert np.array_equal(windows[:50], random_windows(contract, 200, 1)[:50])
    assert not np.array_equal(windows, random_windows(contract, 200, 2))
    of_range = np.abs(windows) / np.array(contract.input_range)
    assert (of_range.max((0, 1)) > 1).all()
    assert np.quantile(of_range.max((1, 2)), 0.05) < 0.5


def test_the_command_prints_the_engines_bytes():
    command = [
        sys.executable,
        "-m",
        "deseptr.firmware_harness.emulator.logits",
        str(default_model()),
        "litert",
        "4",
        "9",
    ]
    facts = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    engine = load_engine(default_model(), "litert", kernels="reference")
    expected = predict(engine, random_windows(engine.contract, 4, 9))
    assert facts["engine"] == engine.name
    assert facts["shape"] == [4, len(engine.contract.labels)]
    assert bytes.fromhex(facts["bytes"]) == expected.tobytes()
    assert len(np.unique(expected, axis=0)) > 1
