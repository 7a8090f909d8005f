"""The int8 half of a cross-validation's fold, by name, since training knows nothing of conversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deseptr.convert.conversion import convert_run
from deseptr.convert.parity import Gate
from deseptr.tflite import load_engine, predict

# A fold measures what int8 costs; what costs too much is a result too.
_MEASURE_ALL = Gate(agreement=0.0, loss=1.0)
PREDICT_INT8 = "deseptr.evaluate.int8_predictions:predict_int8"
"""What ``FoldJob.int8`` takes."""


def predict_int8(run: Path, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert a run's student to ``model.tflite`` beside the run folder and predict with that file.

    Args:
        run: run folder of ``deseptr train``.
        windows: ``[window, input_length, channels]``, SI units.

    Returns:
        Dequantized logits ``[window, class]``.

    Raises:
        ConversionError: if the student cannot be converted, or not to int8 throughout.
        SetupError: if there is no TFLite runtime here.
    """
    path = run.parent / "model.tflite"
    convert_run(run, path, gate=_MEASURE_ALL)
    return np.asarray(predict(load_engine(path), windows), np.float32)
