"""Checks of everything that a model on a wearable depends on, each with what was found and what to do about it."""

from .checks import CHECKS as CHECKS
from .finding import Finding as Finding, Level as Level, Verdict as Verdict
from .run_checks import Check as Check, examine as examine, worst as worst
from .subject import Host as Host, Patient as Patient
