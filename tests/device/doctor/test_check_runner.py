import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.contract import SetupError
from deseptr.device.doctor import CHECKS, Check, CheckResult, DoctorFinding, Level, run_checks, worst

from .conftest import PI


def ok(subject):
    return CheckResult(Level.OK, "fine")


def broken(subject):
    raise ZeroDivisionError("by\nnothing")


def refused(subject):
    raise SetupError("smbus2", found="no such package", expected="the library", next_step="install it")


def levels(findings):
    return {finding.check: str(finding.level) for finding in findings}


# The sensor lies still, and has no magnetometer.
SKIPPED = ("edge-tpu", "self-test", "magnetic-field", "mounting")


def test_a_healthy_pi(make_subject, int8_model):
    findings = list(run_checks(make_subject(model=int8_model), CHECKS))
    assert levels(findings) == {check.name: "skip" if check.name in SKIPPED else "ok" for check in CHECKS}
    assert worst(findings) is Level.OK


def test_checks_come_after_what_they_need():
    seen = set()
    for check in CHECKS:
        assert set(check.needs) <= seen
        seen.add(check.name)
    assert len(seen) == len(CHECKS)


def test_a_check_that_breaks_is_a_failure_and_stops_no_other():
    first, second, third = run_checks(None, [Check("a", broken), Check("b", refused), Check("c", ok)])
    assert first == DoctorFinding(
        "a",
        Level.FAIL,
        "the check itself failed: ZeroDivisionError: by nothing",
        "a result",
        "report this line, with the machine and the sensor",
    )
    assert second == DoctorFinding("b", Level.FAIL, "smbus2: no such package", "the library", "install it")
    assert third == DoctorFinding("c", Level.OK, "fine")


def test_an_interrupt_is_not_held_back():
    def interrupted(subject):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_checks(None, [Check("a", interrupted)]))


def test_checks_that_need_a_failed_one_are_skipped():
    made = []
    checks = [Check("a", broken), Check("b", ok, needs=("a",)), Check("c", ok, needs=("b", "a")), Check("d", ok)]
    findings = list(run_checks(None, checks, lambda check: made.append(check.name)))
    assert [str(finding.level) for finding in findings] == ["fail", "skip", "skip", "ok"]
    assert [finding.found for finding in findings[1:3]] == ["needs a", "needs b and a"]
    assert made == ["a", "d"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Level.OK),
        (["skip"], Level.OK),
        (["ok", "warn", "skip"], Level.WARN),
        (["fail", "warn"], Level.FAIL),
    ],
)
def test_worst(found, expected):
    level = worst(DoctorFinding(str(number), Level(name), "") for number, name in enumerate(found))
    assert level.exit_code == expected.exit_code
    assert {Level.OK: 0, Level.SKIP: 0, Level.WARN: 1, Level.FAIL: 2}[level] == level.exit_code


def test_the_bus_is_closed_once(make_subject):
    subject = make_subject()
    closed = []
    subject.bus.close = lambda: closed.append(True)
    subject.close()
    subject.close()
    assert closed == [True]


GARBAGE = st.one_of(st.none(), st.binary(max_size=200), st.text(max_size=60).map(str.encode), st.sampled_from(
    [b"\0", b"-1", b"0x", b"99999999999999999999", b"nan", b"/../../../etc\0", b"../" * 200, b"\n" * 2000, b"on"]
))  # fmt: skip


@given(files=st.fixed_dictionaries(dict.fromkeys(PI, GARBAGE)), output=st.text(max_size=80))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_garbage_in_files_or_commands_breaks_a_check(make_subject, int8_model, files, output):
    subject = make_subject(files=files, model=int8_model, seconds=1, host={"run": lambda command: output})
    findings = list(run_checks(subject, CHECKS))
    assert len(findings) == len(CHECKS)
    for finding in findings:
        assert "itself failed" not in finding.found
        assert finding.found.isprintable()
        assert finding.expected.isprintable()
        assert finding.next_step.isprintable()
        assert bool(finding.expected) == bool(finding.next_step) == (finding.level in (Level.WARN, Level.FAIL))
