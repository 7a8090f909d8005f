"""DeSepTr on two views: tokens of spectrogram and waveform, separable, local in time until the last block."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from .clamped_block import ClampedBlock
from .spectrum_stem import SpectrumStem
from .view_spectrogram import ViewSpectrogram
from .waveform_trunk import WaveformTrunk

PACKAGE = "deseptr"
COLUMN_LENGTH, COLUMN_STEP = 48, 16
_SPECIAL = 2
_HEAD_DROPOUT = 0.2


@keras.saving.register_keras_serializable(PACKAGE)
class WaveformDeSepTr(keras.Model):
    """Data-efficient separable transformer on the coarse and fine view of a window, with two heads.

    A column of 48 samples gives 8 tokens: 6 of the spectrogram and 2 of the waveform. The first block encodes the two
    special tokens of each column by itself; the second encodes them along time. The heads also get the waveform's peaks
    over all columns. Columns begin every 16 samples and are independent until the second block, so that a stream can
    keep them. There is no layer norm: all norms fold into weights, and clamps are saturations of int8 operations.

    Args:
        classes: number of classes.
        dim: width of a token.
        mixed: features of the waveform across channels.
        hidden: hidden width of the MLPs.
        dropout: dropout on each residual branch.

    Input shape: ``[batch, window_length, 2 · channels]``, at least 48 samples: all coarse channels, then all fine
    channels, int8 values over 127.5.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Example:
        >>> class_logits, distillation_logits = WaveformDeSepTr(classes=5)(keras.ops.zeros((2, 128, 12)))
        >>> tuple(class_logits.shape), tuple(distillation_logits.shape)
        ((2, 5), (2, 5))

    Reference: McQuire et al., A Data Efficient Vision Transformer for Robust Human Activity Recognition from the
    Spectrograms of Wearable Sensor Data, IEEE SSP 2023; Ristea et al., SepTr, Interspeech 2022; Touvron et al., DeiT,
    ICML 2021.
    """

    distilled: ClassVar[bool] = True

    def __init__(
        self,
        classes: int,
        dim: int = 32,
        mixed: int = 144,
        hidden: int = 64,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.dim = dim
        self.mixed = mixed
        self.hidden = hidden
        self.dropout = dropout
        self.spectrogram = ViewSpectrogram(name="spectrogram")
        self.stem = SpectrumStem(dim, name="stem")
        self.trunk = WaveformTrunk(dim, mixed=mixed, name="trunk")
        self.frequency_block = ClampedBlock(dim, _SPECIAL, hidden, dropout, name="frequency_block")
        self.time_block = ClampedBlock(dim, _SPECIAL, hidden, dropout, name="time_block")
        self.drop = layers.Dropout(_HEAD_DROPOUT)
        self.class_head = layers.Dense(classes, name="class_head")
        self.distillation_head = layers.Dense(classes, name="distillation_head")

    @property
    def output_heads(self) -> list[layers.Layer]:
        """The class head and the distillation head."""
        return [self.class_head, self.distillation_head]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the sublayers and create the special tokens and positions.

        Raises:
            ValueError: if the window is shorter than a column.
        """
        batch, length, _ = input_shape
        if length is None or length < COLUMN_LENGTH:
            raise ValueError(f"The window must have at least {COLUMN_LENGTH} samples. Received: {length}")
        columns = (length - COLUMN_LENGTH) // COLUMN_STEP + 1
        spectrogram = self.spectrogram.compute_output_shape(input_shape)
        self.spectrogram.build(input_shape)
        self.stem.build(spectrogram)
        self.trunk.build(input_shape)
        tokens = self.spectrogram.bins // 2 + len(self.trunk.projections)
        self.frequency_position = self._weight((tokens, self.dim), 0.1, "frequency_position")
        self.special = self._weight((_SPECIAL, self.dim), 0.4, "special")
        self.time_position = self._weight((columns, 1, self.dim), 0.1, "time_position")
        self.time_special = self._weight((_SPECIAL, self.dim), 0.4, "time_special")
        self.frequency_block.build((batch, None, None, self.dim))
        self.time_block.build((batch, None, self.dim))
        for head in self.output_heads:
            head.build((batch, self.dim + self.mixed))
        self.built = True

    def _weight(self, shape: tuple[int, ...], stddev: float, name: str) -> Any:
        return self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(stddev=stddev), name=name)

    def adapt(self, views: NDArray[np.float32]) -> None:
        """Measure the spectrogram's gains in encoded training windows ``[window, window_length, 2 · channels]``."""
        self.spectrogram.adapt(views)

    def columns(self, views: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Encoded special tokens ``[batch, columns, 2, dim]`` and peaks ``[batch, columns, mixed]`` of each column."""
        count = self.time_position.shape[0]
        of_waveform, peaks = self.trunk(views, training=training)
        of_spectrum = self.stem(self.spectrogram(views), training=training)
        tokens = ops.concatenate([of_spectrum[:, :count], of_waveform[:, :count]], axis=2)
        placed = ops.clip(tokens + self.frequency_position, -1.0, 1.0)
        special = ops.broadcast_to(self._clamped(self.special), (ops.shape(views)[0], count, _SPECIAL, self.dim))
        encoded = self.frequency_block(ops.concatenate([special, placed], axis=2), training=training)
        return encoded, peaks[:, :count]

    def call(self, views: Any, training: bool | None = None) -> Any:
        """Logits of both heads."""
        encoded, peaks = self.columns(views, training)
        count = self.time_position.shape[0]
        placed = ops.reshape(ops.clip(encoded + self.time_position, -1.0, 1.0), (-1, count * _SPECIAL, self.dim))
        special = ops.broadcast_to(self._clamped(self.time_special), (ops.shape(views)[0], _SPECIAL, self.dim))
        special = self.time_block(ops.concatenate([special, placed], axis=1), training=training)
        highest = ops.max(peaks, axis=1)
        features = [ops.concatenate([special[:, index], highest], axis=-1) for index in range(_SPECIAL)]
        dropped = [self.drop(x, training=training) for x in features]
        return tuple(head(x) for head, x in zip(self.output_heads, dropped, strict=True))

    @staticmethod
    def _clamped(weight: Any) -> Any:
        return ops.clip(ops.convert_to_tensor(weight), -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        own = {name: getattr(self, name) for name in ("classes", "dim", "mixed", "hidden", "dropout")}
        return {**super().get_config(), **own}
