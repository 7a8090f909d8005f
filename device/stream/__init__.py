"""From samples to windows: clock estimation, resampling, ring, gaps."""

from functools import partial

from deseptr.contract.moved import moved_name

__getattr__ = partial(moved_name, __name__)
