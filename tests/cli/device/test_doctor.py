import json

import pytest
from click.testing import CliRunner

from deseptr.cli.device.group import device
from deseptr.device.doctor import CHECKS, CheckResult, Level, board_checks


def invoke(*arguments):
    result = CliRunner().invoke(device, ["doctor", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def quiet_host(monkeypatch):
    """The machine that runs the tests has a disk and a clock of its own: leave them out."""
    sensor = tuple(check for check in CHECKS if check.look.__module__ != board_checks.__name__)
    monkeypatch.setattr("deseptr.device.doctor.CHECKS", sensor)
    return sensor


def test_simulated_sensor_is_in_order(quiet_host):
    result = invoke("--simulate", "--verbose")
    lines = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert result.exit_code == 0, result.stdout
    assert [line.split()[1] for line in lines[:-1]] == [check.name for check in quiet_host]
    assert {line.split()[0] for line in lines[:-1]} <= {"OK", "SKIP"}
    assert lines[-1].endswith("; bus and sensor were simulated")
    assert result.stderr == ""


def test_as_json(quiet_host):
    result = invoke("--simulate", "--seconds", "2", "--json")
    made = json.loads(result.stdout)
    assert (made["worst"], made["simulated"]) == ("ok", True)
    assert [finding["check"] for finding in made["findings"]] == [check.name for check in quiet_host]
    for finding in made["findings"]:
        assert list(finding) == ["check", "level", "found", "expected", "next_step"]
    rate = next(finding for finding in made["findings"] if finding["check"] == "fifo-rate")
    assert "measured over 2.0 s" in rate["found"]


def test_without_a_bus(quiet_host):
    result = invoke("--bus", "4095")
    assert result.exit_code == 2
    failed = next(line for line in result.stdout.splitlines() if line.startswith("FAIL"))
    assert failed.startswith("FAIL i2c-bus          no /dev/i2c-4095")
    assert "                      → " in result.stdout
    assert "were simulated" not in result.stdout


def test_skipped_checks_are_one_line_unless_asked_for(quiet_host):
    lines = invoke("--simulate", "--seconds", "2").stdout.splitlines()
    skipped = next(index for index, line in enumerate(lines) if line.startswith("SKIP"))
    assert lines[skipped].startswith("SKIP 5 checks         edge-tpu, self-test, magnetic-field, plausible, mounting")
    assert [line[:4] for line in lines[skipped + 1 :]] == ["    ", "17 O"]
    assert lines[-1].startswith("17 OK, 5 SKIP;")


def test_what_a_failed_check_keeps_from_being_made_is_one_line(quiet_host):
    told = invoke("--bus", "4095").stdout
    assert told.count("SKIP ") == 1
    assert "addresses" in told
    assert "needs " not in told
    assert "SKIP addresses        needs permission" in invoke("--bus", "4095", "-v").stdout


def test_counts_have_one_order(monkeypatch):
    from deseptr.device.doctor import Check

    def giving(level):
        return Check(str(level), lambda subject: CheckResult(level, "so it is"))

    given = [Level.FAIL, Level.SKIP, Level.WARN, Level.OK, Level.WARN]
    monkeypatch.setattr("deseptr.device.doctor.CHECKS", tuple(map(giving, given)))
    assert invoke("--simulate").stdout.splitlines()[-1].startswith("1 OK, 1 SKIP, 2 WARN, 1 FAIL")


def test_long_findings_are_wrapped_with_an_indentation_and_commands_stay_whole(monkeypatch):
    from deseptr.device.doctor import Check

    command = "`sudo modprobe i2c-dev && sudo modprobe i2c-bcm2835`"
    result = CheckResult(Level.FAIL, "word " * 40, "other " * 20, f"type {command}, and then {'wait ' * 20}")
    monkeypatch.setattr("deseptr.device.doctor.CHECKS", (Check("first", lambda subject: result),))
    lines = invoke("--simulate").stdout.splitlines()[:-1]
    assert max(map(len, lines)) <= 80
    assert len(lines) > 8
    assert {line[:22] for line in lines[1:]} == {" " * 22}
    assert sum(command in line for line in lines) == 1
    assert " ".join(line[22:] for line in lines).count("word") == 40


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("skip", 0), ("warn", 1), ("fail", 2)])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_exit_code_is_that_of_the_worst(monkeypatch, level, code, options):
    from deseptr.device.doctor import Check

    result = CheckResult(Level(level), "so [it] is", *(("other", "do it") if code else ("", "")))
    checks = (Check("first", lambda subject: CheckResult(Level.OK, "fine")), Check("second", lambda subject: result))
    monkeypatch.setattr("deseptr.device.doctor.CHECKS", checks)
    result = invoke("--simulate", *(options or ("--verbose",)))
    assert result.exit_code == code
    assert "so [it] is" in result.stdout


def test_a_model_that_is_missing_is_a_finding(quiet_host):
    result = invoke("--simulate", "--model", "missing.tflite")
    assert result.exit_code == 2
    assert "FAIL model            missing.tflite: No such file or directory" in result.stdout
    assert "OK   fifo-rate" in result.stdout


@pytest.mark.parametrize("address", ["0x80", "7", "x", "-1"])
def test_invalid_addresses_are_refused(address):
    result = invoke("--simulate", "--address", address)
    assert result.exit_code == 2
    assert "Invalid value for '--address'" in result.output


def test_another_address(quiet_host):
    result = invoke("--simulate", "--address", "0x69")
    assert "FAIL addresses        no answer at 0x69" in result.stdout


def test_help_says_the_exit_code():
    assert "0 for OK and SKIP, 1 for WARN, 2 for FAIL" in " ".join(invoke("--help").stdout.split())
