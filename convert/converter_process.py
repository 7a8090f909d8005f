"""Jobs of a conversion in the process of :mod:`.isolated`, with a limit on memory and errors that name the run."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deseptr.contract import ConversionError, ModelError
from deseptr.contract.memory_limit import GIB, is_out_of_memory, limited_memory

from .isolated import WorkerDiedError, run_isolated

# Modules that the process imports once.
_PRELOADED = ("tensorflow", "deseptr.train.training_loop", "deseptr.convert.lowering.inference_graph")
_LARGEST = 8 * GIB


def converted_apart(job: Callable[..., Any], run: Path, *arguments: Any) -> Any:
    """Call ``job(run, *arguments)`` in the converter's process.

    Args:
        job: a function of a module.
        run: the run, which errors name.
        arguments: picklable.

    Raises:
        ConversionError: if that process dies, naming the signal and what the process was doing; if the job needs more
            than 8 GiB of memory.
        Exception: whatever else the job raises.
    """
    name = f"{job.__module__}:{job.__qualname__}"
    try:
        return run_isolated(f"{__name__}:in_limited_memory", name, run, arguments, preload=_PRELOADED)
    except WorkerDiedError as error:
        raise ConversionError(
            run,
            found=f"a converter that {error.reason}",
            expected="a flatbuffer",
            next_step=(
                "free memory and convert again"
                if error.killed
                else "report this with the run's config.json, or with your model"
            ),
        ) from error


def in_limited_memory(job: str, run: Path, arguments: tuple[Any, ...]) -> Any:
    """Call a job by its importable name, ``module:function``, with a limit on memory; in the converter's process.

    Raises:
        ConversionError: if it needs more.
        Exception: whatever else the job raises.
    """
    # What is loaded once stays outside the limit.
    import tensorflow  # noqa: F401

    try:
        with limited_memory(_LARGEST):
            return pkgutil.resolve_name(job)(run, *arguments)
    except Exception as error:
        if isinstance(error, ModelError) or not is_out_of_memory(error):
            raise
        raise ConversionError(
            run,
            found=f"a model that takes more than {_LARGEST // GIB} GiB of memory to convert, or than there is",
            expected="a model of a size that a wearable could run",
            next_step="free memory, make its layers smaller, or do not convert it if it is a stranger's",
        ) from error
