"""Plausibility of a sensor's samples, judged before inference."""

from .judge import FINDINGS as FINDINGS, Plausibility as Plausibility, PlausibilityLimits as PlausibilityLimits
