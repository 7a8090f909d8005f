"""Download of all wheels that a board needs, so that the board needs no network, no index and no compiler.

pip chooses wheels by the given tags, but evaluates requirements for the machine on which it runs. The requirements are
therefore evaluated here, from each wheel's metadata and for the board's environment, until none is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from deseptr.contract import SetupError, scratch_folder
from deseptr.contract.zip_reader import ZipReader
from deseptr.firmware_harness.programs import require_pip

from .target.manifest import BoardTarget

PIWHEELS = "https://www.piwheels.org/simple"
MACHINES = ("aarch64", "armv7l", "x86_64")
_OLDEST_PYTHON = (3, 11)
_ROUNDS = 8
_TIMEOUT = 1800.0


def check_target(target: BoardTarget) -> list[str]:
    """Check that there are wheels for a board.

    Returns:
        Remarks on them, one line each.

    Raises:
        SetupError: if a required package is not published for the board.
    """
    version = _numbers(target.python)
    if target.machine not in MACHINES:
        raise _unavailable(target, f"machine {target.machine}", " or ".join(MACHINES), "use a Pi Zero 2 W, 3, 4 or 5")
    if version < _OLDEST_PYTHON:
        raise _unavailable(
            target, f"Python {target.python}", "3.11 or newer", "install Raspberry Pi OS Bookworm or Trixie"
        )
    if target.machine != "armv7l":
        return []
    if version > (3, 11):
        raise _unavailable(
            target,
            f"Python {target.python} on armv7l",
            "3.11: no TFLite runtime is published for a later Python on 32-bit ARM",
            "install the 64-bit Raspberry Pi OS, or Bookworm (32-bit)",
        )
    return [
        f"armv7l: numpy comes from {PIWHEELS}, as PyPI has none for it; it needs Debian's libopenblas0 on the board",
        "armv7l: tflite-runtime 2.14, the last for 32-bit ARM, several times slower than litert on 64 bits",
    ]


def fill_wheelhouse(
    folder: Path, wheel: Path, target: BoardTarget, *, extras: Sequence[str] = (), find_links: Sequence[Path] = ()
) -> list[Path]:
    """Put ``wheel``, its requirements on the board, and pip into ``folder``.

    Args:
        folder: an empty folder.
        wheel: the wheel of deseptr.
        target: the board.
        extras: extras of ``wheel`` to include.
        find_links: further folders with wheels.

    Returns:
        The wheels.

    Raises:
        SetupError: if pip is missing here, or finds no wheel of a requirement for the board.
    """
    check_target(target)
    require_pip()
    wanted = {"pip": Requirement("pip")}
    with scratch_folder() as scratch:
        for attempt in range(_ROUNDS):
            fetched = scratch / str(attempt)
            fetched.mkdir()
            missing = unmet([wheel], target, extras)
            wanted.update({str(requirement): requirement for requirement in missing})
            _download(fetched, wanted.values(), target, find_links)
            lacking = unmet([wheel, *fetched.iterdir()], target, extras)
            if not lacking:
                break
            wanted.update({str(requirement): requirement for requirement in lacking})
        else:
            raise _unavailable(
                target, f"no {lacking[0]}", "wheels that meet all requirements", "try `pip download` with it"
            )
        for path in (wheel, *fetched.iterdir()):
            shutil.copy(path, folder / path.name)
    return sorted(folder.glob("*.whl"))


def unmet(wheels: Sequence[Path], target: BoardTarget, extras: Sequence[str] = ()) -> list[Requirement]:
    """Requirements on the board, without markers, that no wheel meets; ``extras`` are those of the first wheel."""
    there = dict(map(_named, wheels))
    found = []
    for requirement, bracket in _required(wheels, target, extras):
        version = there.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            bare = Requirement(f"{requirement.name}{bracket}{requirement.specifier}")
            found.append(bare)
    return found


def environment_of(target: BoardTarget) -> dict[str, str]:
    """The environment markers (PyPA's dependency specifiers) of a board."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{target.python}.0",
        "python_version": target.python,
        "sys_platform": "linux",
        "extra": "",
    }


def platform_tags(target: BoardTarget) -> list[str]:
    """Platform tags of the wheels that pip may use (PEP 600): every glibc up to the board's."""
    newest = _numbers(target.glibc)[1]
    oldest = 5 if target.machine == "x86_64" else 17
    tags = [f"manylinux_2_{minor}_{target.machine}" for minor in range(newest, oldest - 1, -1)]
    legacy = ["manylinux2014", *(["manylinux2010", "manylinux1"] if target.machine == "x86_64" else [])]
    # piwheels builds for Raspberry Pi OS and tags its wheels only as linux.
    return [*tags, *(f"{name}_{target.machine}" for name in legacy), f"linux_{target.machine}"]


def _required(wheels: Sequence[Path], target: BoardTarget, extras: Sequence[str]) -> Iterator[tuple[Requirement, str]]:
    environment = environment_of(target)
    for index, wheel in enumerate(wheels):
        wanted = [{**environment, "extra": extra} for extra in ("", *(() if index else extras))]
        for line in _requires(wheel):
            requirement = Requirement(line)
            if requirement.marker is None or any(map(requirement.marker.evaluate, wanted)):
                yield requirement, f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""


def check_wheel(wheel: Path) -> None:
    """Refuse a file that is no wheel of deseptr, before others are fetched for it.

    Raises:
        SetupError: if it is none.
    """
    try:
        name, _ = _named(wheel)
        for line in _requires(wheel):
            Requirement(line)
        if name != "deseptr":
            raise ValueError(f"a wheel of {name}")
    except ValueError as error:
        raise SetupError(
            wheel,
            found=error,
            expected="a wheel of deseptr",
            next_step="name another with --wheel, or leave it out: one is built from this installation",
        ) from error


def _requires(wheel: Path) -> list[str]:
    with ZipReader(wheel) as archive:
        name = next((name for name in archive.names() if name.endswith(".dist-info/METADATA")), None)
        if name is None:
            raise ValueError("no METADATA")
        return HeaderParser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])


def _named(wheel: Path) -> tuple[str, Version]:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return str(name), version


def _download(
    folder: Path,
    requirements: Iterable[Requirement],
    target: BoardTarget,
    find_links: Sequence[Path],
) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--implementation", "cp", "--python-version", target.python]
    command += [word for tag in platform_tags(target) for word in ("--platform", tag)]
    command += [word for links in find_links for word in ("--find-links", str(links))]
    command += ["--extra-index-url", PIWHEELS] if target.machine == "armv7l" else []
    command += map(str, requirements)
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unavailable(target, f"no end after {_TIMEOUT:g} s", "wheels", "check the network") from error
    if ended.returncode:
        marked = [line.partition(":")[2].strip() for line in ended.stderr.splitlines() if line.startswith("ERROR:")]
        found = (marked or ended.stderr.strip().splitlines() or ["no wheels"])[-1]
        place = f"the network up to {PIWHEELS}" if target.machine == "armv7l" else "the network"
        raise _unavailable(target, found, "wheels to download", f"check {place}, or give wheels with --wheels")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _unavailable(target: BoardTarget, found: str, expected: str, next_step: str) -> SetupError:
    return SetupError(f"wheels for {target}", found=found, expected=expected, next_step=next_step)
