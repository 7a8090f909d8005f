"""Drift: whether a sensor, its wearer or their life have changed since the training, one summary a day."""
