"""What the page needs to compute the spectrogram as the model sees it: the kernels of the model's own graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SetupError
from deseptr.tflite import TfliteFile
from deseptr.tflite.graph_spectrogram import SATURATION, SpectrogramPart, read_spectrogram

# Far finer than the int8 steps of a weight.
_DIGITS = 4


def spectrogram_of(model: TfliteFile) -> dict[str, Any] | None:
    """Plain JSON values for the page; None for a model without a spectrogram, or where the graph cannot be read.

    Args:
        model: content and contract of the file.

    Returns:
        ``length`` and ``step`` of a frame in samples, the ``range`` of each channel, ``views`` of the contract,
        ``saturation`` of projections, and ``parts`` with ``name``, ``view``, ``projections`` and ``sums``.
    """
    try:
        parts = read_spectrogram(model.content, model.contract)
    except SetupError:
        return None
    if not parts:
        return None
    stft, views = model.contract.stft, model.contract.views
    return {
        "length": stft.frame_length,
        "step": stft.frame_step,
        "range": list(model.contract.input_range),
        "views": views and {"history": views.history, "thresholds": list(views.thresholds)},
        "saturation": SATURATION,
        "parts": [_plain(part, strong=not index) for index, part in enumerate(parts)],
    }


def _plain(part: SpectrogramPart, *, strong: bool) -> dict[str, Any]:
    name = "strong motion" if strong else "weak motion"
    return {"name": name, "view": part.view, "projections": _rows(part.projections), "sums": _rows(part.sums)}


def _rows(values: NDArray[np.float32]) -> list[list[float]]:
    return [[float(f"{value:.{_DIGITS}g}") for value in row] for row in values]
