"""The checks of a verified machine: its reports, compared with the results of the same commands on this host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from deseptr.contract.counts import counted

from .kernel_check import Reading
from .verify_commands import CUSE_WORN
from .verify_console import Facts, MachineReport, json_lines

OK, FAIL, SKIP = "ok", "fail", "skip"
_LEVELS = ("skip", "ok", "warn", "fail")
# Windows cut at other times of the same movement may change the label of one or two of fourteen.
_LABELS_ALIKE = 0.85
# Results of optimised kernels may differ by a few counts between machines.
_LABELS_SHARE = 0.02
# Half a count of the coarsest full scale, and the rounding of the kernel's scale to three digits.
_SI_LEAST, _SI_SHARE = 0.0006, 0.001


@dataclass(frozen=True, slots=True)
class ArmCheck:
    """The result of one check.

    Args:
        name: name of the check.
        level: ``ok``, ``fail``, or ``skip`` if it does not apply.
        found: the observation.
        expected: the expected observation, if the check failed.
    """

    name: str
    level: str
    found: str
    expected: str = ""

    def to_dict(self) -> dict[str, str]:
        """Plain JSON values."""
        return asdict(self)


def check_report(report: MachineReport, host: Mapping[str, Facts], *, has_older: bool) -> Iterator[ArmCheck]:
    """The checks of the machine's first boot.

    Args:
        report: the machine's reports.
        host: exit code and output of the same commands on this host, by name.
        has_older: whether the older runtime has a wheel for the machine.
    """
    engines = ["litert", *(["tflite"] if has_older else [])]
    runs = [name for name in host if name.startswith("run-")]
    yield _checked("install", lambda: _install(report, engines))
    yield _checked("i2c adapters", lambda: _adapters(report, {"still", *(run.removeprefix("run-") for run in runs)}))
    yield _checked("doctor", lambda: _doctor(_step(report, "doctor"), host["doctor"]))
    for run in runs:
        yield _checked(run.replace("-", ", "), lambda run=run: _run(_step(report, run), host[run]))  # type: ignore[misc]
    cuse = f"cuse-{CUSE_WORN}"
    yield _checked(f"run, {CUSE_WORN}, CUSE", lambda: _run(_step(report, cuse), host[f"run-{CUSE_WORN}"]))
    for engine in engines:
        step = f"evaluate-{engine}"
        yield _checked(f"evaluate, {engine}", lambda step=step: _evaluate(_step(report, step), host["evaluate"]))  # type: ignore[misc]
    for engine in engines:
        step = f"logits-{engine}"
        yield _checked(f"logits, {engine}", lambda step=step: _logits(_step(report, step), host["logits"]))  # type: ignore[misc]
    if not has_older:
        yield ArmCheck("evaluate and logits, tflite", SKIP, "tflite-runtime has no wheel for the machine's Python")
    yield _checked("watchdog", lambda: _watchdog(_step(report, "hang")))


def check_readings(readings: Iterable[Reading], signals: Sequence[float]) -> Iterator[ArmCheck]:
    """The checks of the kernel's own drivers against this package's and against the chips' input signals."""
    by_way: dict[tuple[str, str], Reading] = {(reading.sensor, reading.front): reading for reading in readings}
    for sensor in dict.fromkeys(sensor for sensor, front in by_way if front == "kernel"):
        yield _checked(
            f"kernel's driver, {sensor}",
            lambda sensor=sensor: _si(by_way[sensor, "kernel"], by_way[sensor, "usbip"], signals),  # type: ignore[misc]
        )


class _WrongError(Exception):
    """A result differs from the expected one."""

    def __init__(self, found: object, expected: str) -> None:
        super().__init__(found, expected)
        self.found, self.expected = str(found), expected


def _checked(name: str, check: Callable[[], str]) -> ArmCheck:
    try:
        return ArmCheck(name, OK, check())
    except _WrongError as wrong:
        return ArmCheck(name, FAIL, wrong.found, wrong.expected)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return ArmCheck(name, FAIL, f"output of another form ({type(error).__name__}: {error})", "the command's output")


def _step(report: MachineReport, name: str) -> Facts:
    if name not in report.steps:
        raise _WrongError(f"not reached: {report.ended or 'not in its job'}", "the result of this step")
    return report.steps[name]


def _done(facts: Facts, codes: Sequence[int] = (0,)) -> Facts:
    if facts["code"] not in codes:
        lines = [line.strip() for line in facts["err"].splitlines() if line.strip()]
        raise _WrongError(f"exit code {facts['code']}: {lines[-1] if lines else 'no message'}", f"exit code {codes[0]}")
    return facts


def _install(report: MachineReport, engines: Sequence[str]) -> str:
    for name in sorted(name for name in report.steps if name.startswith("prepare-")):
        _done(_step(report, name))
    _done(_step(report, "install"))
    versions = [json.loads(_done(_step(report, f"versions-{engine}"))["out"]) for engine in engines]
    for version, engine in zip(versions, ("ai-edge-litert", "tflite-runtime"), strict=False):
        if engine not in version or version["machine"] != "aarch64":
            raise _WrongError(version, f"{engine} on aarch64")
    runtimes = [
        ", ".join(f"{name} {v[name]}" for name in ("ai-edge-litert", "tflite-runtime", "numpy") if name in v)
        for v in versions
    ]
    return f"deseptr {versions[0]['deseptr']}, Python {versions[0]['python']}, offline: {'; '.join(runtimes)}"


