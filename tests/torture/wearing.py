"""``device run --web --csv`` under kills while its page changes who is worn, and personalises for somebody new.

Each wearer has a label of their own, which begins a new CSV file; most kills are aimed at that moment.
"""

from __future__ import annotations

import csv
import json
import random
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from campaign import Process, wait_until
from running import Running, by_recording
from warm import PAGE, Warm
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from deseptr.contract import DeseptrError
from deseptr.data import load_sample, save_npz
from deseptr.device import default_model
from deseptr.device.personal import WearerFile, personalise
from deseptr.device.personal.wearer_folder import WearerFolder
from deseptr.tflite import load_engine

LONG, SHORT = "synthetic:subjects=3,seconds=400", "synthetic:subjects=1,seconds=10"
WEARERS = tuple(f"w{number}" for number in range(6))
# A guided session is in real time: sitting for as long as its first take needs, then the new activity.
SITTING_S, WALKING_S = 8, 60
TAKES = (("sitting", 3), ("{wearer}", 11))
FIT_S = 1.5
PATIENCE_S = 60


class Web(Running):
    name = "run --web"
    told_by = "sample"
    share = 12
    excused = ("on their way",)
    promises: ClassVar[dict[str, str]] = {
        "lost": "a window that was printed before another one that is in the files, and is not; or a wearer's file",
        "duplicated": "a window twice in the files",
        "reordered": "a window before an earlier one",
        "torn": "a row with other columns than its file's header, or other probabilities than were printed; a wearer's "
        "file or the note of who is worn that cannot be read",
        "left": "a temporary file, or what was recorded, after a run that was not killed",
        "on their way": "not promised: windows that were printed just before the kill",
    }

    def prepare(self) -> None:
        self.printed: dict[int, list[Any]] = {}
        self._probabilities: dict[tuple[int, int], dict[str, float]] = {}
        self._temporary, self._wearers = self.folder / "tmp", self.folder / "wearers"
        for each in (self._temporary, self._wearers):
            each.mkdir()
        self._warm = Warm(PAGE, self._temporary)
        self._engine = load_engine(default_model())
        sample = load_sample()
        for wearer in WEARERS:
            names = tuple(wearer if name == "jogging" else name for name in sample.label_names)
            made = personalise(
                self._engine, self._engine.model, replace(sample, label_names=names), wearer, new_labels=(wearer,)
            )
            WearerFolder(self._wearers, self._engine.model).save(made.file)
        self._live = self.folder / "live.npz"
        _save_live(self._live)

    def before(self, number: int) -> None:
        # Two runs write the same files; every third pair is personalised for somebody new.
        self._guided = number // 2 % 3 == 2
        self._csv = self.folder / f"events-{number // 2}.csv"
        self._rows = len(self._all_rows())
        self._files_before = {path: path.read_bytes() for path in self._wearers.glob("*.deseptr")}

    def _name_outputs(self, name: str) -> None:
        self._printed, self._errors = self.folder / f"{name}.jsonl", self.folder / f"{name}.errors"

    def start(self, number: int) -> Process:
        self._name_outputs(f"new{number}")
        return self._begin([str(self._live), "--speed", "realtime"] if self._guided else [LONG])

    def _begin(self, source: Sequence[str]) -> Process:
        words = ["device", "run", "--json", "--hop", "0.32", "--simulate", *source]
        words += ["--web", "127.0.0.1:0", "--web-no-auth", "--web-no-auth", "--web-wearers", str(self._wearers)]
        words += ["--csv", str(self._csv), "--csv-keep", "200"]
        return self._warm.start(words, self.folder, self._printed, self._errors)

    def wait(self, process: Process, rng: random.Random) -> None:
        page = _Page(self._errors, process)
        with suppress(OSError, ConnectionClosed):
            if self._guided:
                page.personalise(self._printed.stem)
                process.wait(rng.uniform(0, FIT_S))
            else:
                self._wear(page, process, rng)

    def _wear(self, page: _Page, process: Process, rng: random.Random) -> None:
        """Let some wearers be worn; the kill is as the last one's label begins a file, or at any moment before."""
        among = rng.sample(WEARERS, rng.randint(1, len(WEARERS)))
        aimed = rng.random() < 0.7
        for place, wearer in enumerate(among):
            new, files = f"p_{wearer}" not in self._header(), len(self._files())
            page.ask("wear", {"wearer": wearer})
            if new and (aimed or place < len(among) - 1):
                self._wait_for_file(process, files)
        process.wait(rng.choice((0, rng.uniform(0, 0.003))) if aimed else rng.uniform(0, 0.3))

    def _wait_for_file(self, process: Process, number: int) -> None:
        """Wait for the first rename of a rotation, without a pause: the oldest file gets the next number."""
        path = Path(f"{self._csv}.{number}")
        until = time.monotonic() + PATIENCE_S
        while process.wait(0) is None and not path.exists():
            if time.monotonic() > until:
                self.found("torn", f"no file is begun for a new label; there are {number}")
                return

    def _header(self) -> list[str]:
        """Columns of the current file; none while it is renamed."""
        with suppress(FileNotFoundError, StopIteration), self._csv.open() as file:
            return next(csv.reader(file))
        return []

    def check(self, number: int) -> None:
        self.read_printed(number)
        rows = [row for row in self._all_rows()[self._rows :] if row["event"] == "window"]
        kept = by_recording([int(row["sample"]) for row in rows])
        self.counts["duplicated"] += len(kept) - len(set(kept))
        self.compare(number, list(dict.fromkeys(kept)))
        for window, row in zip(kept, rows, strict=True):
            told = self._probabilities.get(window)
            if told is not None and not same_probabilities(told, row):
                self.found("torn", f"run {number}: {window} of {row['wearer']!r} has other probabilities")
        self._check_wearers()

    def read_printed(self, run: int) -> None:
        self._probabilities = {}
        for line in self._printed.read_text().splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if "probabilities" in event:
                    self._probabilities[event["recording"], event["sample"]] = event["probabilities"]
        self.printed[run] = [*self._probabilities]

    def _check_wearers(self) -> None:
        for path, content in self._files_before.items():
            if not path.exists() or path.read_bytes() != content:
                self.found("lost", f"{path.name} is not as it was")
        for path in self._wearers.glob("*.deseptr"):
            try:
                WearerFile.load_for(path, self._engine.model)
            except DeseptrError as error:
                self.found("torn", str(error))
        worn = self._wearers / ".worn"
        text = worn.read_text() if worn.exists() else "\n"
        if not text.endswith("\n") or not (text == "\n" or (self._wearers / f"{text[:-1]}.deseptr").exists()):
            self.found("torn", f"the note of who is worn says {text!r}")

    def finish(self) -> None:
        self._name_outputs("last")
        self.end(self._begin([SHORT]))
        # What was begun is repaired when it is opened again, and only then.
        for path in (*self.folder.glob("*.csv.*"), self._csv):
            text = path.read_text()
            if not text.endswith("\n"):
                self.found("torn", f"{path.name} ends in {text[-40:]!r}")
        left = [path for path in self._wearers.glob(".*") if path.name != ".worn"]
        for path in (*left, *self._temporary.iterdir()):
            self.found("left", str(path.relative_to(self.folder)))

    def last_words(self) -> str:
        return (self._errors.read_text(errors="replace").strip().splitlines() or [""])[-1][:250]

    def _files(self) -> list[Path]:
        numbered = sorted(self.folder.glob(f"{self._csv.name}.*"), key=lambda path: -int(path.suffix[1:]))
        return [*numbered, *self.folder.glob(self._csv.name)]

    def _all_rows(self) -> list[dict[str, str]]:
        """Whole rows of the files in their order, by the columns of their own header."""
        found = []
        for path in self._files():
            text = path.read_text()
            header, *rows = csv.reader(text[: text.rfind("\n") + 1].splitlines()) or [[]]
            for row in rows:
                if len(row) != len(header):
                    self.found("torn", f"{path.name} has a row of {len(row)} cells below {len(header)} columns")
                else:
                    found.append(dict(zip(header, row, strict=True)))
        return found


