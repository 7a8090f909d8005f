"""Cold start, up to the first label: a fresh process imports the engine, loads a model, runs it once, and times that.

The files come from the page cache, since they have been read before: after a reboot the card is slower.
``python -m deseptr.device.profile.cold_start MODEL ENGINE THREADS SPAWNED_NS`` is the process, and prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from deseptr.contract import SetupError, parse_json
from deseptr.contract.limits import Limits

FIGURES = (
    "interpreter_ms",
    "import_ms",
    "load_ms",
    "first_inference_ms",
    "import_rss_bytes",
    "loaded_rss_bytes",
    "peak_rss_bytes",
)
TIMEOUT_S = 120.0
_FIGURE = Limits(0, 1e15)


def cold_start(model: Path, kind: str = "auto", threads: int = 1, repeats: int = 3) -> dict[str, Any]:
    """Medians over a few fresh processes.

    Args:
        model: the ``.tflite`` file.
        kind: as for :func:`deseptr.device.load_engine`.
        threads: number of threads for the engine.
        repeats: number of processes, one after the other.

    Returns:
        ``repeats``; ``interpreter_ms`` until Python runs this code, ``import_ms`` of the engine and its dependencies,
        ``load_ms`` of the model, ``first_inference_ms`` without warm-up; and the memory held after import, after
        loading, and at most.

    Raises:
        SetupError: if such a process fails.
    """
    runs = [_one(model, kind, threads) for _ in range(repeats)]
    return {"repeats": repeats} | {name: median(run[name] for run in runs) for name in FIGURES}


def _one(model: Path, kind: str, threads: int) -> dict[str, float]:
    arguments = [str(model), kind, str(threads), str(time.monotonic_ns())]
    command = [sys.executable, "-m", __name__, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True, timeout=TIMEOUT_S)
        return read_figures(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        output = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise SetupError(
            f"a fresh process with {model}",
            found=output[-1] if output else "no answer",
            expected="durations of loading and running the model",
            next_step="profile with `--cold-starts 0`",
        ) from error


def read_figures(text: str) -> dict[str, float]:
    """The figures that such a process has printed.

    Raises:
        ValueError: if it has printed anything else.
    """
    measured = parse_json(text)
    if not isinstance(measured, dict) or not all(_FIGURE.allow(measured.get(name)) for name in FIGURES):
        raise ValueError("other figures")
    return {name: measured[name] for name in FIGURES}


def measure(model: str, kind: str, threads: int, spawned_ns: int) -> dict[str, Any]:
    """The figures of this process, which must not have imported an engine yet."""
    began = time.monotonic_ns()
    from deseptr.tflite.engine import load_engine

    from .usage import process_memory

    imported = time.monotonic_ns()
    import_memory = process_memory()
    before_load = time.monotonic_ns()
    engine = load_engine(model, kind, threads, warm_up=False)
    loaded = time.monotonic_ns()
    load_memory = process_memory()
    import numpy as np

    window = np.zeros((engine.contract.input_length, len(engine.contract.channels)), np.float32)
    before_first = time.monotonic_ns()
    engine.invoke(window)
    done = time.monotonic_ns()
    return {
        "interpreter_ms": (began - spawned_ns) / 1e6,
        "import_ms": (imported - began) / 1e6,
        "load_ms": (loaded - before_load) / 1e6,
        "first_inference_ms": (done - before_first) / 1e6,
        "import_rss_bytes": import_memory.resident,
        "loaded_rss_bytes": load_memory.resident,
        "peak_rss_bytes": process_memory().peak,
    }


if __name__ == "__main__":
    _, _model, _kind, _threads, _spawned = sys.argv
    print(json.dumps(measure(_model, _kind, int(_threads), int(_spawned))))
