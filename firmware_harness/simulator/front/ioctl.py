"""``/dev/i2c-N`` for one command, at ioctl level: umockdev answers its calls, without kernel module or privileges.

The command is any program linked to the C library: a Python with smbus2, ``i2cdetect``, ``i2cget``. It runs in real
time, so a simulated chip needs a real-time clock such as :class:`~deseptr.device.SystemClock`. The bindings of umockdev
belong to the system's Python: :mod:`.umockdev_relay` runs in that, and this module in the toolkit's.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from deseptr.contract import SetupError
from deseptr.device import Clock, SystemClock
from deseptr.firmware_harness.programs import require_program
from deseptr.firmware_harness.simulator.bus_profiles import BCM2835, BusProfile
from deseptr.firmware_harness.simulator.chips.chip import SimulatedDevice
from deseptr.firmware_harness.simulator.faults.fault import Fault
from deseptr.firmware_harness.simulator.faults.injector import FaultInjector
from deseptr.firmware_harness.simulator.virtual_bus import VirtualI2cBus

from .i2c_dev import I2cDevFile
from .messages import MessageBus

SYSTEM_PYTHON = "/usr/bin/python3"
WRAPPER = "umockdev-wrapper"
PACKAGES = "umockdev gir1.2-umockdev-1.0 python3-gi"
_BINDINGS = "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev"
I2C_MAJOR = 89
# Longest time for a command to end after it was asked to.
GRACE_S = 5.0


class IoctlBus:
    """Runs commands with a simulated bus at ``/dev/i2c-<number>``.

    The state of the bus and its chips lasts from one command to the next.

    Args:
        bus: the simulated bus.
        number: number of the device node.
    """

    def __init__(self, bus: VirtualI2cBus, number: int = 1) -> None:
        self.path = f"/dev/i2c-{number}"
        self.number = number
        self._bus = MessageBus(bus)

    def run(
        self, command: Sequence[str], *, timeout: float | None = None, capture: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            command: the program and its arguments.
            timeout: seconds after which it is killed; None for no limit.
            capture: whether to keep its output; otherwise it uses the caller's terminal.

        Returns:
            The completed process; a return code above 128 means a signal.

        Raises:
            SetupError: if umockdev or the command is not installed.
            subprocess.TimeoutExpired: if it took longer.
        """
        check_umockdev()
        require_program(command[0], expected="a program to run", next_step="check its name and PATH")
        ours, theirs = socket.socketpair()
        with ours, as_file(files(__package__).joinpath("umockdev_relay.py")) as relay:
            arguments = [WRAPPER, SYSTEM_PYTHON, "-I", str(relay), str(theirs.fileno()), self.path, self._description()]
            with theirs:
                process = subprocess.Popen(
                    [*arguments, *command],
                    pass_fds=[theirs.fileno()],
                    stdout=subprocess.PIPE if capture else None,
                    stderr=subprocess.PIPE if capture else None,
                    text=True,
                    start_new_session=capture,
                )
            server = _Server(ours, self._bus)
            server.start()
            output, errors = _finish(process, timeout)
        server.join()
        if server.error is not None:
            raise server.error
        return subprocess.CompletedProcess(list(command), process.returncode, output, errors)

    def _description(self) -> str:
        """Description of the device for umockdev, with which ``i2cdetect -l`` lists it, too."""
        name = f"i2c-{self.number}"
        lines = [
            f"P: /devices/virtual/i2c-dev/{name}",
            f"N: {name}",
            "E: SUBSYSTEM=i2c-dev",
            f"E: DEVNAME={self.path}",
            f"E: MAJOR={I2C_MAJOR}",
            f"E: MINOR={self.number}",
            f"A: name=simulated {self._bus.profile.name}\\n",
            f"A: dev={I2C_MAJOR}:{self.number}\\n",
        ]
        return "\n".join(lines) + "\n"


