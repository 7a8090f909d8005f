"""The services of an installation on the board, kept in step with its current release.

    PREFIX/settings.json      the kind of service installed, one that is being tried besides, and for which release
    PREFIX/target.pyz         the copy of this package of the last good release, with which the service recovers

Both follow from the current release and its settings; :meth:`InstalledServices.settle` can be repeated at any time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .durable import write_durably
from .refusal import RefusedError
from .release_settings import (
    ENVIRONMENT,
    PROGRAM,
    SIGNERS,
    ReleaseSettings,
    add_settings,
    read_settings,
    settings_in_force,
    use_settings,
)
from .releases import Releases
from .service import Service, make_service

MakeService = Callable[[Path, str], Service]
_RECORD = "settings.json"
# Where version 0.1.0 kept the settings of all releases.
_EARLIER = "etc"


class InstalledServices:
    """The services that an installation has, or may have after an interruption.

    Args:
        releases: the releases.
        make: makes the service of a kind for a prefix.
    """

    def __init__(self, releases: Releases, make: MakeService = make_service) -> None:
        self._releases = releases
        self._prefix = releases.prefix
        self._make = make

    def service(self, kind: str) -> Service:
        """The service of a kind."""
        return self._make(self._prefix, kind)

    def kind(self) -> str | None:
        """The kind of the installed service; None without one."""
        return self._record().get("service")

    def kinds(self) -> list[str]:
        """The kinds that may be installed, more than one only during a trial or after an interrupted one."""
        record = self._record()
        return sorted({record[name] for name in ("service", "trying") if record.get(name)})

    def current(self) -> Service:
        """The installed service.

        Raises:
            RefusedError: if none is installed.
        """
        kind = self.kind()
        if kind is None:
            raise RefusedError(
                self._prefix, found="no installation", expected="one made by flash", next_step="flash it first"
            )
        return self.service(kind)

    def stop(self) -> None:
        """Stop every service that may run."""
        for kind in self.kinds():
            self.service(kind).stop()

    def begin(self, kind: str, settings: Path) -> None:
        """Note that a kind is about to be tried, so that an interruption leaves none unknown.

        Args:
            kind: the kind.
            settings: folder of the settings on trial, whose copy of this package recovers if there is no other.
        """
        if (settings / PROGRAM).is_file() and not (self._prefix / PROGRAM).exists():
            write_durably(self._prefix / PROGRAM, (settings / PROGRAM).read_bytes())
        self._write({"service": self.kind() or kind, "trying": kind, "for": None})

    def is_settled(self) -> bool:
        """Whether no trial is recorded, and the services are those of the last good release."""
        state, current = self._releases.state(), self._releases.current()
        if state.trial is not None or (state.good and current != state.good[-1]):
            return False
        record = self._record()
        return not record if current is None else bool(record.get("for") == self._identity(current))

    def settle(self, *, wait: bool = True) -> None:
        """Install and enable the service of the current release, and remove those of other kinds.

        Args:
            wait: whether to wait for the end of a service that is removed, not where that may be the caller itself: the
                remaining one is started before.
        """
        current = self._releases.current()
        settings = self._settings(current)
        if current is not None and settings is None:
            return  # installed by version 0.1.0: nothing follows from its releases
        others = [self.service(kind) for kind in self.kinds() if settings is None or kind != settings.service]
        # Others last: at no moment is none started at boot.
        if current is not None and settings is not None:
            self._install(current, settings, start=bool(others) and not wait)
        for service in others:
            service.retire(wait=wait)
        if current is None or settings is None:
            (self._prefix / _RECORD).unlink(missing_ok=True)
        else:
            self._write({"service": settings.service, "trying": None, "for": self._identity(current)})
            shutil.rmtree(self._prefix / _EARLIER, ignore_errors=True)

    def _install(self, current: str, settings: ReleaseSettings, *, start: bool) -> None:
        if settings.program is not None:
            write_durably(self._prefix / PROGRAM, settings.program)
        service = self.service(settings.service)
        service.install(self._releases.manifest(current))
        service.enable()
        if start:
            service.start(wait=False)

    def adopt_earlier(self, program: bytes | None) -> None:
        """Give releases that version 0.1.0 installed the settings that it kept for all of them."""
        earlier = self.earlier_settings()
        if earlier is None:
            return
        for name in self._releases.names():
            release = self._releases.folder / name
            if settings_in_force(release) is None:
                shared = ReleaseSettings(
                    earlier.service, earlier.environment, earlier.trust, program or earlier.program
                )
                use_settings(release, add_settings(release, shared))

    def earlier_settings(self) -> ReleaseSettings | None:
        """The settings that version 0.1.0 kept for all releases; None after a later one."""
        record = self._record()
        if not record.get("service") or "for" in record:
            return None
        folder, program = self._prefix / _EARLIER, self._prefix / PROGRAM
        environment, trust = (
            path.read_text() if path.is_file() else None for path in (folder / ENVIRONMENT, folder / SIGNERS)
        )
        return ReleaseSettings(
            record["service"], environment, trust, program.read_bytes() if program.is_file() else None
        )

    def _settings(self, release: str | None) -> ReleaseSettings | None:
        return None if release is None else read_settings(self._releases.folder / release)

    def _identity(self, release: str | None) -> str | None:
        return None if release is None else f"{release}/{settings_in_force(self._releases.folder / release)}"

    def _record(self) -> dict[str, Any]:
        try:
            found = json.loads((self._prefix / _RECORD).read_text())
        except (OSError, ValueError, RecursionError):
            return {}
        kept = found.items() if isinstance(found, dict) else ()
        return {name: value for name, value in kept if isinstance(value, (str, type(None)))}

    def _write(self, record: dict[str, Any]) -> None:
        write_durably(self._prefix / _RECORD, json.dumps(record).encode())
