"""A board that means ill or is broken: one clear line, no wait without end, and nothing that a terminal obeys."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.cli.main import main
from deseptr.contract.errors import DeseptrError
from deseptr.firmware_harness.deploy import FlashError, SshTarget

from .test_answer_check import VALID

ROOT = Path(__file__).parents[3]
# Sets the title, rings, clears, moves, reorders, links.
ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\x1b]8;;http://x\x1b\\\x08\x7f\r"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class HostileSsh:
    """Stands for `ssh` on the path: its n-th call runs the n-th script."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        program = folder / "bin" / "ssh"
        program.parent.mkdir()
        lines = ["#!/bin/sh", f"cd {folder}", "n=$(ls | grep -c asked)", ": > asked$n", 'exec sh -c "$(cat script$n)"']
        program.write_text("\n".join([*lines, ""]))
        program.chmod(0o755)

    def runs(self, *scripts: str) -> None:
        for path in self._folder.glob("asked*"):
            path.unlink()
        for number, script in enumerate(scripts):
            (self._folder / f"script{number}").write_text(script)

    def answers(self, *answers: bytes) -> None:
        for number, answer in enumerate(answers):
            (self._folder / f"answer{number}").write_bytes(answer)
        self.runs(*(f"cat answer{number}" for number in range(len(answers))))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        ssh = HostileSsh(folder)
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield ssh


def line(**message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def ask(op: str = "status", **limits: float) -> Any:
    with SshTarget("pi@board", time_limits={op: 10.0, **limits}) as board:
        return board.call({"op": op, "prefix": "/"})


def refused(op: str = "status", **limits: float) -> str:
    with pytest.raises(FlashError) as caught:
        ask(op, **limits)
    shown = str(caught.value)
    assert shown.isprintable()
    assert len(shown) < 2500
    return shown


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("exec cat /dev/zero", "a line of more than 4 MiB"),
        ("exec yes", "more than 5000 lines"),
        ('exec yes \'{"say": "x"}\' ', "more than 5000 lines"),
        ("exec cat /dev/zero >&2", "more than 32 MiB"),
    ],
)
def test_endless_output_is_cut_off(hostile: HostileSsh, script: str, found: str):
    hostile.runs(script)
    assert f"found {found}" in refused()


@pytest.mark.parametrize(
    "script",
    [
        "exec sleep 60",
        "exec 1>&-; exec sleep 60",
        "printf '{\"say\": '; exec sleep 60",
        "while :; do printf x; sleep 0.02; done",
        'while :; do echo \'{"say": "x"}\'; sleep 0.02; done',
    ],
)
def test_no_answer_is_waited_for_without_end(hostile: HostileSsh, script: str):
    hostile.runs(script)
    assert "found no end of its answer after 0.3 s, expected an answer within that time" in refused(status=0.3)


def test_board_that_takes_no_bytes_is_given_up(hostile: HostileSsh):
    hostile.runs("exec sleep 60")
    endless = iter(lambda: bytes(1 << 16), None)
    with SshTarget("pi@board", time_limits={"receive": 0.3}) as board, pytest.raises(FlashError, match="no end of its"):
        board.call({"op": "receive", "prefix": "/"}, payload=endless)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", "found exit code 0, expected an answer"),
        (b"\xff\xfe\x00", r"found exit code 0 after '\\xff\\xfe\x00', expected an answer"),
        (b"[" * 100_000, "expected an answer"),
        (line(result=None), "found null, expected an object"),
        (line(result={}), "found no prefix, expected every field of the answer"),
        (line(result={**VALID["status"], "good": "1.0-1"}), 'found "1.0-1", expected a list as good'.replace('"', "'")),
        (line(result={**VALID["status"], "board": None}), "found null, expected an object as board"),
        (line(refused={"thing": "x"}), "found exit code 0 after no refused.found, expected an answer"),
        (line(refused=dict.fromkeys(("thing", "found", "expected", "next_step"), ATTACK)), r"\x1b]0;owned\x07"),
        (line(refused=dict.fromkeys(("thing", "found", "expected", "next_step"), "x" * 100_000))[:-1], "xxx"),
    ],
)
def test_each_broken_answer_is_one_line(hostile: HostileSsh, answer: bytes, found: str):
    hostile.answers(answer)
    assert found in refused()


