"""The campaigns notice what they look for: half-written files, and messages that come again without need."""

import contextlib
import random
import socket
import struct
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from calibrating import Calibrate
from campaign import Campaign, campaigns, processor_s, wait_share, wait_until
from installing import Installer
from personalising import Personalise
from proxy import PUBACK, Proxy, halt
from torture import added, broken, torture
from training import same
from warm import Warm
from wearing import Web, same_probabilities

from deseptr.device import default_model
from deseptr.device.personal import WearerFile
from deseptr.device.personal.recorded import Recorded
from deseptr.tflite import without_archive


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


def recorded(windows: int) -> Recorded:
    zeros, numbers = np.zeros((windows, 2), np.float32), np.arange(windows)
    return Recorded(zeros, zeros, numbers % 2, numbers * 0, numbers, zeros)


def wearer_file(*sessions: int) -> WearerFile:
    return WearerFile("eve", "0" * 64, ("sitting", "standing"), (), tuple(map(recorded, sessions)))


@pytest.mark.parametrize(
    ("act", "before", "now", "promise"),
    [
        ("two", (4,), (4, 6), None),
        ("two", (), (6,), None),
        ("two", (), (5,), "torn"),
        ("two", (4,), (3, 6), "torn"),
        ("two", (4,), (4, 6, 6), "duplicated"),
        ("two", (4,), (), "lost"),
        ("undo", (4, 6), (4,), None),
        ("undo", (4,), (), None),
        ("undo", (4, 6), (), "torn"),
        ("undo", (4, 6), (6,), "torn"),
        ("undo", (4,), (4, 6), "torn"),
    ],
)
def test_a_wearers_file_is_as_before_or_as_after(tmp_path: Path, act, before, now, promise):
    campaign = Personalise(tmp_path)
    campaign._who, campaign._act, campaign._whole = "eve", act, {"two": wearer_file(6)}
    campaign._compare(*(wearer_file(*sessions) if sessions else None for sessions in (before, now)))
    assert +campaign.counts == ({promise: 1} if promise else {})


def test_a_torn_wearers_file_is_counted_once_and_the_campaign_goes_on(tmp_path: Path):
    campaign = Personalise(tmp_path)
    campaign._files = tmp_path
    campaign.before(0)
    (tmp_path / "ada.deseptr").write_text(wearer_file(4).to_json()[:100])
    campaign.check(0)
    assert campaign.counts["torn"] == 1
    campaign.before(0)
    campaign.check(0)
    assert +campaign.counts == {"torn": 1}


def test_a_row_has_its_labels_probabilities_in_their_columns():
    row = {"time": "now", "p_sitting": "0.250000", "p_new": "", "p_standing": "0.750000", "wearer": "eve"}
    assert same_probabilities({"sitting": 0.25, "standing": 0.75}, row)
    assert not same_probabilities({"sitting": 0.75, "standing": 0.25}, row)
    assert not same_probabilities({"sitting": 0.25, "standing": 0.75, "new": 0.0}, row)
    assert not same_probabilities({"sitting": 0.25}, row)


def test_rows_of_another_width_than_their_header_are_counted(tmp_path: Path):
    campaign = Web(tmp_path)
    campaign._csv = tmp_path / "events.csv"
    (tmp_path / "events.csv.1").write_text("event,p_a\nwindow,1\nwindow,1,2\n")
    campaign._csv.write_text("event,p_a,p_b\nwindow,3,4\nwindow,5")
    assert campaign._all_rows() == [{"event": "window", "p_a": "1"}, {"event": "window", "p_a": "3", "p_b": "4"}]
    assert campaign.notes == ["torn: events.csv.1 has a row of 3 cells below 2 columns"]


def test_a_model_that_is_neither_as_before_nor_as_after_is_counted(tmp_path: Path):
    campaign = Calibrate(tmp_path)
    content = default_model().read_bytes()
    campaign._out, campaign._graph = tmp_path, without_archive(content)
    campaign._after = dict.fromkeys((True, False), content)
    campaign.before(1)
    campaign.check(1)
    assert not +campaign.counts
    campaign._model.write_bytes(content[:-100])
    campaign.check(1)
    assert campaign.counts["lost"] == 1
    (tmp_path / "page.html").write_text("<html>")
    campaign.before(1)
    campaign.check(1)
    assert campaign.notes[-1] == "torn: page.html ends in '<html>'"


def test_every_command_that_writes_has_a_campaign():
    assert {each.name for each in campaigns()} == {
        *("record", "run --csv", "run --mqtt", "run --web", "install", "train", "crossval", "convert"),
        *("personalise", "calibrate"),
    }
    assert sum(each.share for each in campaigns()) == 240
    for each in campaigns():
        assert set(each.excused) < set(each.promises)
