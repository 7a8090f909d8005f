"""Flashing a board: look at it, plan, make the bundle, send it, and have the board try it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .bundle import BundleRequest, inspect_bundle, make_bundle
from .errors import FlashError
from .ssh import SshTarget
from .target.bundle import entry_of
from .target.manifest import Manifest, Target
from .wheelhouse import check_target

SYSTEM_PREFIX = "/opt/deseptr"
USER_PREFIX = "~/.local/share/deseptr"
_CHUNK = 1 << 16
# Of a bundle's size: the upload, the unpacked wheels, and what they become in a virtual environment, compiled.
_ROOM = 6
_LEAST_ROOM = 400 << 20

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FlashRequest:
    """What to do with a board.

    Args:
        bundle: a ready bundle, or what to make one of; its target is the board's, whatever it says.
        prefix: folder on the board; None for the service's usual one.
        service: ``system``, ``user`` or ``supervised``; ``auto`` takes what the board lets it have.
        allow_downgrade: whether a lower build may replace a higher.
        keep: how many good releases stay on the board.
        settle: seconds that the started service must stay up.
        environment: NAME=VALUE lines for the service, which may hold secrets.
        trust: allowed-signers line; the board then takes no bundle that this key hasn't signed.
    """

    bundle: Path | BundleRequest
    prefix: str | None = None
    service: str = "auto"
    allow_downgrade: bool = False
    keep: int = 3
    settle: float = 5.0
    environment: str | None = None
    trust: str | None = None


@dataclass(frozen=True)
class Plan:
    """What flashing would do.

    Args:
        destination: the board.
        board: what was found there.
        target: what the wheels must fit.
        service: ``system``, ``user`` or ``supervised``.
        sudo: whether it needs root there.
        prefix: folder on the board.
        notes: what should be known beforehand.
    """

    destination: str
    board: dict[str, Any]
    target: Target
    service: str
    sudo: bool
    prefix: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def find_plan(board: SshTarget, prefix: str | None, service: str) -> Plan:
    """Look at a board and see how a service can be kept there.

    Raises:
        FlashError: if it cannot be reached, or not kept in that way.
    """
    facts = board.call({"op": "probe", "prefix": prefix or USER_PREFIX})
    kind = _service(board.destination, facts, service)
    notes = []
    if kind == "supervised":
        notes.append(
            "no systemd used: a supervisor restarts the service, but starts it at no boot and shuts in nothing"
        )
    elif kind == "user":
        notes.append("a user's unit starts at boot only after `loginctl enable-linger`")
    target = Target(facts["machine"], "{}.{}".format(*facts["python"]), facts["glibc"] or "0.0")
    place = prefix or (SYSTEM_PREFIX if kind == "system" else USER_PREFIX)
    sudo = kind == "system" and not facts["root"]
    return Plan(board.destination, facts, target, kind, sudo, place, tuple(notes))


def plan_flash(board: SshTarget, request: FlashRequest) -> Plan:
    """Look at a board and say what flashing it would do, without changing anything.

    Raises:
        FlashError: if the board cannot be reached or doesn't fit.
        SetupError: if there are no wheels for it.
    """
    plan = find_plan(board, request.prefix, request.service)
    facts = plan.board
    if facts["glibc"] is None:
        raise _unfit(plan, "another C library than glibc", "glibc", "use Raspberry Pi OS or Debian")
    notes = [*plan.notes]
    if isinstance(request.bundle, BundleRequest):
        notes += check_target(plan.target)
        if plan.target.machine == "armv7l" and not facts["openblas"]:
            raise _unfit(
                plan, "no libopenblas0", "it, for piwheels' numpy", "run `sudo apt install libopenblas0` there"
            )
        _check_bus(plan, request.bundle)
    if facts["free_bytes"] < _LEAST_ROOM:
        raise _unfit(plan, f"{facts['free_bytes'] >> 20} MiB free", f"{_LEAST_ROOM >> 20} MiB", "free space there")
    if request.trust is not None and not facts["ssh_keygen"]:
        raise _unfit(plan, "no ssh-keygen", "it, to verify signatures", "install openssh-client there")
    return replace(plan, notes=tuple(notes))


def flash(board: SshTarget, request: FlashRequest, plan: Plan, say: Say, progress: Progress) -> dict[str, Any]:
    """Do what was planned: the bundle is made or read, sent, installed and tried.

    Args:
        board: the connection; asked as root from here on if the plan says so.
        request: what to do.
        plan: of :func:`plan_flash`.
        say: told what is going on.
        progress: told bytes sent and bytes in all.

    Returns:
        The release, what its trial saw, and what was removed.

    Raises:
        FlashError: if the board refuses or its trial fails; what ran before runs on or again.
        ModelError, SetupError: if the bundle cannot be made.
    """
    board.sudo = plan.sudo
    with tempfile.TemporaryDirectory(prefix="deseptr-flash-") as name:
        if isinstance(request.bundle, BundleRequest):
            bundle = Path(name) / "deseptr.bundle"
            manifest = make_bundle(bundle, replace(request.bundle, target=plan.target), say)
        else:
            bundle = request.bundle
            manifest = inspect_bundle(bundle)
        _check_room(plan, manifest, bundle.stat().st_size)
        sha256 = send_bundle(board, plan.prefix, bundle, progress)
        settings = {
            "service": plan.service,
            "allow_downgrade": request.allow_downgrade,
            "keep": request.keep,
            "settle": request.settle,
            "environment": request.environment,
            "trust": request.trust,
        }
        order = {"op": "install", "prefix": plan.prefix, "sha256": sha256, "settings": settings}
        result: dict[str, Any] = board.call(order, say=say)
    return result


def send_bundle(board: SshTarget, prefix: str, bundle: Path, progress: Progress) -> str:
    """Send a file, from where an earlier try broke off.

    Returns:
        Its SHA-256, by which the board knows it.

    Raises:
        FlashError: if the connection breaks again.
    """
    entry = entry_of(bundle)
    upload = {"prefix": prefix, "sha256": entry.sha256, "size": entry.size}
    begin = min(board.call({"op": "offset", **upload})["offset"], entry.size)
    board.call({"op": "receive", "begin": begin, **upload}, payload=_chunks(bundle, begin, entry.size, progress))
    return entry.sha256


def _chunks(path: Path, begin: int, size: int, progress: Progress) -> Iterator[bytes]:
    progress(begin, size)
    with path.open("rb") as file:
        file.seek(begin)
        while chunk := file.read(_CHUNK):
            yield chunk
            progress(file.tell(), size)


def _service(destination: str, facts: dict[str, Any], wanted: str) -> str:
    if wanted == "auto":
        if not facts["systemd"]:
            return "supervised"
        wanted = "system"
    if wanted != "supervised" and not facts["systemd"]:
        raise FlashError(
            destination,
            found="no systemd running",
            expected=f"it, for a {wanted} unit",
            next_step="--service supervised",
        )
    if wanted == "system" and not facts["sudo"]:
        raise FlashError(
            destination,
            found="a user who may not use sudo without a password",
            expected="root's rights for a system unit",
            next_step="allow it, or choose --service user",
        )
    return wanted


def _check_bus(plan: Plan, request: BundleRequest) -> None:
    if request.bus is None:
        return
    buses = {entry["bus"]: entry["usable"] for entry in plan.board["i2c"]}
    if request.bus not in buses:
        raise _unfit(
            plan,
            f"I2C buses {sorted(buses)}" if buses else "no I2C bus",
            f"/dev/i2c-{request.bus}",
            "enable it with `sudo raspi-config nonint do_i2c 0`, or try without a sensor: --simulate",
        )
    if not buses[request.bus] and plan.service != "system":
        raise _unfit(
            plan, f"/dev/i2c-{request.bus} closed to this user", "it open", "add the user to the group i2c there"
        )


def _check_room(plan: Plan, manifest: Manifest, size: int) -> None:
    needed = _ROOM * size
    if plan.board["free_bytes"] < needed:
        raise _unfit(
            plan,
            f"{plan.board['free_bytes'] >> 20} MiB free",
            f"{needed >> 20} MiB for {manifest.release}",
            "free space there",
        )


def _unfit(plan: Plan, found: str, expected: str, next_step: str) -> FlashError:
    return FlashError(plan.destination, found=found, expected=expected, next_step=next_step)
