"""The code blocks of the documents, and how each kind of them is tried.

The blocks of a page run in the order of the page, in one folder:

- ``sh``: the text runs in bash. ``deseptr`` is ``docs/doc_command.py``, which adds options that make training and
  endless commands short, and puts a simulated sensor where the text has a real one.
- ``python``: all blocks of a page run in one fresh interpreter, ``docs/doc_interpreter.py``, as one script would.
- ``csv``, ``toml``, ``json``: must be well formed, and are written to the file that ``title="…"`` names, for the blocks
  after them.
- ``text title="output"``: what the block above printed; ``...`` stands for anything.

Directly above a block, ``<!-- not run: reason -->`` leaves it alone, and ``<!-- parsed only: reason -->`` has its
command lines parsed and not run.
"""

from __future__ import annotations

import csv
import doctest
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Their blocks are the help of commands, which test_generated_pages.py compares.
GENERATED = (DOCS / "commands.md",)
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.glob("*.md") if path not in GENERATED),
)
OUTPUT = "output"
SHELL, DATA = ("sh",), ("csv", "toml", "json")

# Beside no folder called `deseptr`, which a script there would take for the package.
_SCRIPTS = Path(__file__).parent / "docs"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- (not run|parsed only): (.+?) -->\s*\Z", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        page: file it is in.
        line: of its fence, from 1.
        language: first word of its fence.
        title: of its fence, or None.
        mark: ``"not run"``, ``"parsed only"`` or None.
        reason: of the mark.
        text: what it holds, without the indentation of its fence.
    """

    page: Path
    line: int
    language: str
    title: str | None
    mark: str | None
    reason: str
    text: str

    @property
    def where(self) -> str:
        """Page and line, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    content = page.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(content):
        info = match["info"].strip()
        mark = _MARK.search(content[: match.start()])
        title = _TITLE.search(info)
        found.append(
            Block(
                page,
                content.count("\n", 0, match.start()) + 1,
                info.split()[0] if info else "",
                title[1] if title else None,
                mark[1] if mark else None,
                mark[2] if mark else "",
                textwrap.dedent(match["text"]),
            )
        )
    return found


def command_lines(text: str) -> list[list[str]]:
    """The ``deseptr`` commands of a shell block as argument lists, those behind ``&&``, ``sudo`` or ``--`` too."""
    lines = text.replace("\\\n", " ").splitlines()
    commands = []
    for line in lines:
        for part in re.split(r"&&|\|\||[|;]", _without_comment(line)):
            words = shlex.split(part.split(">")[0])
            while words and (words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=.*", words[0])):
                words = words[1:]
            if words and words[0] == "deseptr":
                commands.append(words[1:])
    return commands


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line)


class PageRunner:
    """Runs the blocks of one page.

    Args:
        folder: the page's folder, with whatever the page takes for granted in it.
        extra: files outside the folder that commands may need, by environment variable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python: _Interpreter | None = None
        self._printed = ""
        self._environment = _environment(folder)
        self._kinds: dict[str, Callable[[Block], None]] = {
            "sh": self._shell,
            "python": self._script,
            "text": self._compare,
            **dict.fromkeys(DATA, self._write),
        }

    def __enter__(self) -> PageRunner:
        return self

    def __exit__(self, *_: object) -> None:
        if self._python is not None:
            self._python.close()

    def run(self, block: Block) -> None:
        """Run a block.

        Raises:
            AssertionError: if it fails, or prints something else than the page says.
        """
        assert block.language in self._kinds, f"{block.where}: no way to try a block of {block.language or 'no kind'}"
        self._kinds[block.language](block)

    def _shell(self, block: Block) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.where}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        self._printed = done.stdout

    def _script(self, block: Block) -> None:
        if self._python is None:
            self._python = _Interpreter(self._folder, self._environment)
        failed, self._printed = self._python.run(block.text)
        assert not failed, f"{block.where}:\n{self._printed}"

    def _compare(self, block: Block) -> None:
        assert block.title == OUTPUT, f'{block.where}: a block of text is title="{OUTPUT}"'
        same = doctest.OutputChecker().check_output(
            block.text, self._printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        )
        assert same, f"{block.where}: printed was\n{self._printed}"

    def _write(self, block: Block) -> None:
        read: dict[str, Callable[[str], object]] = {
            "csv": lambda text: [len(row) for row in csv.reader(text.splitlines())],
            "toml": tomllib.loads,
            "json": json.loads,
        }
        content = read[block.language](block.text)
        assert content, f"{block.where}: nothing in it"
        if block.language == "csv":
            assert len(set(content)) == 1, f"{block.where}: rows of different lengths"  # type: ignore[call-overload]
        if block.title:
            path = self._folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")


class _Interpreter:
    """A Python that takes code, block by block, in the same namespace."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPTS / "doc_interpreter.py")],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> tuple[bool, str]:
        """Whether a block failed, and what it printed, its traceback included."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        failed, printed = json.loads(self._process.stdout.readline())
        return failed, printed

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Variables of a page's commands: a home of their own, and our ``deseptr`` and ``python`` first."""
    tools = folder / ".tools"
    tools.mkdir()
    command = _SCRIPTS / "doc_command.py"
    for name, words in (("deseptr", [sys.executable, str(command)]), ("python", [sys.executable])):
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DESEPTR_")}
    return {
        **kept,
        "HOME": str(folder),
        "USER": "ada",
        "XDG_STATE_HOME": str(folder / ".state"),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
