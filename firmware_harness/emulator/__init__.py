"""An emulated ARM machine without a board: instructions per inference, and simulated chips tried against Linux itself.

``deseptr firmware arm-cost MODEL.tflite`` counts. It is no clock: see :mod:`.machine`. The chips are
:func:`check_with_kernel`'s, and :mod:`.verify` tries all of the toolkit.
"""

from .cost import ArmCost as ArmCost, ArmCosts as ArmCosts, count_instructions as count_instructions
from .image import Recipe as Recipe
from .kernel_check import Reading as Reading, check_with_kernel as check_with_kernel
from .machine import CPUS as CPUS, Job as Job
