"""Names of files in the Brain Imaging Data Structure: ``sub-01_task-walk_tracksys-imu_motion.tsv``.

Entities, as ``task-walk``, are followed by a suffix and an extension. A file with fewer entities holds for all files
with these and more in its folder and below, unless there is one with more: the inheritance principle.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

_NAME = re.compile(r"(?P<entities>(?:[a-z]+-[0-9a-zA-Z+]+_)*)(?P<suffix>[a-zA-Z0-9]+)\.(?P<extension>[a-z.]+)")


class BidsName(NamedTuple):
    """A file.

    Args:
        path: of the file.
        folder: in which it is, empty at the top.
        entities: values by key, as ``{"task": "walk"}``.
        suffix: what the file has, as ``motion``.
        extension: without the point.
    """

    path: str
    folder: str
    entities: dict[str, str]
    suffix: str
    extension: str

    def __hash__(self) -> int:
        return hash(self.path)


def bids_name(path: str) -> BidsName | None:
    """The parts of a path, or None if it is no name of BIDS.

    >>> bids_name("sub-01/motion/sub-01_task-walk_tracksys-imu_motion.tsv").entities
    {'sub': '01', 'task': 'walk', 'tracksys': 'imu'}
    """
    folder, _, own = path.rpartition("/")
    found = _NAME.fullmatch(own)
    if not found:
        return None
    pairs = (pair.partition("-") for pair in found["entities"].split("_") if pair)
    return BidsName(path, folder, {key: value for key, _, value in pairs}, found["suffix"], found["extension"])


class Sidecars:
    """Files that say something of others, by folder, suffix and extension."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._found: dict[tuple[str, str, str], list[BidsName]] = defaultdict(list)
        for name in filter(None, map(bids_name, paths)):
            self._found[name.folder, name.suffix, name.extension].append(name)

    def all_of(self, file: BidsName, suffix: str, extension: str) -> list[str]:
        """Paths of the files that hold for a file, the most general first."""
        parts = file.folder.split("/") if file.folder else []
        folders = ["", *("/".join(parts[: count + 1]) for count in range(len(parts)))]
        holding: list[str] = []
        for folder in folders:
            own = [each for each in self._found.get((folder, suffix, extension), ()) if _holds(each, file)]
            holding += [each.path for each in sorted(own, key=lambda each: len(each.entities))]
        return holding

    def nearest(self, file: BidsName, suffix: str, extension: str) -> str | None:
        """Path of the most special file that holds for a file, or None."""
        return next(reversed(self.all_of(file, suffix, extension)), None)


def _holds(sidecar: BidsName, file: BidsName) -> bool:
    return sidecar.entities.items() <= file.entities.items()
