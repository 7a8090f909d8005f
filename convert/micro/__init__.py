"""TensorFlow Lite Micro: C++ source of a model, and the interpreter that measures its arena."""

from functools import partial

from deseptr.contract.moved import moved_name

__getattr__ = partial(moved_name, __name__)
