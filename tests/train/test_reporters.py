"""Several reporters as one, and the time of a run over its interruptions."""

import time
from pathlib import Path
from typing import Any

from reporters import Quiet

from deseptr.train.reporters import Reporters, Stopwatch


def row(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "loss": 1.0, "val_macro_f1": 0.5, "windows_per_s": 100.0}


def test_all_reporters_are_called(reporter: Quiet):
    both = Reporters(reporter, reporter)
    both.stage("student", 2, 0, 100)
    both.batch(10)
    both.epoch(row(1))
    both.stopped(1)
    assert reporter.stages == [("student", 2, 0, 100)] * 2
    assert reporter.windows == 20
    assert reporter.rows == [row(1)] * 2
    assert reporter.stops == [1, 1]


def test_seconds_of_earlier_calls_are_added(tmp_path: Path):
    path = tmp_path / "state" / "seconds.json"
    # As if this call had begun an hour ago, which saves the waiting.
    Stopwatch(path, time.perf_counter() - 3600).epoch(row(1))
    again = Stopwatch(path, time.perf_counter() - 60)
    assert 3660 <= again.seconds < 3720
    again.epoch(row(2))
    assert Stopwatch(path, time.perf_counter()).seconds >= 3660


def test_a_damaged_file_of_seconds_costs_the_earlier_time_and_nothing_else(tmp_path: Path):
    path = tmp_path / "seconds.json"
    for content in ("", "[]", "null", '"x"', "-5", "NaN", "Infinity", "1e999", "1" * 400, "true"):
        path.write_text(content)
        assert 0 <= Stopwatch(path, time.perf_counter()).seconds < 60
