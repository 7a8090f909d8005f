"""Every code block of the documents runs as it stands there, or says why it cannot: see :mod:`doc_blocks`."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from doc_blocks import DATA, OUTPUT, PAGES, ROOT, SHELL, Block, PageRunner, blocks_of, command_lines

from deseptr.cli.main import deseptr

# Pages that train or convert: minutes. They run with `make test-slow`.
SLOW = {
    *("README.md", "getting-started.md", "training.md", "converting.md"),
    *("phone-to-pi.md", "python-api.md", "watch-log.md"),
}
# Pages that have a test of their own.
ELSEWHERE = {"new-driver.md": ROOT / "tests" / "device" / "drivers" / "test_new_driver_page.py"}
# Pages that take a trained run for granted.
WITH_RUN = {"converting.md"}
BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def names(pages: set[str]) -> list[pytest.ParameterSet]:
    return [
        pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in SLOW else [])
        for page in PAGES
        if page.name in pages
    ]


def run_page(page: Path, folder: Path) -> int:
    """Run a page's blocks, whose failures are assertions of the runner; how many they were."""
    blocks = [block for block in blocks_of(page) if block.mark is None]
    with PageRunner(folder) as runner:
        for block in blocks:
            runner.run(block)
    return len(blocks)


@pytest.mark.parametrize("page", names({page.name for page in PAGES} - WITH_RUN - set(ELSEWHERE)))
def test_every_block_runs(page: Path, page_folder: Path):
    assert run_page(page, page_folder) == sum(block.page == page and not block.mark for block in BLOCKS)


@pytest.mark.parametrize("page", names(WITH_RUN))
def test_every_block_runs_on_a_trained_run(page: Path, page_folder: Path, tiny_run: Path):
    shutil.copytree(tiny_run, page_folder / "runs" / "mine")
    assert run_page(page, page_folder) > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_one_that_the_command_takes(page: Path, page_folder: Path, monkeypatch):
    monkeypatch.chdir(page_folder)
    with PageRunner(page_folder) as runner:
        for block in blocks_of(page):
            if block.language in DATA:
                runner.run(block)
    for block in blocks_of(page):
        for words in command_lines(block.text) if block.language in SHELL else ():
            assert mistake(words) is None, block.where


def test_few_blocks_are_left_out():
    code = [block for block in BLOCKS if block.title != OUTPUT]
    marked = [block for block in code if block.mark]
    assert 10 * len(marked) <= len(code), [block.where for block in marked]


def test_pages_with_a_test_of_their_own_are_in_it():
    for page, test in ELSEWHERE.items():
        assert page in test.read_text("utf-8")


def test_a_wrong_option_is_found():
    assert "--modle" in str(mistake(["device", "run", "--modle", "mine.tflite"]))
    assert mistake(["device", "rnu"]) == "no such command: rnu"
    assert mistake(["device", "run", "--seconds", "0"]) is not None
    assert mistake(["device", "run", "--seconds", "1"]) is None


def test_a_block_that_fails_is_found(tmp_path: Path):
    page = tmp_path / "page"
    page.mkdir()
    with PageRunner(page) as runner:
        runner.run(made(page, "python", "answer = 42"))
        runner.run(made(page, "python", "print(answer)"))
        runner.run(made(page, "text", "4...\n"))
        with pytest.raises(AssertionError, match="printed was\n42"):
            runner.run(made(page, "text", "43\n"))
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            runner.run(made(page, "python", "answer / 0"))
        with pytest.raises(AssertionError, match="exit code 2"):
            runner.run(made(page, "sh", "deseptr data info nothing.csv | cat"))


def made(folder: Path, language: str, text: str) -> Block:
    return Block(ROOT / "README.md", 1, language, "output", None, "", text)


def mistake(words: list[str]) -> str | None:
    """The mistake that click finds in a command line, without running it; files that are not there yet may be named."""
    command: click.Command = deseptr
    context = click.Context(deseptr, info_name="deseptr", **deseptr.context_settings)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        below = command.get_command(context, name)
        if below is None:
            return f"no such command: {name}"
        command = below
        context = click.Context(command, info_name=name, parent=context)
    if isinstance(command, click.Group):
        return None
    try:
        command.make_context(command.name, rest, parent=context.parent)
    except click.UsageError as error:
        if not (isinstance(error, click.BadParameter) and "does not exist" in error.message):
            return error.format_message()
    return None
