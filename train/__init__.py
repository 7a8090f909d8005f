"""Recordings in, a distilled classifier and its contract out.

Keras and TensorFlow are loaded by the modules, not by this package: ``from deseptr.train.pipeline import train``.
"""

from .checkpoint import load_run
from .config import TrainConfig
from .run_folder import Calibration, RunFolder

__all__ = ["Calibration", "RunFolder", "TrainConfig", "load_run"]
