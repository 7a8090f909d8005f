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
    Only Linux has the limit; elsewhere the block runs without, and so it does where a sandbox does not count memory or
    forbids limits.

    Args:
        most: bytes.

    >>> with limited_memory(GIB):
    ...     len(bytes(10))
    10
    """
    with _one_at_a_time:
        before = _lower_limit(most)
        try:
            yield
        finally:
            if before is not None:
                import resource

                resource.setrlimit(resource.RLIMIT_DATA, before)


def _lower_limit(most: int) -> tuple[int, int] | None:
    """The limits from before, soft and hard; None if they stay as they are."""
    try:
        used = int(_STATISTICS.read_text().split()[_DATA_PAGES])
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = used * resource.getpagesize() + most + (os.cpu_count() or 1) * _STACKS
        given = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        # A process has some; gVisor says 0.
        if used:
            resource.setrlimit(resource.RLIMIT_DATA, (min(wanted, *given) if given else wanted, hard))
    except (OSError, ImportError):  # no Linux, or a filter of system calls, as systemd's ~@resources
        return None
    return (soft, hard) if used else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came of, says that memory could not be allocated."""
    seen: BaseException | None = error
    while seen is not None:
        # TensorFlow's own is not imported here.
        if isinstance(seen, MemoryError) or type(seen).__name__ == "ResourceExhaustedError":
            return True
        seen = seen.__cause__ or seen.__context__
    return False
