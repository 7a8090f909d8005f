import copy
import json

import numpy as np
import pytest

from deseptr.firmware_harness.emulator.kernel_check import Reading
from deseptr.firmware_harness.emulator.verify_checks import check_readings, check_report
from deseptr.firmware_harness.emulator.verify_console import MachineReport


def step(content, code=0, err=""):
    return {"code": code, "out": content if isinstance(content, str) else json.dumps(content), "err": err}


def scores(confusion):
    return {"windows": int(np.sum(confusion)), "confusion": confusion, "gaps": 0}


def evaluated(straight, bus):
    return step({**scores(straight), "bus": scores(bus)})


def logits(values):
    content = {"engine": "e", "shape": [len(values), 1], "bytes": np.array(values, "<f4").tobytes().hex()}
    return step(content)


def doctor(**levels):
    findings = [{"check": name, "level": level, "found": f"<{name}>"} for name, level in levels.items()]
    return step({"findings": findings})


def events(*labels, gaps=0):
    return step("".join(f'{{"label": "{label}"}}\n' for label in labels) + '{"gap": {}}\n' * gaps)


def versions(**names):
    return step({"python": "3.11.2", "machine": "aarch64", "deseptr": "0.1.0", "numpy": "2"} | names)


def service(**changed):
    return {
        "ActiveState": "active",
        "Type": "notify",
        "MainPID": "7",
        "NRestarts": "0",
        "WatchdogUSec": "30s",
    } | changed


FIRST = [[100, 0], [5, 95]]
HOST = {
    "doctor": doctor(engine="ok", bus="ok", governor="warn"),
    "run-walking": events("a", "a", "b"),
    "run-sitting": events("c", "c", "c"),
    "evaluate": evaluated(FIRST, FIRST),
    "logits": logits([0.5, 1.5, -2.0]),
}
HUNG = {
    "before": service(),
    "after": service(MainPID="9", NRestarts="1"),
    "hung": 7,
    "journal": ["deseptr.service: Watchdog timeout (limit 30s)!"],
}


def good():
    steps = {
        "prepare-0": step(""),
        "install": step(""),
        "versions-litert": versions(**{"ai-edge-litert": "2.3"}),
        "versions-tflite": versions(**{"tflite-runtime": "2.14"}),
        "doctor": doctor(engine="ok", bus="skip", governor="skip"),
        "run-walking": events("a", "a"),
        "run-sitting": events("c", "c", "c"),
        "cuse-walking": events("a", "a", "b"),
        "evaluate-litert": HOST["evaluate"],
        "evaluate-tflite": HOST["evaluate"],
        "logits-litert": HOST["logits"],
        "logits-tflite": HOST["logits"],
        "hang": HUNG,
    }
    return MachineReport(copy.deepcopy(steps), {"still": 0, "walking": 1, "sitting": 2}, "6.1", "")


def failed(report):
    return {check.name: check for check in check_report(report, HOST, has_older=True) if check.level == "fail"}


def test_a_machine_with_the_hosts_results_passes_all_checks():
    checks = list(check_report(good(), HOST, has_older=True))
    assert {check.level for check in checks} == {"ok"}
    assert len(checks) == 11
    assert not any(check.expected for check in checks)


