"""Signals float32 ``[sample, 6]`` of 20 s at 50 Hz that no worn sensor measures, with the noise of a chip."""

import numpy as np

from deseptr.firmware_harness.simulator import RestingSource

G = 9.80665
RATE_HZ = 50.0


def at_rest(seconds=20, seed=0):
    noise = RestingSource(np.random.default_rng(seed)).at(np.arange(round(seconds * RATE_HZ)))
    return noise.astype(np.float32)


def constant(*signals):
    return np.tile(np.float32(signals), (1000, 1))


def washing_machine():
    signals = at_rest()
    turns = 2 * np.pi * 13 * np.arange(len(signals)) / RATE_HZ
    signals[:, 0] += 4 * np.sin(turns)
    signals[:, 1] += 4 * np.cos(turns)
    return signals


def rotating(axis):
    signals = at_rest()
    signals[:, 3 + axis] += 2
    return signals


def white_noise():
    return np.random.default_rng(0).normal(0, [2 * G] * 3 + [2] * 3, (1000, 6)).astype(np.float32)
