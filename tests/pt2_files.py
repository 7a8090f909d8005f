"""The networks of PyTorch in `tests/pt2`, and changes of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PT2 = Path(__file__).parent / "pt2"


def networks() -> list[str]:
    return sorted(path.stem for path in PT2.glob("*.pt2"))


def edited(name: str, folder: Path, changes: Mapping[str, Callable[[Any], None] | bytes | None]) -> Path:
    """A network with other content in some members: JSON that a function changes, bytes, or None for no such member."""
    path = folder / f"{name}.pt2"
    with zipfile.ZipFile(PT2 / f"{name}.pt2") as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    for member, change in changes.items():
        entry = f"{name}/{member}"
        if callable(change):
            content = json.loads(members[entry])
            change(content)
            change = json.dumps(content).encode()
        if change is None:
            del members[entry]
        else:
            members[entry] = change
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in members.items():
            archive.writestr(entry, content)
    return path
