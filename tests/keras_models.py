"""Small Keras models of every kind of layer, sequential and functional, with random weights and statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

layers, ops = keras.layers, keras.ops
STEPS, CHANNELS, CLASSES = 10, 6, 3


def head(x: Any) -> Any:
    return layers.Dense(CLASSES, name="head")(x)


def stacked(*between: Any, start: bool = True) -> keras.Model:
    """A sequential model: a convolution, some layers, a mean over time if there is time left, a dense head."""
    first = [layers.Conv1D(8, 3, strides=2, name="first")] if start else []
    model = keras.Sequential([layers.Input((STEPS, CHANNELS)), *first, *between])
    if len(model.output_shape) == 3:
        model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(CLASSES, name="head"))
    return model


def functional(between: Callable[[Any], Any], *, start: bool = True) -> keras.Model:
    window = layers.Input((STEPS, CHANNELS))
    x = layers.Conv1D(8, 3, strides=2, name="first")(window) if start else window
    y = between(x)
    return keras.Model(window, head(layers.GlobalAveragePooling1D()(y) if len(y.shape) == 3 else y))


def normalization() -> Any:
    rng = np.random.default_rng(5)
    return layers.Normalization(mean=rng.normal(size=6) * 3, variance=rng.uniform(0.1, 60, 6))


def transformer(x: Any) -> Any:
    attended = layers.MultiHeadAttention(2, 4)(layers.LayerNormalization()(x), layers.LayerNormalization()(x))
    x = layers.Add()([x, attended])
    hidden = layers.Dense(12, activation="gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(8)(hidden)])


def shortcut(x: Any) -> Any:
    y = layers.BatchNormalization()(layers.Conv1D(8, 3, padding="same")(x))
    return layers.ReLU()(y + x)


def nested(x: Any) -> Any:
    inside = layers.Input((4, 8))
    inner = keras.Model(inside, [layers.GRU(4)(inside), layers.GlobalMaxPooling1D()(inside)], name="encoder")
    return layers.Concatenate()(inner(x))


def two_sensors(x: Any) -> Any:
    acc, gyro = x[..., :3], x[..., 3:]
    both = [layers.Conv1D(4, 3, activation="relu")(part) for part in (acc / 9.81, gyro)]
    return layers.Concatenate()(both)


def with_states(x: Any) -> Any:
    sequence, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    return layers.LSTM(4)(sequence, initial_state=[h, c])


def squeeze_and_excite(x: Any) -> Any:
    gate = layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling1D()(x))
    return layers.Multiply()([x, layers.Reshape((1, 8))(gate)])


def clamps_beside(x: Any) -> Any:
    """Clamps of what is also read without."""
    clamped = [ops.maximum(ops.minimum(x, 1.0), -1.0), ops.clip(x, -0.5, 2.0), layers.Maximum()([x, x * 0.2])]
    return layers.Concatenate()([x, *clamped])


def two_heads() -> keras.Model:
    window = layers.Input((STEPS, CHANNELS))
    flat = layers.Flatten()(layers.Conv1D(8, 3, strides=2, activation="relu")(window))
    return keras.Model(window, layers.Add()([head(flat), layers.Dense(CLASSES)(layers.GlobalMaxPooling1D()(window))]))


# A cell of its own for each, so that the weights of one are not those of another.
MODELS: dict[str, Callable[[], keras.Model]] = {
    "lstm first": lambda: stacked(layers.LSTM(5), start=False),
    "lstm sequences": lambda: stacked(layers.LSTM(5, return_sequences=True, go_backwards=True)),
    "lstm functional with states": lambda: functional(with_states),
    "lstm relu without bias": lambda: stacked(layers.LSTM(4, activation="relu", use_bias=False)),
    "gru first": lambda: stacked(layers.GRU(5), start=False),
    "gru reset before": lambda: stacked(layers.GRU(5, reset_after=False)),
    "gru without bias": lambda: stacked(layers.GRU(5, use_bias=False)),
    "simple rnn": lambda: stacked(layers.Rescaling(0.1), layers.SimpleRNN(5), start=False),
    "rnn of a cell": lambda: stacked(layers.RNN(layers.GRUCell(4))),
    "bidirectional lstm": lambda: stacked(layers.Bidirectional(layers.LSTM(3, return_sequences=True)), start=False),
    "bidirectional gru sum": lambda: functional(layers.Bidirectional(layers.GRU(3), merge_mode="sum")),
    "layer norm": lambda: stacked(layers.LayerNormalization(epsilon=0.3), layers.ReLU()),
    "layer norm over time": lambda: functional(layers.LayerNormalization(axis=(1, 2))),
    "layer norm first": lambda: stacked(layers.LayerNormalization(), layers.LSTM(3), start=False),
    "group norm": lambda: stacked(layers.GroupNormalization(4), layers.ReLU()),
    "rms norm": lambda: functional(layers.RMSNormalization()),
    "batch norm first": lambda: stacked(
        layers.BatchNormalization(), layers.Conv1D(4, 5, padding="same"), layers.ReLU(), start=False
    ),
    "elu": lambda: stacked(layers.Conv1D(6, 3, activation="elu"), layers.ELU(0.7)),
    "selu and celu": lambda: stacked(layers.Dense(6, activation="selu"), layers.Activation("celu")),
    "gelu": lambda: stacked(layers.Conv1D(6, 3, activation="gelu"), layers.Dense(6, activation="gelu")),
    "silu": lambda: functional(lambda x: ops.silu(layers.Conv1D(12, 3, activation="swish")(x))),
    "hard swish and leaky": lambda: stacked(layers.Dense(6, activation="hard_silu"), layers.LeakyReLU()),
    "prelu and leaky max": lambda: stacked(layers.PReLU(), layers.ReLU(max_value=1.0, negative_slope=0.1)),
    "transformer": lambda: functional(transformer),
    "attention first": lambda: functional(lambda x: layers.MultiHeadAttention(2, 3)(x, x), start=False),
    "dot attention": lambda: functional(lambda x: layers.Attention(use_scale=True)([x, x])),
    "softmax head": lambda: keras.Sequential([stacked(), layers.Softmax()]),
    "log softmax head": lambda: keras.Sequential([stacked(), layers.Activation("log_softmax")]),
    "operation as head": two_heads,
    "clamps beside": lambda: functional(clamps_beside),
    "last step": lambda: functional(lambda x: layers.Conv1D(8, 3, activation="relu")(x)[:, -1]),
    "zeros around": lambda: stacked(
        normalization(), layers.ZeroPadding1D((2, 1)), layers.Conv1D(6, 4, strides=3), layers.ReLU(), start=False
    ),
    "reshaped": lambda: functional(
        lambda x: layers.Conv1D(6, 3, activation="relu")(
            ops.squeeze(ops.expand_dims(ops.reshape(x, (-1, 5, 12)), 3), 3)
        ),
        start=False,
    ),
    "softmax dense": lambda: stacked(layers.Dense(4, activation="softmax"), layers.Dense(4)),
    "residual": lambda: functional(shortcut),
    "nested": lambda: functional(nested),
    "two sensors": lambda: functional(two_sensors, start=False),
    "normalization causal": lambda: stacked(
        normalization(), layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu"), start=False
    ),
    "normalization same": lambda: stacked(
        normalization(), layers.Conv1D(6, 4, strides=3, padding="same"), layers.ReLU(), start=False
    ),
    "rescaling separable": lambda: stacked(
        layers.Rescaling(0.1, 0.4), layers.SeparableConv1D(8, 3, padding="same"), layers.ReLU(), start=False
    ),
    "depthwise": lambda: stacked(layers.DepthwiseConv1D(3, depth_multiplier=2), layers.ReLU(), start=False),
    "grouped": lambda: stacked(normalization(), layers.Conv1D(6, 3, groups=2, activation="relu"), start=False),
    "flat dense": lambda: stacked(normalization(), layers.Flatten(), layers.Dense(9, activation="relu"), start=False),
    "two axes": lambda: stacked(
        layers.Reshape((STEPS, CHANNELS, 1)),
        layers.Conv2D(4, (5, 1), activation="relu"),
        layers.Conv2D(6, (3, CHANNELS), activation="relu"),
        layers.GlobalMaxPooling2D(),
        start=False,
    ),
    "pooled first": lambda: stacked(
        layers.MaxPooling1D(2), layers.Permute((2, 1)), layers.Dense(8, activation="relu"), start=False
    ),
    "distributed": lambda: stacked(
        layers.Reshape((2, 5, CHANNELS)), layers.TimeDistributed(layers.LSTM(3)), layers.GRU(3), start=False
    ),
    "dropout and squeeze": lambda: functional(
        lambda x: squeeze_and_excite(layers.SpatialDropout1D(0.5)(layers.GaussianNoise(1.0)(x)))
    ),
}


def made(name: str) -> keras.Model:
    """The model of a name, every weight and statistic disturbed."""
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if "seed" in weight.path or "normalization/mean" in weight.path or weight.path.endswith("count"):
            continue
        noisy = np.asarray(weight) + rng.normal(size=weight.shape) * 0.2
        weight.assign(np.abs(noisy) + 0.1 if "variance" in weight.path else noisy)
    return model


def windows(count: int, seed: int = 0) -> np.ndarray:
    """Windows in SI units, within the range of the contract."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, STEPS, CHANNELS)) * [5, 5, 5, 2, 2, 2] + [0, 9.8, 0, 0, 0, 0]).astype(np.float32)