def test_greeting_and_a_missing_newline_do_no_harm(hostile: HostileSsh):
    hostile.answers(b"Welcome!\n{ ascii art }\n\xff\n" + line(say="x") + line(result=VALID["status"])[:-1])
    assert ask() == VALID["status"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(min_size=1, max_size=100).map(lambda text: line(result={"text": text})))
def test_any_bytes_give_an_answer_or_one_line(hostile: HostileSsh, answer: bytes):
    hostile.answers(answer)
    try:
        text = ask("logs")["text"]
    except DeseptrError as error:
        text = str(error)
    assert isinstance(text, str)
    assert text


def spoilt(value: Any) -> Any:
    """A valid answer whose every text is an attack."""
    if isinstance(value, dict):
        return {f"{ATTACK}{key}" if key == "2.0-2" else key: spoilt(part) for key, part in value.items()}
    if isinstance(value, list):
        return [spoilt(part) for part in value]
    return f"{value}{ATTACK}\nforged: line" if isinstance(value, str) and value != "2.41" else value


PROBED = {**spoilt(VALID["probe"]), "machine": "aarch64", "prefix_problem": None}
# A system unit has another prefix than the one that is asked about first.
PROBES = [line(result=PROBED)] * 2


@pytest.mark.parametrize(
    ("words", "op"),
    [(["status"], "status"), (["logs"], "logs"), (["rollback"], "roll_back"), (["uninstall"], "uninstall")],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_commands_print_nothing_that_a_terminal_obeys(
    hostile: HostileSsh, capsys: pytest.CaptureFixture[str], words: list[str], op: str, as_json: bool
):
    if as_json and op == "logs":
        pytest.skip("has no --json")
    answer = spoilt(VALID[op])
    hostile.answers(*PROBES, line(say=f"step{ATTACK}\nforged") + line(result=answer))
    with pytest.raises(SystemExit) as ended:
        main(["firmware", *words, "pi@board", *(["--json"] if as_json else [])])
    out, err = capsys.readouterr()
    assert ended.value.code == 0, err
    assert not OBEYED.search(out + err)
    assert "step" in err
    if as_json:
        assert json.loads(out) == answer
    elif op != "logs":
        assert "\nforged" not in out + err


@pytest.mark.parametrize("as_json", [False, True])
def test_dry_run_prints_nothing_that_a_terminal_obeys(
    hostile: HostileSsh, capsys: pytest.CaptureFixture[str], tmp_path: Path, as_json: bool
):
    hostile.answers(*PROBES)
    bundle = tmp_path / "x.bundle"
    with pytest.raises(SystemExit) as ended:
        main(["firmware", "flash", "pi@board", "--bundle", str(bundle), "--dry-run", *(["--json"] if as_json else [])])
    out, err = capsys.readouterr()
    assert ended.value.code == 0, err
    assert not OBEYED.search(out + err)
    assert "\nforged" not in out


# What talks to a board, and whatever prints what it said.
BOARD_MODULES = sorted(
    {
        path
        for path in (ROOT / "cli").rglob("*.py")
        if re.search(r"board_options|firmware_harness\.deploy|flash_view|measure_page", path.read_text())
    }
)
# Modules whose bundle or card is this machine's own.
LOCAL = {"bundle.py", "bundle_options.py", "boot_files.py", "group.py", "verify_arm.py"}
PRINTS = re.compile(r"click\.(echo|secho|echo_via_pager)\(|\bprint\(|sys\.std(out|err)\.write|announce\(")


def test_no_module_that_talks_to_a_board_prints_otherwise_than_by_the_printer_of_remote_text():
    names = {path.name for path in BOARD_MODULES}
    assert names >= {"board.py", "board_options.py", "flash.py", "flash_view.py", "measure.py"}
    for path in BOARD_MODULES:
        if path.name not in LOCAL:
            text = path.read_text()
            # The console of the progress bar gets text that is made visible in the same expression, or numbers.
            text = re.sub(r'self\.console\.print\(f"(\{visible\(line\)\} …|\{done / size:.0%\}|sent \{)', "", text)
            assert not PRINTS.search(text), path
            assert ".print(" not in text, path


def test_the_grep_above_finds_what_prints():
    for text in ("click.echo(x)", "print(x)", "sys.stdout.write(x)", "announce(x)"):
        assert PRINTS.search(text)
