"""Verdicts: a test counts only if it passes without the mutant."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from draw import ROOMS, draw, keys
from forked import Outcome

TESTS = ["tests/a/test_b.py::test_c", "tests/a/test_b.py::test_c[x - y]", "tests/a/test_b.py::test_d"]


@pytest.mark.parametrize(
    ("line", "test"),
    [
        ("FAILED tests/a/test_b.py::test_c - AssertionError: 1", TESTS[0]),
        ("FAILED tests/a/test_b.py::test_c[x - y] - AssertionError: 1", TESTS[1]),
        ("ERROR tests/a/test_b.py - ImportError", "tests/a/test_b.py"),
        ("ERROR tests/a/test_b.py::test_d", TESTS[2]),
        ("ERROR: not found: /root/tests/a/test_b.py::test_e", None),
        ("1 passed", None),
    ],
)
def test_first_failure(line: str, test: str | None):
    output = f"F\n=== short test summary info ===\n{line}\nFAILED {TESTS[2]}"
    assert Outcome(1, output if test else line, 0.5).first_failure(TESTS) == test


def test_first_failure_in_a_file_that_was_run_as_a_whole():
    assert Outcome(1, f"FAILED {TESTS[0]} - assert 1 == 2", 0.5).first_failure(["tests/a/test_b.py"]) == TESTS[0]


def test_a_verdict_outlives_an_edit_elsewhere_in_the_file():
    before = "def f(x):\n    return x + 1\n\ndef g(x):\n    return x + 2 + 3\n"
    after = "import e\n\n\ndef e():\n    return 4 + 5\n\n" + before.replace("x + 1", "x + 9")
    old, new = (keys(source, "a.py")["arithmetic"] for source in (before, after))
    assert len(old) == len(set(old)) == 3
    assert new[2:] == old[1:]
    assert not set(new[:2]) & set(old)


def test_every_room_has_the_same_number_and_every_kind():
    drawn = draw(seed=1, a_room=12)
    assert [each.room for each in drawn] == [room for room in ROOMS for _ in range(12)]
    assert {each.kind for each in drawn if each.room == "contract"} == {
        *("comparison", "arithmetic", "boolean", "dropped statement", "constant", "return value")
    }
    assert len(set(drawn)) == len(drawn)
    assert set(draw(seed=1, a_room=6)) < set(drawn) != set(draw(seed=2, a_room=12))
