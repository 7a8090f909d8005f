"""Recordings in, a distilled classifier and its contract out.

Keras and TensorFlow are loaded by the modules, not by this package: ``from deseptr.train.pipeline import train``.
"""

from .checkpoint import load_run as load_run
from .config import TrainConfig as TrainConfig
from .run_folder import Calibration as Calibration, RunFolder as RunFolder
