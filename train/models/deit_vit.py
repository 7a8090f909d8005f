"""DeiT: a ViT with a distillation token and a head of its own."""

from __future__ import annotations

from typing import ClassVar

import keras

from .vit import ViT

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class DeitViT(ViT):
    """Distilled vision transformer: class and distillation token, two heads; arguments as :class:`ViT`.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Reference: Touvron et al., Training data-efficient image transformers & distillation through attention, ICML 2021.
    """

    distilled: ClassVar[bool] = True
