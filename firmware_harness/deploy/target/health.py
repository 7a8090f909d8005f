"""The gate for a release on trial: no failed check of the doctor, labels from the sensor, a service that stays up."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .environment import read_environment
from .installing import clean_environment
from .manifest import MODEL, Manifest
from .refusal import RefusedError, quoted
from .reporting import Report
from .service import Service
from .service_page import trial_words

_DOCTOR_TIMEOUT = 120.0
_START_TIMEOUT = 120.0
_FAILED = 2  # exit code of `device doctor` with a failed check; 0 without findings, 1 with warnings


def check_release(release: Path, manifest: Manifest, report: Report) -> dict[str, Any]:
    """Run the doctor, and the release itself for a few seconds, while the service is stopped.

    Returns:
        The observations: the doctor's exit code, the number of windows, and the last label.

    Raises:
        RefusedError: at the first failure.
    """
    seen: dict[str, Any] = {}
    if manifest.doctor is not None:
        report("running the doctor")
        seen["doctor"] = _ask_doctor(release, manifest.doctor)
    report(f"waiting for labels, at most {manifest.seconds:g} s")
    seen.update(_see_labels(release, manifest))
    return seen


def watch_service(service: Service, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Check that a service that was just started is still active after a time.

    Raises:
        RefusedError: if it is not.
    """
    sleep(seconds)
    state = service.state()
    if state != "active":
        last = " ".join(service.logs(1).split())[:200]
        raise RefusedError(
            "service",
            found=f"{state} after {seconds:g} s{f' ({last})' if last else ''}",
            expected="active",
            next_step="see `deseptr firmware logs`",
        )


def _ask_doctor(release: Path, arguments: Sequence[str]) -> int:
    command = [
        str(release / "bin" / "deseptr"),
        "device",
        "doctor",
        "--json",
        "--model",
        str(release / MODEL),
        *arguments,
    ]
    ended = _run(release, command, _DOCTOR_TIMEOUT)
    if not 0 <= ended.returncode < _FAILED:
        raise RefusedError(
            "device doctor",
            found=_findings(ended.stdout) or _last_line(ended) or f"exit code {ended.returncode}",
            expected="no failed check",
            next_step="correct what it names, or run `deseptr device doctor` on the board",
        )
    return ended.returncode


def _see_labels(release: Path, manifest: Manifest) -> dict[str, Any]:
    seconds = manifest.seconds
    with tempfile.TemporaryDirectory(prefix="deseptr-trial-") as folder:
        words = ["--seconds", f"{seconds:g}", "--json", *trial_words(manifest, Path(folder))]
        ended = _run(release, [str(release / "run"), *words], seconds + _START_TIMEOUT)
    lines = map(_object, ended.stdout.splitlines())
    windows = [line for line in lines if "label" in line and isinstance(line["label"], (str, type(None)))]
    if ended.returncode or not windows:
        raise RefusedError(
            "device run",
            found=f"{len(windows)} labels, exit code {ended.returncode} ({_last_line(ended)})",
            expected=f"at least one within {seconds:g} s",
            next_step="check the sensor and its wires; `--gate-seconds` allows more time",
        )
    return {"windows": len(windows), "label": windows[-1]["label"]}


def _run(release: Path, command: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(), **read_environment(release)}
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            cwd=os.sep,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            command[0],
            found=f"no end after {timeout:g} s",
            expected="its end",
            next_step="see `deseptr firmware logs`",
        ) from error
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def _findings(text: str) -> str:
    """The findings of `device doctor --json` that failed, in one line."""
    found = _object(text).get("findings")
    findings = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    failed = [each for each in findings if each.get("level") == "fail"]
    return quoted("; ".join(f"{each.get('check')}: {each.get('found')}" for each in failed))


def _last_line(ended: subprocess.CompletedProcess[str]) -> str:
    lines = (ended.stderr or ended.stdout).strip().splitlines()
    return quoted(lines[-1].strip()) if lines else ""


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
