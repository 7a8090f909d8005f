"""An emulated ARM machine: instructions per inference, and tests of the simulated chips and of the whole toolkit.

:func:`count_instructions` counts; it measures no time: see :mod:`.machine`. :func:`check_with_kernel` tests the
simulated chips with Linux' own drivers, and :mod:`.verify` tests the whole toolkit.
"""

from functools import partial

from deseptr.contract.moved import moved_name

from .cost import ArmCost as ArmCost, ArmCosts as ArmCosts, count_instructions as count_instructions
from .image import ImageRecipe as ImageRecipe
from .kernel_check import Reading as Reading, check_with_kernel as check_with_kernel
from .machine import CPUS as CPUS, Job as Job

__getattr__ = partial(moved_name, __name__)
