"""Measuring models on labelled recordings: offline, over the bus, by cross-validation, against each other."""
