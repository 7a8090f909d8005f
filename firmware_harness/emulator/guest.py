#!/usr/bin/python3 -uB
"""The first and only process of the emulated machine: counts what each model's inference takes, says so, powers off.

It runs inside the machine, as process 1, beside numpy and the TFLite runtime and without this package. The clock there
ticks once an instruction: see :mod:`.machine`. What it says is read by :mod:`.console`.
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
from typing import Any

MARK = "@arm-cost "
_POWER_OFF = 0x4321FEDC


def say(**facts: Any) -> None:
    """One line for the host."""
    print(MARK + json.dumps(facts), flush=True)


def clock_check(loops: int = 5_000_000) -> dict[str, int]:
    """A loop of two instructions in machine code, for the host to compare with what the clock makes of it."""
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
    """Numbers for an input tensor, the same for the same seed: all of an integer's range, or a standard normal."""
    import numpy as np

    rng = np.random.default_rng(seed)
    dtype = np.dtype(detail["dtype"])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, detail["shape"], dtype, endpoint=True)
    return rng.standard_normal(detail["shape"]).astype(dtype)


def load(path: str, seed: int) -> Any:
    """An interpreter of one thread with its inputs set, which has run once."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], random_input(detail, seed))
    interpreter.invoke()
    return interpreter


def count(interpreters: list[Any], warmup: int, samples: int) -> list[list[int]]:
    """Ticks of each model's invocations, taken in turn, ``[model][sample]``."""
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
    """Say the software and what the clock counts, load each model, count, and say that all is done."""
    packages = {name: version(name) for name in ("ai-edge-litert", "numpy")}
    say(software=packages | {"python": platform.python_version(), "linux": platform.release()})
    say(clock=clock_check())
    interpreters = []
    for index, path in enumerate(job["models"]):
        say(loading=index)
        interpreters.append(load(path, job["seed"]))
    say(counting=len(interpreters))
    for index, instructions in enumerate(count(interpreters, job["warmup"], job["samples"])):
        say(model=index, instructions=instructions)
    say(done=True)


def main() -> None:
    """Mount what the runtime looks at, work, and power off whatever happens."""
    import ctypes

    libc = ctypes.CDLL(None)
    for kind, target in ((b"proc", b"/proc"), (b"sysfs", b"/sys"), (b"devtmpfs", b"/dev")):
        libc.mount(kind, target, kind, 0, None)
    try:
        with open("/job/job.json") as stream:  # noqa: PTH123 - pathlib's import is a tenth of this file's work
            work(json.load(stream))
    except Exception as error:
        say(error=f"{type(error).__name__}: {error}")
    finally:
        termios.tcdrain(sys.stdout.fileno())
        libc.reboot(_POWER_OFF)


if __name__ == "__main__" and os.getpid() == 1:
    main()
