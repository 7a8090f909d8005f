"""What the networks of `tests/pt2` were trained on."""

from __future__ import annotations

import numpy as np

STEPS, CHANNELS, CLASSES = 32, 6, 3


def windows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows in SI units of three classes that differ in rate and posture, and their classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    time = np.arange(STEPS) / 20
    phase = (labels + 1)[:, None, None] * time[:, None] + rng.uniform(size=(count, 1, CHANNELS))
    swing = np.sin(2 * np.pi * phase) * [8, 8, 8, 2, 2, 2]
    posture = np.stack([np.zeros(count), 9.8 - 3 * labels, 4.0 * labels, *np.zeros((3, count))], axis=1)
    noise = rng.normal(size=(count, STEPS, CHANNELS)) * 0.5
    return (swing + posture[:, None] + noise).astype(np.float32), labels
