"""``device run --web``: the address it prints, who may not ask for it, and a run that somebody watches."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

from deseptr.cli.device.group import device
from deseptr.cli.device.web_options import is_journal
from deseptr.contract import SetupError
from deseptr.data import load_dataset
from deseptr.device.personal import personalise
from deseptr.device.personal.wearer_folder import WearerFolder
from deseptr.tflite import load_engine

WALK = "synthetic:subjects=1,seconds=30"


def invoke(*arguments: object):
    return CliRunner().invoke(device, ["run", "--simulate", WALK, *map(str, arguments)])


@pytest.fixture
def running(int8_model: Path, tmp_path: Path) -> Iterator[str]:
    """The address that a run prints which plays in real time."""
    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--model", str(int8_model), "--simulate", WALK]
    command += ["--speed", "realtime", "--json", "--web", "127.0.0.1:0", "--web-token-file", str(tmp_path / "token")]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"page: (http://127\.0\.0\.1:\d+/[\w-]{32}/)\n", line)
        assert found, line
        yield found[1]
        process.terminate()


def test_labels_and_samples_of_a_run_reach_who_watches(running: str):
    origin = running.rpartition("/")[0].rpartition("/")[0]
    with connect(running.replace("http", "ws") + "live", origin=origin, proxy=None) as socket:
        seen: dict[str, float] = {}
        while seen.get("window", 0) < 3:
            message = json.loads(socket.recv(20))
            for each in message.get("messages", [message]):
                seen[each["kind"]] = each.get("at", 0.0)
    assert seen["samples"] >= 1.0
    assert "about" in seen


def test_nobody_is_let_in_by_mistake(int8_model: Path):
    result = invoke("--model", int8_model, "--web", "--web-no-auth")
    assert result.exit_code == 2
    assert "say it twice if that is meant" in result.stderr


def test_a_certificate_without_its_key(int8_model: Path, tmp_path: Path):
    result = invoke("--model", int8_model, "--web", "--web-cert", tmp_path / "c.pem")
    assert result.exit_code == 2
    assert "--web-cert and --web-key go together" in result.stderr


@pytest.mark.parametrize("where", ["127.0.0.1:99999", "http://pi:80"])
def test_an_address_that_is_none(int8_model: Path, tmp_path: Path, where: str):
    result = invoke("--model", int8_model, "--web", where, "--web-token-file", tmp_path / "token")
    assert isinstance(result.exception, SetupError)
    assert "expected HOST:PORT" in str(result.exception)


def test_a_replay_at_full_speed_is_not_held_up(int8_model: Path):
    result = invoke("--model", int8_model, "--json", "--web", "127.0.0.1:0", "--web-no-auth", "--web-no-auth")
    plain = invoke("--model", int8_model, "--json")
    assert result.exit_code == 0
    assert re.search(r"^page: http://127\.0\.0\.1:\d+/$", result.stderr, re.MULTILINE)
    labels = [[line["label"] for line in map(json.loads, each.stdout.splitlines()) if "label" in line]
              for each in (result, plain)]  # fmt: skip
    assert labels[0] == labels[1]
    assert len(labels[0]) > 50


def test_the_journal_is_told_where_the_secret_is(tmp_path: Path):
    with (tmp_path / "log").open("w") as log:
        found = os.fstat(log.fileno())
        journal = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert is_journal(log, journal)
        # Inherited from a service by a terminal, it means another stream.
        assert not is_journal(log, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"})
        assert not is_journal(log, {})
    assert not is_journal(io.StringIO(), journal)


def test_a_run_begins_with_who_was_chosen_last_on_the_page(int8_model: Path, tmp_path: Path):
    engine = load_engine(int8_model)
    two = load_dataset("synthetic:subjects=1,seconds=8").select(labels=["walking", "sitting"])
    renamed = replace(two, label_names=("upright", "lying"))
    folder = WearerFolder(tmp_path, engine.model)
    folder.save(personalise(engine, engine.model, renamed, "eve").file)
    folder.remember("eve")
    web = ("--web", "127.0.0.1:0", "--web-token-file", tmp_path / "token", "--web-wearers", tmp_path)
    arguments = ("--model", int8_model, "--json", "--seconds", 5, *web)
    windows = [line for line in map(json.loads, invoke(*arguments).stdout.splitlines()) if "label" in line]
    assert {line["wearer"] for line in windows} == {"eve"}
    (tmp_path / "eve.deseptr").write_text("{}")
    result = invoke(*arguments)
    assert result.exit_code == 0
    assert re.search(r"eve\.deseptr: found something else .*; the run begins without it", result.stderr)
    assert '"wearer"' not in result.stdout
