"""DeSepTr: a distilled separable transformer on the teacher's stem.

The grid of stem features is encoded along frequency, column by column, and then along time, row by row. Frequency is
first because columns are then independent of each other, so that a stream can reuse encoded columns.
"""

from __future__ import annotations

from typing import Any

import keras

from .deit_septr import DeitSepTr
from .resnet18 import ResNetStem

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class DeSepTr(DeitSepTr):
    """Data-efficient separable transformer with a class and a distillation head.

    Args:
        classes: number of classes.
        dim: width of a token.
        heads: attention heads.
        depth: number of pairs of encoder blocks.
        stem_filters: channels of the stem; must equal those of the teacher's stem.
        mlp_ratio: hidden width of the MLPs over ``dim``.
        dropout: dropout on each residual branch.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Example:
        >>> class_logits, distillation_logits = DeSepTr(classes=5, dim=8)(keras.ops.zeros((2, 17, 25, 12)))
        >>> tuple(class_logits.shape), tuple(distillation_logits.shape)
        ((2, 5), (2, 5))

    Reference: McQuire et al., A Data Efficient Vision Transformer for Robust Human Activity Recognition from the
    Spectrograms of Wearable Sensor Data, IEEE SSP 2023; Ristea et al., SepTr, Interspeech 2022; Touvron et al., DeiT,
    ICML 2021.
    """

    def __init__(
        self,
        classes: int,
        dim: int = 48,
        heads: int = 1,
        depth: int = 1,
        stem_filters: int = 64,
        mlp_ratio: int = 2,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        stem = ResNetStem(stem_filters, name="stem")
        super().__init__(classes, dim, heads, depth, 1, mlp_ratio, dropout, stem=stem, **kwargs)
        self.stem_filters = stem_filters

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        inherited = super().get_config()
        return {k: v for k, v in inherited.items() if k not in ("patch", "first")} | {"stem_filters": self.stem_filters}
