"""The emulated ARM machine: its command line, the archive of a job, and one boot of it.

With QEMU's `-icount shift=0` every instruction takes one nanosecond of the machine's clock, and with `sleep=off` that
clock skips idle time. A nanosecond of its `time.perf_counter_ns()` is then one instruction. It is no measure of time:
caches, memory, and the latency of instructions do not exist there. The kernel's tick, some 3,000 instructions every
four million, counts, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from deseptr.contract import scratch_folder
from deseptr.firmware_harness.programs import require_program

from .cpio import CpioEntry, write_archive
from .image import Image
from .process import Finished, run_bounded

QEMU = "qemu-system-aarch64"
CPUS = {"cortex-a53": "Pi Zero 2 W, 3", "cortex-a72": "Pi 4", "cortex-a76": "Pi 5"}
_MEMORY_MIB = 1024


@dataclass(frozen=True, slots=True)
class Job:
    """The job of one boot.

    Args:
        samples: number of counted invocations of each model.
        warmup: number of invocations before them.
        seed: seed of the inputs.
    """

    samples: int = 50
    warmup: int = 5
    seed: int = 0


def qemu_command(
    cpu: str, kernel: Path, archive: Path, *, counting: bool = True, memory_mib: int = _MEMORY_MIB
) -> list[str]:
    """The command that boots ``kernel`` with ``archive`` as its file system and the console on stdout.

    Without ``counting`` it is faster, and its clock follows real time.
    """
    clock = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"] if counting else ["-accel", "tcg"]
    machine = ["-M", "virt", "-cpu", cpu, "-m", str(memory_mib), "-smp", "1"]
    console = ["-display", "none", "-serial", "stdio", "-monitor", "none", "-nodefaults", "-no-reboot"]
    # A panic, as when process 1 ends, stops the machine at once.
    linux = ["-kernel", str(kernel), "-initrd", str(archive), "-append", "console=ttyAMA0 quiet loglevel=1 panic=-1"]
    return [QEMU, *machine, *clock, *console, *linux]


def job_entries(models: Sequence[bytes], job: Job) -> list[CpioEntry]:
    """Entries of the archive of one call: process 1, the models and the job."""
    paths = [f"job/{index}.tflite" for index in range(len(models))]
    settings = {
        "models": [f"/{path}" for path in paths],
        "samples": job.samples,
        "warmup": job.warmup,
        "seed": job.seed,
    }
    return [
        CpioEntry.file("init", files(__package__).joinpath("guest.py").read_bytes(), executable=True),
        CpioEntry.file("job/job.json", json.dumps(settings).encode()),
        *(CpioEntry.file(path, model) for path, model in zip(paths, models, strict=True)),
    ]


def check_qemu() -> None:
    """Check that the emulator is installed.

    Raises:
        SetupError: if it is not.
    """
    require_program(
        QEMU,
        expected="QEMU's ARM machines",
        next_step="`apt-get install qemu-system-arm`, which `make arm-cost` does for root",
    )


def boot(image: Image, cpu: str, models: Sequence[bytes], job: Job, *, timeout: float) -> Finished:
    """Boot the machine, let it count, and wait until it powers off.

    Args:
        image: its software.
        cpu: a name of :data:`CPUS`.
        models: contents of ``.tflite`` files.
        job: samples, warm-up and seed.
        timeout: seconds after which it is ended.

    Returns:
        The result of QEMU, with the console in its output.

    Raises:
        SetupError: if QEMU is missing or cannot be run.
    """
    return boot_files(image, cpu, job_entries(models, job), timeout=timeout)


def boot_files(
    image: Image,
    cpu: str,
    entries: Iterable[CpioEntry],
    *,
    timeout: float,
    counting: bool = True,
    memory_mib: int = _MEMORY_MIB,
) -> Finished:
    """Boot the machine with further files, process 1 among them, and wait until it powers off.

    Args:
        image: its software.
        cpu: a name of :data:`CPUS`.
        entries: the files; they replace those of the image.
        timeout: seconds after which it is ended.
        counting: as for :func:`qemu_command`.
        memory_mib: memory of the machine; files may take half of it.

    Returns:
        The result of QEMU, with the console in its output.

    Raises:
        SetupError: if QEMU is missing or cannot be run.
    """
    check_qemu()
    with scratch_folder() as folder:
        archive = folder / "files.cpio"
        shutil.copyfile(image.base, archive)
        with archive.open("ab") as stream:
            write_archive(stream, entries)
        command = qemu_command(cpu, image.kernel, archive, counting=counting, memory_mib=memory_mib)
        return run_bounded(command, timeout=timeout)
