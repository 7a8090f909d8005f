"""Lists of faults as plain data: read from TOML or JSON with clear errors, and written so that they read back the same.

Besides the keys of its kind, an entry may have ``every_s`` and ``times``: it then stands for ``times`` faults,
``every_s`` seconds apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

from deseptr.contract import SetupError
from deseptr.contract.input_files import LARGEST_INTEGER

from .bus_faults import BitFlipRead, BitFlipWrite, BrokenTransfer, BusFault, ClockStretch, Nack, StuckBus
from .chip_faults import BrownOut, Clone, Hang, Overflow, RateError, RegisterUpset
from .fault import LONGEST_S, Fault

KINDS: dict[str, type[Fault]] = {
    kind.kind: kind
    for kind in (
        Nack,
        StuckBus,
        ClockStretch,
        BrokenTransfer,
        BusFault,
        BitFlipRead,
        BitFlipWrite,
        RegisterUpset,
        BrownOut,
        Hang,
        Overflow,
        RateError,
        Clone,
    )
}
REPEAT_KEYS = ("every_s", "times")
MOST_REPEATS = 100_000


def fault_to_dict(fault: Fault) -> dict[str, Any]:
    """The entry that :func:`faults_from` reads back, without values that are the defaults.

    >>> from deseptr.firmware_harness.simulator import BrownOut
    >>> fault_to_dict(BrownOut(at_s=3.0, duration_s=0.5))
    {'kind': 'brown-out', 'at_s': 3.0, 'duration_s': 0.5}
    """
    values = {field.name: getattr(fault, field.name) for field in fields(fault)}
    made = {field.name: values[field.name] for field in fields(fault) if values[field.name] != field.default}
    return {"kind": fault.kind, **made}


def faults_from(entries: Sequence[Mapping[str, Any]], where: str = "faults") -> list[Fault]:
    """The faults that ``entries`` declare, in their order.

    Args:
        entries: one mapping per fault, with ``kind`` and the keys of that kind.
        where: the file, for messages.

    Raises:
        SetupError: if a kind or key is unknown, a value has the wrong type or is invalid, or one is missing.

    >>> [fault.at_s for fault in faults_from([{"kind": "hang", "at_s": 5.0, "every_s": 60.0, "times": 3}])]
    [5.0, 65.0, 125.0]
    """
    entries = check_type(entries, (list,), where, "faults")
    return [
        fault
        for number, entry in enumerate(entries, 1)
        for fault in _repeated(check_type(entry, (dict,), where, f"fault {number}"), f"{where}, fault {number}")
    ]


def faults_to_toml(faults: Iterable[Fault]) -> str:
    """``[[faults]]`` tables, for a scenario file.

    >>> from deseptr.firmware_harness.simulator import Hang
    >>> print(faults_to_toml([Hang(at_s=5.0)]), end="")
    [[faults]]
    kind = "hang"
    at_s = 5.0
    """
    return "\n".join(
        "\n".join(["[[faults]]", *(f"{key} = {json.dumps(value)}" for key, value in fault_to_dict(fault).items()), ""])
        for fault in faults
    )


def _repeated(entry: Mapping[str, Any], where: str) -> list[Fault]:
    kind = entry.get("kind")
    # This kind has a key ``times`` of its own.
    repeats = {} if kind == BusFault.kind else {key: entry[key] for key in REPEAT_KEYS if key in entry}
    first = _fault({key: value for key, value in entry.items() if key not in repeats}, where)
    if not repeats:
        return [first]
    every_s = check_type(repeats.get("every_s"), (float,), where, "every_s")
    times = check_type(repeats.get("times"), (int,), where, "times")
    if not (0 < every_s <= LONGEST_S and 1 <= times <= MOST_REPEATS):
        raise SetupError(
            where,
            found=f"every_s = {every_s}, times = {times}",
            expected=f"both positive, at most {LONGEST_S:g} and {MOST_REPEATS}",
            next_step="write how far apart, and how many",
        )
    return [replace(first, at_s=first.at_s + number * every_s) for number in range(times)]


def _fault(entry: Mapping[str, Any], where: str) -> Fault:
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise SetupError(
            f"{where}, kind", found=kind, expected=f"one of {', '.join(KINDS)}", next_step="choose one of these"
        )
    made = KINDS[kind]
    declared = {field.name: field for field in fields(made)}
    values = {key: value for key, value in entry.items() if key != "kind"}
    check_keys(values, [*declared, *REPEAT_KEYS], where, f"a {kind} fault")
    types = get_type_hints(made)
    for name, field in declared.items():
        if name in values:
            values[name] = check_type(values[name], _plain(types[name]), where, name)
        elif _required(field):
            raise SetupError(where, found=f"no {name}", expected=f"one for {kind}", next_step=f"write {name} = …")
    try:
        return made(**values)
    except SetupError as error:
        raise SetupError(
            f"{where}, {error.thing}", found=error.found, expected=error.expected, next_step=error.next_step
        ) from None


def check_keys(values: Mapping[str, Any], known: Iterable[str], where: str, what: str) -> None:
    """Refuse unknown keys.

    Raises:
        SetupError: if there is one.
    """
    known = list(dict.fromkeys(known))
    for key in values:
        if key not in known:
            raise SetupError(
                where, found=f"the key {key}", expected=f"{what} knows {', '.join(known)}", next_step="correct it"
            )


def check_type(value: Any, types: tuple[type, ...], where: str, key: str) -> Any:
    """``value`` as one of ``types``; an integer counts as a float, but a bool not as a number.

    Raises:
        SetupError: if it is of another type, or a number that is not finite or beyond all uses.
    """
    if type(value) in (int, float) and not abs(value) <= LARGEST_INTEGER:
        raise SetupError(
            f"{where}, {key}", found=value, expected=f"at most {LARGEST_INTEGER:.0e}", next_step="change it"
        )
    if float in types and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return value
    names = " or ".join(_NAMES[kind] for kind in types)
    raise SetupError(f"{where}, {key}", found=repr(value), expected=names, next_step=f"write {names}")


_NAMES: dict[type, str] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
    dict: "a table",
    list: "a list",
}


def _plain(hint: Any) -> tuple[type, ...]:
    """The types of a field without None, which TOML does not have."""
    return tuple(kind for kind in get_args(hint) or (hint,) if kind is not NoneType)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
