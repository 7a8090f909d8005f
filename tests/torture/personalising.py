"""``device personalise``, ``personalise`` and ``--undo`` under kills: the files of three wearers in one folder."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from campaign import Campaign, Process, wait_for_writing
from warm import PERSONAL, Warm

from deseptr.contract import DeseptrError
from deseptr.data import load_sample, save_npz
from deseptr.device import default_model
from deseptr.device.personal import WearerFile
from deseptr.device.personal.recorded import Recorded

MODEL = default_model()
WEARERS = ("ada", "bob", "eve")
# What a command does with a wearer's file; --undo takes out what the one before it has put in, if that was not killed.
TWO = ("--label", "sitting", "--label", "standing", "--seconds", "8", "--prepare", "0")
ONE_NEW = ("--label", "walking", "--new", "running", "--seconds", "8", "--new-seconds", "15", "--prepare", "0")
ACTS = ("two", "new", "undo", "recordings", "undo")


class Personalise(Campaign):
    name = "personalise"
    share = 16
    promises: ClassVar[dict[str, str]] = {
        "lost": "a wearer's earlier session that is gone, or a file that is gone whose only session was not undone",
        "duplicated": "a session that is in the file twice",
        "torn": "a wearer's file that cannot be read, or is neither as before nor as after the whole command",
        "left": "a temporary file, or what was recorded, after commands that were not killed",
    }

    def prepare(self) -> None:
        self._temporary = self.folder / "tmp"
        self._files = self.folder / "wearers"
        for each in (self._temporary, self._files):
            each.mkdir()
        self._warm = Warm(PERSONAL, self._temporary)
        sample = load_sample()
        names = tuple("running" if name == "jogging" else name for name in sample.label_names)
        self._data = self.folder / "asked.npz"
        save_npz(replace(sample, label_names=names), self._data)
        self._whole: dict[str, WearerFile] = {}
        for act in dict.fromkeys(ACTS):
            self.lasts = max(self.lasts, self.end(self._begin(act, "ref")))
            if act != "undo":
                self._whole[act] = WearerFile.load(self._path("ref"))
        self._path("ref").unlink()

    def _path(self, wearer: str) -> Path:
        return self._files / f"{wearer}.deseptr"

    def _begin(self, act: str, wearer: str) -> Process:
        common = ["--wearer", wearer, "-o", str(self._path(wearer))]
        words = {
            "two": ["device", "personalise", str(MODEL), *TWO, "--simulate", str(self._data)],
            "new": ["device", "personalise", str(MODEL), *ONE_NEW, "--simulate", str(self._data)],
            "recordings": ["personalise", str(MODEL), str(self._data), "--new", "running"],
            "undo": ["device", "personalise", str(MODEL), "--undo"],
        }[act]
        return self._warm.start([*words, *common], self.folder, self.folder / "printed", self.folder / "errors")

    def before(self, number: int) -> None:
        self._who, self._act = WEARERS[number % len(WEARERS)], ACTS[number // len(WEARERS) % len(ACTS)]
        self._note()
        if self._act == "undo" and self._earlier is None:
            self._act = "two"

    def _note(self) -> None:
        """What is there before a command."""
        self._contents = {path: path.read_bytes() for path in map(self._path, WEARERS) if path.exists()}
        own = self._path(self._who)
        self._earlier = WearerFile.load(own) if own.exists() else None

    def start(self, number: int) -> Process:
        return self._begin(self._act, self._who)

    def wait(self, process: Process, rng: random.Random) -> None:
        if rng.random() < 0.5:
            super().wait(process, rng)
        else:
            wait_for_writing(process, self._files)

    def check(self, number: int) -> None:
        own = self._path(self._who)
        for path, content in self._contents.items():
            if path != own and (not path.exists() or path.read_bytes() != content):
                self.found("lost", f"{path.name} is another, though {own.name} was written")
        if _content(own) == self._contents.get(own):
            return
        try:
            now = WearerFile.load(own) if own.exists() else None
        except DeseptrError as error:
            self.found("torn", str(error))
            # The campaign goes on without it.
            own.unlink()
        else:
            self._compare(self._earlier, now)

    def _compare(self, before: WearerFile | None, now: WearerFile | None) -> None:
        """Whether a file that is not as before is as the whole command makes it."""
        sessions = () if before is None else before.sessions
        if self._act == "undo":
            undone = None if before is None else before.undone()
            same = undone.to_json() == now.to_json() if undone and now else undone is now
            if not same:
                self.found("torn", f"{self._who} after --undo: {_told(before)} became {_told(now)}")
            return
        if now is None or len(now.sessions) < len(sessions):
            self.found("lost", f"{self._who}: {_told(before)} became {_told(now)}")
            return
        if len(now.sessions) > len(sessions) + 1:
            self.found("duplicated", f"{self._who}: {_told(before)} became {_told(now)}")
            return
        earlier = all(_same(one, other) for one, other in zip(sessions, now.sessions, strict=False))
        if not earlier or not _same(now.sessions[-1], self._whole[self._act].sessions[-1]):
            self.found("torn", f"{self._who} after {self._act}: other windows than of a whole session")

    def finish(self) -> None:
        for self._who in WEARERS:
            self._act = "two"
            self._note()
            self.end(self._begin(self._act, self._who))
            self.check(0)
        self.check_leftovers(self._files)
        for path in self._temporary.iterdir():
            self.found("left", f"{path.relative_to(self.folder)}, with {len(list(path.iterdir()))} files")

    def close(self) -> None:
        self._warm.close()


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _same(one: Recorded, other: Recorded) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("logits", "labels", "statistics"))


def _told(file: WearerFile | None) -> str:
    return "no file" if file is None else f"{len(file.sessions)} sessions"
