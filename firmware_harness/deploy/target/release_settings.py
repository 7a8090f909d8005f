"""How a release is run: kind of service, environment, trusted keys, and the copy of this package that installed it.

    PREFIX/releases/NAME/.settings-1/           service.json, service.env, allowed_signers, target.pyz
    PREFIX/releases/NAME/.settings              link to those in force
    PREFIX/releases/NAME/.settings-before       link to those that were in force before a trial

They are part of a release, so that a trial that fails, a rollback and a recovery bring back those of the release that
runs then. A release that is flashed again gets another numbered folder. No file of a bundle can have such a name.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from .durable import link_durably, write_durably

LINK = ".settings"
ENVIRONMENT = "service.env"
SIGNERS = "allowed_signers"
PROGRAM = "target.pyz"
_BEFORE = ".settings-before"
_SERVICE = "service.json"


@dataclass(frozen=True)
class ReleaseSettings:
    """Settings of a release.

    Args:
        service: ``system``, ``user`` or ``supervised``.
        environment: NAME=VALUE lines; None for none.
        trust: allowed signers of the next bundle; None accepts unsigned ones.
        program: the zip of this package; None if it runs from elsewhere.
    """

    service: str
    environment: str | None = None
    trust: str | None = None
    program: bytes | None = None


def add_settings(release: Path, settings: ReleaseSettings) -> str:
    """Write settings that are not yet in force.

    Returns:
        The name of their folder.
    """
    number = 1 + max((int(path.name.rpartition("-")[2]) for path in _numbered(release)), default=0)
    folder = release / f"{LINK}-{number}"
    folder.mkdir(mode=0o700)
    contents = {ENVIRONMENT: settings.environment, SIGNERS: settings.trust}
    for name, text in contents.items():
        if text is not None:
            write_durably(folder / name, text.encode(), mode=0o600)
    if settings.program is not None:
        write_durably(folder / PROGRAM, settings.program)
    write_durably(folder / _SERVICE, json.dumps({"service": settings.service}).encode())
    return folder.name


def read_settings(release: Path) -> ReleaseSettings | None:
    """The settings in force; None for a release without any."""
    folder = release / LINK
    try:
        service = json.loads((folder / _SERVICE).read_text())["service"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    program = folder / PROGRAM
    return ReleaseSettings(
        str(service),
        _text(folder / ENVIRONMENT),
        _text(folder / SIGNERS),
        program.read_bytes() if program.is_file() else None,
    )


def settings_in_force(release: Path) -> str | None:
    """Name of the folder of the settings in force."""
    return _target(release / LINK)


def remember_settings(release: Path) -> None:
    """Note the settings in force as those to return to."""
    present = settings_in_force(release)
    if present is None:
        (release / _BEFORE).unlink(missing_ok=True)
    else:
        link_durably(release / _BEFORE, Path(present))


def use_settings(release: Path, name: str) -> None:
    """Put added settings in force, atomically."""
    link_durably(release / LINK, Path(name))


def return_to_remembered(release: Path) -> None:
    """Put the noted settings in force again; without any, the present ones stay."""
    before = _target(release / _BEFORE)
    if before is not None:
        use_settings(release, before)


def forget_remembered(release: Path) -> None:
    """Keep the settings in force for good."""
    (release / _BEFORE).unlink(missing_ok=True)


def prune_settings(release: Path) -> None:
    """Remove the settings that are neither in force nor noted."""
    kept = {settings_in_force(release), _target(release / _BEFORE)}
    for path in _numbered(release):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _numbered(release: Path) -> list[Path]:
    return [path for path in release.glob(f"{LINK}-*") if path.name.rpartition("-")[2].isdecimal()]


def _target(link: Path) -> str | None:
    try:
        return link.readlink().name
    except OSError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None
