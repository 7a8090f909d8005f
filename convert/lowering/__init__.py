"""A trained network rewritten, exactly, into the operations that int8 kernels are fast at."""

from functools import partial

from deseptr.contract.moved import moved_name

__getattr__ = partial(moved_name, __name__)
