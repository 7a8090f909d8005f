import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from deseptr.cli.main import deseptr
from deseptr.firmware_harness.emulator import verify
from deseptr.firmware_harness.emulator.verify import Verification
from deseptr.firmware_harness.emulator.verify_checks import ArmCheck

GOOD = ArmCheck("install", "ok", "deseptr 0.1.0, offline")
BAD = ArmCheck("watchdog", "fail", "0 restarts", "one restart")
SECONDS = {"emulated machine": 200.4}


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str, checks: tuple[ArmCheck, ...]):
    def verified(log, *, timeout, note):
        note(f"{log.name}, {timeout:g}")
        return Verification(checks, SECONDS, "x86_64")

    monkeypatch.setattr(verify, "verify_arm", verified)
    return CliRunner().invoke(deseptr, ["firmware", "verify-arm", "--log", str(tmp_path / "log"), *arguments])


def test_passed_checks_give_exit_code_0_and_a_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    result = run(monkeypatch, tmp_path, "--timeout", "90", checks=(GOOD,))
    assert result.exit_code == 0
    first, second, third = result.stdout.splitlines()
    assert first == "OK   install  deseptr 0.1.0, offline"
    assert second.startswith("1 of 1 check passed on emulated ARM")
    assert third == "time of this host, not of a board: emulated machine 200 s"
    assert result.stderr == "log, 90 …\n"


def test_a_failure_gives_exit_code_1_and_the_expected_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    result = run(monkeypatch, tmp_path, checks=(GOOD, BAD))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1:3] == ["FAIL watchdog  0 restarts", f"{'':15}expected one restart"]
    assert "1 of 2 checks passed" in lines[3]


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    result = run(monkeypatch, tmp_path, "--json", checks=(GOOD, BAD))
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert (facts["failed"], facts["seconds"]) == (1, SECONDS)
    assert facts["checks"][0] == GOOD.to_dict()


def test_help_loads_no_numpy():
    code = "import sys\nfrom deseptr.cli.main import deseptr\ntry: deseptr(['firmware', 'verify-arm', '--help'])\n"
    code += "except SystemExit: sys.exit('numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "firmware verify-arm [OPTIONS]" in ended.stdout
    assert ended.returncode == 0, ended.stderr
