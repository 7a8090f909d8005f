"""TensorFlow Lite Micro: the firmware's source, and the interpreter that measures the arena."""

from functools import partial

from deseptr.contract.moved import moved_name

__getattr__ = partial(moved_name, __name__)
