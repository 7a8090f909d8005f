"""Windows of wearers who stand, sit and walk with a sensor that is mounted alike, but for small differences."""

import numpy as np

from deseptr.contract import CHANNELS
from deseptr.data.windows import Windows

LABELS = ("standing", "sitting", "walking")
RATE_HZ, LENGTH = 50.0, 128
GRAVITY = {"standing": (0.5, 9.7, 1.0), "sitting": (2.0, 3.0, 9.0), "walking": (0.0, 9.8, 0.5)}


def wearer_samples(seed, label, windows):
    """Samples ``[windows * LENGTH, 6]`` of one activity."""
    rng = np.random.default_rng([seed, LABELS.index(label)])
    count = windows * LENGTH
    samples = rng.normal(0, [0.05] * 3 + [0.02] * 3, (count, 6))
    samples[:, :3] += np.array(GRAVITY[label]) + rng.normal(0, 0.4, 3)
    if label == "walking":
        step = 2 * np.pi * rng.uniform(0.8, 1.1) * np.arange(count) / RATE_HZ
        # A leg swings about x: it turns once a stride, is pushed up at each step and forward along z.
        samples[:, 3] += 2.0 * np.sin(step)
        samples[:, 5] += 0.5 * np.cos(step)
        samples[:, 1] += 3.0 * np.sin(2 * step + 0.5)
        samples[:, 2] += 1.5 * np.sin(step + 0.3) + rng.normal(0, 0.3, count)
    return samples.astype(np.float32)


def worn_windows(subjects=6, windows=20, length=LENGTH):
    """Windows of all activities of some wearers, named from 1 on; shorter ones are more."""
    pieces, labels, names = [], [], []
    for subject in range(1, subjects + 1):
        for index, label in enumerate(LABELS):
            pieces.append(wearer_samples(subject, label, windows).reshape(-1, length, 6))
            labels += [index] * len(pieces[-1])
            names += [str(subject)] * len(pieces[-1])
    zeros = np.zeros(len(labels), np.int64)
    signals = np.concatenate(pieces)
    return Windows(signals, np.array(labels), np.array(names), zeros, zeros, LABELS, RATE_HZ, channels=CHANNELS)
