#!/usr/bin/python3 -uB
"""The only process of the emulated machine: counts the instructions of each model's inference, reports, powers off.

It runs inside the machine, as process 1, beside numpy and the TFLite runtime and without this package. The clock there
ticks once per instruction: see :mod:`.machine`. :mod:`.console` reads its reports. The other guests share its main
loop.
"""

from __future__ import annotations

import json
import os
import platform
import struct
import sys
import termios
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "@arm-cost "
_POWER_OFF = 0x4321FEDC
_MOUNTS = ((b"proc", b"/proc"), (b"sysfs", b"/sys"), (b"devtmpfs", b"/dev"))


def reporter(mark: str) -> Callable[..., None]:
    """A function that prints facts for the host, as one line of JSON behind ``mark``."""

    def report(**facts: Any) -> None:
        print(mark + json.dumps(facts), flush=True)

    return report


report = reporter(MARK)


def run_and_power_off(work: Callable[[Any], None], report: Callable[..., None], *, mount: bool = True) -> None:
    """Do the work of a guest, report its exception if it raises one, and power off in any case.

    Args:
        work: the work; it gets the C library.
        report: prints facts for the host.
        mount: whether to mount the kernel's file systems first, as process 1 must.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for kind, target in _MOUNTS if mount else ():
        libc.mount(kind, target, kind, 0, None)
    try:
        work(libc)
    except Exception as error:
        report(error=f"{type(error).__name__}: {error}")
    finally:
        termios.tcdrain(sys.stdout.fileno())
        libc.reboot(_POWER_OFF)


def clock_check(loops: int = 5_000_000) -> dict[str, int]:
    """Time a loop of two machine instructions, for the host to check that the clock counts instructions."""
    import ctypes
    import mmap

    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # subs x0, x0, #1; b.ne back to it; ret
    code.write(struct.pack("<3I", 0xF1000400, 0x54FFFFE1, 0xD65F03C0))
    loop = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    loop(1)
    start = time.perf_counter_ns()
    loop(loops)
    return {"executed": 2 * loops + 1, "counted": time.perf_counter_ns() - start}


def random_input(detail: dict[str, Any], seed: int) -> Any:
    """Random values for an input tensor: from the whole range of an integer type, or standard normal."""
    import numpy as np

    rng = np.random.default_rng(seed)
    dtype = np.dtype(detail["dtype"])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, detail["shape"], dtype, endpoint=True)
    return rng.standard_normal(detail["shape"]).astype(dtype)


def load(path: str, seed: int) -> Any:
    """An interpreter with one thread and its inputs set, after one inference."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], random_input(detail, seed))
    interpreter.invoke()
    return interpreter


def count(interpreters: list[Any], warmup: int, samples: int) -> list[list[int]]:
    """Ticks of each model's invocations, measured in turn, ``[model][sample]``."""
    counts: list[list[int]] = [[] for _ in interpreters]
    for sample in range(-warmup, samples):
        for interpreter, taken in zip(interpreters, counts, strict=True):
            start = time.perf_counter_ns()
            interpreter.invoke()
            ticks = time.perf_counter_ns() - start
            if sample >= 0:
                taken.append(ticks)
    return counts


def work(job: dict[str, Any]) -> None:
    """Report the software and the check of the clock, load each model, count, and report the end."""
    packages = {name: version(name) for name in ("ai-edge-litert", "numpy")}
    report(software=packages | {"python": platform.python_version(), "linux": platform.release()})
    report(clock=clock_check())
    interpreters = []
    for index, path in enumerate(job["models"]):
        report(loading=index)
        interpreters.append(load(path, job["seed"]))
    report(counting=len(interpreters))
    for index, instructions in enumerate(count(interpreters, job["warmup"], job["samples"])):
        report(model=index, instructions=instructions)
    report(done=True)


def _work_on_job(libc: Any) -> None:
    with open("/job/job.json") as stream:  # noqa: PTH123 - pathlib's import is a tenth of this file's work
        work(json.load(stream))


if __name__ == "__main__" and os.getpid() == 1:
    run_and_power_off(_work_on_job, report)
