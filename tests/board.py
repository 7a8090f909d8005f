"""A board that is a folder of this machine, and bundles small enough to install in a second."""

import fcntl
import json
import subprocess
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deseptr.device import default_model
from deseptr.firmware_harness.deploy.target.bundle import entry_of, write_bundle
from deseptr.firmware_harness.deploy.target.manifest import MODEL, BoardTarget, Manifest
from deseptr.firmware_harness.deploy.zipapp import target_zip

# What `python -m deseptr.cli` of a stand-in does; CONDUCT decides how well.
_STANDIN = """
    import json, os, socket, sys, time
    words = sys.argv[1:]
    if words[:2] == ["device", "doctor"]:
        print(json.dumps({"findings": [{"check": "WHO_AM_I", "level": "fail", "found": "no chip answers"}]}))
        sys.exit(2 if CONDUCT == "sick" else 1)
    if words[:2] == ["device", "evaluate"] or words[:2] == ["device", "profile"]:
        print(json.dumps({"words": words, "size": len(open(words[2], "rb").read())}))
        sys.exit()
    if "--seconds" in words:
        if CONDUCT == "dumb":
            print("no sample for 10 s", file=sys.stderr)
            sys.exit(3)
        print(json.dumps({"t": 1.0, "label": VERSION}))
        sys.exit()
    if CONDUCT == "dies":
        sys.exit("the sensor is gone")
    if "NOTIFY_SOCKET" in os.environ:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1))
    if CONDUCT == "quits":
        time.sleep(0.5)
        sys.exit(2)
    while True:
        print(json.dumps({"t": 1.0, "label": VERSION}), flush=True)
        time.sleep(0.1)
"""


# A pip that unpacks the one wheel there is: the real one takes a second to be imported, and is in some tests enough.
_QUICK_PIP = """
    import pathlib, sys, sysconfig, zipfile
    links = pathlib.Path(sys.argv[sys.argv.index("--find-links") + 1])
    wheel = next(links.glob("deseptr-*.whl"))
    zipfile.ZipFile(wheel).extractall(sysconfig.get_paths()["purelib"])
"""

# Installs a bundle and kills itself before the step that it is given.
_INSTALLER = """
import os, signal, sys
zipped, bundle, prefix, left, environment = sys.argv[1:]
sys.path.insert(0, zipped)
from pathlib import Path
from typing import Any
from deseptr_target.deployment import Settings, install
from deseptr_target.releases import Releases
left = int(left)
def step(name):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    print(name, flush=True)
releases = Releases(Path(prefix), before=step)
releases.make()
settings = Settings("supervised", settle=0.2, environment=environment)
install(Path(bundle), releases, settings, step, program=Path(zipped).read_bytes())
"""
_NEVER = 1000


class Board:
    """A folder in which releases are installed by this user, without ssh.

    Args:
        python: the interpreter of the board.
        folder: a folder for all of it.
    """

    def __init__(self, python: str, folder: Path) -> None:
        self.python = python
        self.prefix = folder / "prefix"
        self.zip = folder / "target.pyz"
        self.zip.write_bytes(target_zip())

    def installer(self, bundle: Path, environment: str, steps: int = _NEVER) -> list[str]:
        """The command that installs a bundle, prints each step, and kills itself before the one of that number."""
        words = [self.python, "-c", _INSTALLER, self.zip, bundle, self.prefix, str(steps), environment]
        return list(map(str, words))

    def install(self, bundle: Path, environment: str, steps: int = _NEVER) -> int:
        """The exit code of :meth:`installer`."""
        return subprocess.run(self.installer(bundle, environment, steps), capture_output=True, check=False).returncode

    def ask(self, op: str) -> dict[str, object]:
        """What the board answers."""
        order = json.dumps({"op": op, "prefix": str(self.prefix), "lines": 1})
        ended = subprocess.run([self.python, self.zip, "serve"], input=f"{order}\n", capture_output=True, text=True)
        return dict(json.loads(ended.stdout.splitlines()[-1])["result"])

    def settled(self) -> dict[str, object]:
        """The board's state once the guard is through."""
        for _ in range(200):
            found = self.ask("status")
            if found["trial"] is None and found["service"] in ("active", "none") and not self._locked():
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    def _locked(self) -> bool:
        with (self.prefix / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def environment(self) -> str:
        """What the current release's service gets as its environment."""
        return (self.prefix / "current" / ".settings" / "service.env").read_text()


def standin_wheel(folder: Path, version: str, conduct: str = "well") -> Path:
    """A stand-in wheel named deseptr with the given conduct."""
    path = folder / f"deseptr-{version}-py3-none-any.whl"
    info = f"deseptr-{version}.dist-info"
    main = f"CONDUCT, VERSION = {conduct!r}, {version!r}\n{textwrap.dedent(_STANDIN)}"
    requires = "Requires-Dist: no-such-thing-at-all\n" if conduct == "unmet" else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deseptr/__init__.py", "")
        archive.writestr("deseptr/cli/__init__.py", "")
        archive.writestr("deseptr/cli/__main__.py", main)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: deseptr\nVersion: {version}\n{requires}")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def quick_pip(folder: Path) -> Path:
    """The wheel of a pip that is fast."""
    path = folder / "pip-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pip/__main__.py", textwrap.dedent(_QUICK_PIP))
    return path


def standin_bundle(
    folder: Path,
    version: str,
    build: int,
    conduct: str = "well",
    sign: Callable[[bytes], bytes] | None = None,
    *,
    target: BoardTarget,
    pip: Path,
    **spec: Any,
) -> Path:
    """A bundle of a stand-in, which installs in a second; `spec` are further fields of its manifest."""
    wheel = standin_wheel(folder, version, conduct)
    sources = {MODEL: default_model(), f"wheels/{wheel.name}": wheel, f"wheels/{pip.name}": pip}
    files = {name: entry_of(path) for name, path in sources.items()}
    manifest = Manifest(build, target, version=version, files=files, seconds=1.0, **spec)
    path = folder / f"{version}-{build}.bundle"
    with path.open("wb") as stream:
        write_bundle(stream, manifest, sources, sign(manifest.to_bytes()) if sign else None)
    return path
