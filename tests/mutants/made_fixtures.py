"""Not a test of the suite: has the fixtures made, by the unchanged code, that mutants' tests are given ready."""

from pathlib import Path
from typing import Any


def test_all_are_made(tiny_run: Path, broken_runs: dict[int, Path], tiny_conversion: Any) -> None:
    assert (tiny_run / "config.json").exists()
    assert len(broken_runs) == 2
    assert tiny_conversion.path.exists()
