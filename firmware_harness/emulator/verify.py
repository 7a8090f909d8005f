"""Verification of the toolkit on emulated 64-bit ARM: installation, runs, evaluation and watchdog, against this host.

Two boots. In the first, the machine's clock counts its instructions, so that a slow host makes it miss no sample, and
the thirty idle seconds until the watchdog expires take no time. In the second, the kernel's own drivers read the chips.
Nothing here measures speed: times of an emulated machine mean nothing.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError, atomic_path, scratch_folder
from deseptr.device import default_model

from .image import default_cache, prepare_image
from .kernel_check import KERNEL_NAMES, SIGNALS, check_with_kernel, kernel_recipe
from .machine import boot_files, check_qemu
from .process import run_bounded
from .verify_checks import FAIL, ArmCheck, check_readings, check_report
from .verify_commands import host_commands, job_of, make_inputs
from .verify_console import parse_report
from .verify_machine import guest_entries, prepare_payload, target_of, verification_recipe

CPU = "cortex-a53"
_MEMORY_MIB = 3072
_HOST_TIMEOUT_S = 600.0

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verification:
    """All checks of one call.

    Args:
        checks: the checks, in order.
        seconds: duration of each part on this host, by name.
        host: this host's processor.
    """

    checks: tuple[ArmCheck, ...]
    seconds: dict[str, float]
    host: str

    @property
    def failed(self) -> int:
        """Number of failed checks."""
        return sum(check.level == FAIL for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        checks = [check.to_dict() for check in self.checks]
        return {"failed": self.failed, "host": self.host, "cpu": CPU, "seconds": self.seconds, "checks": checks}


def verify_arm(
    log: Path,
    *,
    timeout: float = 1800.0,
    cache: Path | None = None,
    note: Note = lambda line: None,
    model: Path | None = None,
) -> Verification:
    """Verify the toolkit of this source tree, or the installed one, in an emulated arm64 machine.

    Args:
        log: folder for the consoles and results; made if it does not exist.
        timeout: longest time for one boot, seconds.
        cache: folder of machines; by default :func:`.image.default_cache`.
        note: called with a line for each slow step.
        model: the model to run; the packaged one if None.

    Raises:
        SetupError: if QEMU, Debian's package tools or wheels are missing, or the host's own commands fail.
    """
    check_qemu()
    log = _folder(log)
    cache = cache or default_cache()
    seconds: dict[str, float] = {}
    with scratch_folder() as folder:
        checks = _installed(model or default_model(), folder, log, timeout, cache, note, seconds)
    checks += _by_kernel(log, timeout, cache, note, seconds)
    result = Verification(tuple(checks), seconds, platform.machine())
    _keep(log / "result.json", result.to_dict())
    return result


def _installed(
    model: Path, folder: Path, log: Path, timeout: float, cache: Path, note: Note, seconds: dict[str, float]
) -> list[ArmCheck]:
    """The checks of the installed toolkit and its service."""
    recipe = verification_recipe()
    target = target_of(recipe.release)
    with _timed(seconds, f"machine's software, from {_origin(cache, recipe.key())}"):
        image = prepare_image(recipe, cache, note)
    with _timed(seconds, "wheels and recordings"):
        payload = prepare_payload(model, target, folder, note)
        inputs = make_inputs(model, folder)
    note("running the same commands on this host")
    with _timed(seconds, "this host's answers"):
        host = {name: run_on_host(command) for name, command in host_commands(inputs).items()}
    _keep(log / "host.json", host)
    note(f"emulating {CPU}: install, doctor, run, evaluate, watchdog; this takes minutes")
    entries = guest_entries(payload, job_of(payload, inputs), inputs.recordings)
    with _timed(seconds, "emulated machine"):
        finished = boot_files(image, CPU, entries, timeout=timeout, memory_mib=_MEMORY_MIB)
    (log / "console.txt").write_text(finished.output + finished.errors)
    return list(check_report(parse_report(finished), host, has_older=payload.has_older))


def _by_kernel(log: Path, timeout: float, cache: Path, note: Note, seconds: dict[str, float]) -> list[ArmCheck]:
    """The checks of the kernel's own sensor drivers."""
    with _timed(seconds, f"kernel's drivers, from {_origin(cache, kernel_recipe().key())}"):
        try:
            readings = check_with_kernel(timeout=timeout, cache=cache, note=note)
        except SetupError as error:
            return [ArmCheck("kernel's drivers", FAIL, error.found, error.expected)]
    _keep(log / "kernel.json", [asdict(reading) for reading in readings])
    checks = list(check_readings(readings, SIGNALS))
    if len(checks) != len(KERNEL_NAMES):
        checks.append(ArmCheck("kernel's drivers", FAIL, f"{len(checks)} chips read", f"{len(KERNEL_NAMES)}"))
    return checks


def run_on_host(command: list[str]) -> dict[str, Any]:
    """Exit code, output and errors of a command on this host, to compare the emulated machine's with.

    Raises:
        SetupError: if it prints nothing or does not end.
    """
    finished = run_bounded(command, timeout=_HOST_TIMEOUT_S)
    if finished.timed_out or not finished.output.strip():
        raise SetupError(
            f"{' '.join(command[1:5])} on this host",
            found="no end" if finished.timed_out else finished.first_error(),
            expected="output to compare with",
            next_step="make sure that it works here, then verify again",
        )
    return {"code": finished.returncode, "out": finished.output, "err": finished.errors}


def _origin(cache: Path, key: str) -> str:
    return "the cache" if (cache / key).is_dir() else "scratch"


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        seconds[name] = round(time.monotonic() - begun, 1)


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            path, found=error.strerror, expected="a folder for the log", next_step="name another with --log"
        ) from error
    return path


def _keep(path: Path, content: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
