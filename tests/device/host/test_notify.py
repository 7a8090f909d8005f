import os
import socket
import uuid
from contextlib import ExitStack, suppress

import pytest

from deseptr.device.host.notify import SystemdNotifier
from deseptr.firmware_harness.simulator import VirtualClock


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A service manager's socket, and its name as in NOTIFY_SOCKET."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@deseptr-test-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0"))
        receiver.setblocking(False)
        yield receiver, name


def received(receiver):
    messages = []
    while True:
        try:
            messages.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_manager_receives_start_status_and_end(manager):
    receiver, name = manager
    notifier = SystemdNotifier.from_environment(VirtualClock(), {"NOTIFY_SOCKET": name})
    notifier.ready()
    notifier.status("walking\nREADY=0  since  9 s")
    notifier.alive()
    notifier.stopping()
    assert received(receiver) == ["READY=1", "STATUS=walking READY=0 since 9 s", "STOPPING=1"]


def test_watchdog_is_fed_four_times_per_period(manager):
    receiver, name = manager
    clock = VirtualClock()
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = SystemdNotifier.from_environment(clock, environment)
    petted = []
    for _ in range(100):
        notifier.alive()
        petted.append(received(receiver))
        clock.sleep_ns(100_000_000)
    assert petted == [["WATCHDOG=1"], [], [], [], []] * 20


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "1" * 5000},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_for_this_process(manager, watchdog):
    receiver, name = manager
    SystemdNotifier.from_environment(VirtualClock(), {"NOTIFY_SOCKET": name} | watchdog, pid=42).alive()
    assert received(receiver) == []


def test_unsent_watchdog_message_is_repeated(tmp_path):
    clock = VirtualClock()
    notifier = SystemdNotifier(str(tmp_path / "later"), clock, watchdog_ns=10**10)
    notifier.alive()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "later"))
        receiver.setblocking(False)
        notifier.alive()
        notifier.alive()
        assert received(receiver) == ["WATCHDOG=1"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_socket_nothing_happens(environment, monkeypatch):
    made = []
    monkeypatch.setattr(socket, "socket", lambda *arguments: made.append(arguments))
    notifier = SystemdNotifier.from_environment(VirtualClock(), environment | {"WATCHDOG_USEC": "1"})
    notifier.ready()
    notifier.alive()
    notifier.status("walking")
    notifier.stopping()
    assert made == []


def test_missing_manager_is_ignored(tmp_path):
    path = str(tmp_path / "nobody")
    notifier = SystemdNotifier(path, VirtualClock(), watchdog_ns=1)
    notifier.ready()
    notifier.alive()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.setblocking(False)
        notifier.stopping()
        assert received(receiver) == ["STOPPING=1"]


def test_manager_that_does_not_read_is_ignored(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "full"))
        receiver.setblocking(False)
        notifier = SystemdNotifier(str(tmp_path / "full"), VirtualClock())
        # A sender's own buffer may be full before the manager's queue is: several fill it, whatever its length.
        with ExitStack() as senders:
            for _ in range(8):
                other = senders.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
                other.setblocking(False)
                with suppress(BlockingIOError):
                    while True:
                        other.sendto(b"x", str(tmp_path / "full"))
            notifier.ready()
        assert "READY=1" not in received(receiver)
