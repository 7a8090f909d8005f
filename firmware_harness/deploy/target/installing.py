"""Installation of an unpacked bundle as a release: a virtual environment from its wheels, without network."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .manifest import MODEL, Manifest
from .refusal import RefusedError

_TIMEOUT = 1800.0  # a Pi Zero unpacks and compiles slowly
_LAUNCHER = """\
#!/bin/sh
# {comment}
here=$(dirname "$(readlink -f "$0")"){up}
exec "$here/venv/bin/python" -I -m deseptr.cli {words}"$@"
"""


def build_release(staged: Path, final: Path, manifest: Manifest) -> None:
    """Turn a folder with an unpacked bundle into a release, which is complete once it is renamed to ``final``.

    Raises:
        RefusedError: if the wheels do not fit this board, or the disk is full.
    """
    python = staged / "venv" / "bin" / "python"
    wheels = staged / "wheels"
    pip = _only(wheels, "pip-*.whl")
    # Without pip: on Debian, ensurepip is a separate package, and pip can run from its wheel.
    _run([sys.executable, "-m", "venv", "--without-pip", str(staged / "venv")], "making a virtual environment")
    install = [str(python), str(pip / "pip"), "install", "--quiet", "--no-index", "--find-links", str(wheels)]
    extras = f"[{','.join(manifest.extras)}]" if manifest.extras else ""
    _run([*install, f"deseptr{extras}=={manifest.version}"], "installing from the bundle's wheels")
    _rename_in_scripts(staged / "venv" / "bin", staged, final)
    shutil.rmtree(wheels)
    model = f'--model "$here/{MODEL}" '
    words = "".join(f"{shlex.quote(word)} " for word in manifest.run)
    _script(staged / "run", f"device run {model}{words}", "Starts this release; further arguments are added.", "")
    (staged / "bin").mkdir()
    _script(staged / "bin" / "deseptr", "", "The deseptr command of this release.", "/..")


def clean_environment() -> dict[str, str]:
    """This process's environment without variables that redirect Python or pip, and without pip's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise RefusedError(
            "bundle", found=f"{len(found)} of wheels/{pattern}", expected="one", next_step="make the bundle again"
        )
    return found[0]


def _run(command: Sequence[str], doing: str) -> None:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            env=clean_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(doing, str(error)) from error
    if ended.returncode:
        lines = (ended.stderr + ended.stdout).decode(errors="replace").splitlines()
        marked = [line.partition(":")[2] for line in lines if line.startswith("ERROR:")]
        raise _failed(doing, (marked or lines or [f"exit code {ended.returncode}"])[-1].strip()[:300])


def _failed(doing: str, found: str) -> RefusedError:
    return RefusedError(
        doing,
        found=found,
        expected="success without network",
        next_step="nothing was changed; make the bundle for this board, or free space on it",
    )


def _rename_in_scripts(folder: Path, staged: Path, final: Path) -> None:
    """Correct the interpreter's absolute path in scripts, which changes with the rename to the final folder."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if bytes(staged) in content:
            path.write_bytes(content.replace(bytes(staged), bytes(final)))


def _script(path: Path, words: str, comment: str, up: str) -> None:
    path.write_text(_LAUNCHER.format(comment=comment, words=words, up=up))
    path.chmod(0o755)
