"""Status messages to systemd: the sd_notify protocol, without libsystemd.

Each message is one datagram of ``NAME=value`` lines to the AF_UNIX socket that ``NOTIFY_SOCKET`` names, an abstract one
if its name begins with ``@`` (systemd, sd_notify(3)). The watchdog expects ``WATCHDOG=1`` more often than every
``WATCHDOG_USEC`` microseconds from the process ``WATCHDOG_PID`` (sd_watchdog_enabled(3)). A program started by hand has
no such socket and sends nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from deseptr.device.clock import Clock

PATIENCE_S = 0.1
FEEDS_PER_PERIOD = 4
# Digits of a 64-bit number, which systemd has; int() raises for thousands.
_LONGEST_USEC = 20


class SystemdNotifier:
    """Reports to the service manager that the run has begun, is alive, and ends.

    Sampling must go on without a listening manager: failures to send are ignored, and a watchdog message that could not
    be sent is repeated at the next call.

    Args:
        address: socket as in ``NOTIFY_SOCKET``; None to send nothing.
        clock: measures the time between watchdog messages.
        watchdog_ns: timeout of the watchdog, nanoseconds; None without one.
    """

    def __init__(self, address: str | None, clock: Clock, watchdog_ns: int | None = None) -> None:
        self._address = None if address is None else _socket_name(address)
        self._clock = clock
        self._every_ns = None if watchdog_ns is None else watchdog_ns // FEEDS_PER_PERIOD
        self._fed_ns: int | None = None

    @classmethod
    def from_environment(
        cls, clock: Clock, environment: Mapping[str, str] = os.environ, pid: int | None = None
    ) -> SystemdNotifier:
        """A notifier of the service manager that started this process, if one did.

        Args:
            clock: as above.
            environment: holds ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``.
            pid: number of this process; from the system by default.
        """
        address = environment.get("NOTIFY_SOCKET")
        # Other address families (vsock) are for virtual machines, not for services.
        if not address or address[0] not in "/@":
            address = None
        return cls(address, clock, _watchdog_ns(environment, os.getpid() if pid is None else pid))

    @property
    def listened_to(self) -> bool:
        """Whether a service manager started this process."""
        return self._address is not None

    def ready(self) -> None:
        """Report that the run has begun."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog, at most four times per period; may be called at any rate."""
        if self._every_ns is None:
            return
        now_ns = self._clock.now_ns()
        if (self._fed_ns is None or now_ns - self._fed_ns >= self._every_ns) and self._send("WATCHDOG=1"):
            self._fed_ns = now_ns

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """Report that the run ends."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> bool:
        if self._address is None:
            return False
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            # The sampling loop must not wait for a manager with a full queue.
            sender.settimeout(PATIENCE_S)
            sender.sendto(message.encode(), self._address)
            return True
        return False


def _socket_name(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address


def _watchdog_ns(environment: Mapping[str, str], pid: int) -> int | None:
    wanted = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not wanted.isdecimal() or len(wanted) > _LONGEST_USEC:
        return None
    return int(wanted) * 1000 or None
