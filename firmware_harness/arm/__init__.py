"""An emulated ARM machine without a board: instructions per inference, and simulated chips tried against Linux itself.

``python -m deseptr.firmware_harness.arm MODEL.tflite`` counts. It is no clock: see :mod:`.machine`. The chips are
:func:`check_with_kernel`'s, and :mod:`.verify` tries all of the toolkit.
"""

from .cost import ArmCost, ArmCosts, count_instructions
from .image import Recipe
from .kernel_check import Reading, check_with_kernel
from .machine import CPUS, Job

__all__ = ["CPUS", "ArmCost", "ArmCosts", "Job", "Reading", "Recipe", "check_with_kernel", "count_instructions"]
