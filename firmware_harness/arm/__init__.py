"""Instructions per inference of ``.tflite`` models, counted on an emulated ARM machine without a board.

``python -m deseptr.firmware_harness.arm MODEL.tflite``. It is no clock: see :mod:`.machine`.
"""

from .cost import ArmCost, ArmCosts, count_instructions
from .image import Recipe
from .machine import CPUS, Job

__all__ = ["CPUS", "ArmCost", "ArmCosts", "Job", "Recipe", "count_instructions"]
