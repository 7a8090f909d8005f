"""The systemd unit: restarted unless its input is wrong, with a watchdog, and sandboxed as far as a sensor allows."""

from __future__ import annotations

from pathlib import Path

from .manifest import Manifest
from .release_settings import ENVIRONMENT, LINK, PROGRAM

NAME = "deseptr.service"

# systemd.exec(5). DynamicUser= also implies a user without a home, RemoveIPC=, PrivateTmp= and NoNewPrivileges=.
_SANDBOX = """\
DynamicUser=yes
StateDirectory=deseptr
SupplementaryGroups=i2c
DevicePolicy=closed
{devices}ProtectSystem=strict
ProtectHome={home}
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
PrivateUsers=yes
{network}NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
KeyringMode=private
UMask=0077
"""
_OFFLINE = "PrivateNetwork=yes\nIPAddressDeny=any\nRestrictAddressFamilies=AF_UNIX\n"
_ONLINE = "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"


def unit_text(prefix: Path, python: str, manifest: Manifest, *, scope: str) -> str:
    """The unit of a release.

    Args:
        prefix: folder of the releases.
        python: the board's Python, which ends an interrupted trial before each start.
        manifest: the release's manifest.
        scope: ``system``, or ``user`` for a unit of the user's own manager, which has a weaker sandbox.
    """
    system = scope == "system"
    sandbox = _sandbox(prefix, manifest) if system else "NoNewPrivileges=yes\nUMask=0077\n"
    wanted_by = "multi-user.target" if system else "default.target"
    # "+": this command may write under the prefix, unlike the service itself. "-": whatever becomes of it, the service
    # starts.
    recover = f"-{'+' if system else ''}{_quoted(python)} {_quoted(prefix / PROGRAM)} recover {_quoted(prefix)}"
    network = "After=network-online.target\nWants=network-online.target\n" if system and manifest.network else ""
    return f"""\
[Unit]
Description=deseptr: activity from the motion sensor
{network}StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStartPre={recover}
ExecStart={_quoted(prefix / "current" / "run")}
EnvironmentFile=-{str(prefix / "current" / LINK / ENVIRONMENT).replace("%", "%%")}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
TimeoutStartSec=90
TimeoutStopSec=15
WatchdogSec=30
MemoryMax=256M
TasksMax=64
{sandbox}
[Install]
WantedBy={wanted_by}
"""


def _sandbox(prefix: Path, manifest: Manifest) -> str:
    devices = "" if manifest.bus is None else f"DeviceAllow=/dev/i2c-{manifest.bus} rw\n"
    # A release below someone's home must stay readable.
    home = "read-only" if prefix.parts[:2] in (("/", "home"), ("/", "root")) else "yes"
    return _SANDBOX.format(devices=devices, home=home, network=_ONLINE if manifest.network else _OFFLINE)


def _quoted(word: object) -> str:
    """A word of a unit's command line, systemd.service(5), with specifiers and variables escaped."""
    text = str(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(c in text for c in " \t'\"") else text
