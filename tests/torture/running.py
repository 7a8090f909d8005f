"""``device run`` with CSV and MQTT under kills: the windows that it printed, against those that the output has."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

from broker import Broker, Subscriber
from campaign import Campaign, Process, wait_share
from proxy import Proxy, halt
from warm import DEVICE, Warm

SIMULATED = ["device", "run", "--simulate", "synthetic:subjects=3,seconds=40", "--speed", "max", "--json"]


class Running(Campaign):
    """A run that prints its windows into ``NUMBER.jsonl`` and sends them to another output."""

    # What an output has of a window: its first sample, or its time in the recording.
    told_by: ClassVar[str]

    def prepare(self) -> None:
        self._warm = Warm(DEVICE)
        self.printed: dict[int, list[Any]] = {}
        # Of output, bytes.
        self.lasts = 0.0

    def output_options(self, number: int) -> list[str]:
        """Options of the output."""
        raise NotImplementedError

    def start(self, number: int) -> Process:
        self._printed = self.folder / f"{number}.jsonl"
        words = [*SIMULATED, *self.output_options(number)]
        return self._warm.start(words, self.folder, self._printed, self.folder / "errors")

    def wait(self, process: Process, rng: random.Random) -> None:
        wait_share(process, self._printed, rng.uniform(0, self.lasts))
        process.wait(rng.uniform(0, 0.01))

    def measure(self, number: int) -> None:
        """Let one run end, which tells how much it prints."""
        self.before(number)
        self.end(self.start(number))
        self.lasts = self._printed.stat().st_size

    def compare(self, run: int, kept: Sequence[Any]) -> None:
        """Windows of a run that an output kept, in its order, each once."""
        printed = self.printed[run]
        order = {window: place for place, window in enumerate(printed)}
        places = [order[window] for window in kept if window in order]
        self.counts["reordered"] += sum(later < earlier for earlier, later in pairwise(places))
        # What came after the last that was kept was on its way when the process was killed.
        last = max(places, default=-1)
        missing = last + 1 - len(places)
        self.counts["lost"] += missing
        if missing:
            self.notes.append(f"run {run}: {missing} of {last + 1} windows are missing")
        self.counts["on their way"] += len(printed) - 1 - last

    def read_printed(self, run: int) -> None:
        """Windows on the run's standard output; its last line may not be whole."""
        found = []
        for line in (self.folder / f"{run}.jsonl").read_text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if "probabilities" in event:
                found.append((event["recording"], event[self.told_by]))
        self.printed[run] = found

    def close(self) -> None:
        self._warm.close()


class Csv(Running):
    name = "run --csv"
    told_by = "sample"
    share = 40
    excused = ("on their way",)
    promises: ClassVar[dict[str, str]] = {
        "lost": "a window that was printed before another one that is in the file, and is not",
        "duplicated": "a window twice in the file",
        "reordered": "a window before an earlier one",
        "torn": "a row that is not whole, but for the last one of a killed run until the next run begins",
        "on their way": "not promised: windows that were printed just before the kill",
    }

    def prepare(self) -> None:
        super().prepare()
        self.measure(0)
        self._printed.unlink()

    def output_options(self, number: int) -> list[str]:
        return ["--csv", str(self.folder / "events.csv"), "--csv-size", "0.2", "--csv-keep", "200"]

    def before(self, number: int) -> None:
        self._rows = len(self._all_rows())

    def check(self, number: int) -> None:
        self.read_printed(number)
        rows = self._all_rows()[self._rows :]
        windows = [row for row in rows if len(row) > 6 and row[2] == "window" and row[6]]
        kept = by_recording([int(row[6]) for row in windows])
        self.counts["duplicated"] += len(kept) - len(set(kept))
        self.compare(number, list(dict.fromkeys(kept)))

    def finish(self) -> None:
        self.before(0)
        self.end(self.start(len(self.printed)))
        width = len(self._all_rows()[0])
        for path in self._files():
            content = path.read_text()
            if not content.endswith("\n") or any(len(line.split(",")) < width for line in content.splitlines()):
                self.found("torn", path.name)

    def _files(self) -> list[Any]:
        numbered = sorted(self.folder.glob("events.csv.*"), key=lambda path: -int(path.suffix[1:]))
        return [*numbered, *self.folder.glob("events.csv")]

    def _all_rows(self) -> list[list[str]]:
        lines = [line for path in self._files() for line in path.read_text().splitlines(keepends=True)]
        whole = [line for line in lines if line.endswith("\n") and not line.startswith("time,")]
        return [line.rstrip("\n").split(",") for line in whole]


