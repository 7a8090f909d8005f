"""The real thing: this project's wheel with all it requires, flashed without network, measured, and removed."""

import io
import json
import socket
from contextlib import redirect_stdout
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from deseptr.cli.main import main
from deseptr.device import default_model

from .conftest import Sshd


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def run(name: str, sshd: Sshd, prefix: str, *words: object) -> str:
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(["firmware", name, *sshd.words, "--prefix", prefix, *map(str, words)])
    assert ended.value.code == 0, out.getvalue()
    return out.getvalue()


@pytest.mark.slow
def test_flash_and_measure(sshd: Sshd, prefix: str, tmp_path: Path):
    gate = ["--simulate", "synthetic", "--gate-seconds", "4", "--settle", "0.5"]
    page = ["--", "--web", f"127.0.0.1:{_free_port()}"]
    flashed = json.loads(run("flash", sshd, prefix, "--model", default_model(), *gate, "--json", *page))
    assert flashed["seen"]["windows"] >= 1
    # The service serves its page at the address that flash prints.
    with build_opener(ProxyHandler({})).open(flashed["page"], timeout=10) as answer:
        assert b"deseptr device run" in answer.read()
    log = Path(prefix, "service.log")
    assert (log.stat().st_mode & 0o077, flashed["page"] in log.read_text()) == (0, True)
    logged = run("logs", sshd, prefix, "--lines", "20").splitlines()
    lines = [json.loads(line) for line in logged if not line.startswith("page: ")]
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
    assert '<th scope="row">evaluate macro_f1</th>' in (tmp_path / "measured.html").read_text()
    assert json.loads(run("status", sshd, prefix, "--json"))["service"] == "active"
