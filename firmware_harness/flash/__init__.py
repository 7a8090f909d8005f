"""Onto a board and back: bundles, releases with a trial and a way back, over nothing but ssh and the board's Python.

:mod:`.target` is what runs on the board; the other modules are the workstation's side.
"""

from .bundle import BundleRequest, inspect_bundle, make_bundle
from .deploy import FlashRequest, Plan, flash, plan_flash
from .errors import FlashError
from .ssh import SshOptions, SshTarget
from .wheelhouse import fill_wheelhouse

__all__ = [
    "BundleRequest",
    "FlashError",
    "FlashRequest",
    "Plan",
    "SshOptions",
    "SshTarget",
    "fill_wheelhouse",
    "flash",
    "inspect_bundle",
    "make_bundle",
    "plan_flash",
]
