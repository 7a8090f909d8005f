"""Which mutants are tried: the same number of every room, its kinds in turn, by the seed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mutate

ROOT = Path(__file__).parents[2]
ROOMS = (
    *("contract", "data", "tflite", "train", "device", "convert", "firmware_harness", "evaluate", "report", "cli"),
    "deseptr",
)
# Runs on the emulated machine or the board, where no fast test sees it.
ELSEWHERE = ("firmware_harness/emulator/guest.py", "firmware_harness/emulator/kernel_guest.py")


class Drawn(NamedTuple):
    """A mutant by file, kind and number."""

    path: str
    kind: str
    number: int

    @property
    def room(self) -> str:
        return self.path.split("/", maxsplit=1)[0]

    @property
    def key(self) -> str:
        """Of a verdict: it holds for the function as it is, wherever it stands in the file."""
        return keys((ROOT / self.path).read_text("utf-8"), self.path)[self.kind][self.number]


@cache
def keys(source: str, path: str) -> dict[str, list[str]]:
    """Of each mutant of a file, by kind: path, digest of what holds it, kind, and its number therein."""
    found = {}
    for kind, codes in mutate.holders(source).items():
        digests = [hashlib.sha256(code.encode()).hexdigest()[:12] for code in codes]
        found[kind] = [f"{path} {each} {kind} {digests[:number].count(each)}" for number, each in enumerate(digests)]
    return found


def digest(path: Path) -> str:
    """Of a file's content, short."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def draw(seed: int, a_room: int) -> list[Drawn]:
    """The mutants of each room that come first by a hash of seed, file, kind and code.

    An edit of one file changes no other file's mutants in the order, so that few verdicts are lost by it.
    """
    return [each for room in ROOMS for each in _of_room(room, seed)[:a_room]]


@cache
def _of_room(room: str, seed: int) -> list[Drawn]:
    by_kind: dict[str, list[tuple[str, Drawn]]] = defaultdict(list)
    for path in sorted((ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name in ELSEWHERE:
            continue
        for kind, codes in mutate.places(path.read_text("utf-8")).items():
            for number, code in enumerate(codes):
                rank = hashlib.sha256(f"{seed} {name} {kind} {code} {codes[:number].count(code)}".encode()).hexdigest()
                by_kind[kind].append((rank, Drawn(name, kind, number)))
    columns = [[each for _, each in sorted(by_kind[kind])] for kind in mutate.KINDS]
    longest = max(len(column) for column in columns)
    return [column[place] for place in range(longest) for column in columns if place < len(column)]
