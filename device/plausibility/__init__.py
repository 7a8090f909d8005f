"""Plausibility of a sensor's samples, judged before inference."""

from .judge import (
    FINDINGS as FINDINGS,
    LEAST_S as LEAST_S,
    Plausibility as Plausibility,
    PlausibilityLimits as PlausibilityLimits,
)
