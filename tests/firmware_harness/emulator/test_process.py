import sys
import time
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator.process import run_bounded


def test_status_output_and_first_error_of_a_program():
    code = "import sys; print('out'); print('W: first\\nE: second\\nE: third', file=sys.stderr); sys.exit(3)"
    finished = run_bounded([sys.executable, "-c", code], timeout=60)
    assert (finished.returncode, finished.output, finished.timed_out) == (3, "out\n", False)
    assert finished.first_error() == "second"


def test_a_silent_failure_has_its_status():
    assert run_bounded([sys.executable, "-c", "raise SystemExit(4)"], timeout=60).first_error() == "exit status 4"


def test_after_the_timeout_it_is_killed_with_its_children_and_its_output_kept():
    # The grandchild holds the pipe: were it left, reading to the end would take a minute.
    code = (
        "import subprocess, sys, time; print('begun', flush=True)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    )
    start = time.monotonic()
    finished = run_bounded([sys.executable, "-c", code], timeout=2)
    assert finished.timed_out
    assert finished.returncode < 0
    assert finished.output == "begun\n"
    assert time.monotonic() - start < 30


def test_a_missing_program_is_reported(tmp_path: Path):
    with pytest.raises(
        SetupError, match=r"nothing-here: found No such file or directory, expected an installed program"
    ):
        run_bounded([str(tmp_path / "nothing-here")], timeout=1)
