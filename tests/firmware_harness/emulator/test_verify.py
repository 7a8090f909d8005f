import json
import shutil
import sys
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator import verify
from deseptr.firmware_harness.emulator.machine import QEMU
from deseptr.firmware_harness.emulator.verify import Verification, verify_arm
from deseptr.firmware_harness.emulator.verify_checks import ArmCheck


def test_failures_are_counted_and_skips_are_none():
    checks = (ArmCheck("a", "ok", "x"), ArmCheck("b", "skip", "x"), ArmCheck("c", "fail", "x", "y"))
    result = Verification(checks, {"emulated machine": 3.0}, "x86_64")
    assert result.failed == 1
    facts = json.loads(json.dumps(result.to_dict()))
    assert facts["failed"] == 1
    assert facts["checks"][2] == {"name": "c", "level": "fail", "found": "x", "expected": "y"}


def test_without_qemu_no_work_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match=f"^{QEMU}: found no such program"):
        verify_arm(tmp_path / "log", cache=tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_an_unwritable_log_is_reported_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(verify, "check_qemu", lambda: None)
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="--log"):
        verify_arm(tmp_path / "file" / "log", cache=tmp_path / "cache")


def test_a_command_without_output_on_this_host_cannot_be_compared():
    with pytest.raises(SetupError, match=r"device nosuch.* on this host"):
        verify.run_on_host([sys.executable, "-m", "deseptr.cli", "device", "nosuch"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed")
def test_all_of_it_works_on_emulated_arm(tmp_path: Path):
    result = verify_arm(tmp_path)
    assert [check for check in result.checks if check.level == "fail"] == []
    assert len(result.checks) >= 12
    assert json.loads((tmp_path / "result.json").read_text())["failed"] == 0
