"""Download of arm64 packages with the host's apt and pip, without installing any or changing the host's state."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from deseptr.contract import SetupError
from deseptr.firmware_harness.programs import require_pip

from .process import Finished, run_bounded

_TIMEOUT = 900.0
# glibc 2.36 is bookworm's; pip accepts a wheel only for a given tag.
_GLIBC_MINORS = (17, 24, 26, 27, 28, 31, 34, 35, 36)


class Apt:
    """A private apt for arm64: the host's sources and keys, with lists and downloads in a separate folder.

    Args:
        folder: folder for its state.
    """

    def __init__(self, folder: Path) -> None:
        self.archives = folder / "cache" / "archives"
        self._config = folder / "apt.conf"
        self._lists = folder / "lists"
        (self._lists / "partial").mkdir(parents=True)
        (self.archives / "partial").mkdir(parents=True)
        (folder / "status").touch()
        self._config.write_text(_apt_config(folder))

    def update(self) -> None:
        """Fetch the lists; a source without arm64 may fail, as long as another has them.

        Raises:
            SetupError: if no list could be fetched.
        """
        finished = run_bounded(["apt-get", "--config-file", str(self._config), "update"], timeout=_TIMEOUT)
        if not any(self._lists.glob("*_Packages*")):
            raise _failure(finished, "apt-get update for arm64")

    def download(self, *packages: str) -> list[Path]:
        """Fetch packages with all that they depend on.

        Raises:
            SetupError: if apt has no such package for arm64, or cannot fetch it.
        """
        options = ["--yes", "--download-only", "--no-install-recommends"]
        self._fetch(["install", *options, *packages], packages, self.archives)
        return sorted(self.archives.glob("*.deb"))

    def download_kernel(self, package: str) -> Path:
        """Fetch the newest kernel, on which the empty package ``package`` depends, without the kernel's dependencies.

        Raises:
            SetupError: if apt has no such package for arm64, or cannot fetch it.
        """
        listed = run_bounded(["apt-cache", "--config-file", str(self._config), "depends", package], timeout=_TIMEOUT)
        names = [line.split()[-1] for line in listed.output.splitlines() if line.strip().startswith("Depends:")]
        kernels = [name for name in names if name.startswith("linux-image-")] or [package]
        folder = self.archives / "kernel"
        folder.mkdir()
        self._fetch(["download", kernels[0]], kernels, folder)
        return next(folder.glob("*.deb"))

    def _fetch(self, arguments: Sequence[str], packages: Sequence[str], folder: Path) -> None:
        command = ["apt-get", "--config-file", str(self._config), *arguments]
        _check(run_bounded(command, timeout=_TIMEOUT, folder=folder), f"apt-get: {', '.join(packages)} for arm64")


def download_wheels(requirements: Sequence[str], python: str, folder: Path) -> list[Path]:
    """Fetch aarch64 wheels of ``requirements`` and their dependencies, for CPython of version ``python``, as 3.11.

    Raises:
        SetupError: if this Python has no pip, or pip finds no such wheels.
    """
    require_pip()
    tags = [f"manylinux_2_{minor}_aarch64" for minor in _GLIBC_MINORS] + ["manylinux2014_aarch64"]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    target = ["--implementation", "cp", "--python-version", python, *platforms]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", *target]
    command += ["--dest", str(folder), *requirements]
    _check(run_bounded(command, timeout=_TIMEOUT), f"pip: {', '.join(requirements)} for aarch64 and Python {python}")
    return sorted(folder.glob("*.whl"))


def _check(finished: Finished, thing: str) -> None:
    if finished.timed_out or finished.returncode:
        raise _failure(finished, thing)


def _failure(finished: Finished, thing: str) -> SetupError:
    return SetupError(
        thing,
        found=f"no end after {_TIMEOUT:.0f} s" if finished.timed_out else finished.first_error(),
        expected="packages to download",
        next_step="check the network, and that the configured sources have them",
    )


def _apt_config(folder: Path) -> str:
    """Settings on top of the host's: separate state, another architecture, no hooks, no change of user."""
    return f"""\
APT::Architecture "arm64";
#clear APT::Architectures;
APT::Architectures {{ "arm64"; }};
APT::Sandbox::User "root";
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
