"""Running graphs on a TFLite runtime: its output is held back and its exceptions become one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deseptr.contract import ModelError
from deseptr.contract.memory_limit import GIB, limited_memory

from .native_stderr import hold_native_stderr
from .runtimes import broken_runtime

# Of buffers that a graph asks for and of its first run, whatever it declares.
LARGEST_RUN = 2 * GIB


@contextmanager
def graph_errors(source: object, runtime: str, next_step: str) -> Iterator[None]:
    """Turn the exceptions of a TFLite runtime in the block into a ModelError, and limit its memory.

    Args:
        source: origin of the graph.
        runtime: name and version of the runtime.
        next_step: what the user can do about a graph that cannot run.

    Raises:
        ModelError: if the runtime cannot load or run the graph.
        SetupError: if the runtime itself does not work.
    """
    try:
        with hold_native_stderr(), limited_memory(LARGEST_RUN):
            yield
    except (ValueError, RuntimeError, MemoryError) as error:
        raise unusable_graph(source, runtime, error, next_step) from error
    except (SystemError, AttributeError, ImportError) as error:  # not the graph: a runtime built for another numpy
        raise broken_runtime(runtime.partition(" ")[0], error) from error


def unusable_graph(source: object, runtime: str, error: Exception, next_step: str) -> ModelError:
    """The error for a graph that a runtime cannot run."""
    reason = str(error).splitlines()[0] if str(error) else repr(error)
    return ModelError(
        source,
        found=f"a graph that {runtime} cannot run ({reason})",
        expected="a complete model of built-in operators",
        next_step=next_step,
    )