@pytest.mark.parametrize(
    ("name", "answer", "check", "found"),
    [
        ("install", step("", 2, "deseptr: no wheel\n"), "install", "exit code 2: deseptr: no wheel"),
        ("prepare-0", step("", None, "no end after 9 s"), "install", "exit code None: no end after 9 s"),
        ("versions-tflite", versions(), "install", "3.11.2"),
        ("doctor", step({"findings": []}, 2), "doctor", "exit code 2: no message"),
        ("doctor", doctor(engine="ok", bus="warn", governor="ok"), "doctor", "bus WARN: <bus>"),
        ("doctor", doctor(engine="ok"), "doctor", "other checks"),
        ("run-walking", events("a", "c"), "run, walking", "2 windows, ['a', 'c'], 0 gaps"),
        ("run-walking", events("a"), "run, walking", "1 window"),
        ("run-walking", step("") | {"out": None}, "run, walking", "output of another form (AttributeError"),
        ("evaluate-litert", step("[" * 200_000), "evaluate, litert", "output of another form (RecursionError"),
        ("run-walking", events("a", "a", "b", gaps=1), "run, walking", "1 gap"),
        ("run-walking", events(), "run, walking", "0 windows"),
        ("run-walking", {**events("a", "a"), "code": 3}, "run, walking", "exit code 3"),
        ("cuse-walking", events("c", "c", "c"), "run, walking, CUSE", "3 windows, ['c'], 0 gaps"),
        ("cuse-walking", step("", 2, "deseptr: no bus\n"), "run, walking, CUSE", "exit code 2: deseptr: no bus"),
        (
            "evaluate-tflite",
            evaluated(FIRST, [[95, 5], [5, 95]]),
            "evaluate, tflite",
            "0 of 200 windows directly, 5 of",
        ),
        ("evaluate-litert", evaluated([[99, 0], [5, 95]], FIRST), "evaluate, litert", "199 windows"),
        ("evaluate-litert", step("{"), "evaluate, litert", "output of another form (JSONDecodeError"),
        ("logits-litert", logits([0.5, 1.5, -1.0]), "logits, litert", "1 of 3 logits differ"),
        ("logits-litert", logits([0.5, 1.5]), "logits, litert", "2 logits"),
        ("logits-tflite", step({"engine": "e"}), "logits, tflite", "output of another form (KeyError"),
        ("hang", HUNG | {"after": service()}, "watchdog", "0 restarts, active, deseptr.service: Watchdog timeout"),
        ("hang", HUNG | {"journal": ["Killed"]}, "watchdog", "1 restarts, active, no watchdog timeout"),
        ("hang", HUNG | {"after": service(MainPID="0", NRestarts="1", ActiveState="failed")}, "watchdog", "1 restarts"),
        ("hang", HUNG | {"before": service(ActiveState="failed")}, "watchdog", "service failed"),
    ],
)
def test_each_wrong_result_fails_only_its_own_check(name, answer, check, found):
    report = good()
    report.steps[name] = answer
    failures = failed(report)
    assert list(failures) == [check]
    assert found in failures[check].found
    assert failures[check].expected


def test_a_few_windows_may_have_another_label():
    report = good()
    report.steps["evaluate-litert"] = evaluated([[98, 2], [5, 95]], [[100, 0], [1, 99]])
    assert not failed(report)


def test_a_step_that_was_not_reached_has_the_reason():
    report = MachineReport(
        {"prepare-0": step(""), "install": step("")}, {"still": 0}, "6.1", "OSError: usbcore: not loaded"
    )
    failures = failed(report)
    assert len(failures) == 11
    assert failures["watchdog"].found == "not reached: OSError: usbcore: not loaded"
    assert failures["i2c adapters"].found == "OSError: usbcore: not loaded"


def test_the_older_runtime_is_skipped_without_a_wheel():
    report = good()
    for name in [name for name in report.steps if name.endswith("-tflite")]:
        del report.steps[name]
    levels = {check.name: check.level for check in check_report(report, HOST, has_older=False)}
    assert levels.pop("evaluate and logits, tflite") == "skip"
    assert set(levels.values()) == {"ok"}


FELT = (1.0, -2.0, 9.0, 0.5, -1.0, 0.25)


def readings(kernel=FELT, ours=FELT):
    return [Reading("usbip", "mpu6050", ours, 100), Reading("kernel", "mpu6050", kernel)]


def test_the_kernels_readings_are_compared_with_ours_and_the_true_signals():
    (check,) = check_readings(readings(kernel=(1.0005, *FELT[1:])), FELT)
    assert (check.name, check.level) == ("kernel's driver, mpu6050", "ok")
    assert "0.0005" in check.found


@pytest.mark.parametrize("which", ["kernel", "ours"])
@pytest.mark.parametrize("axis", range(6))
def test_an_inverted_axis_is_detected(which, axis):
    turned = tuple(-value if index == axis else value for index, value in enumerate(FELT))
    (check,) = check_readings(readings(**{which: turned}), FELT)
    assert check.level == "fail"
    assert check.found.startswith("the kernel's" if which == "kernel" else "ours")


def test_a_chip_read_by_the_kernel_alone_is_a_failure():
    (check,) = check_readings([Reading("kernel", "lsm6dsox", FELT)], FELT)
    assert check.level == "fail"
