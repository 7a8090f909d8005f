"""Int8 predictions of a fold of a cross-validation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.convert.conversion import convert_run
from deseptr.convert.parity import Gate
from deseptr.tflite import load_engine, predict

# A fold measures the loss through int8; a large loss is a result, too.
_MEASURE_ALL = Gate(agreement=0.0, loss=1.0, embedding_db=-math.inf)


def predict_int8(run: Path, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert a run's model to ``model.tflite`` beside the run folder and predict with that file.

    Args:
        run: run folder of ``deseptr train``.
        windows: ``[window, input_length, channels]``, SI units.

    Returns:
        Dequantized logits ``[window, class]``.

    Raises:
        ConversionError: if the model cannot be converted to int8 completely.
        SetupError: if there is no TFLite runtime here.
    """
    path = run.parent / "model.tflite"
    convert_run(run, path, gate=_MEASURE_ALL, streaming=False)
    return np.asarray(predict(load_engine(path), windows), np.float32)
