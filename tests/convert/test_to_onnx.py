from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deseptr.contract import ConversionError, ModelError, SetupError
from deseptr.convert import to_onnx as module
from deseptr.convert.to_onnx import TOLERANCE, is_float, to_onnx
from deseptr.tflite.bare_model import BareOnnx, BareTflite, random_feeds
from deseptr.tflite.runtimes import choose_runtime


@pytest.fixture(scope="module")
def convert() -> Callable[..., bytes]:
    """The flatbuffer of a small convolution, in float or int8."""
    import tensorflow as tf

    kernel = tf.constant(np.random.default_rng(0).normal(size=(5, 1, 6, 4)), tf.float32)

    def logits(window: Any) -> Any:
        x = tf.nn.relu(tf.nn.conv2d(window[:, :, None, :], kernel, 1, "VALID"))
        return tf.nn.softmax(tf.reduce_mean(x, (1, 2)))

    signature = [tf.TensorSpec((1, 16, 6), tf.float32)]
    function = tf.function(logits, input_signature=signature, autograph=False).get_concrete_function()

    def make(*, quantised: bool = False) -> bytes:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
        if quantised:
            rng = np.random.default_rng(1)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([rng.normal(size=(1, 16, 6)).astype("f4")] for _ in range(8))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return bytes(converter.convert())

    return make


def test_converted_model_gives_the_same_logits(convert: Callable[..., bytes]):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    flatbuffer = convert()
    one, other = BareTflite(flatbuffer, "m", choose_runtime("auto")), BareOnnx(to_onnx(flatbuffer, "m"), "m")
    for feed in random_feeds(one, 20, seed=5):
        np.testing.assert_allclose(one.run(feed)[0], other.run(feed)[0], atol=TOLERANCE)


def test_quantised_graph_is_refused(convert: Callable[..., bytes]):
    flatbuffer = convert(quantised=True)
    assert not is_float(flatbuffer, "m")
    with pytest.raises(ModelError, match="m: found a quantised graph, expected a float32 graph"):
        to_onnx(flatbuffer, "m")


def test_other_network_is_refused(convert: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch):
    class Off:
        def __init__(self, *arguments: object) -> None:
            self.inner = BareTflite(convert(), "m", choose_runtime("auto"))

        def run(self, arrays: Any) -> list[Any]:
            return [array + 2 * TOLERANCE for array in self.inner.run(arrays)]

    monkeypatch.setattr(module, "BareOnnx", Off)
    with pytest.raises(
        ConversionError, match=r"m as ONNX: found outputs that differ by 0.0002, expected at most 0.0001"
    ):
        module.check_same_outputs(convert(), b"", "m")


def test_what_is_not_installed_is_named(convert: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "tf2onnx" else name)
    with pytest.raises(SetupError, match=r"--onnx: found no tf2onnx, .* `pip install 'deseptr\[onnx,train\]'`"):
        to_onnx(convert(), "m")
