"""Measurements after the windows of a profile, each by the key that it has in the result; empty where not wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deseptr.tflite.engine import Engine
from deseptr.tflite.op_times import op_times
from deseptr.tflite.streaming_engine import streamed

from .cold_start import cold_start
from .measure import Extra
from .streaming_comparison import streaming_comparison
from .thread_sweep import thread_sweep

_THREADS = (1, 2, 4)


def cold_starts_extra(model: Path, engine: str, threads: int, repeats: int) -> dict[str, Extra]:
    """Time the start of fresh processes."""
    if not repeats:
        return {}
    return {"start": Extra("starting fresh processes", lambda: cold_start(model, engine, threads, repeats))}


def threads_extra(load: Callable[[int], Engine], wanted: bool) -> dict[str, Extra]:
    """Time an inference with 1, 2 and 4 threads."""
    return {"threads": Extra("trying threads", lambda: thread_sweep(load, _THREADS))} if wanted else {}


def streaming_extra(engine: Engine) -> dict[str, Extra]:
    """Time windows by columns and whole, if the run uses columns."""
    by_columns = streamed(engine)
    if by_columns is None:
        return {}
    return {
        "streaming": Extra("comparing columns with whole windows", lambda: streaming_comparison(engine, by_columns))
    }


def op_times_extra(model: Path, threads: int, wanted: bool) -> dict[str, Extra]:
    """Time each operation, by the graphs that are beginnings of the model."""
    if not wanted:
        return {}
    content = model.read_bytes()
    return {"ops": Extra("timing operations", lambda: op_times(content, threads=threads).to_dict())}
