"""The converter's process: results and errors of jobs, and scripts without a guard."""

import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request

import pytest

from deseptr.contract import ConversionError, ModelError
from deseptr.convert import converter_process, quantize
from deseptr.convert.isolated import WorkerDiedError, _Worker, kept_worker, run_isolated
from deseptr.convert.recipe import Recipe
from deseptr.convert.worker import DONE, LENGTH, STEP

# Functions of the standard library, which the process imports like any other.
KILL_ITSELF = "os:abort"
REQUEST = Request("http://localhost")


def test_result_comes_back():
    assert run_isolated("operator:add", 2, 3) == 5


def test_expected_error_comes_back_as_itself(tmp_path: Path):
    with pytest.raises(ModelError, match="nowhere: found no such folder or file"):
        run_isolated("deseptr.convert.quantize:quantize_here", tmp_path / "nowhere", Recipe(), None)


def test_a_conversion_beyond_its_memory_is_one_line_and_the_process_lives():
    huge = SimpleNamespace(input_length=10**12, channels=("x",), input_range=(1.0,))
    with kept_worker():
        with pytest.raises(ConversionError, match="takes more than 8 GiB of memory to convert, or than there is"):
            run_isolated(
                "deseptr.convert.converter_process:in_limited_memory", "deseptr.convert.quantize:_noise", huge, ()
            )
        assert run_isolated("operator:add", 2, 3) == 5


def test_another_error_of_a_conversion_is_itself():
    with pytest.raises(TypeError, match="int"):
        converter_process.in_limited_memory("builtins:int", Path("x"), ())


def test_error_of_an_imported_package_keeps_its_name():
    with pytest.raises(ModuleNotFoundError) as caught:
        run_isolated("no_such_package:anything")
    assert caught.value.name == "no_such_package"


def test_error_that_cannot_be_restored_is_reported_with_its_trace():
    # Its constructor takes more than its `args` keep.
    with pytest.raises(RuntimeError, match=r"(?s)in the converter's process.*HTTPError: HTTP Error 404"):
        run_isolated(
            "urllib.request:HTTPDefaultErrorHandler.http_error_default", None, REQUEST, None, 404, "gone", None
        )


def test_result_that_cannot_be_pickled_is_an_error():
    with pytest.raises((TypeError, AttributeError, RuntimeError), match="pickle"):
        run_isolated("threading:Lock")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_signal_that_ends_a_job_is_reported(number: signal.Signals):
    with pytest.raises(WorkerDiedError, match=f"died of {number.name}") as caught:
        run_isolated("signal:raise_signal", number)
    assert caught.value.killed == (number == signal.SIGKILL)


def test_exit_code_of_a_job_is_reported():
    with pytest.raises(WorkerDiedError, match="ended with exit code 3"):
        run_isolated("os:_exit", 3)