def run_with_ioctl_bus(
    devices: Mapping[int, SimulatedDevice],
    command: Sequence[str],
    *,
    clock: Clock | None = None,
    profile: BusProfile = BCM2835,
    faults: FaultInjector | Iterable[Fault] = (),
    number: int = 1,
    timeout: float | None = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run a command with simulated devices on ``/dev/i2c-<number>``, and keep its output.

    Args:
        devices: the chips by 7-bit address, made with the same clock.
        command: the program and its arguments.
        clock: clock of the bus; the machine's own if None.
        profile: the controller.
        faults: the declared faults.
        number: number of the device node.
        timeout: seconds after which the command is killed.

    Raises:
        SetupError: if umockdev or the command is not installed.
        subprocess.TimeoutExpired: if it took longer.
    """
    bus = VirtualI2cBus(devices, clock or SystemClock(), profile, faults)
    return IoctlBus(bus, number).run(command, timeout=timeout)


def check_umockdev() -> None:
    """Check that umockdev is installed.

    Raises:
        SetupError: if umockdev or its bindings are missing.
    """
    missing = missing_umockdev()
    if missing:
        raise SetupError(
            "umockdev",
            found=missing,
            expected="umockdev and its bindings for the system's Python",
            next_step=f"`sudo apt-get install {PACKAGES}`",
        )


@cache
def missing_umockdev() -> str:
    """Name of the part of umockdev that is not installed; empty if none is missing."""
    if shutil.which(WRAPPER) is None:
        return f"no {WRAPPER}"
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-I", "-c", _BINDINGS], capture_output=True, check=False)
    except OSError:
        return f"no {SYSTEM_PYTHON}"
    return "" if done.returncode == 0 else f"no bindings for {SYSTEM_PYTHON}"


def _finish(process: subprocess.Popen[str], timeout: float | None) -> tuple[str, str]:
    with process:
        try:
            return process.communicate(timeout=timeout)
        except KeyboardInterrupt:
            # The command got Ctrl-C, too, and ends by itself.
            return process.communicate()
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        # It has a process group of its own unless it uses the caller's terminal.
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.communicate()


class _Server(threading.Thread):
    """Answers the relay until it closes the link; ``error`` is an exception of a simulated device."""

    def __init__(self, link: socket.socket, bus: MessageBus) -> None:
        super().__init__(name="ioctl bus", daemon=True)
        self.error: Exception | None = None
        self._link = link.makefile("rw", encoding="ascii", newline="\n")
        self._bus = bus
        self._files: dict[int, I2cDevFile] = {}

    def run(self) -> None:
        with self._link:
            for line in self._link:
                self._link.write(json.dumps(self._answer(json.loads(line))) + "\n")
                self._link.flush()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        argument = _RelayedBlock(self._link, 0, bytes.fromhex(call["data"]))
        file = self._files.setdefault(call["file"], I2cDevFile(self._bus))
        try:
            returned = self._call(file, call, argument)
        except OSError as error:
            return {"return": -1, "errno": error.errno or errno.EIO, "store": []}
        except Exception as error:
            # A bug in the simulation: the command must not wait for ever, and the caller must get the exception.
            self.error = error
            return {"return": -1, "errno": errno.EIO, "store": []}
        return {"return": returned, "errno": 0, "store": argument.stored}

    def _call(self, file: I2cDevFile, call: dict[str, Any], argument: _RelayedBlock) -> int:
        if call["call"] == "ioctl":
            return file.ioctl(call["request"], argument)
        if call["call"] == "write":
            return file.write(argument.data)
        data = file.read(len(argument.data))
        argument.store(data)
        return len(data)


class _RelayedBlock:
    """A block on the relay's side, numbered in the order of the requests."""

    def __init__(self, link: Any, number: int, data: bytes, root: _RelayedBlock | None = None) -> None:
        self.data = data
        self.stored: list[tuple[int, str]] = []
        self._link = link
        self.number = number
        self._root = root or self
        self._count = 1

    def follow(self, offset: int, length: int, *, writable: bool = False) -> _RelayedBlock:
        self._link.write(json.dumps({"follow": [self.number, offset, length]}) + "\n")
        self._link.flush()
        data = bytes.fromhex(json.loads(self._link.readline())["data"])
        number = self._root._count
        self._root._count += 1
        return _RelayedBlock(self._link, number, data, self._root)

    def store(self, data: bytes) -> None:
        self._root.stored.append((self.number, data.hex()))
