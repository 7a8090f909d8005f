"""The real thing: this project's wheel with all it requires, flashed without network, measured, and removed."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from deseptr.cli.main import main
from deseptr.device import default_model

from .conftest import Sshd


def run(name: str, sshd: Sshd, prefix: str, *words: object) -> str:
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(["firmware", name, *sshd.words, "--prefix", prefix, *map(str, words)])
    assert ended.value.code == 0, out.getvalue()
    return out.getvalue()


@pytest.mark.slow
def test_flash_and_measure(sshd: Sshd, prefix: str, tmp_path: Path):
    gate = ["--simulate", "synthetic", "--gate-seconds", "4", "--settle", "0.5"]
    flashed = json.loads(run("flash", sshd, prefix, "--model", default_model(), *gate, "--json"))
    assert flashed["seen"]["windows"] >= 1
    lines = [json.loads(line) for line in run("logs", sshd, prefix, "--lines", "20").splitlines()]
    assert any({"label", "confidence", "latency_us"} <= line.keys() for line in lines)
    source = "synthetic:subjects=1,seconds=20"
    words = ["--model", default_model(), "--data", source, "--windows", "5", "--simulate", "-o", tmp_path, "--json"]
    measured = json.loads(run("measure", sshd, prefix, *words))
    # The same model, engine and machine: the scores are the same, the times are not.
    board, here = measured["board"], measured["workstation"]
    assert board["evaluate"]["macro_f1"] == here["evaluate"]["macro_f1"]
    assert board["profile"] != here["profile"]
    assert measured["release"] == flashed["release"]
    assert json.loads((tmp_path / "measured.json").read_text()) == measured
    assert "<td>evaluate macro_f1</td>" in (tmp_path / "measured.html").read_text()
    assert json.loads(run("status", sshd, prefix, "--json"))["service"] == "active"
