"""The trial of a release: in place of the running one, which runs again if it fails."""

from __future__ import annotations

from typing import Any

from .guard import Guard
from .health import check_release, watch_service
from .installed_service import InstalledServices
from .manifest import Manifest
from .refusal import RefusedError
from .releases import Releases
from .reporting import Report


def try_release(
    releases: Releases,
    manifest: Manifest,
    kind: str,
    added: str,
    services: InstalledServices,
    settle: float,
    report: Report,
) -> dict[str, Any]:
    """Try an installed release with settings that were added for it, and confirm it.

    Args:
        releases: the releases.
        manifest: the manifest of the one to try.
        kind: the kind of service in its settings.
        added: name of the settings' folder.
        services: the services of the board.
        settle: time for which the started service must stay up, seconds.
        report: called with a line for each step.

    Returns:
        The observations of the trial.

    Raises:
        RefusedError: if a step fails; what ran before runs as it did.
    """
    name = manifest.release
    if not services.is_settled():
        services.settle()
    services.begin(kind, releases.folder / name / added)
    with Guard(releases.prefix) as guard:
        try:
            report("stopping the service")
            services.stop()
            releases.begin(name, added)
            seen = check_release(releases.folder / name, manifest, report)
            service = services.service(kind)
            service.install(manifest)
            report("starting the service")
            service.start()
            watch_service(service, settle)
            service.enable()
        except Exception as error:  # after any error, the previous release must run again
            refused = _go_back(name, releases, services, error, report)
            guard.dismiss()
            raise refused from error
        releases.confirm()
        services.settle()
        guard.dismiss()
    return seen


def _go_back(
    name: str, releases: Releases, services: InstalledServices, error: Exception, report: Report
) -> RefusedError:
    """Start the last good release again; returns the refusal with cause and outcome."""
    report("going back to the previous release")
    cause = (
        error
        if isinstance(error, RefusedError)
        else RefusedError("board", found=error, expected="no error", next_step="")
    )
    services.stop()
    releases.recover(f"{cause.thing}: {cause.found}")
    services.settle()
    current = releases.current()
    if current is not None:
        services.current().start()
    outcome = "nothing runs, as before" if current is None else f"{current} runs again"
    return RefusedError(
        f"release {name}: {cause.thing}",
        found=cause.found,
        expected=cause.expected,
        next_step=f"{outcome}; {cause.next_step}",
    )
