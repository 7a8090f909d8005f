"""A float flatbuffer as ONNX, verified to give the same logits, for comparing runtimes on one network.

tf2onnx loads TensorFlow, so it runs in a separate process. It inserts transposes between the channels-last flatbuffer
and ONNX's channels-first convolutions; optimising these is part of ONNX Runtime's work in the comparison.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from deseptr.contract import ConversionError, ModelError, SetupError, scratch_folder
from deseptr.tflite.bare_model import BareOnnx, BareTflite, random_feeds
from deseptr.tflite.graph import read_graph
from deseptr.tflite.runtimes import choose_runtime

from .isolated import WorkerDiedError, run_isolated

OPSET = 18
TOLERANCE = 1e-4
_PROBES = 8


def to_onnx(flatbuffer: bytes, source: object) -> bytes:
    """Convert a float flatbuffer to ONNX and check that outputs on noise differ by at most 1e-4.

    Args:
        flatbuffer: flatbuffer with float activations only.
        source: origin of the flatbuffer, for error messages.

    Raises:
        ModelError: if it is quantised, or cannot be read or run.
        ConversionError: if tf2onnx cannot convert it, or if the result is another network.
        SetupError: if tf2onnx, TensorFlow or onnxruntime is not installed.
    """
    if not is_float(flatbuffer, source):
        raise ModelError(
            source,
            found="a quantised graph",
            expected="a float32 graph, to convert to ONNX",
            next_step="pass the float flatbuffer of the same network",
        )
    _check_installed()
    try:
        content: bytes = run_isolated(f"{__name__}:export_here", flatbuffer, source)
    except WorkerDiedError as error:
        raise ConversionError(
            source,
            found=f"a tf2onnx that {error.reason}",
            expected="an ONNX model",
            next_step="free memory and try again",
        ) from error
    check_same_outputs(flatbuffer, content, source)
    return content


def is_float(flatbuffer: bytes, source: object) -> bool:
    """Whether no activation of a flatbuffer is quantised."""
    nodes = read_graph(flatbuffer, source).nodes
    return not any(len(tensor.scales) for node in nodes for tensor in node.activations)


def _check_installed() -> None:
    missing = [name for name in ("onnxruntime", "tf2onnx", "tensorflow") if find_spec(name) is None]
    if missing:
        raise SetupError(
            "--onnx",
            found=f"no {' and no '.join(missing)}",
            expected="the packages that convert to ONNX",
            next_step="`pip install 'deseptr[onnx,train]'`",
        )


def export_here(flatbuffer: bytes, source: object) -> bytes:
    """Do the conversion of :func:`to_onnx` in this process, which loads TensorFlow and lets it print; unverified."""
    import tf2onnx

    with scratch_folder() as folder:
        path = folder / "model.tflite"
        path.write_bytes(flatbuffer)
        try:
            model, _ = tf2onnx.convert.from_tflite(str(path), opset=OPSET)
        except Exception as error:  # tf2onnx raises exceptions of many types
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise ConversionError(
                source,
                found=f"tf2onnx failed ({reason[0][:160]})",
                expected="an ONNX model",
                next_step="compare without --onnx",
            ) from error
    return bytes(model.SerializeToString())


def check_same_outputs(flatbuffer: bytes, content: bytes, source: object) -> None:
    """Compare the outputs of a float flatbuffer and of its ONNX model on noise.

    Args:
        flatbuffer: the original.
        content: the ONNX model.
        source: where the flatbuffer came from, for the error messages.

    Raises:
        ConversionError: if an output differs by more than ``TOLERANCE``.
    """
    of_tflite, of_onnx = BareTflite(flatbuffer, source, choose_runtime("auto")), BareOnnx(content, f"{source} as ONNX")
    furthest = 0.0
    for feed in random_feeds(of_tflite, _PROBES):
        for one, other in zip(of_tflite.run(feed), of_onnx.run(feed), strict=True):
            furthest = max(furthest, float(np.abs(one - other).max()))
    if not furthest <= TOLERANCE:
        raise ConversionError(
            f"{source} as ONNX",
            found=f"outputs that differ by {furthest:.2g}",
            expected=f"at most {TOLERANCE:g}",
            next_step="compare without --onnx, and report this with the model",
        )
