"""SepTr with DeiT's distillation token and distillation head."""

from __future__ import annotations

from typing import ClassVar

import keras

from .septr import SepTr

PACKAGE = "deseptr"


@keras.saving.register_keras_serializable(PACKAGE)
class DeitSepTr(SepTr):
    """Distilled separable transformer on patches: DeSepTr without the teacher's stem; arguments as :class:`SepTr`.

    Input shape: ``[batch, bins, frames, channels]``, a spectrogram.
    Output: logits of the class head and of the distillation head, ``[batch, classes]`` each.

    Example:
        >>> class_logits, distillation_logits = DeitSepTr(classes=5, dim=8)(keras.ops.zeros((2, 17, 25, 12)))
        >>> tuple(class_logits.shape), tuple(distillation_logits.shape)
        ((2, 5), (2, 5))

    Reference: Ristea et al., SepTr, Interspeech 2022; Touvron et al., DeiT, ICML 2021.
    """

    distilled: ClassVar[bool] = True