class Mqtt(Running):
    name = "run --mqtt"
    told_by = "t"
    share = 40
    excused = ("on their way", "sent again", "being noted")
    promises: ClassVar[dict[str, str]] = {
        "lost": "a window that was printed before another one that was delivered, and was not",
        "duplicated": "a window that was delivered again after its process had read the broker's acknowledgment",
        "reordered": "a window that was first delivered after a later one",
        "torn": "a payload that is no JSON, or a spool that the next run cannot use",
        "on their way": "not promised: windows that were printed just before the kill",
        "sent again": "not promised: windows that came again, whose acknowledgment the killed process had not read",
        "being noted": "not promised: windows that came again, whose acknowledgment was the last thing that it read",
    }

    def prepare(self) -> None:
        super().prepare()
        self._broker = Broker(self.folder)
        self._broker.start()
        self._proxy = Proxy(self._broker.port)
        self._subscriber = Subscriber(self._broker.port)
        self.measure(1000)

    def output_options(self, number: int) -> list[str]:
        words = ["--mqtt", f"127.0.0.1:{self._proxy.port}", "--mqtt-node", f"r{number}"]
        return [*words, "--mqtt-spool", str(self.folder / "spool.db")]

    def before(self, number: int) -> None:
        # Every third run has no broker: its messages wait on disk for the next.
        if number % 3 == 2:
            self._subscriber.settle()
            self._proxy.stop()
            self._broker.kill()
        elif not self._broker.running:
            self._broker.start()
            self._subscriber.wait()
            self._proxy.listen()

    def kill(self, process: Process) -> None:
        # What a process has read is known only while it exists; between these two signals it does nothing.
        halt(process.pid)
        self._proxy.note_unread()
        super().kill(process)

    def check(self, number: int) -> None:
        self.read_printed(number)

    def finish(self) -> None:
        self.before(0)
        self.end(self.start(len(self.printed)))
        self._subscriber.settle()
        for run in sorted(self.printed):
            self.compare(run, self._delivered(run))

    def close(self) -> None:
        super().close()
        self._subscriber.close()
        self._proxy.stop()
        self._broker.kill()

    def _delivered(self, run: int) -> list[tuple[int, float]]:
        """Windows that a subscriber got, each once; what came again is counted by whether it had to."""
        topic = f"deseptr/r{run}/window"
        payloads = self._subscriber.on(topic)
        unique = list(dict.fromkeys(payloads))
        before = [sent for payload in unique for sent in self._proxy.sent_before(topic, payload)]
        read = sum(sent.read for sent in before)
        self.counts["duplicated"] += read
        self.counts["being noted"] += sum(sent.last for sent in before)
        self.counts["sent again"] += len(payloads) - len(unique) - sum(sent.read or sent.last for sent in before)
        if read:
            self.notes.append(f"run {run}: {read} of {len(unique)} windows came again though they were acknowledged")
        times = []
        for payload in unique:
            try:
                times.append(json.loads(payload)["t"])
            except (ValueError, KeyError, TypeError):
                self.found("torn", repr(payload[:60]))
        return by_recording(times)


def by_recording(values: Sequence[float]) -> list[tuple[int, float]]:
    """Number of the recording of each window, of which only the sample or time is known: both begin anew in each."""
    found: list[tuple[int, float]] = []
    recording = 0
    for place, value in enumerate(values):
        recording += place > 0 and value == values[0]
        found.append((recording, value))
    return found
