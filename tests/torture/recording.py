"""``device record`` under kills."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar

import numpy as np
from campaign import Campaign, Process
from warm import DEVICE, Warm

from deseptr.contract import DeseptrError
from deseptr.data import load_dataset

SIMULATED = "synthetic:subjects=1,seconds=120"


class Record(Campaign):
    name = "record"
    share = 40
    promises: ClassVar[dict[str, str]] = {
        "lost": "a sample missing between two that are in the file",
        "duplicated": "a sample that is in the file twice",
        "reordered": "a sample that is before an earlier one",
        "torn": "a line that is not whole, or a folder that cannot be read as recordings",
    }

    def prepare(self) -> None:
        self._warm = Warm(DEVICE)
        self._checked: set[Path] = set()
        self._rows = 0
        self.lasts = self.end(self.start(0))

    def start(self, number: int) -> Process:
        words = ["device", "record", "--subject", "ada", "--label", "walking", "--prepare", "0", "--simulate"]
        out = self.folder / "printed"
        return self._warm.start(
            [*words, SIMULATED, "-o", str(self.folder / "takes")], self.folder, out, self.folder / "errors"
        )

    def check(self, number: int) -> None:
        for path in set((self.folder / "takes").glob("*.csv")) - self._checked:
            self._check_take(path)
            self._checked.add(path)

    def _check_take(self, path: Path) -> None:
        content = path.read_text()
        if content and not content.endswith("\n"):
            self.found("torn", f"{path.name} ends in {content[-40:]!r}")
        rows = list(csv.DictReader(content.splitlines()))
        if any(None in row or None in row.values() for row in rows):
            self.found("torn", f"{path.name} has a row of another length")
        steps = np.diff([float(row["t"]) for row in rows if row.get("t")])
        self.counts["lost"] += int((steps > 0.03).sum())
        self.counts["duplicated"] += int((steps == 0).sum())
        self.counts["reordered"] += int((steps < 0).sum())
        self._rows += len(rows)

    def finish(self) -> None:
        if not self._rows:
            self.found("lost", "nothing was recorded at all")
        try:
            load_dataset(self.folder / "takes")
        except DeseptrError as error:
            self.found("torn", str(error))

    def close(self) -> None:
        self._warm.close()
