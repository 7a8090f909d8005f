"""The limit on memory holds in the block and ends with it."""

import ctypes
import os
import platform
import resource
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from deseptr.contract import memory_limit
from deseptr.contract.memory_limit import GIB, is_out_of_memory, limited_memory

# Number of prlimit64(2), by which glibc sets limits.
PRLIMIT = {"x86_64": 302, "aarch64": 261}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits private memory")


def test_more_is_refused_in_the_block_and_allowed_behind_it():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited_memory(GIB):
        assert len(bytes(1 << 29)) == 1 << 29
        with pytest.raises(MemoryError):
            # Beyond the stacks of all processors' threads, too; the pages are never touched.
            bytes(1 << 45)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_an_inner_block_does_not_widen_an_outer_one():
    with limited_memory(GIB):
        outer = resource.getrlimit(resource.RLIMIT_DATA)
        with limited_memory(100 * GIB):
            assert resource.getrlimit(resource.RLIMIT_DATA) == outer
        assert resource.getrlimit(resource.RLIMIT_DATA) == outer


def test_it_ends_with_an_error_as_well():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(ValueError, match="within"), limited_memory(GIB):
        raise ValueError("within")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_process_that_another_thread_forks_meanwhile_has_neither_the_limit_nor_a_lock_that_stays():
    code = """
        import os, resource, threading, time
        from deseptr.contract.memory_limit import GIB, limited_memory

        before, within = resource.getrlimit(resource.RLIMIT_DATA), threading.Event()

        def load():
            with limited_memory(GIB):
                within.set()
                time.sleep(0.2)

        loading = threading.Thread(target=load)
        loading.start()
        within.wait()
        child = os.fork()
        if not child:
            entered = threading.Event()

            def enter():
                with limited_memory(GIB):
                    entered.set()

            unlimited = resource.getrlimit(resource.RLIMIT_DATA) == before
            threading.Thread(target=enter, daemon=True).start()
            os._exit(0 if entered.wait(10) and unlimited else 1)
        loading.join()
        raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], check=False, timeout=60)
    assert ended.returncode == 0


def test_nothing_is_limited_where_memory_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    counted = tmp_path / "statm"
    counted.write_text("4650 2307 0 0 0 0 0\n")
    monkeypatch.setattr(memory_limit, "_STATISTICS", counted)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited_memory(GIB):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.skipif(platform.machine() not in PRLIMIT, reason="no number of the system call")
def test_the_block_runs_in_a_process_that_may_not_set_limits():
    child = os.fork()
    if child == 0:
        forbid(PRLIMIT[platform.machine()])
        try:
            with limited_memory(GIB):
                os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def forbid(system_call: int) -> None:
    """Have a system call fail with EPERM from now on, as SystemCallFilter= of systemd has it; see seccomp(2)."""
    load_number, is_it, refuse, allow = (
        (0x20, 0, 0, 0),
        (0x15, 0, 1, system_call),
        (6, 0, 0, 0x50001),
        (6, 0, 0, 0x7FFF0000),
    )
    program = b"".join(struct.pack("HBBI", *each) for each in (load_number, is_it, refuse, allow))
    filtered = struct.pack("HxxxxxxP", 4, ctypes.addressof(kept := ctypes.create_string_buffer(program)))
    libc = ctypes.CDLL(None)
    no_new_privileges, seccomp, mode_filter = 38, 22, 2
    assert libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0
    assert libc.prctl(seccomp, mode_filter, filtered, 0, 0) == 0
    del kept


def test_memory_errors_are_known_by_what_they_came_of():
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError())
    with pytest.raises(ValueError, match="wrapped") as caught:
        wrap(MemoryError())
    assert is_out_of_memory(caught.value)


def wrap(error: Exception) -> None:
    raise ValueError("wrapped") from error
