"""Instructions per inference of models on emulated ARM processors."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract import DeseptrError, ModelError, SetupError
from deseptr.tflite import read_flatbuffer

from .console import Console, parse_console
from .image import RUNTIME, ImageRecipe, default_cache, default_recipe, prepare_image
from .machine import QEMU, Job, boot, check_qemu
from .process import Finished, run_bounded

CLOCK_TOLERANCE = 0.01
UNIT = "instructions per inference, emulated; not a time"


@dataclass(frozen=True, slots=True)
class ArmCost:
    """Instructions of one model's inference on one processor.

    Args:
        model: path of the file.
        cpu: the processor.
        boots: instructions of each counted invocation, ``[boot][sample]``.
    """

    model: str
    cpu: str
    boots: tuple[tuple[int, ...], ...]

    @property
    def medians(self) -> tuple[int, ...]:
        """Median of each boot."""
        return tuple(round(statistics.median(counts)) for counts in self.boots)

    @property
    def instructions(self) -> int:
        """Median over all samples."""
        return round(statistics.median(count for counts in self.boots for count in counts))

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest sample."""
        return min(map(min, self.boots)), max(map(max, self.boots))

    @property
    def boots_differ_percent(self) -> float | None:
        """Range of the boots' medians, per cent; None for a single boot."""
        medians = self.medians
        return 100 * (max(medians) - min(medians)) / self.instructions if len(medians) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        low, high = self.limits
        return {
            "model": self.model,
            "cpu": self.cpu,
            "instructions": self.instructions,
            "min": low,
            "max": high,
            "samples": sum(map(len, self.boots)),
            "medians_of_boots": list(self.medians),
            "boots_differ_percent": self.boots_differ_percent,
        }


@dataclass(frozen=True, slots=True)
class ArmCosts:
    """Figures of one call.

    Args:
        software: versions of the software in the machine, and of QEMU.
        costs: figures of each model on each processor.
    """

    software: dict[str, str]
    costs: tuple[ArmCost, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with their unit."""
        return {"unit": UNIT, "software": self.software, "costs": [cost.to_dict() for cost in self.costs]}


def count_instructions(
    models: Sequence[Path],
    cpus: Sequence[str],
    *,
    job: Job | None = None,
    boots: int = 1,
    timeout: float = 600.0,
    recipe: ImageRecipe | None = None,
    cache: Path | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> ArmCosts:
    """Count the instructions of ``invoke()``, called from Python, with one thread and the default kernels.

    Args:
        models: ``.tflite`` files, with or without a contract.
        cpus: names of :data:`.machine.CPUS`.
        job: samples, warm-up and seed.
        boots: number of boots of each machine, which shows how well its figures repeat.
        timeout: longest time for one boot, seconds.
        recipe: the machine's software; by default the host's release and runtime version.
        cache: folder of machines; by default :func:`.image.default_cache`.
        note: called with a line for each slow step.

    Raises:
        ModelError: if a file is no model, or the runtime in the machine refuses it.
        SetupError: if QEMU or Debian's package tools are missing, or the machine does not finish its job.
    """
    contents = [read_flatbuffer(path) for path in models]
    check_qemu()
    image = prepare_image(recipe or default_recipe(), cache or default_cache(), note)
    software: dict[str, str] = {"qemu": _qemu_version()}
    costs = []
    for cpu in cpus:
        counts = []
        for number in range(1, boots + 1):
            note(f"emulating {cpu}" + (f", boot {number} of {boots}" if boots > 1 else ""))
            finished = boot(image, cpu, contents, job or Job(), timeout=timeout)
            console = read_console(finished, models, f"{QEMU} -cpu {cpu}", timeout)
            software |= console.software
            counts.append(console.counts)
        for index, path in enumerate(models):
            costs.append(ArmCost(str(path), cpu, tuple(tuple(boot[index]) for boot in counts)))
    return ArmCosts(software, tuple(costs))


def read_console(finished: Finished, models: Sequence[Path], thing: str, timeout: float) -> Console:
    """The guest's reports, checked for completeness.

    Args:
        finished: result of QEMU.
        models: the files, in the guest's order.
        thing: name of the machine for messages.
        timeout: time that the machine had, seconds.

    Raises:
        ModelError: if a model could not be loaded or run there.
        SetupError: if the machine did not power off, its console is incomplete, or its clock does not count
            instructions.
    """
    console = parse_console(finished.output)
    if console.done and not console.error and console.counts.keys() == set(range(len(models))):
        _check_clock(console.clock_ratio, thing)
        return console
    if finished.timed_out:
        raise SetupError(
            thing,
            found=f"no end after {timeout:.0f} s",
            expected="a count of each model",
            next_step="allow more with --timeout, or count fewer --samples",
        )
    raise _failure(console, finished, models, thing)


def _check_clock(ratio: float | None, thing: str) -> None:
    # NaN is in no range.
    if ratio is None or not abs(ratio - 1) <= CLOCK_TOLERANCE:
        raise SetupError(
            thing,
            found="no check of its clock" if ratio is None else f"a clock of {ratio:.3f} ns per instruction",
            expected=f"1 within {CLOCK_TOLERANCE:.0%}",
            next_step="these figures would be wrong; try another version of QEMU",
        )


def _failure(console: Console, finished: Finished, models: Sequence[Path], thing: str) -> DeseptrError:
    if console.loading is not None or console.error:
        at_fault = models if console.loading is None else models[console.loading : console.loading + 1]
        return ModelError(
            ", ".join(map(str, at_fault)),
            found=console.error or console.last or "a machine that stopped",
            expected=f"models that {RUNTIME} {console.software.get(RUNTIME, '')} runs on ARM",
            next_step="try it on this host with `deseptr device profile`",
        )
    # The kernel's last line if there is one, otherwise QEMU's.
    unreadable = f"{console.garbled} unreadable lines" if console.garbled else ""
    return SetupError(
        thing,
        found=unreadable or console.last or finished.first_error(),
        expected="a count of each model",
        next_step="run it again; if it fails again, name an empty folder in DESEPTR_ARM_CACHE to make a new machine",
    )


def _qemu_version() -> str:
    words = run_bounded([QEMU, "--version"], timeout=30).output.split()
    return words[words.index("version") + 1] if "version" in words[:-1] else "unknown"
