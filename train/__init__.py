"""Training: recordings in, a distilled classifier and its contract out.

Keras and TensorFlow are imported by the modules, not by this package: ``from deseptr.train.pipeline import train``.
"""

from functools import partial

from deseptr.contract.moved import moved_name

from .checkpoint import load_run as load_run
from .config import TrainConfig as TrainConfig
from .run_folder import CalibrationWindows as CalibrationWindows, RunFolder as RunFolder

__getattr__ = partial(moved_name, __name__)
