"""Targets of what the kernel and the system say of a machine: small files below a root, odd or hostile."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import mutators
from target import Target

# What stands in place of a file: a folder, and one that has no end.
FOLDER, ENDLESS = {"folder": True}, {"endless": True}
THERMAL, CPU = "sys/class/thermal/thermal_zone", "sys/devices/system/cpu/cpu"
BOARD = {
    "sys/firmware/devicetree/base/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "sys/firmware/devicetree/base/compatible": "raspberrypi,5-model-b\0brcm,bcm2712\0",
    "sys/class/dmi/id/sys_vendor": "QEMU\n",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "arch_sys_counter\n",
    f"{THERMAL}0/type": "cpu-thermal\n",
    f"{THERMAL}0/temp": "48500\n",
    f"{THERMAL}1/type": "cpu_thermal\n",
    f"{THERMAL}1/temp": "-2000\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "sys/devices/platform/soc/firmware/get_throttled": "0\n",
    f"{CPU}0/cpufreq/scaling_governor": "ondemand\n",
    f"{CPU}0/cpufreq/scaling_cur_freq": "1500000\n",
    f"{CPU}0/cpufreq/cpuinfo_max_freq": "2400000\n",
    "proc/cpuinfo": "processor\t: 0\nModel\t\t: Raspberry Pi 5\n\n",
    "proc/self/status": "Name:\tpython3\nVmHWM:\t   31000 kB\nVmRSS:\t   30000 kB\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
}
I2C = {
    "boot/firmware/config.txt": "# a comment\ndtparam=i2c_arm=on\ndtparam=i2c_arm_baudrate=400000\n",
    "proc/modules": "i2c_dev 20480 0 - Live 0x0\n",
    "proc/1234/comm": "python3\n",
    "proc/device-tree/aliases/i2c1": "/soc/i2c@7e804000\0",
    "proc/device-tree/soc/i2c@7e804000/clock-frequency": "\0\1\x86\xa0",
    "sys/bus/usb/devices/1-1/idVendor": "1a6e\n",
    "sys/bus/usb/devices/1-1/idProduct": "089a\n",
    "run/systemd/timesync/synchronized": "",
    "dev/i2c-1": "",
}
MACHINE_ID = {"etc/machine-id": "0123456789abcdef0123456789abcdef\n", "var/lib/dbus/machine-id": "f" * 32}
MANAGER = {"NOTIFY_SOCKET": "@/nowhere/deseptr", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
HUB = b"hub port sta spd dev      sockfd local_busid\n"
HUB += b"hs  0000 006 003 00010002 000003 1-1\nhs  0001 004 000 00000000 000000 0-0\n"
LIKE_NUMBERS = (
    *("-1", "-273001", "999999999", "9" * 19, "1_000", "0x10", "-f"),
    *("0b1", "+5", "\xd9\xa3", "1e3", "-0", "ffffffff"),
)


def hosts() -> Iterator[Target]:
    """All of them."""
    for name, (read, seed) in {
        "files of the board": (_look_at_board, BOARD),
        "files of the doctor": (_examine, {**BOARD, **I2C}),
        "files of a flashed board": (_answer_of_board, BOARD),
        "machine-id": (_code_of_machine, MACHINE_ID),
    }.items():
        yield Target(name, partial(_below_root, read), (json.dumps(seed).encode(),), of_files)
    yield Target("service manager's variables", _notify, (json.dumps(MANAGER).encode(),), mutators.of_json)
    yield Target("status of the USB hub", partial(_in_hub, _free_port), (HUB,), mutators.of_text)
    yield Target("report.json beside a page", _look_beside, (b'{"format": "deseptr-report-1"}',), mutators.of_json)


def of_files(rng: random.Random, content: bytes) -> bytes:
    """A change of one file: of its content, into none, a folder, a huge one, or one without an end."""
    files = json.loads(content)
    path = rng.choice(sorted(files))
    kind = rng.randrange(8)
    if kind == 0:
        del files[path]
    elif kind == 1:
        files[path] = rng.choice((FOLDER, ENDLESS))
    elif kind == 2:
        files[path] = rng.choice(("", "7" * 3_000_000, "\xff\xfe\x1b]0;x\x07" * 1000, f"{files[path]}" * 500))
    elif kind in (3, 4):
        files[path] = rng.choice(LIKE_NUMBERS) + rng.choice(("", "\n", "\0", " kB"))
    else:
        change = mutators.of_bytes if kind == 5 else mutators.of_text
        held = files[path] if isinstance(files[path], str) else ""
        files[path] = change(rng, held.encode("latin-1", "replace")).decode("latin-1")
    return json.dumps(files).encode()


def _below_root(read: Callable[[Path], object], content: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, held in (mutators.parsed(content) or {}).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if held == ENDLESS:
                path.symlink_to("/dev/zero")
            elif held == FOLDER:
                path.mkdir()
            else:
                path.write_bytes(held.encode("latin-1"))
        return read(root)


def _notify(content: bytes) -> object:
    """A run that tells its manager that it lives; what is no text cannot be in an environment."""
    from deseptr.device.clock import SystemClock
    from deseptr.device.host.notify import SystemdNotifier

    given = mutators.parsed(content)
    environment = {
        name: str(value).replace("\0", "") for name, value in (given if isinstance(given, dict) else {}).items()
    }
    notifier = SystemdNotifier.from_environment(SystemClock(), environment, pid=7)
    notifier.ready()
    notifier.alive()
    notifier.status("walking")
    return environment


def _in_hub(read: Callable[[Path], object], content: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "status").write_bytes(content)
        return read(Path(folder))


def _free_port(hub: Path) -> object:
    from deseptr.firmware_harness.simulator.front.usbip import free_port

    return free_port(hub)


def _look_beside(content: bytes) -> object:
    from deseptr.cli.evaluate.report_files import check_output

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "report.json").write_bytes(content)
        check_output(Path(folder) / "report.html", "deseptr-report-1")
        return None


def _silent(command: object) -> str:
    return ""


def _look_at_board(root: Path) -> object:
    from deseptr.device.host.board import read_board
    from deseptr.device.host.machine import describe_machine
    from deseptr.device.profile.usage import process_memory

    state = read_board(root, _silent).to_dict()
    celsius, clocks = state["temperature_c"], [*state["clock_hz"], state["max_clock_hz"] or 0]
    assert celsius is None or -60 <= celsius <= 200
    assert all(hz >= 0 for hz in clocks)
    memory = process_memory(root)
    assert memory.resident > 0 < memory.peak
    return json.dumps([state, describe_machine(root)], allow_nan=False)


def _examine(root: Path) -> object:
    """The doctor's checks of the machine; those of the sensor need a bus, which there is none behind the node."""
    from deseptr.device.bus import bus_error
    from deseptr.device.clock import SystemClock
    from deseptr.device.doctor.bus_checks import configured_clock_hz
    from deseptr.device.doctor.check_runner import run_checks
    from deseptr.device.doctor.checks import CHECKS
    from deseptr.device.doctor.subject import Host, Subject

    def open_bus() -> Any:
        raise bus_error("/dev/i2c-1", None, FileNotFoundError(2, "No such file or directory"))

    subject = Subject(Host(root, root, _silent), open_bus, SystemClock())
    hz = configured_clock_hz(root, 1)
    assert hz is None or 1_000 <= hz <= 10_000_000
    found = list(run_checks(subject, [check for check in CHECKS if check.name not in ("engine", "model")]))
    for finding in found:
        assert not finding.found.startswith("the check itself failed"), finding.found
        assert finding.found.isprintable(), "a terminal would obey what a file says"
    return found


def _answer_of_board(root: Path) -> object:
    """What a board says of itself is what a workstation takes."""
    from deseptr.firmware_harness.deploy.answer_check import check, parse_line
    from deseptr.firmware_harness.deploy.answers import BoardFacts, BoardHeat
    from deseptr.firmware_harness.deploy.target.heat import heat
    from deseptr.firmware_harness.deploy.target.probe import probe

    said = {"board": probe(root, root), "state": heat(root)}
    heard = parse_line(json.dumps({"result": said}).encode())["result"]
    check(heard["board"], BoardFacts, "board")
    check(heard["state"], BoardHeat, "state")
    celsius = heard["state"]["temperature_c"]
    assert celsius is None or -60 <= celsius <= 200, f"{celsius} degrees"
    return heard


def _code_of_machine(root: Path) -> object:
    from deseptr.device.host.machine_code import machine_code

    code = machine_code("fuzz", root=root, mac=lambda: 2)
    assert len(code) == 16
    return code
