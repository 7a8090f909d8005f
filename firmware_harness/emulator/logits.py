"""Logits of random windows on a runtime's reference kernels, which give the same bits on every machine.

``python -m deseptr.firmware_harness.emulator.logits MODEL ENGINE COUNT SEED`` prints one JSON object. It runs both on
the host and in the emulated machine, so that a difference is due to the machine.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract
from deseptr.tflite import load_engine, predict


def random_windows(contract: ModelContract, count: int, seed: int) -> NDArray[np.float32]:
    """Windows float32 ``[count, input_length, channels]``: noise that sometimes leaves the input's range."""
    rng = np.random.default_rng(seed)
    shape = (count, contract.input_length, len(contract.channels))
    # Different amplitudes, to cover all of the range.
    loudness = rng.uniform(0.01, 0.5, (count, 1, 1))
    noise = rng.standard_normal(shape) * loudness + rng.uniform(-0.3, 0.3, (count, 1, shape[2]))
    windows: NDArray[np.float32] = (noise * np.array(contract.input_range)).astype(np.float32)
    return windows


def main(model: str, kind: str, count: str, seed: str) -> None:
    """Print engine, shape and the logits' bytes as hexadecimal: little-endian float32."""
    engine = load_engine(model, kind, kernels="reference")
    logits = predict(engine, random_windows(engine.contract, int(count), int(seed)))
    print(json.dumps({"engine": engine.name, "shape": logits.shape, "bytes": logits.astype("<f4").tobytes().hex()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
