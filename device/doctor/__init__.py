"""Checks of everything that a model on a wearable depends on, each with its result and a remedy."""

from functools import partial

from deseptr.contract.moved import moved_name

from .check_runner import Check as Check, run_checks as run_checks, worst as worst
from .checks import CHECKS as CHECKS
from .finding import CheckResult as CheckResult, DoctorFinding as DoctorFinding, Level as Level
from .subject import Host as Host, Subject as Subject

__getattr__ = partial(moved_name, __name__)
