"""An installation on a board under kills: whatever step it is killed in, a whole release runs with its own settings."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).parents[1]))
from board import Board, quick_pip, standin_bundle
from campaign import Campaign, Process, wait_share

from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.target.probe import probe

# Each bundle after the first of a board is an update.
UPDATES = 6


class Installer:
    """The process of an installer."""

    def __init__(self, words: list[str], folder: Path) -> None:
        with (folder / "printed").open("wb") as out, (folder / "errors").open("ab") as errors:
            self._process = subprocess.Popen(words, stdin=-3, stdout=out, stderr=errors, start_new_session=True)
        self.pid = self._process.pid

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; None if it has not ended within that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


class Install(Campaign):
    """Kills in every step: which one, and how far into it, is drawn."""

    name = "install"
    share = 20
    promises: ClassVar[dict[str, str]] = {
        "lost": "a board on which nothing runs that had a good release, or one with a first release half installed",
        "torn": "a release that is neither the one before nor the new one, or runs with settings of another",
        "left": "an upload, a staged or a removed release after an installation that was not killed",
    }

    def prepare(self) -> None:
        facts = probe(Path("/"))
        self._target = BoardTarget(facts["machine"], "{}.{}".format(*sys.version_info), facts["glibc"])
        self._bundles = Path(tempfile.mkdtemp(dir=self.folder))
        self._pip = quick_pip(self._bundles)
        self._number = 0
        self._new_board()
        self.end(self.start(0))
        # Sizes that the output had at each step.
        self._steps = [len(line) + 1 for line in (self.folder / "printed").read_text().splitlines()]
        self.end(self.start(1))
        self.close()
        self._new_board()

    def _new_board(self) -> None:
        self._number += 1
        # A short path: that of a socket has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="board-"))
        self._board = Board(f"{sys.base_prefix}/bin/python3", self._folder)
        self._before: tuple[object, str] = (None, "")

    def before(self, number: int) -> None:
        if number and number % UPDATES == 0:
            self.close()
            self._new_board()

    def start(self, number: int) -> Process:
        self._new = (f"2.0-{number + 1}", f"N={number + 1}\n")
        bundle = standin_bundle(self._bundles, "2.0", number + 1, target=self._target, pip=self._pip)
        return Installer(self._board.installer(bundle, self._new[1]), self.folder)

    def wait(self, process: Process, rng: random.Random) -> None:
        step = rng.randrange(len(self._steps) + 1)
        wait_share(process, self.folder / "printed", sum(self._steps[:step]))
        # Most steps take milliseconds; venv, pip and the trial take some 0.5 s.
        process.wait(rng.choice((rng.uniform(0, 0.01), rng.uniform(0, 0.5))))

    def check(self, number: int) -> None:
        found = self._board.settled()
        current = (found["current"], self._board.environment() if found["current"] else "")
        if current not in (self._before, self._new):
            self.found("torn", f"{current} runs, neither {self._before} nor {self._new}")
        if found["service"] != ("active" if found["current"] else "none") or found["interrupted"]:
            self.found("lost", f"{found['current']} is current and its service {found['service']}")
        if self._before[0] and not found["current"]:
            self.found("lost", f"{self._before} ran, and nothing runs")
        if found["current"]:
            label = json.loads(str(self._board.ask("logs")["text"]))["label"]
            if label != str(found["current"]).partition("-")[0]:
                self.found("torn", f"{label} runs as {found['current']}")
        self._before = current

    def finish(self) -> None:
        self.end(self.start(10_000))
        left = list((self._board.prefix / "incoming").iterdir())
        if left:
            self.found("left", ", ".join(path.name for path in left))

    def close(self) -> None:
        if self._board.prefix.exists():
            self._board.ask("uninstall")
        if self._board.prefix.exists():
            self.found("left", f"{self._board.prefix.name} after its removal")
