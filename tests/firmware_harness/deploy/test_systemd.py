"""The unit under a real systemd: a user's manager in a mount namespace where systemd seems to have booted.

Never a system manager: at its start it cleans /tmp and sets up devices, which no namespace here keeps to itself.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deseptr.firmware_harness.deploy.zipapp import target_zip

from .conftest import BundleMaker, Sshd

_SYSTEMD = Path("/lib/systemd/systemd")
_ENTER = """
mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system || exit 77
exec "$0" --user --unit=basic.target --log-target=null
"""


class Manager:
    """Runs programs beside the manager."""

    def __init__(self, pid: int, environment: dict[str, str]) -> None:
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self._enter = ["nsenter", f"--target={pid}", "--mount", *user]
        self._environment = environment

    def run(self, *command: object, text: str = "") -> "subprocess.CompletedProcess[str]":
        words = [*self._enter, *map(str, command)]
        return subprocess.run(words, env=self._environment, input=text, capture_output=True, text=True, check=False)

    def ask(self, *words: str) -> str:
        return self.run("systemctl", "--user", *words).stdout.strip()

    def shown(self, name: str) -> str:
        return self.ask("show", "--value", f"--property={name}", "deseptr.service")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    if not _SYSTEMD.exists() or shutil.which("unshare") is None:
        pytest.skip("no systemd here")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    homes = {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    # Only systemd's own units and the test's: none that this machine enables for its users.
    units = f"{tmp_path / 'config' / 'systemd' / 'user'}:/usr/lib/systemd/user"
    environment = {**os.environ, **homes, "SYSTEMD_UNIT_PATH": units}
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "sh", "-c", _ENTER]
    process = subprocess.Popen(
        [*enter, _SYSTEMD], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    made = Manager(process.pid, environment)
    try:
        for _ in range(100):
            if made.ask("is-system-running") in ("running", "degraded"):
                break
            if process.poll() is not None:
                pytest.skip("no namespace for a systemd of its own here")
            time.sleep(0.1)
        else:
            pytest.skip("a systemd of its own does not get up here")
        yield made
    finally:
        made.ask("exit")
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for(condition: Any) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come")


@pytest.mark.slow
def test_service_becomes_ready_restarts_rolls_back_and_is_removed(
    manager: Manager, sshd: Sshd, make_standin: BundleMaker, tmp_path: Path
):
    pyz, prefix = tmp_path / "target.pyz", tmp_path / "prefix"
    pyz.write_bytes(target_zip())

    def install(bundle: Path) -> tuple[int, str]:
        ended = manager.run(sshd.python, pyz, "install", bundle, prefix, "user")
        return ended.returncode, ended.stderr

    assert install(make_standin("1.0", 1)) == (0, "")
    assert manager.shown("ActiveState") == "active"
    assert (manager.shown("Type"), manager.shown("WatchdogUSec")) == ("notify", "30s")
    assert manager.ask("is-enabled", "deseptr.service") == "enabled"

    # Killed, it is started again.
    first = int(manager.shown("MainPID"))
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: manager.shown("MainPID") not in ("0", str(first)) and manager.shown("ActiveState") == "active")

    # A release whose service dies before it is ready gives way to the one before.
    code, err = install(make_standin("2.0", 2, "dies"))
    assert code == 2
    assert "systemctl start: found Job for deseptr.service failed" in err
    assert "1.0-1 runs again" in err
    assert ((prefix / "current").readlink().name, manager.shown("ActiveState")) == ("1.0-1", "active")

    # A service whose configuration is unusable is not restarted.
    code, err = install(make_standin("2.0", 3, "quits"))
    assert (code, "found failed after 5 s, expected active" in err) == (2, True), err
    assert manager.shown("ActiveState") == "active"

    # A trial that was cut off is ended before the next start.
    manager.ask("stop", "deseptr.service")
    state = json.loads((prefix / "state.json").read_text())
    trial = prefix / "releases" / "9.9-9"
    shutil.copytree((prefix / "current").resolve(), trial, symlinks=True)
    (prefix / "state.json").write_text(json.dumps({**state, "trial": "9.9-9"}))
    (prefix / "current").unlink()
    (prefix / "current").symlink_to("releases/9.9-9")
    manager.ask("start", "deseptr.service")
    assert ((prefix / "current").readlink().name, manager.shown("ActiveState")) == ("1.0-1", "active")

    # A first trial that was cut off leaves nothing that starts, and no unit that fails for ever.
    manager.ask("stop", "deseptr.service")
    (prefix / "state.json").write_text(json.dumps({"good": [], "trial": "1.0-1", "bad": {}}))
    manager.ask("start", "deseptr.service")
    wait_for(lambda: manager.shown("ActiveState") in ("inactive", "failed"))
    assert not (prefix / "current").is_symlink()
    assert manager.ask("is-enabled", "deseptr.service") in ("", "not-found")
    assert install(make_standin("1.0", 1)) == (0, "")
    assert manager.shown("ActiveState") == "active"

    order = json.dumps({"op": "uninstall", "prefix": str(prefix)}) + "\n"
    assert manager.run(sshd.python, pyz, "serve", text=order).returncode == 0
    assert manager.shown("LoadState") == "not-found"
    assert not prefix.exists()
