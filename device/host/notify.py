"""Telling systemd how the service is: the sd_notify protocol, without libsystemd.

Each message is one datagram of ``NAME=value`` lines to the AF_UNIX socket that ``NOTIFY_SOCKET`` names, an abstract one
if its name begins with ``@`` (systemd, sd_notify(3)). The watchdog wants ``WATCHDOG=1`` more often than every
``WATCHDOG_USEC`` microseconds from the process ``WATCHDOG_PID`` (sd_watchdog_enabled(3)). Started by hand there is no
such socket, and nothing here does anything.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from deseptr.device.clock import Clock

PATIENCE_S = 0.1
PETS_A_PERIOD = 4


class SystemdNotifier:
    """Says to the service manager that the run has begun, lives, and ends.

    A manager that does not listen is no reason to stop sampling: failures to send are ignored, and a pet of the
    watchdog that could not be sent is tried again at the next occasion.

    Args:
        address: socket as in ``NOTIFY_SOCKET``; None to do nothing.
        clock: to pet the watchdog often enough and not more.
        watchdog_ns: how long the watchdog waits, nanoseconds; None without one.
    """

    def __init__(self, address: str | None, clock: Clock, watchdog_ns: int | None = None) -> None:
        self._address = None if address is None else _socket_name(address)
        self._clock = clock
        self._every_ns = None if watchdog_ns is None else watchdog_ns // PETS_A_PERIOD
        self._petted_ns: int | None = None

    @classmethod
    def from_environment(
        cls, clock: Clock, environment: Mapping[str, str] = os.environ, pid: int | None = None
    ) -> SystemdNotifier:
        """For the service manager that started this process, if one did.

        Args:
            clock: as above.
            environment: where ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` stand.
            pid: this process; asked of the system by default.
        """
        address = environment.get("NOTIFY_SOCKET")
        # Other address families (vsock) are for machines that boot, not for their services.
        if not address or address[0] not in "/@":
            address = None
        return cls(address, clock, _watchdog_ns(environment, os.getpid() if pid is None else pid))

    def ready(self) -> None:
        """The run has begun: samples come."""
        self._send("READY=1")

    def alive(self) -> None:
        """Pet the watchdog, at most four times in its period; to be called as often as one likes."""
        if self._every_ns is None:
            return
        now_ns = self._clock.now_ns()
        if (self._petted_ns is None or now_ns - self._petted_ns >= self._every_ns) and self._send("WATCHDOG=1"):
            self._petted_ns = now_ns

    def status(self, text: str) -> None:
        """What ``systemctl status`` shows, in one line."""
        self._send("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """The run has ended, and is being put away."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> bool:
        if self._address is None:
            return False
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            # The sampling loop must not wait for a manager whose queue is full.
            sender.settimeout(PATIENCE_S)
            sender.sendto(message.encode(), self._address)
            return True
        return False


def _socket_name(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address


def _watchdog_ns(environment: Mapping[str, str], pid: int) -> int | None:
    wanted = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not wanted.isdecimal() or int(wanted) == 0:
        return None
    return int(wanted) * 1000
