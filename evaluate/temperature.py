"""The temperature that calibrates a model's confidence, and what it gives for people it was not fitted on.

A model is refitted without each wearer in turn and measured on that wearer, so that the figure after is not that of the
windows that were fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError, Reliability, fit_temperature, reliability, softmax
from deseptr.contract.counts import counted
from deseptr.data import Dataset, Windows
from deseptr.evaluate.predictor import windows_for
from deseptr.tflite import Engine, predict

FORMAT = "deseptr calibration 1"
RESAMPLES = 2000
# Neighbouring windows are alike: these many are drawn together.
STRETCH = 20
# So few could all lie on one side by chance: 2 / 2**5 is more than 5 %.
TOO_FEW = 5
# Two-sided, as of an interval of 95 %.
SURE = 0.975


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted temperature.

    Args:
        temperature: divisor of the logits.
        sided: share of resamples of the windows that ask for a temperature on the same side of 1 as this one; 0.5 if
            they are too few to tell.
        subjects: the wearers it was fitted on.
        windows: number of their windows.
        before: reliability without a temperature.
        after: reliability of each wearer's windows with the temperature of the others; with the temperature itself if
            there is one wearer.
    """

    temperature: float
    sided: float
    subjects: tuple[str, ...]
    windows: int
    before: Reliability
    after: Reliability

    @property
    def sure(self) -> bool:
        """Whether the windows tell the temperature from 1, which changes nothing."""
        return self.sided >= SURE

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "temperature": self.temperature,
            "sided": self.sided,
            "sure": self.sure,
            "subjects": list(self.subjects),
            "windows": self.windows,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }


def calibrate(engine: Engine, dataset: Dataset) -> Calibration:
    """Fit the temperature of a model on labelled recordings of people whom it was not trained on.

    Args:
        engine: the model; a temperature that its contract has already is left out of account.
        dataset: the recordings.

    Raises:
        DataError: if no window is labelled, or they are of one class.
    """
    windows = windows_for(engine.contract, dataset)
    if len(np.unique(windows.labels)) < 2:
        raise DataError(
            dataset.name,
            found=f"{counted(len(windows), 'window')} of one of the model's classes",
            expected="windows of several classes",
            next_step="choose other recordings or wearers",
        )
    logits = predict(engine, windows.signals) * (engine.contract.logit_temperature or 1.0)
    temperature = fit_temperature(logits, windows.labels)
    return Calibration(
        temperature,
        _sided(logits, windows, hotter=temperature > 1),
        tuple(np.unique(windows.subjects).tolist()),
        len(windows),
        reliability(softmax(logits), windows.labels),
        reliability(softmax(_left_out(logits, windows)), windows.labels),
    )


def _sided(logits: NDArray[np.float32], windows: Windows, *, hotter: bool) -> float:
    """Share of resamples whose temperature is above 1, or below.

    The likelihood has one maximum, so that its slope at 1 tells the side without a fit: it is the mean over windows of
    the true logit minus the one that is expected. Stretches of neighbouring windows are resampled (Efron and Tibshirani
    1993, section 8.6).
    """
    exact = np.asarray(logits, np.float64)
    slopes = exact[np.arange(len(exact)), windows.labels] - (softmax(exact) * exact).sum(axis=1)
    recordings = np.split(slopes, np.flatnonzero(np.diff(windows.recording)) + 1)
    sums = np.array([part.sum() for each in recordings for part in np.array_split(each, max(1, len(each) // STRETCH))])
    if len(sums) <= TOO_FEW:
        return 0.5
    drawn = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES) @ sums
    return float((drawn < 0 if hotter else drawn > 0).mean())


def _left_out(logits: NDArray[np.float32], windows: Windows) -> NDArray[np.float64]:
    """Logits, each wearer's divided by the temperature of the others."""
    scaled = np.asarray(logits, np.float64).copy()
    names = np.unique(windows.subjects)
    for name in names:
        own = windows.subjects == name
        others = ~own if len(names) > 1 else own
        scaled[own] /= fit_temperature(logits[others], windows.labels[others])
    return scaled
