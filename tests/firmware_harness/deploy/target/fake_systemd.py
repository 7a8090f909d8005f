"""A board's two service managers in memory, with real unit files and releases, and power that can be cut."""

import io
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deseptr.firmware_harness.deploy.target.bundle import entry_of, write_bundle
from deseptr.firmware_harness.deploy.target.deployment import Settings, install, roll_back
from deseptr.firmware_harness.deploy.target.environment import read_environment
from deseptr.firmware_harness.deploy.target.manifest import MANIFEST, MODEL, BoardTarget, Manifest
from deseptr.firmware_harness.deploy.target.probe import probe
from deseptr.firmware_harness.deploy.target.recovery import recover
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.releases import Releases
from deseptr.firmware_harness.deploy.target.service import Service, Systemd
from deseptr.firmware_harness.deploy.target.unit import NAME

_RUN = {
    "well": '#!/bin/sh\necho \'{"label": "walking"}\'\n',
    "dumb": "#!/bin/sh\necho 'no sample for 10 s' >&2\nexit 3\n",
    # Gives labels in its trial, and fails as a service.
    "dies": '#!/bin/sh\necho \'{"label": "walking"}\'\n# dies\n',
}


class PowerCut(BaseException):
    """Nothing runs after this, no clean-up either."""


def never(step: str) -> None:
    """Cuts nothing."""


def cut_after(steps: int) -> Callable[[str], None]:
    """Cuts the power after a number of steps."""
    left = [steps]

    def before(step: str) -> None:
        if not left[0]:
            raise PowerCut(step)
        left[0] -= 1

    return before


@dataclass(frozen=True)
class Running:
    """A service that runs: of which manager and release, and with which environment."""

    kind: str
    release: str
    environment: tuple[tuple[str, str], ...]


class FakeBoard:
    """The board.

    Args:
        folder: an empty folder for the prefix, the units and the bundles.
        before: called with the name of each step.
    """

    def __init__(self, folder: Path, before: Callable[[str], None] = never) -> None:
        self._folder = folder
        self.prefix = folder / "prefix"
        self.before = before
        self.enabled: set[str] = set()
        self.running: dict[str, Running] = {}
        self.asked: list[str] = []
        self.said: list[str] = []
        self.calm = Releases(self.prefix)
        self.calm.make()
        facts = probe(self.prefix)
        self._target = BoardTarget(facts["machine"], "{}.{}".format(*facts["python"]), facts["glibc"])

    def install_as_version_0_1(self) -> None:
        """Have release 1 on the board as version 0.1.0 installed it: settings beside the releases."""
        self.bundle(1)
        self.calm.begin("1.0-1")
        self.calm.confirm()
        (self.prefix / "etc").mkdir()
        (self.prefix / "etc" / "service.env").write_text("A=old\n")
        (self.prefix / "settings.json").write_text('{"service": "user"}')
        self._units("user").mkdir(parents=True)
        (self._units("user") / NAME).write_text("[Unit]\n")
        self.enabled.add("user")
        self._systemctl("user", ["systemctl", "start", NAME])
        self.asked.clear()

    def make(self, prefix: Path, kind: str) -> Service:
        """The service of a kind, whose `systemctl` is this board."""
        return Systemd(prefix, "python3", kind, lambda command: self._systemctl(kind, command), self._units(kind))

    def units(self) -> set[str]:
        """The kinds that have a unit on the disk."""
        return {kind for kind in ("system", "user") if (self._units(kind) / NAME).exists()}

    def bundle(
        self,
        build: int,
        conduct: str = "well",
        sign: Callable[[bytes], bytes] | None = None,
        there: bool = True,
        **changes: Any,
    ) -> Path:
        """A bundle of a release; its release is on the board already, as after a build, unless ``there`` is false."""
        model = self._folder / "model"
        model.write_bytes(b"model")
        manifest = Manifest(
            build, self._target, version="1.0", files={MODEL: entry_of(model)}, doctor=None, seconds=1.0, bus=build
        )
        manifest = replace(manifest, **changes)
        if there and manifest.release not in self.calm.names():
            staged = self.calm.incoming / "new"
            staged.mkdir()
            (staged / "run").write_text(_RUN[conduct])
            (staged / "run").chmod(0o755)
            (staged / MANIFEST).write_bytes(manifest.to_bytes())
            self.calm.adopt(staged, manifest.release)
        stream = io.BytesIO()
        write_bundle(stream, manifest, {MODEL: model}, sign(manifest.to_bytes()) if sign else None)
        path = self._folder / f"{build}.bundle"
        path.write_bytes(stream.getvalue())
        return path

    def install(self, bundle: Path, service: str = "system", **settings: Any) -> dict[str, Any]:
        """Install a bundle, step by step."""
        given = Settings(service, **{"settle": 0.0, **settings})
        return install(bundle, Releases(self.prefix, self.before), given, self._report, make=self.make)

    def roll_back(self) -> dict[str, Any]:
        """Roll back, step by step."""
        return roll_back(Releases(self.prefix, self.before), self._report, self.make)

    def cut_power(self) -> None:
        """End all that runs, and start what is enabled."""
        self.before = never
        self.running.clear()
        for kind in sorted(self.enabled):
            self._systemctl(kind, ["systemctl", "start", NAME])

    def the_running(self) -> Running | None:
        """The one service that runs, if any."""
        assert len(self.running) <= 1, self.running
        return next(iter(self.running.values()), None)

    def files(self) -> dict[str, bytes | str]:
        """All that an installation has on the board, uploads left out: contents of files, and targets of links."""
        found: dict[str, bytes | str] = {}
        for top in (self.prefix, self._folder / "units"):
            for path in top.rglob("*"):
                inside = path.relative_to(self._folder)
                if path.is_symlink():
                    found[str(inside)] = str(path.readlink())
                elif path.is_file() and "incoming" not in inside.parts and path.name != "lock":
                    found[str(inside)] = path.read_bytes()
        return found

    def _report(self, line: str) -> None:
        self.before(line)
        self.said.append(line)

    def _units(self, kind: str) -> Path:
        return self._folder / "units" / kind

    def _systemctl(self, kind: str, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        verb = next(word for word in command[1:] if word != "--user")
        self.before(f"{kind} {verb}")
        self.asked.append(f"{kind} {verb}")
        code, out = 0, ""
        if verb == "start":
            code = self._start(kind)
        elif verb == "stop":
            self.running.pop(kind, None)
        elif verb in ("enable", "disable"):
            code = int(verb == "enable" and kind not in self.units())
            (self.enabled.add if verb == "enable" else self.enabled.discard)(kind)
        elif verb == "is-active":
            out = "active\n" if kind in self.running else "inactive\n"
        return subprocess.CompletedProcess(command, code, out, f"{verb} failed\n" if code else "")

    def _start(self, kind: str) -> int:
        if kind not in self.units():
            return 5
        try:
            recover(Releases(self.prefix), self.make)
        except RefusedError:
            return 1
        release = (self.prefix / "current").resolve()
        # A service that was retired by its own recovery is stopped before it starts.
        if kind not in self.units() or not (release / "run").is_file() or "# dies" in (release / "run").read_text():
            return 1
        environment = read_environment(release).items() or self._earlier_environment()
        self.running[kind] = Running(kind, release.name, tuple(environment))
        return 0

    def _earlier_environment(self) -> list[tuple[str, str]]:
        """What a unit of version 0.1.0 reads."""
        path = self.prefix / "etc" / "service.env"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(name, value) for name, _, value in (line.partition("=") for line in lines)]
