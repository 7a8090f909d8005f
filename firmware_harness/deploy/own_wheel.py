"""A wheel of the deseptr that is running, so that the board runs the same version."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from deseptr.contract import SetupError, scratch_folder

_NAME = "deseptr"
_ROOT = Path(__file__).resolve().parents[2]


def own_wheel(folder: Path) -> Path:
    """Write the wheel into ``folder``: built from this source tree, or packed from the installed files.

    Raises:
        SetupError: if it cannot be built.
    """
    if _is_source(_ROOT):
        return _build(_ROOT, folder)
    return pack_installed(distribution(_NAME), folder)


def pack_installed(installed: Distribution, folder: Path) -> Path:
    """Pack an installed pure-Python distribution as a wheel (PyPA's binary distribution format, version 1).

    Raises:
        SetupError: if files of the distribution are missing.
    """
    name = f"{installed.metadata['Name'].replace('-', '_')}-{installed.version}"
    path = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    # Files that the installer wrote do not belong to the wheel: scripts, caches, its own records.
    left = {f"{info}/{note}" for note in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")}
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(installed.files or ()):
            if str(file) in left or file.parts[0] == ".." or "__pycache__" in file.parts:
                continue
            source = Path(str(file.locate()))
            if not source.is_file():
                raise _unbuilt(f"no {source}", "reinstall deseptr")
            content = source.read_bytes()
            archive.writestr(str(file), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            records.append(f"{file},sha256={digest},{len(content)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*records, f"{info}/RECORD,,", ""]))
    return path


def _is_source(root: Path) -> bool:
    try:
        settings = tomllib.loads((root / "pyproject.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return False
    return bool(settings.get("project", {}).get("name") == _NAME)


def _build(root: Path, folder: Path) -> Path:
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    with scratch_folder() as copy:
        # A copy, since building writes into the tree and packs remains of earlier builds.
        skip = shutil.ignore_patterns("__pycache__")
        for room in settings["tool"]["setuptools"]["package-dir"].values():
            shutil.copytree(root / room, copy / room, ignore=skip)
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(root / file, copy / file)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy)]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
    found = sorted(folder.glob(f"{_NAME}-*.whl"))
    if ended.returncode or not found:
        lines = ended.stderr.strip().splitlines() or ["no wheel"]
        raise _unbuilt(lines[-1], "check that `pip wheel .` works in the source tree")
    return found[-1]


def _unbuilt(found: str, next_step: str) -> SetupError:
    return SetupError("wheel of deseptr", found=found, expected="a wheel that can be built", next_step=next_step)
