"""Onto a board and back: bundles, releases with a trial and a way back, over nothing but ssh and the board's Python.

:mod:`.target` is what runs on the board; the other modules are the workstation's side.
"""

from .bundle import BundleRequest as BundleRequest, inspect_bundle as inspect_bundle, make_bundle as make_bundle
from .errors import FlashError as FlashError
from .flash import FlashRequest as FlashRequest, Plan as Plan, flash as flash, plan_flash as plan_flash
from .ssh import SshOptions as SshOptions, SshTarget as SshTarget
from .wheelhouse import fill_wheelhouse as fill_wheelhouse
