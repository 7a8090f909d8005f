"""Deployment to a board: bundles, and releases with a trial and a rollback, with only ssh and the board's Python.

:mod:`.target` runs on the board; the other modules run on the workstation.
"""

from .bundle import BundleRequest as BundleRequest, inspect_bundle as inspect_bundle, make_bundle as make_bundle
from .errors import FlashError as FlashError
from .flash import FlashRequest as FlashRequest, Plan as Plan, flash as flash, plan_flash as plan_flash
from .ssh import SshOptions as SshOptions, SshTarget as SshTarget
from .wheelhouse import fill_wheelhouse as fill_wheelhouse
