import json
import sys
from pathlib import Path

import pytest

from deseptr.firmware_harness.emulator import verify_guest
from deseptr.firmware_harness.emulator.verify_guest import MARK, await_device, plug_in, run_step, unit_state, work

PRINT = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"


def test_a_step_is_its_exit_code_and_output():
    assert run_step([sys.executable, "-c", PRINT], 60) == {"code": 3, "out": "out\n", "err": "err\n"}


def test_a_step_that_times_out_or_is_missing_is_reported():
    assert run_step([sys.executable, "-c", "input(); import time; time.sleep(60)"], 60)["code"] == 1
    slow = run_step([sys.executable, "-c", "import time; time.sleep(60)"], 0.2)
    assert (slow["code"], slow["err"]) == (None, "no end after 0.2 s of the machine's time")
    assert run_step(["/nowhere/at-all"], 1)["code"] == 127


def test_properties_of_a_unit_are_read_by_name():
    state = unit_state(lambda: "NRestarts=1\nActiveState=active\nResult=\n")
    assert state == {"NRestarts": "1", "ActiveState": "active", "Result": ""}


def test_a_simulated_sensor_that_ends_is_reported_with_its_last_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(verify_guest, "LOG", tmp_path / "log")
    monkeypatch.setattr(verify_guest, "adapters", set)
    with pytest.raises(ChildProcessError, match="no virtual hub"):
        plug_in([sys.executable, "-c", "import sys; sys.exit('no virtual hub')"])


def test_a_character_device_is_awaited_and_opened_for_its_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(verify_guest, "LOG", tmp_path / "log")
    owners = []
    monkeypatch.setattr(verify_guest.os, "chown", lambda path, user, group: owners.append((path, user, group)))
    device = tmp_path / "i2c-77"
    make = f"import pathlib, time; time.sleep(0.2); pathlib.Path({str(device)!r}).touch(); time.sleep(60)"
    server = verify_guest.serve([sys.executable, "-c", make])
    try:
        await_device(server, device)
    finally:
        server.kill()
        server.wait()
    assert owners == [(device, 0, 998)]
    assert device.stat().st_mode & 0o777 == 0o660


def reported(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line.removeprefix(MARK)) for line in capsys.readouterr().out.splitlines()]


def test_a_failed_step_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(verify_guest, "plug_in", lambda command: 4)
    monkeypatch.setattr(verify_guest, "hang_service", lambda: {"hung": 7})
    served = []
    monkeypatch.setattr(verify_guest, "serve", lambda command: command)
    monkeypatch.setattr(verify_guest, "await_device", lambda *awaited: served.append(awaited))
    python = [sys.executable, "-c"]
    steps = [("bad", [*python, PRINT]), ("good", [*python, "print(1)"]), ("hang", ["hang"])]
    work(
        {
            "prepare": [[*python, "pass"]],
            "adapters": {"still": ["serve"]},
            "devices": {"/dev/i2c-77": ["cuse"]},
            "steps": [{"name": name, "command": command} for name, command in steps],
            "timeout": 60,
        }
    )
    assert served == [(["cuse"], Path("/dev/i2c-77"))]
    first, *rest, last = reported(capsys)
    assert set(first) == {"linux", "python"}
    assert last == {"done": True}
    assert rest == [
        {"step": "prepare-0", "code": 0, "out": "", "err": ""},
        {"adapter": "still", "number": 4},
        {"step": "bad", "code": 3, "out": "out\n", "err": "err\n"},
        {"step": "good", "code": 0, "out": "1\n", "err": ""},
        {"step": "hang", "hung": 7},
    ]


def test_a_service_without_a_process_is_not_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify_guest, "show_service", lambda: "ActiveState=failed\nMainPID=0\n")
    monkeypatch.setattr(verify_guest, "service_journal", list)
    facts = verify_guest.hang_service()
    assert facts["before"] == facts["after"] == {"ActiveState": "failed", "MainPID": "0"}
