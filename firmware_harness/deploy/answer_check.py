"""The check of every value that a board sends.

A board is not trusted: each of its lines has the expected form within bounds on depth, size and numbers, or is refused.
"""

from __future__ import annotations

import json
import math
import types
from typing import Annotated, Any, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

_DEEPEST = 24
_LONGEST_TEXT = 1 << 20
_MOST_ENTRIES = 10_000
_LARGEST_NUMBER = 2**63 - 1
_SHOWN = 60


class UnfitAnswerError(ValueError):
    """An answer is not of the expected form.

    Args:
        found: description of the part that differs.
        expected: the form that it should have.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(found, expected)


class Refused(TypedDict):
    """The parts of a refusal."""

    thing: str
    found: str
    expected: str
    next_step: str


def parse_line(line: bytes) -> dict[str, Any]:
    """Parse one line of a board: an object with one entry, ``say``, ``result`` or ``refused``.

    Args:
        line: a line of JSON, of at most a few MiB.

    Raises:
        UnfitAnswerError: if it is anything else, or exceeds the bounds on depth, entries, text and numbers.
    """
    try:
        message = json.loads(line.decode(), parse_constant=_no_number)
    except RecursionError as error:
        raise UnfitAnswerError("JSON nested too deeply", f"at most {_DEEPEST} levels") from error
    except ValueError as error:
        raise UnfitAnswerError(_shown(line.decode(errors="backslashreplace").strip()), "a line of JSON") from error
    _check_bounds(message, _DEEPEST)
    if not isinstance(message, dict) or len(message) != 1 or not message.keys() <= {"say", "result", "refused"}:
        raise UnfitAnswerError(_shown(message), "an object with say, result or refused")
    if "say" in message:
        check(message["say"], str, "say")
    if "refused" in message:
        check(message["refused"], Refused, "refused")
    return message


def check(value: Any, form: Any, name: str) -> None:
    """Check a value of parsed JSON against a type.

    Args:
        value: the value.
        form: a type such as ``int`` (which is natural), ``float``, ``str``, ``list[X]``, ``dict[str, X]``,
            ``tuple[X, Y]``, ``X | None``, ``Annotated[str, pattern]``, a :class:`~typing.TypedDict`, or ``Any``.
        name: path of the value, for the message.

    Raises:
        UnfitAnswerError: at the first part of another type.
    """
    origin, parts = get_origin(form), get_args(form)
    if is_typeddict(form):
        _check_fields(value, form, name)
    elif origin in (Union, types.UnionType):
        if value is not None:
            check(value, next(part for part in parts if part is not type(None)), name)
    elif origin is Annotated:
        check(value, parts[0], name)
        _require(parts[1].fullmatch(value) is not None, value, f"text as {parts[1].pattern}", name)
    elif origin is not None:
        _check_parts(value, origin, parts, name)
    elif form is not Any:
        _check_plain(value, form, name)


def _check_plain(value: Any, form: Any, name: str) -> None:
    if form is int:
        _require(type(value) is int and value >= 0, value, "a whole number from 0 up", name)
    elif form is float:
        _require(type(value) in (int, float) and math.isfinite(value), value, "a number", name)
    else:
        _require(type(value) is form, value, {str: "text", bool: "true or false"}[form], name)


def _check_parts(value: Any, origin: Any, forms: tuple[Any, ...], name: str) -> None:
    if origin is dict:
        _require(isinstance(value, dict), value, "an object", name)
        for key, part in value.items():
            check(part, forms[1], f"{name}.{key}")
        return
    _require(isinstance(value, list), value, "a list", name)
    if origin is tuple:
        _require(len(value) == len(forms), value, f"{len(forms)} values", name)
    else:
        forms *= len(value)
    for index, (part, form) in enumerate(zip(value, forms, strict=True)):
        check(part, form, f"{name}[{index}]")


def _check_fields(value: Any, form: Any, name: str) -> None:
    _require(isinstance(value, dict), value, "an object", name)
    for field, inner in get_type_hints(form, include_extras=True).items():
        if field in value:
            plain = get_args(inner)[0] if get_origin(inner) is NotRequired else inner
            check(value[field], plain, f"{name}.{field}" if name else field)
        elif field in form.__required_keys__:
            raise UnfitAnswerError(f"no {name}.{field}" if name else f"no {field}", "every field of the answer")


def _check_bounds(value: Any, depth: int) -> None:
    if depth == 0:
        raise UnfitAnswerError("JSON nested too deeply", f"at most {_DEEPEST} levels")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if len(value) > _MOST_ENTRIES:
            raise UnfitAnswerError(f"{len(value)} entries", f"at most {_MOST_ENTRIES}")
        for key in value if isinstance(value, dict) else ():
            _check_text(key)
        for part in value.values() if isinstance(value, dict) else value:
            _check_bounds(part, depth - 1)
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        raise UnfitAnswerError(_shown(value), f"a number of at most {_LARGEST_NUMBER}")


def _check_text(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise UnfitAnswerError(f"text of {len(text)} characters", f"at most {_LONGEST_TEXT}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnfitAnswerError(_shown(text), "text in Unicode") from error


def _require(fits: bool, value: Any, expected: str, name: str) -> None:
    if not fits:
        raise UnfitAnswerError(_shown(value), f"{expected} as {name}" if name else expected)


def _shown(value: Any) -> str:
    """The beginning of a value of a stranger, in a few words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = repr(value)[: 2 * _SHOWN] if isinstance(value, str) else json.dumps(value)[: 2 * _SHOWN]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _no_number(word: str) -> None:
    raise ValueError(word)
