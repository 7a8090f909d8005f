"""What a target of the fuzzer is, and how it gets an input: as a file, or as a file of an otherwise valid run."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import mutators
from mutators import Mutator

FORMATS = Path(__file__).parents[1] / "formats" / "1"


class Target(NamedTuple):
    """Something that takes bytes from others.

    Args:
        name: its name.
        call: reads an input; an error for people is what it may raise.
        seeds: valid inputs.
        mutate: what changes them.
        refusals: errors for people of its own, beside the project's.
        preload: modules to import once, since each child would take too long over them.
        valid: whether the first of ``seeds`` is taken.
    """

    name: str
    call: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    mutate: Mutator
    refusals: tuple[type[Exception], ...] = ()
    preload: tuple[str, ...] = ()
    valid: bool = True

    def prepare(self) -> None:
        """Import what it needs, before children are forked."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        for name in self.preload:
            import_module(name)

    def inputs(self, rng: random.Random, count: int) -> list[bytes]:
        """The valid inputs and random changes of them, sometimes one upon another."""
        made = list(self.seeds)
        while len(made) < count:
            content = rng.choice(self.seeds)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                content = _changed(self.mutate, rng, content)
            made.append(content)
        return made[:count]


def _changed(mutate: Mutator, rng: random.Random, content: bytes) -> bytes:
    try:
        return mutate(rng, content)
    except Exception:  # an earlier change has left no such format, which zipfile and json say in many ways
        return mutators.of_bytes(rng, content)


def on_file(suffix: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Hand an input on as a file of this name's end."""

    def call(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"input{suffix}"
            path.write_bytes(content)
            return read(path)

    return call


def in_run(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Hand an input on as one file of an otherwise valid run."""

    def call(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(shutil.copytree(FORMATS / "run", Path(folder) / "run"))
            (run / name).write_bytes(content)
            return read(run)

    return call
