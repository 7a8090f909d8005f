"""The command as a person meets it: a process with an exit code and two streams."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
SHORT = "synthetic:subjects=4,seconds=8"


def deseptr(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deseptr.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_help_lists_every_command_and_loads_none():
    code = (
        "import sys\nfrom deseptr.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as stop: assert not stop.code\n"
        "loaded = {name for name in sys.modules if name.startswith('deseptr.')}\n"
        "assert not any(part in name for name in loaded for part in ('train', 'device', 'convert', 'data')), loaded"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["device", "run"], ["data", "info"]])
def test_every_help_text_has_an_example(command: list[str]):
    result = deseptr(*command, "--help")
    assert result.returncode == 0, result.stderr
    if command not in (["device"], ["data"]):
        assert "Example" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["train", "none.npz", "-o", "RUN"], "deseptr: none.npz: found no such file"),
        (["data", "info", "none.csv"], "deseptr: none.csv: found no such file"),
        (["convert", "none", "-o", "m.tflite"], "deseptr: none: found no such folder or file"),
        (["evaluate", "none.tflite", SHORT], "deseptr: none.tflite: found No such file or directory"),
        (["device", "run", "--model", "none.tflite", "--simulate"], "deseptr: none.tflite: found No such file"),
        (["evaluate", "empty.tflite", SHORT], "deseptr: empty.tflite: found 0 bytes without the TFL3 mark"),
        (["data", "info", "bad.csv"], "deseptr: bad.csv"),
        (["train", "bad.csv", "-o", "RUN"], "deseptr: bad.csv"),
        (["train", SHORT, "--test-subjects", "99", "-o", "RUN"], "deseptr: synthetic: subject 99"),
        (["train", "synthetic", "--bad", "-o", "RUN"], "deseptr: no such option"),
        (["train", SHORT, "--over", "-o", "RUN"], "deseptr: no such option"),
        (["train"], "deseptr: missing argument 'DATA'; see `deseptr train --help`"),
        (["train", SHORT], "deseptr: missing option '-o' / '--output'; see `deseptr train --help`"),
        (["data", "info"], "deseptr: missing argument 'DATA'; see `deseptr data info --help`"),
        (["lab", SHORT, "--fold", "x", "-o", "o"], "deseptr: --fold goes with --protocol; see `deseptr lab --help`"),
        (["device", "run", "--sped", "max"], "deseptr: no such option"),
        (["trian", SHORT], "deseptr: no such command 'trian' (did you mean 'train'?); see `deseptr --help`"),
        (["train", SHORT, "--seed", "x", "-o", "RUN"], "deseptr: invalid value for '--seed': "),
        (["data", "info", ""], "deseptr: invalid value for 'DATA': it is empty; see `deseptr data info --help`"),
    ],
)
def test_bad_input_gives_one_line_and_exit_code_2(arguments: list[str], line: str, tmp_path: Path):
    (tmp_path / "empty.tflite").touch()
    (tmp_path / "bad.csv").write_text("t,acc_x\n0,1\n0.02,nan\n")
    before = sorted(tmp_path.iterdir())
    result = deseptr(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith(line)
    assert len(result.stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits private memory")
def test_too_little_memory_gives_one_line_and_exit_code_1(tmp_path: Path):
    code = (
        "import resource, sys, deseptr.cli.data, deseptr.data.csv_file\n"
        "from deseptr.cli.main import main\n"
        "used = int(open('/proc/self/statm').read().split()[5]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (used + 2**21, resource.RLIM_INFINITY))\n"
        "main(['data', 'info', sys.argv[1]])"
    )
    table = tmp_path / "long.csv"
    table.write_bytes(b"t,acc_x,acc_y,acc_z\n" + b"0,1,2,3\n" * 10**6)
    result = subprocess.run([sys.executable, "-c", code, table], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("deseptr: memory: found none left")
    assert len(result.stderr.splitlines()) == 1


def test_checkpoint_loads_in_a_process_that_has_imported_nothing_else(tiny_run: Path):
    result = deseptr("evaluate", tiny_run, "synthetic:subjects=4,seconds=12", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["windows"] > 0
    assert result.stderr == ""


def test_version():
    assert deseptr("--version").stdout.startswith("deseptr, version 0.")


def test_unknown_command_exits_2():
    assert deseptr("fly").returncode == 2


def test_a_group_without_a_command_prints_its_help():
    result = deseptr("data")
    assert result.returncode == 2
    assert "Commands:\n  convert" in result.stdout + result.stderr
