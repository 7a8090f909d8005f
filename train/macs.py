"""Multiply-accumulates of one window, counted in the graph that TensorFlow traces of a classifier.

The count is for the network as trained, at batch 1, from the raw window to the logits, front end included. It includes
all products of convolutions and matrix multiplications, also products with padding zeros or constants. Elementwise
operations (norms, activations, softmax, sums) are not counted, as is usual. A ``.tflite`` has fewer, since the
converter merges and removes some products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

from deseptr.contract import ModelError

# Operations without multiply-accumulates. An operation that is neither here nor counted is an error, so that none is
# missed.
_VALUE_BY_VALUE = """
Abs AddV2 BiasAdd BroadcastTo Cast ConcatV2 Const Erf Exp ExpandDims Fill Floor Identity LeakyRelu Log Max MaxPool
Maximum Mean Minimum Mul Neg NoOp Pack Pad Placeholder Range ReadVariableOp RealDiv Relu Relu6 Reshape ReverseV2 Round
Rsqrt Shape Sigmoid Sign Softmax Split SplitV Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum
Tanh Tile Transpose Unpack UpperBound
"""


def window_macs(classifier: Any, window_shape: Sequence[int]) -> int | None:
    """Multiply-accumulates of one window through a whole classifier.

    Args:
        classifier: a built Keras model on raw windows, or a random forest.
        window_shape: ``(window_length, channels)``.

    Returns:
        The count; None for a random forest, which has no products, and for backends other than TensorFlow.

    Raises:
        ModelError: if the graph has an operation for which no count is defined.
    """
    import keras

    if not isinstance(classifier, keras.Model) or keras.backend.backend() != "tensorflow":
        return None
    return sum(map(_macs, _trace(classifier, (1, *window_shape)).get_operations()))


def _trace(classifier: Any, shape: tuple[int, ...]) -> Any:
    import tensorflow as tf

    with _unrolled(classifier):
        function = tf.function(lambda windows: classifier(windows, training=False), autograph=False)
        return function.get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph


@contextmanager
def _unrolled(classifier: Any) -> Iterator[None]:
    """Unroll recurrent layers in the block: steps inside a loop body or a cuDNN kernel cannot be counted."""
    import keras

    layers = [layer for layer in classifier._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    before = [layer.unroll for layer in layers]
    try:
        for layer in layers:
            layer.unroll = True
        yield
    finally:
        for layer, unroll in zip(layers, before, strict=True):
            layer.unroll = unroll


def _macs(op: Any) -> int:
    if op.type in _VALUE_BY_VALUE.split():
        return 0
    if op.type not in _COUNTED:
        raise ModelError(
            f"{op.name}: multiply-accumulates",
            found=f"the operation {op.type}",
            expected=f"one of {', '.join(_COUNTED)}, or an elementwise operation",
            next_step="define its count in train/macs.py",
        )
    return _COUNTED[op.type](op)


def _convolution(op: Any) -> int:
    """One product for each output value, kernel cell and input channel."""
    return _size(op.outputs[0].shape) * _size(op.inputs[1].shape[:3])


def _depthwise(op: Any) -> int:
    return _size(op.outputs[0].shape) * _size(op.inputs[1].shape[:2])


def _matmul(op: Any) -> int:
    return _size(op.outputs[0].shape) * int(op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1])


def _batch_matmul(op: Any) -> int:
    return _size(op.outputs[0].shape) * int(op.inputs[0].shape[-2 if op.get_attr("adj_x") else -1])


def _einsum(op: Any) -> int:
    """One product for each combination of all indices, as if no partial sum were shared."""
    terms = op.get_attr("equation").decode().split("->")[0].split(",")
    if any("." in term for term in terms):
        raise ModelError(
            f"{op.name}: multiply-accumulates",
            found="an einsum with an ellipsis",
            expected="all indices named",
            next_step="name the indices in the layer",
        )
    sizes = {
        name: size for term, x in zip(terms, op.inputs, strict=True) for name, size in zip(term, x.shape, strict=True)
    }
    return _size(sizes.values())


def _size(shape: Any) -> int:
    return prod(int(size) for size in shape)


_COUNTED: dict[str, Callable[[Any], int]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "MatMul": _matmul,
    "BatchMatMulV2": _batch_matmul,
    "Einsum": _einsum,
}
