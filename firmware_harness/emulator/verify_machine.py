"""The machine that verifies: Debian with systemd, and what its job needs, as it is brought to a board.

It starts with Debian's packages alone; what is installed there is installed by itself, offline, from wheels.
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

from .cpio import Entry
from .image import Recipe, default_recipe
from .packages import download_wheels

# Python and glibc of a Debian release.
RELEASES = {"bookworm": ("3.11", "2.36"), "trixie": ("3.13", "2.41")}
# The last Python that tflite-runtime has a wheel for.
OLDER_RUNTIME, OLDER_PYTHONS = ("tflite-runtime==2.14.0", "numpy>=1.26,<2"), ("3.11",)
PACKAGES = ("python3", "libstdc++6", "systemd", "dash", "coreutils")
MODULES = ("i2c_dev", "cuse", "vhci_hcd", "i2c_tiny_usb")
SECOND = "/opt/second"
PREFIX = "/opt/deseptr"
# The kernel numbers adapters as they come; the worn ones follow each other.
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
    """What is brought to the machine.

    Args:
        target: which wheels it takes.
        bundle: the release, as ``deseptr firmware bundle`` makes it.
        wheels: of the second environment, with the older runtime where that has a wheel.
        pip: pip's own wheel, which is among the bundle's.
        has_older: whether it has.
    """

    target: BoardTarget
    bundle: Path
    wheels: tuple[Path, ...]
    pip: Path
    has_older: bool


def verification_recipe() -> Recipe:
    """The machine's software, without any runtime."""
    return replace(default_recipe(), runtime="", packages=PACKAGES, modules=MODULES)


def target_of(release: str) -> BoardTarget:
    """What a release's wheels are chosen for.

    Raises:
        SetupError: if the release is none of those known.
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
        ModelError: if the model is none of ours.
        SetupError: if wheels cannot be had.
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


def guest_entries(payload: Payload, job: Mapping[str, Any], inputs: Sequence[Path]) -> Iterator[Entry]:
    """Entries of the archive of one call: systemd as process 1, its one service, and what that needs.

    Args:
        payload: what is to be installed.
        job: what to do; see :mod:`.verify_guest`.
        inputs: files that go into ``/job``.
    """
    yield Entry.link("init", "usr/lib/systemd/systemd")
    yield Entry.link("usr/bin/sh", "dash")
    yield from _settings()
    yield Entry.file("job/job.json", json.dumps(job).encode())
    yield Entry.file("job/guest/__init__.py", b"")
    for name in ("kernel_guest.py", "verify_guest.py"):
        yield Entry.file(f"job/guest/{name}", files(__package__).joinpath(name).read_bytes())
    yield Entry.file("job/target.pyz", target_zip())
    for path in (payload.bundle, *inputs):
        yield Entry.file(f"job/{path.name}", path.read_bytes())
    for path in (payload.pip, *payload.wheels):
        yield Entry.file(f"job/wheels/{path.name}", path.read_bytes())


def _settings() -> Iterator[Entry]:
    yield Entry.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield Entry.file("etc/group", b"root:x:0:\ni2c:x:998:\n")
    yield Entry.file("etc/machine-id", b"0123456789abcdef0123456789abcdef\n")
    yield Entry.file("etc/os-release", b'ID=debian\nPRETTY_NAME="Debian, emulated"\n')
    yield Entry.file("etc/systemd/system.conf.d/quiet.conf", _MANAGER.encode())
    yield Entry.file("etc/systemd/system/verify.service", _UNIT.encode())
    yield Entry.file("etc/systemd/system/default.target", b"[Unit]\nRequires=verify.service\n")
    for name in ("root", "var", "opt", "run"):
        yield Entry.folder(name)


def second_environment(payload: Payload) -> list[list[str]]:
    """Commands that make the second environment, offline."""
    wheels = [f"/job/wheels/{path.name}" for path in payload.wheels]
    pip = [f"{SECOND}/bin/python", f"/job/wheels/{payload.pip.name}/pip"]
    # Compiled when they are imported, which most of them never are.
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-compile", *wheels]
    return [["/usr/bin/python3", "-m", "venv", "--without-pip", SECOND], [*pip, *install]]
