"""``calibrate`` under kills, in place and with another output: a whole model of the same graph, whatever happens."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import ClassVar

from campaign import Campaign, Process, wait_for_writing
from warm import CALIBRATING, Warm

from deseptr.contract import DeseptrError
from deseptr.device import default_model
from deseptr.tflite import read_tflite, without_archive

DATA = "synthetic:subjects=3,seconds=20"
PAGE_ENDS = {".html": "</html>", ".json": "}", ".md": "\n"}


class Calibrate(Campaign):
    name = "calibrate"
    share = 12
    promises: ClassVar[dict[str, str]] = {
        "lost": "a model that is neither the one before nor the calibrated one, or MODEL changed in spite of -o",
        "torn": "a model that cannot be read, one of another graph, or a page that is not whole",
        "left": "a temporary file after a calibration that was not killed",
    }

    def prepare(self) -> None:
        self._warm = Warm(CALIBRATING)
        self._out = self.folder / "out"
        self._out.mkdir()
        self._graph = without_archive(default_model().read_bytes())
        self._after: dict[bool, bytes] = {}
        for in_place in (True, False):
            self.before(int(in_place))
            self.lasts = self.end(self.start(int(in_place)))
            self._after[in_place] = self._target.read_bytes()
            if self._after[in_place] == self._before:
                self.found("torn", "a calibration that was not killed changes nothing")

    def before(self, number: int) -> None:
        # Every second is in place; of the others, every second replaces an earlier output.
        self._in_place = number % 2 == 1
        self._model, self._target = self._out / "mine.tflite", self._out / "mine.tflite"
        self._model.write_bytes(default_model().read_bytes())
        self._before: bytes | None = self._model.read_bytes()
        if not self._in_place:
            self._target = self._out / "calibrated.tflite"
            self._target.unlink(missing_ok=True)
            if number % 4 == 2:
                self._target.write_bytes(self._model.read_bytes())
            else:
                self._before = None

    def start(self, number: int) -> Process:
        words = ["calibrate", str(self._model), DATA, "--subjects", "1,2", "--known", "0.99", "--mounting"]
        words += ["--page", str(self._out / "page.html"), *([] if self._in_place else ["-o", str(self._target)])]
        return self._warm.start(words, self.folder, self.folder / "printed", self.folder / "errors")

    def wait(self, process: Process, rng: random.Random) -> None:
        if rng.random() < 0.5:
            super().wait(process, rng)
        else:
            wait_for_writing(process, self._out)

    def check(self, number: int) -> None:
        now = self._target.read_bytes() if self._target.exists() else None
        if now not in (self._before, self._after[self._in_place]):
            self.found("lost", f"{self._target.name} is neither as before nor as after")
        if not self._in_place and self._model.read_bytes() != default_model().read_bytes():
            self.found("lost", "MODEL is another, though -o names a file")
        self.check_files(self._out)
        for path in self._out.glob("*.tflite"):
            with suppress(DeseptrError):
                if without_archive(read_tflite(path).content) != self._graph:
                    self.found("torn", f"{path.name} has another graph")
        for suffix, end in PAGE_ENDS.items():
            page = self._out / f"page{suffix}"
            if page.exists() and not page.read_text().rstrip(" ").endswith((end, f"{end}\n")):
                self.found("torn", f"{page.name} ends in {page.read_text()[-40:]!r}")

    def finish(self) -> None:
        for number in (0, 1):
            self.before(number)
            self.end(self.start(number))
            self.check(number)
            if self._target.read_bytes() != self._after[self._in_place]:
                self.found("lost", "another model after the kills than before them")
        self.check_leftovers(self._out)

    def close(self) -> None:
        self._warm.close()
