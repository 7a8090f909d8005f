"""Norms with their trained statistics, gammas and betas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from .held import Held
from .products import features_last
from .site import Site

layers = keras.layers


def _given(at: Site, *weights: Held | None) -> list[Any]:
    return [at.array(weight, "a weight") for weight in weights if weight is not None]


def _batch_norm(
    at: Site,
    x: Held,
    weight: Held | None,
    bias: Held | None,
    running_mean: Held | None,
    running_var: Held | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = False,
) -> Held:
    if training or running_mean is None or running_var is None:
        raise at.refuse("training=True", "torch.export.export(network.eval(), …)")
    tensor, order = features_last(x)
    norm = layers.BatchNormalization(epsilon=eps, scale=weight is not None, center=bias is not None, name=at.name())
    return Held(at.apply(norm, tensor, _given(at, weight, bias, running_mean, running_var)), order)


def _layer_norm(
    at: Site,
    x: Held,
    normalized_shape: Sequence[int],
    weight: Held | None = None,
    bias: Held | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = False,
) -> Held:
    axes = tuple(range(-len(normalized_shape), 0))
    norm = layers.LayerNormalization(
        axis=axes if len(axes) > 1 else -1,
        epsilon=eps,
        scale=weight is not None,
        center=bias is not None,
        name=at.name(),
    )
    return Held.of(at.apply(norm, x.plain(), _given(at, weight, bias)))


def _rms_norm(
    at: Site, x: Held, normalized_shape: Sequence[int], weight: Held | None = None, eps: float | None = None
) -> Held:
    if len(normalized_shape) != 1:
        raise at.refuse("several axes", "RMSNorm over the features")
    # PyTorch's default is the smallest step of the numbers.
    norm = layers.RMSNormalization(epsilon=float(np.finfo(np.float32).eps) if eps is None else eps, name=at.name())
    gamma = np.ones(normalized_shape) if weight is None else at.array(weight, "a weight")
    return Held.of(at.apply(norm, x.plain(), [gamma]))


def _group_norm(
    at: Site,
    x: Held,
    num_groups: int,
    weight: Held | None = None,
    bias: Held | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = False,
) -> Held:
    tensor, order = features_last(x)
    norm = layers.GroupNormalization(
        num_groups, epsilon=eps, scale=weight is not None, center=bias is not None, name=at.name()
    )
    return Held(at.apply(norm, tensor, _given(at, weight, bias)), order)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
}
