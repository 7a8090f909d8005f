"""Layers and operations of a Keras model that are not converted: why, and what to write instead.

The table of ``docs/converting.md`` is generated from this module.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deseptr.contract import ConversionError


class Refusal(NamedTuple):
    """Why a layer is refused.

    Args:
        reason: what stands in the way.
        instead: what to write instead.
    """

    reason: str
    instead: str


_RANK = Refusal("more than four axes", "one or two axes beside the features: Conv1D, Conv2D")
_TEXT = Refusal("a layer of words or categories, which a window has none of", "layers of numbers")
_STATE = "a loop that TFLite cannot calibrate, and no rewriting"

# By the name of Keras' class. In every mode.
LAYERS: dict[str, Refusal] = {
    "Masking": Refusal(
        "a mask, which every layer after it would have to carry along", "the model without it; windows have no padding"
    ),
    "Embedding": _TEXT,
    "StringLookup": _TEXT,
    "IntegerLookup": _TEXT,
    "Hashing": _TEXT,
    "CategoryEncoding": _TEXT,
    "Discretization": _TEXT,
    "TextVectorization": _TEXT,
    "ConvLSTM1D": Refusal(_STATE, "Conv1D, then LSTM or GRU"),
    "ConvLSTM2D": Refusal(_STATE, "Conv1D, then LSTM or GRU"),
    "ConvLSTM3D": Refusal(_STATE, "Conv1D, then LSTM or GRU"),
    "StackedRNNCells": Refusal(_STATE, "one recurrent layer after the other, return_sequences=True before the last"),
    "STFTSpectrogram": Refusal(
        "complex numbers", "Conv1D with a stride, or `deseptr train --model deseptr-spectrogram`"
    ),
    "MelSpectrogram": Refusal(
        "complex numbers", "Conv1D with a stride, or `deseptr train --model deseptr-spectrogram`"
    ),
    **dict.fromkeys(("Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D"), _RANK),
}

# By the operation that the layer becomes. In the modes and on the targets that lack a kernel for it.
OPERATIONS: dict[str, Refusal] = {
    "LOG": Refusal("softplus, mish, log_sigmoid and their kind are logarithms", "elu, silu or gelu"),
    "SQRT": Refusal("square roots, as in squareplus and in ops.std", "the square, or a norm layer"),
    "GELU": Refusal("no kernel for GELU", "silu, or gelu on the target pi"),
    "EXP": Refusal("no kernel for the exponential of elu, selu and celu", "relu, silu or leaky_relu"),
    "WHILE": Refusal("a loop, whose values have no fixed range", "LSTM, GRU or SimpleRNN, which are unrolled"),
    "SIGN": Refusal("signs, as in soft_shrink", "relu"),
    "FLOOR": Refusal("rounding", "the model without it"),
    "ROUND": Refusal("rounding", "the model without it"),
    "SIN": Refusal("sines and cosines", "Conv1D, which can learn frequencies"),
    "COS": Refusal("sines and cosines", "Conv1D, which can learn frequencies"),
    "CUMSUM": Refusal("sums along time", "a mean over time, or a recurrent layer"),
    "TOPK_V2": Refusal("sorting", "maxima"),
}


def refuse(layer: Any, found: str, instead: str) -> ConversionError:
    """The error of a layer that cannot be rewritten."""
    return ConversionError(
        f"layer {layer.name!r} ({type(layer).__name__})",
        found=found,
        expected="layers that can be rewritten to int8 operations",
        next_step=f"write instead: {instead}",
    )


def refuse_listed(layer: Any) -> None:
    """Refuse a layer of :data:`LAYERS`.

    Raises:
        ConversionError: if it is one of these.
    """
    known = LAYERS.get(type(layer).__name__)
    if known is not None and type(layer).__module__.startswith("keras."):
        raise refuse(layer, known.reason, known.instead)
