"""All operations that change a board: install and try a bundle, roll back, uninstall. None leaves a broken service."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle import read_bundle
from .environment import write_environment
from .health import check_release, watch_service
from .installing import build_release
from .manifest import Manifest
from .probe import probe
from .refusal import RefusedError
from .releases import Releases, write_durably
from .reporting import Report
from .service import Service, make_service


@dataclass(frozen=True)
class Settings:
    """Settings of an installation.

    Args:
        service: ``system``, ``user`` or ``supervised``.
        allow_downgrade: whether a lower build number may replace a higher one.
        keep: number of good releases that stay.
        settle: time for which the started service must stay up, seconds.
        environment: NAME=VALUE lines for the service; None keeps the present ones.
        trust: allowed signers, valid from the next bundle on if the board has some already; None keeps those.
    """

    service: str
    allow_downgrade: bool = False
    keep: int = 3
    settle: float = 5.0
    environment: str | None = None
    trust: str | None = None


def install(bundle: Path, releases: Releases, settings: Settings, report: Report) -> dict[str, Any]:
    """Verify a bundle, install it beside the running release, try it, and go back if it fails.

    Returns:
        The release, and the observations of its trial.

    Raises:
        RefusedError: if a step fails; the previous release runs again.
    """
    with releases.lock():
        _recover(releases, report)
        _put_settings(releases.prefix, settings)
        manifest = _unpack_and_build(bundle, releases, settings, report)
        service = make_service(releases.prefix, settings.service)
        seen = _try(releases, manifest, service, settings, report)
        if settings.trust is not None:
            # A new key is accepted only with a bundle that the present key has signed.
            _put_trust(releases.prefix, settings.trust)
        removed = releases.prune(settings.keep)
        releases.clear_incoming()
    return {"release": manifest.release, "manifest_build": manifest.build, "seen": seen, "removed": removed}


def roll_back(releases: Releases, report: Report) -> dict[str, Any]:
    """Go back to the previous good release, and start it.

    Raises:
        RefusedError: if there is none, or it does not start.
    """
    with releases.lock():
        _recover(releases, report)
        left, current = releases.roll_back()
        service = service_of(releases.prefix)
        service.stop()
        service.install(releases.manifest(current))
        service.start()
        watch_service(service, 1.0)
    return {"left": left, "release": current}


def recover(releases: Releases) -> str | None:
    """End an interrupted trial; called before each start of the service.

    Returns:
        The release that was left; None if there was no such trial, or a deployment is in progress.
    """
    if not releases.prefix.is_dir() or releases.locked():
        return None
    with releases.lock():
        left = releases.recover()
        current = releases.current()
        if left is not None and current is not None:
            service_of(releases.prefix).install(releases.manifest(current))
    return left


def uninstall(releases: Releases) -> dict[str, Any]:
    """Stop the service and remove it with all releases, settings and secrets.

    Raises:
        RefusedError: if there is no installation.
    """
    prefix = releases.prefix
    if not (prefix / "settings.json").is_file():
        raise RefusedError(
            prefix, found="no installation", expected="one made by flash", next_step="check the host and --prefix"
        )
    with releases.lock():
        service_of(prefix).remove()
        names = releases.names()
        # Remove only files of the installation: the prefix may be a folder that existed before.
        for name in ("releases", "incoming", "etc"):
            shutil.rmtree(prefix / name, ignore_errors=True)
        for name in (
            "current",
            "state.json",
            "target.pyz",
            "start",
            "supervisor.pid",
            "supervisor.json",
            "settings.json",
            "lock",
        ):
            (prefix / name).unlink(missing_ok=True)
        for path in prefix.glob("service.log*"):
            path.unlink()
    if not any(prefix.iterdir()):
        prefix.rmdir()
    return {"removed": names}


def status(releases: Releases) -> dict[str, Any]:
    """The installed releases, the state of the service, and facts about the board."""
    facts = {**releases.to_dict(), "board": probe(releases.prefix), "service": "none", "service_kind": None}
    if (releases.prefix / "settings.json").is_file():
        kind = _kind(releases.prefix)
        facts.update(service=make_service(releases.prefix, kind).state(), service_kind=kind)
    facts["signed_only"] = _signers(releases.prefix) is not None
    return facts


def check_target(manifest: Manifest, board: dict[str, Any]) -> None:
    """Check that a bundle's wheels are for this kind of board.

    Raises:
        RefusedError: if they were not.
    """
    python = "{}.{}".format(*board["python"])
    found = f"{board['machine']}, Python {python}, glibc {board['glibc']}"
    target = manifest.target
    same = (target.machine, target.python) == (board["machine"], python)
    if not same or not board["glibc"] or _version(board["glibc"]) < _version(target.glibc):
        raise RefusedError(
            f"bundle {manifest.release}",
            found=f"wheels for {target}",
            expected=found,
            next_step="nothing was changed; make the bundle for this board",
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def service_of(prefix: Path) -> Service:
    """The installed service.

    Raises:
        RefusedError: if none is installed.
    """
    return make_service(prefix, _kind(prefix))


def _kind(prefix: Path) -> str:
    try:
        return str(json.loads((prefix / "settings.json").read_text())["service"])
    except (OSError, ValueError, KeyError) as error:
        raise RefusedError(
            prefix, found="no installation", expected="one made by flash", next_step="flash it first"
        ) from error


def _put_settings(prefix: Path, settings: Settings) -> None:
    old = _kind(prefix) if (prefix / "settings.json").is_file() else settings.service
    if old != settings.service:
        make_service(prefix, old).remove()
    write_durably(prefix / "settings.json", json.dumps({"service": settings.service}).encode())
    if settings.environment is not None:
        write_environment(prefix, settings.environment)
    if settings.trust is not None and _signers(prefix) is None:
        _put_trust(prefix, settings.trust)
    # The service recovers with this copy, which no bad release can replace.
    running = Path(sys.argv[0])
    if running.suffix == ".pyz":
        write_durably(prefix / "target.pyz", running.read_bytes())


def _put_trust(prefix: Path, trust: str) -> None:
    (prefix / "etc").mkdir(exist_ok=True)
    write_durably(prefix / "etc" / "allowed_signers", trust.encode())


def _signers(prefix: Path) -> Path | None:
    path = prefix / "etc" / "allowed_signers"
    return path if path.is_file() else None


def _unpack_and_build(bundle: Path, releases: Releases, settings: Settings, report: Report) -> Manifest:
    report("verifying the bundle")
    staged = releases.incoming / "staged"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o755)
    try:
        with bundle.open("rb") as stream:
            manifest = read_bundle(stream, staged, _signers(releases.prefix))
        check_target(manifest, probe(releases.prefix))
        releases.check_build(manifest, allow_downgrade=settings.allow_downgrade)
        if _is_there(releases, staged, manifest):
            return manifest
        report("installing beside the running release")
        build_release(staged, releases.folder / manifest.release, manifest)
        releases.adopt(staged, manifest.release)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest


def _is_there(releases: Releases, staged: Path, manifest: Manifest) -> bool:
    """Whether the same release is installed; an incomplete one of that name is removed."""
    name = manifest.release
    if name not in releases.names():
        shutil.rmtree(releases.folder / name, ignore_errors=True)
        return False
    if releases.manifest(name) == manifest:
        return True
    raise RefusedError(
        f"bundle {name}",
        found="other content under the same build number",
        expected="a unique build number",
        next_step="nothing was changed; make the bundle with a higher --build",
    )


def _try(
    releases: Releases, manifest: Manifest, service: Service, settings: Settings, report: Report
) -> dict[str, Any]:
    name = manifest.release
    report("stopping the service")
    service.stop()
    try:
        releases.begin(name)
        seen = check_release(releases.folder / name, manifest, report)
        service.install(manifest)
        report("starting the service")
        service.start()
        watch_service(service, settings.settle)
    except Exception as error:  # after any error, the previous release must run again
        refused = _go_back(releases, service, error, report)
        releases.prune(settings.keep)
        raise refused from error
    releases.confirm()
    return seen


def _go_back(releases: Releases, service: Service, error: Exception, report: Report) -> RefusedError:
    """Start the last good release again; returns the refusal with cause and outcome."""
    report("going back to the previous release")
    cause = (
        error
        if isinstance(error, RefusedError)
        else RefusedError("board", found=error, expected="no error", next_step="")
    )
    service.stop()
    failed = releases.recover(f"{cause.thing}: {cause.found}")
    current = releases.current()
    if current is None:
        service.remove()
        outcome = "nothing runs, as before"
    else:
        service.install(releases.manifest(current))
        service.start()
        outcome = f"{current} runs again"
    return RefusedError(
        f"release {failed}: {cause.thing}",
        found=cause.found,
        expected=cause.expected,
        next_step=f"{outcome}; {cause.next_step}",
    )


def _recover(releases: Releases, report: Report) -> None:
    left = releases.recover()
    if left is not None:
        report(f"an earlier trial of {left} was interrupted: back to {releases.current()}")
