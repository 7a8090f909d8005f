"""The emulated ARM machine: its command line, its second archive, and one boot of it.

QEMU's `-icount shift=0` gives every instruction one nanosecond of the machine's clock, and `sleep=off` lets that clock
run ahead of the wall's when the machine idles. A nanosecond of its `time.perf_counter_ns()` is then an instruction. It
is no time: caches, memory, and an instruction's own latency do not exist there. The kernel's tick, some 3,000
instructions every four million, counts as well.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from deseptr.contract import SetupError

from .cpio import Entry, write_archive
from .image import Image
from .process import Finished, run_bounded

QEMU = "qemu-system-aarch64"
CPUS = {"cortex-a53": "Pi Zero 2 W, 3", "cortex-a72": "Pi 4", "cortex-a76": "Pi 5"}
_MEMORY_MIB = 1024


@dataclass(frozen=True, slots=True)
class Job:
    """What to count in one boot.

    Args:
        samples: counted invocations of each model.
        warmup: invocations before that.
        seed: draws the inputs.
    """

    samples: int = 50
    warmup: int = 5
    seed: int = 0


def qemu_command(
    cpu: str, kernel: Path, archive: Path, *, counting: bool = True, memory_mib: int = _MEMORY_MIB
) -> list[str]:
    """The command that boots ``kernel`` with ``archive`` as all its files and the console on stdout.

    Without ``counting`` it is faster, and its clock goes with the wall's.
    """
    clock = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"] if counting else ["-accel", "tcg"]
    machine = ["-M", "virt", "-cpu", cpu, "-m", str(memory_mib), "-smp", "1"]
    console = ["-display", "none", "-serial", "stdio", "-monitor", "none", "-nodefaults", "-no-reboot"]
    # A panic, as when process 1 dies, ends the machine at once.
    linux = ["-kernel", str(kernel), "-initrd", str(archive), "-append", "console=ttyAMA0 quiet loglevel=1 panic=-1"]
    return [QEMU, *machine, *clock, *console, *linux]


def job_entries(models: Sequence[bytes], job: Job) -> list[Entry]:
    """Entries of the archive of one call: process 1, the models and what to do with them."""
    paths = [f"job/{index}.tflite" for index in range(len(models))]
    settings = {
        "models": [f"/{path}" for path in paths],
        "samples": job.samples,
        "warmup": job.warmup,
        "seed": job.seed,
    }
    return [
        Entry.file("init", files(__package__).joinpath("guest.py").read_bytes(), executable=True),
        Entry.file("job/job.json", json.dumps(settings).encode()),
        *(Entry.file(path, model) for path, model in zip(paths, models, strict=True)),
    ]


def check_qemu() -> None:
    """See that the emulator is there.

    Raises:
        SetupError: if it isn't.
    """
    if shutil.which(QEMU) is None:
        raise SetupError(
            QEMU,
            found="no such program",
            expected="QEMU's ARM machines",
            next_step="`apt-get install qemu-system-arm`, which `make arm-cost` does for root",
        )


def boot(image: Image, cpu: str, models: Sequence[bytes], job: Job, *, timeout: float) -> Finished:
    """Boot the machine, let it count, and wait until it powers off.

    Args:
        image: its software.
        cpu: a name of :data:`CPUS`.
        models: contents of ``.tflite`` files.
        job: what to count.
        timeout: seconds after which it is ended.

    Returns:
        QEMU's end, the console in its output.

    Raises:
        SetupError: if QEMU is missing or cannot be run.
    """
    return boot_files(image, cpu, job_entries(models, job), timeout=timeout)


def boot_files(
    image: Image,
    cpu: str,
    entries: Iterable[Entry],
    *,
    timeout: float,
    counting: bool = True,
    memory_mib: int = _MEMORY_MIB,
) -> Finished:
    """Boot the machine with more files, process 1 among them, and wait until it powers off.

    Args:
        image: its software.
        cpu: a name of :data:`CPUS`.
        entries: the files; they replace those of the image.
        timeout: seconds after which it is ended.
        counting: as :func:`qemu_command`.
        memory_mib: of the machine; half of it may hold files.

    Returns:
        QEMU's end, the console in its output.

    Raises:
        SetupError: if QEMU is missing or cannot be run.
    """
    check_qemu()
    with tempfile.TemporaryDirectory(prefix="deseptr-arm-") as folder:
        archive = Path(folder) / "files.cpio"
        shutil.copyfile(image.base, archive)
        with archive.open("ab") as stream:
            write_archive(stream, entries)
        command = qemu_command(cpu, image.kernel, archive, counting=counting, memory_mib=memory_mib)
        return run_bounded(command, timeout=timeout)
