"""Layers that scale, move or pool values, which a window's factors and offsets pass through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deseptr.convert.lowering.blocks import folded_affine, values

from .affine import Affine, computed, eagerly


def _same(layer: Any, x: Any) -> Any:
    """Layers that change nothing once a model is trained."""
    return x


def _normalization(layer: Any, x: Any) -> Any:
    if not isinstance(x, Affine):
        return layer(x)
    mean, variance = (eagerly(lambda part: part, np.asarray(part)) for part in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    return x.then(deviation, mean) if layer.invert else x.then(1.0 / deviation, -mean / deviation)


def _rescaling(layer: Any, x: Any) -> Any:
    if not isinstance(x, Affine):
        return layer(x)
    return x.then(np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64))


def _batch_norm(layer: Any, x: Any) -> Any:
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
    if not isinstance(x, Affine) or axis not in (-1, len(x.shape) - 1):
        return layer(computed(x))
    if layer.scale and layer.center:
        return x.then(*folded_affine(layer))
    factor = 1.0 / np.sqrt(values(layer.moving_variance) + layer.epsilon)
    factor = factor * values(layer.gamma) if layer.scale else factor
    offset = -values(layer.moving_mean) * factor
    return x.then(factor, offset + values(layer.beta) if layer.center else offset)


def _moved(operation: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(x, Affine):
        return x.moved(lambda part: operation(part, *args, **kwargs))
    return operation(x, *args, **kwargs)


def _pooled(layer: Any, x: Any) -> Any:
    """Maxima and means of a feature along time: a factor above 0 and an offset pass through."""
    parts = x.per_feature() if isinstance(x, Affine) and layer.data_format == "channels_last" else None
    if parts is None or (parts[0] <= 0).any():
        return layer(computed(x))
    return Affine.of(layer(x.tensor), *parts)


def _concatenated(layer: Any, inputs: Any) -> Any:
    if not all(isinstance(x, Affine) for x in inputs):
        return layer([computed(x) for x in inputs])
    parts = [np.concatenate([getattr(x, name) for x in inputs], axis=layer.axis) for name in ("factor", "offset")]
    return Affine(tf.concat([x.tensor for x in inputs], axis=layer.axis), *parts)


def _arithmetic(apply: Callable[[Affine, Any], Affine]) -> Callable[..., Any]:
    """An operation of ``keras.ops`` with a constant, as ``window / 9.81`` is."""

    def lowered(operation: Any, x: Any, y: Any) -> Any:
        if isinstance(x, Affine) and not isinstance(y, Affine) and not _traced(y):
            return apply(x, np.asarray(y, np.float64))
        return operation(computed(x), computed(y))

    return lowered


def _traced(value: Any) -> bool:
    return isinstance(value, tf.Tensor) and not hasattr(value, "numpy")


_divided = _arithmetic(lambda x, y: x.then(1.0 / y))

_layers = keras.layers
LAYERS: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys(
        (
            _layers.Dropout,
            _layers.SpatialDropout1D,
            _layers.SpatialDropout2D,
            _layers.AlphaDropout,
            _layers.GaussianNoise,
            _layers.GaussianDropout,
            _layers.ActivityRegularization,
            _layers.Identity,
        ),
        _same,
    ),
    **dict.fromkeys(
        (
            _layers.Reshape,
            _layers.Flatten,
            _layers.Permute,
            _layers.Cropping1D,
            _layers.UpSampling1D,
            "ops.GetItem",
            "ops.Reshape",
            "ops.Transpose",
            "ops.ExpandDims",
            "ops.Squeeze",
        ),
        _moved,
    ),
    **dict.fromkeys(
        (
            _layers.MaxPooling1D,
            _layers.AveragePooling1D,
            _layers.GlobalAveragePooling1D,
            _layers.GlobalMaxPooling1D,
        ),
        _pooled,
    ),
    _layers.Normalization: _normalization,
    _layers.Rescaling: _rescaling,
    _layers.BatchNormalization: _batch_norm,
    _layers.Concatenate: _concatenated,
    "ops.Add": _arithmetic(lambda x, y: x.then(1.0, y)),
    "ops.Subtract": _arithmetic(lambda x, y: x.then(1.0, -y)),
    "ops.Multiply": _arithmetic(lambda x, y: x.then(y)),
    "ops.Divide": _divided,
    "ops.TrueDivide": _divided,
}
