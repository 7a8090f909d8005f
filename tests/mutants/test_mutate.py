"""The mutants of the campaign: of every kind, each a change, none of what has no behaviour."""

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mutate

SOURCE = '''
"""A docstring with 1 + 1."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    LIMIT = 3
__all__ = ["grow"]
def grow(a: int, b: int = 2) -> int:
    """Another, 2 - 1."""
    if a < b and not a == 5:
        print("a" + "b")
    total = a * b
    total += 1
    return total
'''


def texts(kind: str) -> list[str]:
    return [mutate.mutant(SOURCE, kind, number).text for number in range(mutate.count(SOURCE)[kind])]


def test_mutants_of_each_kind():
    assert texts("comparison") == ["a < b -> a <= b", "a == 5 -> a != 5"]
    assert texts("arithmetic") == ["a * b -> a / b", "total += 1 -> total -= 1"]
    assert texts("boolean") == [
        "a < b and (not a == 5) -> a < b or not a == 5",
        "not a == 5 -> not not a == 5",
    ]
    assert texts("dropped statement") == ["print('a' + 'b') -> pass", "total += 1 -> pass"]
    assert texts("constant") == ["2 -> 3", "2 -> 1", "5 -> 6", "5 -> 4", "1 -> 2", "1 -> 0"]
    assert texts("return value") == ["return total -> return None"]


def test_a_mutant_is_held_by_its_function_or_else_by_its_statement():
    function = "@cached\ndef f(x):\n    return x + 1"
    method = "A.def g(self):\n    return 7"
    source = f"LIMIT = 3\n\n{function}\n\nclass A:\n    most = 5\n    def g(self):\n        return 7\n"
    held = mutate.holders(source)
    assert held["arithmetic"] == [function]
    assert held["return value"] == [function, method]
    assert held["constant"] == ["LIMIT = 3"] * 2 + [function] * 2 + ["A.most = 5"] * 2 + [method] * 2
    assert {kind: len(codes) for kind, codes in held.items()} == mutate.count(source)


def test_a_mutant_is_compiled_and_its_line_is_told():
    mutant = mutate.mutant(SOURCE, "arithmetic", 0)
    assert SOURCE.splitlines()[mutant.line - 1].strip() == "total = a * b"
    names: dict[str, object] = {}
    exec(compile(mutant.tree, "made", "exec"), names)
    assert names["grow"](6, 3) == 3.0  # type: ignore[operator]


def test_there_is_no_further_one():
    with pytest.raises(IndexError):
        mutate.mutant(SOURCE, "return value", 1)


def test_every_mutant_of_a_file_differs_from_it():
    source = Path(mutate.__file__).read_text()
    unchanged = ast.dump(ast.parse(source))
    for kind, count in mutate.count(source).items():
        for number in range(count):
            assert ast.dump(mutate.mutant(source, kind, number).tree) != unchanged
