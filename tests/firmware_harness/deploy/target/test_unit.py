"""The unit, as systemd's own tools see it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.manifest import BoardTarget, Manifest
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.service import Systemd, run_command
from deseptr.firmware_harness.deploy.target.unit import NAME, unit_text

TARGET = BoardTarget("aarch64", "3.13", "2.41")
MOST_EXPOSED = 3.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def written(folder: Path, scope: str, manifest: Manifest) -> Path:
    prefix = folder / "a prefix 100%"
    (prefix / "current").mkdir(parents=True)
    (prefix / "target.pyz").touch()
    run = prefix / "current" / "run"
    run.write_text("#!/bin/sh\n")
    run.chmod(0o755)
    unit = folder / NAME
    unit.write_text(unit_text(prefix, sys.executable, manifest, scope=scope))
    return unit


def test_a_program_that_cannot_be_run_ends_as_in_a_shell():
    ended = run_command(["/nowhere/systemctl", "start"])
    assert (ended.returncode, ended.stdout) == (127, "")
    assert "No such file or directory" in ended.stderr
    assert run_command(["sh", "-c", "echo a; exit 3"]).returncode == 3


@needs_systemd
@pytest.mark.parametrize("scope", ["system", "user"])
@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("listen", [None, "0.0.0.0:8384", "[::1]:9000"])
def test_systemd_accepts_the_unit_without_warnings(tmp_path: Path, scope: str, network: bool, listen: str | None):
    manifest = Manifest(version="1.0", build=1, target=TARGET, network=network, listen=listen)
    unit = written(tmp_path, scope, manifest)
    command = ["systemd-analyze", "verify", "--man=no", *(["--user"] if scope == "user" else []), unit]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    "manifest",
    [
        Manifest(version="1.0", build=1, target=TARGET),
        Manifest(version="1.0", build=1, target=TARGET, network=True, bus=None),
        Manifest(version="1.0", build=1, target=TARGET, listen="0.0.0.0:8384"),
    ],
)
def test_systemd_rates_the_exposure_as_low(tmp_path: Path, manifest: Manifest):
    unit = written(tmp_path, "system", manifest)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
    result = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exposure = float(result.splitlines()[-1].split(":")[1].split()[0])
    assert exposure <= MOST_EXPOSED, result


@pytest.mark.parametrize(
    ("manifest", "there", "absent"),
    [
        (
            Manifest(version="1.0", build=1, target=TARGET),
            ["DeviceAllow=/dev/i2c-1 rw", "PrivateNetwork=yes"],
            ["AF_INET", "network-online"],
        ),
        (
            Manifest(version="1.0", build=1, target=TARGET, network=True, bus=None),
            ["AF_INET AF_INET6", "After=network-online.target"],
            ["DeviceAllow", "PrivateNetwork=yes"],
        ),
        (
            Manifest(version="1.0", build=1, target=TARGET, listen="0.0.0.0:8384"),
            [
                "SocketBindDeny=any\nSocketBindAllow=tcp:8384\n",
                "IPAddressDeny=any\nIPAddressAllow=localhost link-local 10.0.0.0/8",
            ],
            ["PrivateNetwork=yes", "network-online"],
        ),
        (
            Manifest(version="1.0", build=1, target=TARGET, listen="127.0.0.1:9000"),
            ["SocketBindAllow=tcp:9000\n", "IPAddressDeny=any\nIPAddressAllow=localhost\n"],
            ["PrivateNetwork=yes", "network-online"],
        ),
        (
            Manifest(version="1.0", build=1, target=TARGET, listen="192.168.1.7:9000"),
            ["SocketBindAllow=tcp:9000\n", "After=network-online.target"],
            ["PrivateNetwork=yes"],
        ),
        (
            # The MQTT client needs a port of its own.
            Manifest(version="1.0", build=1, target=TARGET, network=True, listen="0.0.0.0:8384"),
            ["AF_INET AF_INET6", "After=network-online.target"],
            ["PrivateNetwork=yes", "SocketBind", "IPAddress"],
        ),
    ],
)
def test_sandbox_opens_only_what_the_release_needs(manifest: Manifest, there: list[str], absent: list[str]):
    text = unit_text(Path("/opt/deseptr"), "/usr/bin/python3", manifest, scope="system")
    assert all(word in text for word in there)
    assert not any(word in text for word in absent)
    for line in (
        "Type=notify",
        "WatchdogSec=30",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
        "ProtectSystem=strict",
    ):
        assert f"\n{line}\n" in text


def test_home_is_readable_if_it_contains_the_prefix():
    manifest = Manifest(version="1.0", build=1, target=TARGET)
    assert "ProtectHome=yes" in unit_text(Path("/opt/deseptr"), "python3", manifest, scope="system")
    assert "ProtectHome=read-only" in unit_text(Path("/home/pi/d"), "python3", manifest, scope="system")


class Systemctl:
    """Keeps what systemctl is asked, and answers `failing` with an error."""

    def __init__(self, failing: str = "") -> None:
        self.asked: list[str] = []
        self._failing = failing

    def __call__(self, command):
        self.asked.append(" ".join(command))
        failed = self._failing in command if self._failing else False
        return subprocess.CompletedProcess(command, int(failed), "active\n", "Job failed.\n" if failed else "")


def test_unit_is_loaded_only_when_it_changes(tmp_path: Path):
    asked = Systemctl()
    service = Systemd(tmp_path / "prefix", "python3", "system", asked, tmp_path / "units")
    service.install(Manifest(version="1.0", build=1, target=TARGET))
    service.install(Manifest(version="1.0", build=2, target=TARGET))
    service.install(Manifest(version="1.0", build=3, target=TARGET, network=True))
    loaded = [line for line in asked.asked if "daemon-reload" in line]
    assert len(loaded) == 2
    assert "AF_INET" in service.unit.read_text()
    asked.asked.clear()
    service.remove()
    assert [line.split()[1] for line in asked.asked] == ["stop", "clean", "disable", "stop", "daemon-reload"]
    assert not service.unit.exists()


def test_service_that_does_not_become_ready_is_refused(tmp_path: Path):
    service = Systemd(tmp_path, "python3", "user", Systemctl("start"), tmp_path / "units")
    with pytest.raises(RefusedError, match=r"systemctl start: found Job failed., expected the service ready"):
        service.start()
    assert service.state() == "active"


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="no systemctl here")
def test_unit_can_be_enabled(tmp_path: Path):
    root = tmp_path / "root"
    units = root / "etc" / "systemd" / "system"
    units.mkdir(parents=True)

    def offline(command):
        return (
            run_command([command[0], f"--root={root}", *command[1:]])
            if command[1] == "enable"
            else Systemctl()(command)
        )

    service = Systemd(Path("/opt/deseptr"), "/usr/bin/python3", "system", offline, units)
    service.install(Manifest(version="1.0", build=1, target=TARGET))
    assert not (units / "multi-user.target.wants").exists()
    service.enable()
    assert (units / "multi-user.target.wants" / NAME).is_symlink()
