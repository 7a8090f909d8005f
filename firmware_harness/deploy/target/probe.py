"""Facts about the board that decide on wheels and on the kind of service."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

_LONGEST = 1 << 16


def probe(prefix: Path, root: Path = Path("/")) -> dict[str, Any]:
    """Facts about the board, as plain JSON values.

    Args:
        prefix: folder for releases; the free space is that of its nearest existing parent.
        root: root of the examined file system.
    """
    return {
        "machine": userland(platform.machine(), struct.calcsize("P") * 8),
        "kernel_machine": platform.machine(),
        "python": list(sys.version_info[:3]),
        "executable": sys.executable,
        "glibc": _glibc(),
        "os": _os_name(root),
        "board": _text(root / "proc/device-tree/model"),
        "i2c": _buses(root),
        "free_bytes": shutil.disk_usage(_existing(prefix)).free,
        "prefix_problem": _problem(_existing(prefix)),
        "systemd": (root / "run/systemd/system").is_dir(),
        "root": os.geteuid() == 0,
        "sudo": os.geteuid() == 0 or _may_sudo(),
        "home": str(Path.home()),
        "openblas": any((root / "usr/lib").glob("*/libopenblas*.so*")),
        "ssh_keygen": shutil.which("ssh-keygen") is not None,
    }


def userland(machine: str, bits: int) -> str:
    """The machine of the programs: a 32-bit Raspberry Pi OS runs on a 64-bit kernel, which reports a 64-bit machine."""
    if bits == 32 and (machine in ("aarch64", "armv8l") or machine.startswith("armv7")):
        return "armv7l"
    return {"arm64": "aarch64", "AMD64": "x86_64"}.get(machine, machine)


def _glibc() -> str | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None
    return version if name == "glibc" else None


def _os_name(root: Path) -> str | None:
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', _text(root / "etc/os-release") or "", re.MULTILINE)
    return found[1] if found else None


def _buses(root: Path) -> list[dict[str, Any]]:
    found = sorted((root / "dev").glob("i2c-*"), key=lambda path: path.name)
    numbers = [(path, path.name.partition("-")[2]) for path in found]
    return [
        {"bus": int(number), "usable": os.access(path, os.R_OK | os.W_OK)}
        for path, number in numbers
        if number.isdecimal()
    ]


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _problem(folder: Path) -> str | None:
    """Why no release can be installed and run below a folder; None if nothing speaks against it."""
    flags = os.statvfs(folder).f_flag
    if flags & os.ST_RDONLY:
        return "a file system that is read-only"
    if flags & os.ST_NOEXEC:
        return "a file system mounted noexec, from which no program runs"
    return None


def _may_sudo() -> bool:
    try:
        ended = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode(errors="replace").rstrip("\0\n")
    except OSError:
        return None