def _adapters(report: MachineReport, wanted: set[str]) -> str:
    if set(report.adapters) != wanted or sorted(report.adapters.values()) != list(range(len(wanted))):
        raise _WrongError(report.ended or f"adapters {report.adapters}", f"{len(wanted)}, numbered from 0 on")
    devices = ", ".join(f"/dev/i2c-{number}" for number in sorted(report.adapters.values()))
    return f"{devices} over USB/IP, Linux {report.linux}"


def _doctor(there: Facts, here: Facts) -> str:
    # Results are compared with the host's, so that a warning about the host does not count for the machine.
    levels = {finding["check"]: finding["level"] for finding in json.loads(here["out"])["findings"]}
    findings = json.loads(_done(there, (0, here["code"]))["out"])["findings"]
    worse = [
        f"{finding['check']} {finding['level'].upper()}: {finding['found']}"
        for finding in findings
        if _LEVELS.index(finding["level"]) > max(1, _LEVELS.index(levels.get(finding["check"], "ok")))
    ]
    if worse or set(levels) != {finding["check"] for finding in findings}:
        raise _WrongError("; ".join(worse) or "other checks", "findings no worse than on this host")
    passed = sum(finding["level"] == "ok" for finding in findings)
    return f"exit code {there['code']}, {passed} of {len(findings)} checks passed, the others do not apply"


def _run(there: Facts, here: Facts) -> str:
    theirs, ours = json_lines(_done(there)), json_lines(_done(here))
    labels = [line["label"] for line in theirs if "label" in line]
    known = [line["label"] for line in ours if "label" in line]
    gaps = sum("gap" in line for line in theirs)
    # The machine's sensor has been sampling for longer, so its windows begin at other times of the same movement.
    alike = sum(label in known for label in labels)
    if not labels or abs(len(labels) - len(known)) > 1 or alike < _LABELS_ALIKE * len(labels) or gaps:
        raise _WrongError(
            f"{counted(len(labels), 'window')}, {sorted(set(labels))}, {counted(gaps, 'gap')}",
            f"{counted(len(known), 'window')}, {sorted(set(known))}",
        )
    names = ", ".join(sorted(set(known)))
    return (
        f"exit code 0, {counted(len(labels), 'window')} from the bus, {alike} of them labelled as on this host: {names}"
    )


def _evaluate(there: Facts, here: Facts) -> str:
    theirs, ours = json.loads(_done(there)["out"]), json.loads(_done(here)["out"])
    if theirs["windows"] != ours["windows"] or theirs["bus"]["windows"] != ours["bus"]["windows"]:
        raise _WrongError(counted(theirs["windows"], "window"), f"{ours['windows']}, as on this host")
    straight, bus = (_changed_labels(*pair) for pair in ((theirs, ours), (theirs["bus"], ours["bus"])))
    most = _LABELS_SHARE * ours["windows"]
    found = f"{straight} of {ours['windows']} windows directly, {bus} of {ours['bus']['windows']} over the bus"
    if max(straight, bus) > most or theirs["bus"]["gaps"]:
        raise _WrongError(
            f"confusions differ by {found}, {theirs['bus']['gaps']} gaps",
            f"at most {most:.0f} and no gap, as on this host",
        )
    return f"exit code 0, confusions differ from this host's by {found}"


def _changed_labels(theirs: Facts, ours: Facts) -> int:
    """Least number of windows with another label, from the confusion matrices of the same windows."""
    difference = np.array(theirs["confusion"]) - np.array(ours["confusion"])
    return int(np.abs(difference).sum()) // 2


def _logits(there: Facts, here: Facts) -> str:
    theirs, ours = json.loads(_done(there)["out"]), json.loads(_done(here)["out"])
    values, known = (np.frombuffer(bytes.fromhex(facts["bytes"]), "<u4") for facts in (theirs, ours))
    if values.shape != known.shape or not len(values):
        raise _WrongError(f"{len(values)} logits", f"{len(known)}, as on this host")
    if differing := int((values != known).sum()):
        raise _WrongError(f"{differing} of {len(known)} logits differ in a bit", "none")
    return f"{len(known)} logits of {ours['shape'][0]} windows the same to the bit as {ours['engine']} on this host"


def _watchdog(facts: Facts) -> str:
    before, after = facts["before"], facts["after"]
    if before["ActiveState"] != "active" or before["Type"] != "notify":
        raise _WrongError(f"service {before['ActiveState']}, type {before['Type']}", "active, notify")
    killed = [line for line in facts["journal"] if "Watchdog timeout" in line]
    restarts = int(after["NRestarts"]) - int(before["NRestarts"])
    again = after["ActiveState"] == "active" and after["MainPID"] not in ("0", str(facts["hung"]))
    if restarts != 1 or not killed or not again:
        raise _WrongError(
            f"{restarts} restarts, {after['ActiveState']}, {killed[-1] if killed else 'no watchdog timeout'}",
            "one restart by the watchdog, and the service active again",
        )
    return f"stopped by SIGSTOP, killed by the watchdog ({before['WatchdogUSec']}), NRestarts 1, active again"


def _si(kernel: Reading, ours: Reading, signals: Sequence[float]) -> str:
    true = np.array(signals)
    most = _SI_LEAST + _SI_SHARE * np.abs(true)
    for driver, reading in (("the kernel's", kernel), ("ours", ours)):
        if (np.abs(np.array(reading.si) - true) > most).any():
            raise _WrongError(f"{driver}: {_numbers(reading.si)}", f"{_numbers(signals)} within {_numbers(most)}")
    furthest = float(np.abs(np.array(kernel.si) - np.array(ours.si)).max())
    return f"all six channels as ours within {furthest:.4f} m/s² or rad/s"


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)
