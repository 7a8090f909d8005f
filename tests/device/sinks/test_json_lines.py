import io
import json
import os
import subprocess
import sys

import pytest

from deseptr.device import GapEvent
from deseptr.device.sinks import JsonLines


def test_each_line_is_there_as_soon_as_its_event_is(tmp_path, window, warnings):
    with (tmp_path / "events.json").open("w") as stream:
        stream.write("before\n")
        sink = JsonLines(stream, "stdout", warnings)
        for event in (window(0), GapEvent(2.0, "overflow", 3), window(5)):
            sink.take(event)
            lines = (tmp_path / "events.json").read_text().splitlines()
            assert json.loads(lines[-1]) == event.to_dict()
        sink.close()
        assert lines[0] == "before"
        assert len(lines) == 4
        stream.write("after\n")
    assert (tmp_path / "events.json").read_text().endswith("}\nafter\n")
    assert warnings == []


@pytest.mark.parametrize("make", [io.BytesIO, lambda: io.TextIOWrapper(io.BytesIO())])
def test_stream_in_memory(make, window, warnings):
    stream = make()
    sink = JsonLines(stream, "stdout", warnings)
    sink.take(window())
    raw = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.buffer.getvalue()
    assert json.loads(raw) == window().to_dict()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110
def test_full_medium_is_reported_once_and_counted(window, warnings):
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        sink = JsonLines(stream, "stdout", warnings)
        for number in range(5):
            sink.take(window(number))
        sink.close()
    assert warnings == ["stdout: No space left on device; events are dropped and counted until it works again"]
    assert sink.losses.count == 5


def test_line_torn_by_a_full_medium_ends_before_the_next_one(window, warnings):
    class Small(io.RawIOBase):
        """Has room for 30 bytes, and for more after the second refusal."""

        room, refused, taken = 30, 0, b""

        def writable(self):
            return True

        def write(self, data):
            if not self.room:
                self.refused += 1
                if self.refused == 2:
                    self.room = 10_000
                raise OSError(28, "No space left on device")
            size = min(self.room, len(data))
            self.room -= size
            self.taken += bytes(data[:size])
            return size

    stream = Small()
    sink = JsonLines(stream, "stdout", warnings)
    for number in range(4):
        sink.take(window(number))
    torn, *whole = stream.taken.decode().splitlines()
    assert len(torn) == 30
    assert [json.loads(line)["t"] for line in whole] == [3.84, 5.12]
    assert warnings[1:] == ["stdout: works again; 2 events are missing"]


def test_closed_pipe_is_a_broken_pipe_error(window, warnings):
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        sink = JsonLines(stream, "stdout", warnings)
        os.close(reading)
        with pytest.raises(BrokenPipeError):
            sink.take(window())
    assert warnings == []


def test_nothing_fails_at_exit():
    code = (
        "import sys; from deseptr.device import GapEvent; from deseptr.device.sinks import JsonLines\n"
        "sink = JsonLines(sys.stdout, 'stdout', lambda line: None); sink.take(GapEvent(1, 'overflow', 2)); sink.close()"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
