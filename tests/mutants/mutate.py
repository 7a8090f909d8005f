"""Mutants of a source file: one small change of its syntax tree each, at a place that the tests should notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

KINDS = ("comparison", "arithmetic", "boolean", "dropped statement", "constant", "return value")
_SWAPPED_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_SWAPPED_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


class Mutant(NamedTuple):
    """A change of a file.

    Args:
        kind: one of ``KINDS``.
        line: of the change, from 1.
        text: the changed code, before and after.
        tree: the changed syntax tree.
    """

    kind: str
    line: int
    text: str
    tree: ast.Module


class _Change(NamedTuple):
    kind: str
    node: ast.AST
    apply: Callable[[], object]


def places(source: str) -> dict[str, list[str]]:
    """The code that each mutant changes, by kind, in the order of the source."""
    changes = list(_changes(ast.parse(source)))
    return {kind: [ast.unparse(each.node) for each in changes if each.kind == kind] for kind in KINDS}


def holders(source: str) -> dict[str, list[str]]:
    """The code that holds each mutant, by kind, as :func:`places`: its function, or else its statement."""
    tree = ast.parse(source)
    spans = list(_spans(tree.body, ""))
    held: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for change in _changes(tree):
        line: int = change.node.lineno  # type: ignore[attr-defined]
        held[change.kind].append(next((code for first, last, code in spans if first <= line <= last), ""))
    return held


def _spans(body: list[ast.stmt], within: str) -> Iterator[tuple[int, int, str]]:
    """First and last line and code of the functions and statements of a module and its classes."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _spans(statement.body, f"{within}{statement.name}.")
        first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
        yield first, statement.end_lineno or first, within + ast.unparse(statement)


def count(source: str) -> dict[str, int]:
    """Number of mutants of each kind."""
    return {kind: len(codes) for kind, codes in places(source).items()}


def mutant(source: str, kind: str, number: int) -> Mutant:
    """Mutant ``number`` of a kind, in the order of the source.

    Raises:
        IndexError: if there is none.
    """
    tree = ast.parse(source)
    change = [each for each in _changes(tree) if each.kind == kind][number]
    line = change.node.lineno  # type: ignore[attr-defined]
    before = ast.unparse(change.node)
    change.apply()
    after = "pass" if kind == "dropped statement" else ast.unparse(change.node)
    return Mutant(kind, line, f"{_short(before)} -> {_short(after)}", ast.fix_missing_locations(tree))


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 90 else one_line[:87] + "..."


def _changes(tree: ast.Module) -> Iterator[_Change]:
    """All changes, in the order of the source; what has no behaviour of its own is left out."""
    yield from sorted(_visit(tree), key=lambda change: (change.node.lineno, change.node.col_offset))  # type: ignore[attr-defined]


def _visit(node: ast.AST) -> Iterator[_Change]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "bases", "format_spec"):
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _without_behaviour(child):
                continue
            if isinstance(child, ast.stmt) and isinstance(value, list) and _droppable(child):
                yield _Change("dropped statement", child, _put(value, index, ast.copy_location(ast.Pass(), child)))
            yield from _of(child)
            yield from _visit(child)


def _without_behaviour(node: ast.AST) -> bool:
    """Docstrings, imports, type checking, lists of names."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _droppable(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    return isinstance(node, (ast.AugAssign, ast.Raise, ast.Break, ast.Continue))


def _of(node: ast.AST) -> Iterator[_Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield _Change("comparison", node, _put(node.ops, 0, _SWAPPED_COMPARISONS[type(node.ops[0])]()))
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _SWAPPED_OPERATORS:
        if not _of_text(node):
            yield _Change("arithmetic", node, _assign(node, "op", _SWAPPED_OPERATORS[type(node.op)]()))
    elif isinstance(node, ast.BoolOp):
        yield _Change("boolean", node, _assign(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _Change("boolean", node, _assign(node, "operand", ast.UnaryOp(ast.Not(), node.operand)))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield _Change("constant", node, _assign(node, "value", node.value + 1))
        yield _Change("constant", node, _assign(node, "value", node.value - 1))
    elif isinstance(node, ast.Return) and node.value is not None and not _none(node.value):
        yield _Change("return value", node, _assign(node, "value", ast.Constant(None)))


def _of_text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether an operand is a text: concatenation and ``%`` of texts have no arithmetic."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _assign(node: ast.AST, name: str, value: object) -> Callable[[], object]:
    return lambda: setattr(node, name, value)


def _put(items: list[Any], index: int, value: ast.AST) -> Callable[[], object]:
    return lambda: items.__setitem__(index, value)
