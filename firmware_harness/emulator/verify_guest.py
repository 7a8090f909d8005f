"""The job of the emulated machine in a verification: a service of its systemd, with Debian's Python alone.

It loads the kernel's modules, installs the second runtime, plugs in simulated sensors, carries out the job's steps in
turn, and reports the result of each. :mod:`.verify` checks the results on the host.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .guest import reporter, run_and_power_off
from .kernel_guest import adapters, load_modules, wait_for

MARK = "@verify-arm "
LOG = Path("/run/simulated.log")
SERVICE = "deseptr.service"
_TAIL = 2000
_I2C_GROUP = 998
# Longer than WatchdogSec=, TimeoutStopSec= and TimeoutStartSec= together.
_BACK_UP_S, _STILL_UP_S = 180.0, 10.0


report = reporter(MARK)


def run_step(command: Sequence[str], timeout: float) -> dict[str, Any]:
    """Exit code, output and the end of the errors of a program; the code is None after a timeout."""
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return {"code": None, "out": "", "err": f"no end after {timeout:g} s of the machine's time"}
    except OSError as error:
        return {"code": 127, "out": "", "err": str(error)}
    return {"code": ended.returncode, "out": ended.stdout, "err": ended.stderr[-_TAIL:]}


def plug_in(command: Sequence[str]) -> int:
    """Start a simulated sensor's adapter in the background; returns the number that the kernel gives it."""
    before = adapters()
    server = serve(command)
    new: set[int] = wait_for(lambda: _running(server) and adapters() - before, "no i2c-tiny-usb adapter")
    number = min(new)
    await_device(server, Path(f"/dev/i2c-{number}"))
    return number


def serve(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program in the background."""
    with LOG.open("a") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def await_device(server: subprocess.Popen[bytes], device: Path) -> None:
    """Wait for a bus, and set its owner as a board's udev rules do."""
    wait_for(lambda: _running(server) and device.exists(), f"no {device}")
    os.chown(device, 0, _I2C_GROUP)
    device.chmod(0o660)


def _running(server: subprocess.Popen[bytes]) -> bool:
    if server.poll() is not None:
        raise ChildProcessError(LOG.read_text()[-_TAIL:])
    return True


def unit_state(show: Callable[[], str]) -> dict[str, str]:
    """The properties that ``systemctl show`` prints, by name."""
    return dict(line.partition("=")[::2] for line in show().splitlines())


def show_service() -> str:
    """The service's properties from ``systemctl show``."""
    names = "ActiveState,SubState,NRestarts,Result,MainPID,WatchdogUSec,Type"
    return subprocess.run(
        ["systemctl", "show", SERVICE, f"--property={names}"], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def hang_service() -> dict[str, Any]:
    """Stop the service's process with SIGSTOP, and observe systemd's watchdog."""
    before = unit_state(show_service)
    hung = int(before["MainPID"])
    if before["ActiveState"] != "active" or hung <= 1:
        return {"before": before, "after": before, "hung": hung, "journal": service_journal()}
    os.kill(hung, signal.SIGSTOP)
    after = before
    deadline = time.monotonic() + _BACK_UP_S
    while time.monotonic() < deadline:
        time.sleep(1)
        after = unit_state(show_service)
        if after["ActiveState"] == "active" and after["MainPID"] not in ("0", str(hung)):
            break
    time.sleep(_STILL_UP_S)
    return {"before": before, "after": unit_state(show_service), "hung": hung, "journal": service_journal()}


def service_journal() -> list[str]:
    """Last lines of the service's journal, without its events."""
    answer = run_step(["journalctl", f"--unit={SERVICE}", "--no-pager", "--output=cat", "--lines=60"], 60)
    return [line for line in answer["out"].splitlines() if not line.startswith("{")][-30:]


def work(job: dict[str, Any]) -> None:
    """Carry out all steps of the job; a failed one does not stop the others."""
    report(linux=os.uname().release, python=sys.version.split()[0])
    for number, command in enumerate(job["prepare"]):
        report(step=f"prepare-{number}", **run_step(command, job["timeout"]))
    for name, command in job["adapters"].items():
        report(adapter=name, number=plug_in(command))
    for device, command in job["devices"].items():
        await_device(serve(command), Path(device))
    for step in job["steps"]:
        facts = hang_service() if step["command"] == ["hang"] else run_step(step["command"], job["timeout"])
        report(step=step["name"], **facts)
    report(done=True)


def _work_on_job(libc: Any) -> None:
    load_modules(libc, Path("/kernel-modules"))
    work(json.loads(Path("/job/job.json").read_text()))


if __name__ == "__main__":
    run_and_power_off(_work_on_job, report, mount=False)