def test_process_is_kept_within_a_block_and_survives_a_job_that_dies():
    """In a process of its own, as the one of these tests keeps a worker throughout."""
    code = f"""
import os, pytest
from deseptr.convert.isolated import WorkerDiedError, kept_worker, run_isolated
with kept_worker():
    first = run_isolated("os:getppid")
    with pytest.raises(WorkerDiedError):
        run_isolated({KILL_ITSELF!r})
    assert run_isolated("os:getppid") == first
assert run_isolated("os:getppid") != first
with pytest.raises(ProcessLookupError):
    os.kill(first, 0)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


ANSWER = pickle.dumps((DONE, 5))
WHOLE = LENGTH.pack(len(STEP) + 7) + STEP + b"loading" + LENGTH.pack(len(ANSWER)) + ANSWER


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (WHOLE[:-1], "ended with exit code 0 while loading"),
        (LENGTH.pack(1 << 62) + b"TFL3", "ended with exit code 0"),
        (LENGTH.pack(len(STEP) + 2) + STEP + b"\xff\xfe", "ended with exit code 0 while \ufffd\ufffd"),
        (LENGTH.pack(4) + b"abcd", "gave no answer that can be read"),
        (WHOLE[: -len(ANSWER)] + b"\0" * len(ANSWER), "gave no answer that can be read while loading"),
        (LENGTH.pack(len(ANSWER)) + ANSWER.replace(b"done", b"gone"), "gave no answer that can be read"),
    ],
)
def test_an_answer_that_was_torn_or_garbled_is_a_process_that_died(tmp_path: Path, answer: bytes, reason: str):
    path = tmp_path / "answer"
    path.write_bytes(answer)

    class Answering(_Worker):
        def _start(self) -> subprocess.Popen[bytes]:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(["cat", str(path)], stdin=pipe, stdout=pipe, start_new_session=True)
            return self._process

    worker = Answering()
    with pytest.raises(WorkerDiedError) as caught:
        worker.call("operator:add", (2, 3), ())
    assert caught.value.reason == reason
    path.write_bytes(WHOLE)
    assert worker.call("operator:add", (2, 3), ()) == 5
    worker.close()


def test_where_a_process_cannot_be_forked_every_job_has_a_new_one():
    """As on macOS; in a process of its own, as above."""
    code = """
from deseptr.convert import isolated
isolated._CAN_FORK = False
with isolated.kept_worker():
    assert isolated.run_isolated("os:getpid") != isolated.run_isolated("os:getpid")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_job_that_is_done_runs_nothing_that_was_left_for_the_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the process had registered before it forked would run once a job."""
    (tmp_path / "job_with_an_exit.py").write_text(
        "import atexit\n"
        "from pathlib import Path\n"
        "def leave(path):\n"
        "    atexit.register(Path(path).touch)\n"
        "    return 5\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("deseptr.convert.isolated._kept", [])
    assert run_isolated("job_with_an_exit:leave", str(tmp_path / "left")) == 5
    assert not (tmp_path / "left").exists()


def test_jobs_share_no_state():
    with kept_worker():
        run_isolated("os:putenv", "DESEPTR_TEST_STATE", "1")
        run_isolated("sys:setrecursionlimit", 999)
        assert run_isolated("sys:getrecursionlimit") != 999


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGKILL, "found a converter that died of SIGKILL, expected a flatbuffer; free memory"),
        (signal.SIGSEGV, "found a converter that died of SIGSEGV, expected a flatbuffer; report this"),
    ],
)
def test_converter_that_dies_is_one_line(monkeypatch, tiny_run: Path, number: signal.Signals, line: str):
    def die(*arguments: object, **options: object) -> None:
        run_isolated("signal:raise_signal", number)

    monkeypatch.setattr(converter_process, "run_isolated", die)
    with pytest.raises(ConversionError, match=line):
        quantize.quantize_run(tiny_run, Recipe())


def test_a_script_without_a_guard_is_executed_once(tmp_path: Path):
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
        from deseptr.convert.isolated import run_isolated

        with open("runs.txt", "a") as file:
            file.write("run\\n")
        print(run_isolated("operator:add", 2, 3))
        """)
    )
    # A file that is named as a module of the standard library, as it happens in users' folders.
    (tmp_path / "pickle.py").write_text("raise SystemExit('taken for a module')")
    command = [sys.executable, "-P", "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "5\n", done.stderr
    assert (tmp_path / "runs.txt").read_text() == "run\n"


def test_last_step_of_a_job_that_dies_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # The process imports the job by name, from wherever this process would.
    (tmp_path / "job_that_dies.py").write_text(
        "import signal\n"
        "from deseptr.convert.steps import begin\n"
        "def die(step, number):\n"
        "    begin('loading')\n"
        "    begin(step)\n"
        "    signal.raise_signal(number)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("deseptr.convert.isolated._kept", [])
    with pytest.raises(WorkerDiedError, match="died of SIGSEGV while quantising to int8"):
        run_isolated("job_that_dies:die", "quantising to int8", int(signal.SIGSEGV))
