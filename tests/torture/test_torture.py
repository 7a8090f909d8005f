"""The campaigns notice what they look for: half-written files, and messages that come again without need."""

import contextlib
import random
import socket
import struct
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from campaign import Campaign, campaigns, processor_s, wait_share, wait_until
from installing import Installer
from proxy import PUBACK, Proxy, halt
from torture import added, broken, torture
from training import same
from warm import Warm


class HalfWriter(Campaign):
    """Writes a file under its final name, and takes its time."""

    name = "half writer"
    share = 1
    promises = {"torn": "a file that is not whole", "seen": "not promised"}  # noqa: RUF012 - as in all of them
    excused = ("seen",)

    def start(self, number):
        script = 'printf "{" >"$0"; echo begun; sleep 60; printf "}" >>"$0"'
        return Installer(["sh", "-c", script, str(self.folder / "made.json")], self.folder)

    def wait(self, process, rng):
        wait_share(process, self.folder / "printed", 1)

    def check(self, number):
        self.check_files(self.folder)
        self.counts["seen"] += 1


def test_half_written_files_are_counted(tmp_path: Path):
    found = torture(HalfWriter(tmp_path), 3, random.Random(1), minutes=5)
    assert (found["kills"], found["ended_before"], found["counts"]) == (3, 0, {"torn": 3, "seen": 3})
    assert "made.json" in found["notes"][0]
    assert broken(found) == 3


def test_parts_of_a_campaign_are_added(tmp_path: Path):
    parts = [torture(HalfWriter(tmp_path), kills, random.Random(kills), minutes=5) for kills in (1, 2)]
    found = added(parts[0], parts[1])
    assert (found["kills"], found["counts"], len(found["notes"])) == (3, {"torn": 3, "seen": 3}, 3)
    assert added(None, parts[1]) == parts[1]


class Quick(HalfWriter):
    """Ends before any kill."""

    def start(self, number):
        return Installer(["true"], self.folder)

    def wait(self, process, rng):
        process.wait()


def test_commands_that_end_before_their_kill_count_as_none(tmp_path: Path):
    found = torture(Quick(tmp_path), 2, random.Random(1), minutes=5)
    assert (found["kills"], found["ended_before"]) == (0, 8)


def test_failing_command_that_was_not_killed_is_a_fault(tmp_path: Path):
    campaign = Quick(tmp_path)
    campaign.end(Installer(["sh", "-c", "echo why >&2; exit 3"], tmp_path))
    assert (campaign.counts["torn"], campaign.notes) == (1, ["torn: a command that was not killed ended with 3: why"])


def test_temporary_files_that_stay_are_counted(tmp_path: Path):
    campaign = Quick(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".model-1.keras").touch()
    campaign.check_leftovers(tmp_path)
    assert campaign.notes == ["left: run/.model-1.keras"]


def test_a_forked_command_is_a_process_of_its_own(tmp_path: Path):
    warm = Warm(["deseptr.cli.main"])
    try:
        ended = warm.start(["--version"], tmp_path, tmp_path / "out", tmp_path / "errors")
        assert ended.wait(60) == 0
        assert (tmp_path / "out").read_text().startswith("deseptr, version")
        refused = warm.start(["data", "info", "nowhere.csv"], tmp_path, tmp_path / "out", tmp_path / "errors")
        assert refused.wait(60) == 2
        assert "nowhere.csv" in (tmp_path / "errors").read_text()
        words = ["device", "run", "--simulate", "synthetic:subjects=1,seconds=600", "--speed", "realtime", "--json"]
        endless = warm.start(words, tmp_path, tmp_path / "endless", tmp_path / "errors")
        wait_share(endless, tmp_path / "endless", 1)
        assert processor_s(endless.pid) > 0
        Quick(tmp_path / "quick").kill(endless)
        assert endless.wait(0) == -9
        assert processor_s(endless.pid) == 0
    finally:
        warm.close()


def publish(number: int, payload: bytes) -> bytes:
    """A PUBLISH with QoS 1 on the topic ``a/b``."""
    body = struct.pack(">H", 3) + b"a/b" + struct.pack(">H", number) + payload
    return bytes([0x32, len(body)]) + body


def acknowledge(server: socket.socket) -> None:
    """Answer each PUBLISH of one size, as a broker does, connection by connection, until the server is shut."""
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client, contextlib.suppress(ConnectionError):
            while packet := client.recv(len(publish(1, b"0")), socket.MSG_WAITALL):
                client.sendall(bytes([PUBACK << 4, 2]) + packet[7:9])


@pytest.fixture
def proxy():
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=acknowledge, args=(server,), daemon=True)
        answering.start()
        made = Proxy(server.getsockname()[1])
        yield made
        made.stop()
        server.shutdown(socket.SHUT_RDWR)
        answering.join(10)
        assert not answering.is_alive()


# Sends four messages, reads the acknowledgments of the first three, and waits for its kill.
CLIENT = """
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as broker:
    broker.sendall(bytes.fromhex(sys.argv[2]))
    broker.recv(12, socket.MSG_WAITALL)
    print("read", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_client_had_read_is_told(proxy: Proxy, tmp_path: Path):
    messages = b"".join(publish(number, b"%d" % number) for number in range(1, 5))
    words = [sys.executable, "-c", CLIENT, str(proxy.port), messages.hex()]
    client = Installer(words, tmp_path)
    wait_share(client, tmp_path / "printed", 1)
    wait_until(lambda: proxy.forwarded == 16, 10, "the acknowledgments do not come")
    halt(client.pid)
    proxy.note_unread()
    Quick(tmp_path / "quick").kill(client)
    with socket.create_connection(("127.0.0.1", proxy.port)) as again:
        again.sendall(messages)
        assert len(again.recv(16, socket.MSG_WAITALL)) == 16
    before = [proxy.sent_before("a/b", b"%d" % number) for number in range(1, 5)]
    assert [len(each) for each in before] == [1, 1, 1, 1]
    wait_until(lambda: before[2][0].last, 10, "the end of the connection is not noted")
    assert [(each.read, each.last) for (each,) in before] == [
        (True, False),
        (True, False),
        (False, True),
        (False, False),
    ]


def test_figures_are_equal_but_for_times():
    one = {"macro_f1": [0.5, {"minutes": 1}], "minutes": 3}
    assert same(one, {"macro_f1": [0.5, {"minutes": 2}]})
    assert not same(one, {"macro_f1": [0.5000001, {}]})
    assert not same(one, {**one, "more": 1})


def test_every_command_that_writes_has_a_campaign():
    assert {each.name for each in campaigns()} == {
        *("record", "run --csv", "run --mqtt", "install", "train", "crossval", "convert")
    }
    assert sum(each.share for each in campaigns()) == 200
    for each in campaigns():
        assert set(each.excused) < set(each.promises)
