"""The operations that change what runs on a board: install and try a bundle, roll back, recover, uninstall.

None leaves a broken service. What a release needs (environment, trusted keys, kind of service, this package) is part of
it, see :mod:`.release_settings`; nothing that runs is touched before a bundle is verified and installed beside it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle import read_bundle
from .environment import check_environment
from .guard import Guard
from .health import watch_service
from .installed_service import InstalledServices, MakeService
from .installing import build_release
from .manifest import Manifest
from .probe import probe
from .recovery import end_interrupted
from .refusal import RefusedError
from .release_settings import PROGRAM, ReleaseSettings, add_settings, read_settings
from .releases import Releases
from .reporting import Report
from .service import make_service
from .service_page import page_address
from .supervisor import LOG
from .target_check import check_target
from .trial import try_release


@dataclass(frozen=True)
class Settings:
    """Settings of an installation.

    Args:
        service: ``system``, ``user`` or ``supervised``.
        allow_downgrade: whether a lower build number may replace a higher one.
        keep: number of good releases that stay.
        settle: time for which the started service must stay up, seconds.
        environment: NAME=VALUE lines for the service; None takes over those of the running release.
        trust: allowed signers, valid from the next bundle on; of this bundle too, if the board has none yet. None takes
            over those of the running release.
    """

    service: str
    allow_downgrade: bool = False
    keep: int = 3
    settle: float = 5.0
    environment: str | None = None
    trust: str | None = None


def install(
    bundle: Path,
    releases: Releases,
    settings: Settings,
    report: Report,
    *,
    program: bytes | None = None,
    make: MakeService = make_service,
) -> dict[str, Any]:
    """Verify a bundle, install it beside the running release, try it, and go back if it fails.

    Args:
        bundle: the bundle.
        releases: the releases of the board.
        settings: how to install it.
        report: called with a line for each step.
        program: the zip of this package, which becomes part of the release.
        make: makes the service of a kind.

    Returns:
        The release, the observations of its trial, and the address of its page.

    Raises:
        RefusedError: if a step fails; what ran before runs as it did.
    """
    services = InstalledServices(releases, make)
    with releases.lock():
        end_interrupted(releases, services, report)
        services.adopt_earlier(program)
        if settings.environment is not None:
            check_environment(settings.environment)
        manifest = _unpack_and_build(bundle, releases, settings, report)
        its = _settings_of_release(releases, settings, program)
        try:
            added = add_settings(releases.folder / manifest.release, its)
            seen = try_release(releases, manifest, its.service, added, services, settings.settle, report)
        except RefusedError:
            releases.prune(settings.keep)
            raise
        removed = releases.prune(settings.keep)
    page = page_address(releases.folder / manifest.release, manifest, its.service)
    return {
        "release": manifest.release,
        "manifest_build": manifest.build,
        "seen": seen,
        "removed": removed,
        "page": page,
    }


def roll_back(releases: Releases, report: Report, make: MakeService = make_service) -> dict[str, Any]:
    """Go back to the previous good release with its settings, and start it.

    Raises:
        RefusedError: if there is none, or it does not start.
    """
    services = InstalledServices(releases, make)
    with releases.lock():
        end_interrupted(releases, services, report)
        services.adopt_earlier(None)
        with Guard(releases.prefix) as guard:
            try:
                left, current = releases.roll_back()
                services.stop()
                services.settle()
                services.current().start()
                watch_service(services.current(), 1.0)
            except Exception:
                guard.dismiss()
                raise
            guard.dismiss()
    return {"left": left, "release": current}


def uninstall(releases: Releases, make: MakeService = make_service) -> dict[str, Any]:
    """Stop the service and remove it with all releases, settings and secrets.

    Raises:
        RefusedError: if there is no installation.
    """
    prefix = releases.prefix
    if not releases.folder.is_dir():
        raise RefusedError(
            prefix, found="no installation", expected="one made by flash", next_step="check the host and --prefix"
        )
    services = InstalledServices(releases, make)
    with releases.lock():
        for kind in services.kinds():
            services.service(kind).remove()
        names = releases.names()
        # Remove only files of the installation: the prefix may be a folder that existed before.
        for name in ("releases", "incoming", "etc"):
            shutil.rmtree(prefix / name, ignore_errors=True)
        for name in ("current", "state.json", PROGRAM, "supervisor.pid", "supervisor.json", "settings.json", "lock"):
            (prefix / name).unlink(missing_ok=True)
        # Also that of a service that is no longer installed, as after a first release that failed its trial.
        for path in prefix.glob(f"{LOG}*"):
            path.unlink(missing_ok=True)
    if not any(prefix.iterdir()):
        prefix.rmdir()
    return {"removed": names}


def _settings_of_release(releases: Releases, settings: Settings, program: bytes | None) -> ReleaseSettings:
    """The settings of a new release: what is not given is as for the running one."""
    before = _running_settings(releases) or ReleaseSettings(settings.service)
    return ReleaseSettings(
        settings.service,
        before.environment if settings.environment is None else settings.environment,
        before.trust if settings.trust is None else settings.trust,
        program or before.program,
    )


def _running_settings(releases: Releases) -> ReleaseSettings | None:
    current = releases.current()
    return None if current is None else read_settings(releases.folder / current)


def _unpack_and_build(bundle: Path, releases: Releases, settings: Settings, report: Report) -> Manifest:
    report("verifying the bundle")
    for path in (*releases.incoming.glob("staged-*"), *releases.incoming.glob("gone-*")):
        shutil.rmtree(path, ignore_errors=True)
    # A name of its own: a killed installer's pip may still write into its folder.
    staged = Path(tempfile.mkdtemp(prefix="staged-", dir=releases.incoming))
    staged.chmod(0o755)
    try:
        with bundle.open("rb") as stream, _signers(releases, settings) as signers:
            manifest = read_bundle(stream, staged, signers)
        check_target(manifest, probe(releases.prefix))
        releases.check_build(manifest, allow_downgrade=settings.allow_downgrade)
        if _is_there(releases, manifest):
            return manifest
        report("installing beside the running release")
        build_release(staged, releases.folder / manifest.release, manifest)
        releases.adopt(staged, manifest.release)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest


@contextmanager
def _signers(releases: Releases, settings: Settings) -> Iterator[Path | None]:
    """File with the keys of which one must have signed: those of the running release, or those that are to come."""
    running = _running_settings(releases)
    trust = settings.trust if running is None or running.trust is None else running.trust
    if trust is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", prefix="deseptr-", suffix=".signers") as file:
        file.write(trust)
        file.flush()
        yield Path(file.name)


def _is_there(releases: Releases, manifest: Manifest) -> bool:
    """Whether the same release is installed; one of that name that is incomplete or was never good is removed."""
    name = manifest.release
    there = name in releases.names()
    if there and releases.manifest(name) == manifest:
        return True
    if not there or (name not in releases.state().good and name != releases.current()):
        shutil.rmtree(releases.folder / name, ignore_errors=True)
        return False
    raise RefusedError(
        f"bundle {name}",
        found="other content under the same build number",
        expected="a unique build number",
        next_step="nothing was changed; make the bundle with a higher --build",
    )
