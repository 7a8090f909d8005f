"""The machine of a verification: Debian with systemd, and the files of its job, as they come to a board.

It starts with Debian's packages alone, and installs everything else itself, offline, from wheels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError
from deseptr.firmware_harness.deploy.bundle import BundleRequest, make_bundle
from deseptr.firmware_harness.deploy.target.bundle import read_bundle
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.zipapp import target_zip

from .cpio import CpioEntry
from .image import ImageRecipe, default_recipe
from .packages import download_wheels

# Python and glibc of a Debian release.
RELEASES = {"bookworm": ("3.11", "2.36"), "trixie": ("3.13", "2.41")}
# The last Python with a wheel of tflite-runtime.
OLDER_RUNTIME, OLDER_PYTHONS = ("tflite-runtime==2.14.0", "numpy>=1.26,<2"), ("3.11",)
PACKAGES = ("python3", "libstdc++6", "systemd", "dash", "coreutils")
MODULES = ("i2c_dev", "cuse", "vhci_hcd", "i2c_tiny_usb")
SECOND = "/opt/second"
PREFIX = "/opt/deseptr"
# The kernel numbers adapters in the order in which they are plugged in; the worn ones are consecutive.
STILL_BUS, WORN_BUS = 0, 1
_UNIT = """\
[Unit]
Description=Verification
Requires=basic.target
After=basic.target
FailureAction=poweroff-immediate

[Service]
Type=oneshot
TimeoutStartSec=infinity
WorkingDirectory=/job
ExecStart=/usr/bin/python3 -uB -m guest.verify_guest
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
"""
_MANAGER = "[Manager]\nShowStatus=no\n"


@dataclass(frozen=True, slots=True)
class Payload:
    """Files to install in the machine.

    Args:
        target: platform of its wheels.
        bundle: the release, as ``deseptr firmware bundle`` makes it.
        wheels: wheels of the second environment, with the older runtime if it has a wheel.
        pip: pip's wheel, from the bundle.
        has_older: whether the older runtime has a wheel.
    """

    target: BoardTarget
    bundle: Path
    wheels: tuple[Path, ...]
    pip: Path
    has_older: bool


def verification_recipe() -> ImageRecipe:
    """The machine's software, without any runtime."""
    return replace(default_recipe(), runtime="", packages=PACKAGES, modules=MODULES)


def target_of(release: str) -> BoardTarget:
    """Platform of the wheels for a Debian release.

    Raises:
        SetupError: if the release is unknown.
    """
    if release not in RELEASES:
        raise SetupError(
            "Debian release of this machine",
            found=release,
            expected=" or ".join(RELEASES),
            next_step="verify in a container of one of these",
        )
    return BoardTarget("aarch64", *RELEASES[release])


def prepare_payload(model: Path, target: BoardTarget, folder: Path, note: Callable[[str], None]) -> Payload:
    """Make the bundle of ``model`` and fetch the older runtime, into ``folder``.

    Raises:
        ModelError: if the model has no contract.
        SetupError: if wheels cannot be downloaded.
    """
    bundle = folder / "verify.bundle"
    request = BundleRequest(
        model=model,
        target=target,
        build=1,
        run=("--bus", str(WORN_BUS)),
        doctor=("--bus", str(STILL_BUS)),
        bus=WORN_BUS,
    )
    make_bundle(bundle, request, note)
    staged = folder / "staged"
    staged.mkdir()
    with bundle.open("rb") as stream:
        read_bundle(stream, staged)
    shared = sorted((staged / "wheels").glob("*.whl"))
    pip = next(path for path in shared if path.name.startswith("pip-"))
    others = [path for path in shared if path != pip and not path.name.startswith("ai_edge_litert-")]
    if target.python not in OLDER_PYTHONS:
        return Payload(target, bundle, tuple(others), pip, has_older=False)
    note(f"fetching {OLDER_RUNTIME[0]} for {target}")
    older = download_wheels(OLDER_RUNTIME, target.python, folder / "older")
    others = [path for path in others if not path.name.startswith("numpy-")]
    return Payload(target, bundle, (*others, *older), pip, has_older=True)


def guest_entries(payload: Payload, job: Mapping[str, Any], inputs: Sequence[Path]) -> Iterator[CpioEntry]:
    """Entries of the archive of one call: systemd as process 1, its one service, and the files of that.

    Args:
        payload: files to install.
        job: the job; see :mod:`.verify_guest`.
        inputs: files for ``/job``.
    """
    yield CpioEntry.link("init", "usr/lib/systemd/systemd")
    yield CpioEntry.link("usr/bin/sh", "dash")
    yield from _settings()
    yield CpioEntry.file("job/job.json", json.dumps(job).encode())
    yield CpioEntry.file("job/guest/__init__.py", b"")
    for name in ("guest.py", "kernel_guest.py", "verify_guest.py"):
        yield CpioEntry.file(f"job/guest/{name}", files(__package__).joinpath(name).read_bytes())
    yield CpioEntry.file("job/target.pyz", target_zip())
    for path in (payload.bundle, *inputs):
        yield CpioEntry.file(f"job/{path.name}", path.read_bytes())
    for path in (payload.pip, *payload.wheels):
        yield CpioEntry.file(f"job/wheels/{path.name}", path.read_bytes())


def _settings() -> Iterator[CpioEntry]:
    yield CpioEntry.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield CpioEntry.file("etc/group", b"root:x:0:\ni2c:x:998:\n")
    yield CpioEntry.file("etc/machine-id", b"0123456789abcdef0123456789abcdef\n")
    yield CpioEntry.file("etc/os-release", b'ID=debian\nPRETTY_NAME="Debian, emulated"\n')
    yield CpioEntry.file("etc/systemd/system.conf.d/quiet.conf", _MANAGER.encode())
    yield CpioEntry.file("etc/systemd/system/verify.service", _UNIT.encode())
    yield CpioEntry.file("etc/systemd/system/default.target", b"[Unit]\nRequires=verify.service\n")
    for name in ("root", "var", "opt", "run"):
        yield CpioEntry.folder(name)


def second_environment(payload: Payload) -> list[list[str]]:
    """Commands that make the second environment, offline."""
    wheels = [f"/job/wheels/{path.name}" for path in payload.wheels]
    pip = [f"{SECOND}/bin/python", f"/job/wheels/{payload.pip.name}/pip"]
    # Not compiled, since most modules are never imported.
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-compile", *wheels]
    return [["/usr/bin/python3", "-m", "venv", "--without-pip", SECOND], [*pip, *install]]
