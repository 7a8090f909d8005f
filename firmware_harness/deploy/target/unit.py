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
# systemd.resource-control(5). The page alone: one port, for this machine or for networks that are not the internet.
_LISTENING = """\
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SocketBindDeny=any
SocketBindAllow=tcp:{port}
IPAddressDeny=any
IPAddressAllow={networks}
"""
_LOCAL_NETWORKS = "localhost link-local 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"


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
    waits = system and (manifest.network or _needs_its_address(manifest.listen))
    network = "After=network-online.target\nWants=network-online.target\n" if waits else ""
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
    return _SANDBOX.format(devices=devices, home=home, network=_network(manifest))


def _network(manifest: Manifest) -> str:
    # The MQTT client listens on a free port of 127.0.0.1 for a moment, which SocketBindDeny= would forbid.
    if manifest.network:
        return _ONLINE
    if manifest.listen is None:
        return _OFFLINE
    host, _, port = manifest.listen.rpartition(":")
    return _LISTENING.format(port=port, networks="localhost" if _is_loopback(host) else _LOCAL_NETWORKS)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "[::1]") or host.startswith("127.")


def _needs_its_address(listen: str | None) -> bool:
    """Whether the service can listen only once the machine has the address."""
    host = (listen or "").rpartition(":")[0]
    return bool(host) and not _is_loopback(host) and host not in ("0.0.0.0", "[::]")  # nosec B104 - compared only


def _quoted(word: object) -> str:
    """A word of a unit's command line, systemd.service(5), with specifiers and variables escaped."""
    text = str(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(c in text for c in " \t'\"") else text
