"""A wearable without hardware, and the way onto a real one: simulator, deploy, emulator."""

from functools import partial

from deseptr.contract.moved import moved_name

__getattr__ = partial(moved_name, __name__)
