"""A limit on memory for libraries that allocate whatever a stranger's file declares."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GIB = 2**30
_STATISTICS = Path("/proc/self/statm")
_DATA_PAGES = 5
# Libraries start up to four threads a processor, and their stacks count.
_STACKS = 4 * 8 * 2**20
_one_at_a_time = threading.RLock()
if hasattr(os, "register_at_fork"):
    # Otherwise a process that another thread forks meanwhile would keep the limit, and a lock that nobody releases.
    os.register_at_fork(
        before=_one_at_a_time.acquire, after_in_parent=_one_at_a_time.release, after_in_child=_one_at_a_time.release
    )


@contextmanager
def limited_memory(most: int) -> Iterator[None]:
    """Let the process have ``most`` bytes more than now while the block runs; beyond that, allocations fail.

    What counts is private writable memory, ``RLIMIT_DATA`` of setrlimit(2): neither mapped files nor the addresses that
    a GPU's driver reserves. The limit belongs to the whole process: other threads have it too, blocks and forks of
    theirs wait for the end of this one, and a program that they start meanwhile inherits it. So keep the block short.
    Only Linux has the limit; elsewhere the block runs without.

    Args:
        most: bytes.

    >>> with limited_memory(GIB):
    ...     len(bytes(10))
    10
    """
    if not _STATISTICS.exists():
        yield
        return
    import resource

    kind = resource.RLIMIT_DATA
    with _one_at_a_time:
        soft, hard = resource.getrlimit(kind)
        used = int(_STATISTICS.read_text().split()[_DATA_PAGES]) * resource.getpagesize()
        wanted = used + most + (os.cpu_count() or 1) * _STACKS
        given = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(kind, (min(wanted, *given) if given else wanted, hard))
        try:
            yield
        finally:
            resource.setrlimit(kind, (soft, hard))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came of, says that memory could not be allocated."""
    seen: BaseException | None = error
    while seen is not None:
        # TensorFlow's own is not imported here.
        if isinstance(seen, MemoryError) or type(seen).__name__ == "ResourceExhaustedError":
            return True
        seen = seen.__cause__ or seen.__context__
    return False
