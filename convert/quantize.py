"""Post-training quantization of a lowered graph, in a process of its own.

``TFLiteConverter.convert()`` keeps some 22 MB at every call and prints from C++; a spawned process gives both back.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ConversionError, ModelContract


@dataclass(frozen=True)
class HeldOut:
    """Labelled windows that the model has not seen, and what the checkpoint says of them.

    Args:
        windows: ``[n, window_length, channels]``, SI units.
        labels: ``[n]`` true classes.
        subjects: ``[n]``.
        predicted: ``[n]`` classes by the float checkpoint.
    """

    windows: NDArray[np.float32]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    predicted: NDArray[np.int64]


class Quantized(NamedTuple):
    """A flatbuffer, its contract and the windows to prove it on."""

    flatbuffer: bytes
    contract: ModelContract
    held_out: HeldOut


def quantize_run(run: Path) -> Quantized:
    """Int8 flatbuffer of a run's student, input and output int8, calibrated on the run's training windows.

    Args:
        run: run folder, or a ``.keras`` file with contract and calibration beside it.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the network has no lowering or the converter fails.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=silence) as pool:
        try:
            return pool.submit(_quantize, run).result()
        except BrokenProcessPool as error:
            raise ConversionError(
                run, found="a converter that died", expected="a flatbuffer", next_step="free memory and convert again"
            ) from error


def silence() -> None:
    """Drop what TensorFlow's C++ side prints; errors come back as exceptions."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _quantize(run: Path) -> Quantized:
    from deseptr.train import Calibration, RunFolder, load_run
    from deseptr.train.fit import predict_logits

    from .lowering import InferenceGraph

    classifier, contract = load_run(run)
    calibration = Calibration.load(RunFolder(run if run.is_dir() else run.parent).calibration)
    graph = InferenceGraph(classifier, contract)
    flatbuffer = _flatbuffer(graph, graph.encode(calibration.windows), run)
    held_out = HeldOut(
        calibration.held_out_windows,
        calibration.held_out_labels,
        calibration.held_out_subjects,
        predict_logits(classifier, calibration.held_out_windows).argmax(axis=1),
    )
    return Quantized(flatbuffer, contract, held_out)


def _flatbuffer(graph: Any, windows: NDArray[np.float32], run: Path) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.function], graph)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises its own and MLIR's
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConversionError(
            run,
            found=f"the converter failed ({reason[0][:160]})",
            expected="a flatbuffer",
            next_step="report this with the run's config.json",
        ) from error
