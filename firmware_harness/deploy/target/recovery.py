"""The end of what was interrupted: before each start of the service, after a killed installer, before a change."""

from __future__ import annotations

import time
from collections.abc import Callable

from .installed_service import InstalledServices, MakeService
from .releases import LockedError, Releases
from .reporting import Report
from .service import make_service

_GUARD_STEPS = 300
_STEP = 0.2  # seconds


def recover(releases: Releases, make: MakeService = make_service) -> str | None:
    """End an interrupted trial; called before each start of the service, possibly on a medium that is read-only.

    Returns:
        The release that was left; None if there was no such trial, or a deployment is in progress.

    Raises:
        OSError: if something has to be changed and cannot be.
    """
    services = InstalledServices(releases, make)
    if not releases.prefix.is_dir() or services.is_settled():
        return None
    try:
        with releases.lock():
            left = releases.recover()
            services.settle(wait=False)
            return left
    except LockedError:
        return None


def restore(releases: Releases, make: MakeService = make_service, sleep: Callable[[float], None] = time.sleep) -> None:
    """Have the last good release run again after an installer was killed; without any, remove what it left.

    Another deployment that has begun meanwhile does the same.
    """
    services = InstalledServices(releases, make)
    for _ in range(_GUARD_STEPS):
        try:
            with releases.lock():
                _run_last_good(releases, services)
            return
        except LockedError:
            sleep(_STEP)


def end_interrupted(releases: Releases, services: InstalledServices, report: Report) -> None:
    """End an interrupted change, if there was one, and have the last good release run; the lock is held."""
    trial = releases.state().trial
    if trial is None and (services.is_settled() or services.earlier_settings() is not None):
        return
    _run_last_good(releases, services)
    what = "change" if trial is None else f"trial of {trial}"
    report(f"an earlier {what} was interrupted: back to {releases.current() or 'nothing'}")


def _run_last_good(releases: Releases, services: InstalledServices) -> None:
    if not services.is_settled():
        # What runs may be the release on trial.
        services.stop()
    releases.recover()
    services.adopt_earlier(None)
    services.settle()
    if releases.current() is not None and services.current().state() != "active":
        services.current().start()