def same_probabilities(told: Mapping[str, float], row: Mapping[str, str]) -> bool:
    """Whether a row's cells are the probabilities that were printed, each in its label's column."""
    cells = {name.removeprefix("p_"): float(cell) for name, cell in row.items() if name.startswith("p_") and cell}
    return cells.keys() == told.keys() and all(abs(cells[name] - told[name]) < 1e-5 for name in cells)


def _save_live(path: Path) -> None:
    """A recording of somebody who sits and then walks."""
    sample = load_sample()
    rate = round(sample.recordings[0].rate_hz)
    parts = []
    for label, seconds in (("sitting", SITTING_S), ("walking", WALKING_S)):
        wanted = sample.label_names.index(label)
        signals = np.concatenate([each.signals[each.labels == wanted] for each in sample.recordings])
        parts.append((np.resize(signals, (seconds * rate, signals.shape[1])), wanted))
    labels = np.concatenate([np.full(len(signals), wanted, np.int16) for signals, wanted in parts])
    joined = replace(sample.recordings[0], signals=np.concatenate([signals for signals, _ in parts]), labels=labels)
    save_npz(replace(sample, recordings=(joined,)), path)


class _Page:
    """The page of a run, and somebody who uses it.

    Args:
        errors: the run's standard error, where it tells the address.
        process: the run.
    """

    def __init__(self, errors: Path, process: Process) -> None:
        def told() -> bool:
            return process.wait(0) is not None or self._address(errors) is not None

        wait_until(told, PATIENCE_S, "the run tells no page")
        self._origin = self._address(errors) or "http://127.0.0.1:9"

    @staticmethod
    def _address(errors: Path) -> str | None:
        found = re.search(r"^page: (http://[0-9.:]+)/$", errors.read_text() if errors.exists() else "", re.MULTILINE)
        return found and found[1]

    def ask(self, what: str, content: Mapping[str, Any]) -> Any:
        """Ask for something; the answer."""
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        url = f"{self._origin}/personal/{what}"
        request = urllib.request.Request(url, json.dumps(content).encode(), headers)
        with closing(urllib.request.urlopen(request, timeout=PATIENCE_S)) as answer:
            return json.load(answer)

    def personalise(self, wearer: str) -> None:
        """Conduct a guided session until the correction is being computed."""
        address = self._origin.replace("http", "ws") + "/live"
        steps = [[label.format(wearer=wearer), seconds] for label, seconds in TAKES]
        with connect(address, origin=self._origin, proxy=None) as page:  # type: ignore[arg-type]
            key = self.ask("begin", {"wearer": wearer, "prepare": 1, "steps": steps})["operator"]
            phase = "ready"
            while phase != "fitting":
                self.ask("act", {"operator": key, "do": "keep" if phase == "checked" else "start"})
                phase = self._next_phase(page, phase)

    @staticmethod
    def _next_phase(page: ClientConnection, before: str) -> str:
        """Wait until there is something to do."""
        while True:
            message = json.loads(page.recv(PATIENCE_S))
            session = message.get("session") if message["kind"] == "personal" else None
            phase = "" if session is None else str(session["phase"])
            if phase in {"ready", "checked", "fitting"} - {before}:
                return phase
            if phase == "refused":
                raise SystemExit(f"the guided session is refused: {session['told']}")
