"""DeiT: a ViT with a distillation token and distillation head."""

from __future__ import annotations

from typing import ClassVar

import keras

from .vit import ViT

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class DeitViT(ViT):
    """Distilled vision transformer with a class and a distillation token and head; arguments as :class:`ViT`.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Example:
        >>> class_logits, distillation_logits = DeitViT(classes=5, dim=8)(keras.ops.zeros((2, 17, 25, 12)))
        >>> tuple(class_logits.shape), tuple(distillation_logits.shape)
        ((2, 5), (2, 5))

    Reference: Touvron et al., Training data-efficient image transformers & distillation through attention, ICML 2021.
    """

    distilled: ClassVar[bool] = True
