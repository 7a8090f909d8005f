"""Options in messages of the rooms, which the command line shares, in the words of a Python call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from deseptr.contract import DeseptrError

T = TypeVar("T")

_WORDS = {
    "add --resume": 'pass if_exists="resume"',
    "--resume": 'if_exists="resume"',
    "--overwrite": 'if_exists="overwrite"',
    "--force": "force=True",
    "another -o": "another folder",
    "choose -o": "choose a folder",
    "--data RECORDINGS": "data=…",
    "--labels or --drop-labels": "data.select(labels=…)",
    "--mounting auto": 'mounting="auto"',
    "--mounting x90": 'mounting="x90"',
    "--drop-labels": "data.select(labels=…)",
}


@contextmanager
def in_python_words() -> Iterator[None]:
    """Let an error that names options of the command line name the arguments of the functions instead."""
    try:
        yield
    except DeseptrError as error:
        error.thing, error.found, error.expected, error.next_step = map(
            python_words, (error.thing, error.found, error.expected, error.next_step)
        )
        error.args = (error.thing, error.found, error.expected, error.next_step)
        raise


def events_in_python_words(events: Iterator[T]) -> Iterator[T]:
    """The same events; what ends them is said as :func:`in_python_words` says it."""
    with in_python_words():
        yield from events


def python_words(text: str) -> str:
    """A message with ``--option-name`` as ``option_name``; what stands in backquotes is a command and stays.

    >>> python_words("start again with --overwrite, or choose another --test-subjects, as `deseptr evaluate --json`")
    'start again with if_exists="overwrite", or choose another test_subjects, as `deseptr evaluate --json`'
    """
    parts = text.split("`")
    return "`".join(part if number % 2 else _translated(part) for number, part in enumerate(parts))


def _translated(text: str) -> str:
    for option, words in _WORDS.items():
        text = re.sub(rf"(?<![\w-]){re.escape(option)}(?![\w-])", words, text)
    return re.sub(r"(?<![\w/-])--([a-z][a-z0-9-]+)", lambda found: found[1].replace("-", "_"), text)
