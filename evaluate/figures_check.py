"""Checks of what a run left in JSON, before anything is calculated from it or drawn.

A check returns nothing, and raises a ValueError that names the entry, what it holds, and what it should.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
# The largest number that figures have: parameters, multiply-accumulates, windows.
LARGEST = 1e15


def number(value: Any, name: str) -> None:
    """A finite number of ordinary size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
        raise _wrong(value, name, "a number")


def count(value: Any, name: str) -> None:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise _wrong(value, name, "a whole number")


def text(value: Any, name: str) -> None:
    """A string."""
    if not isinstance(value, str):
        raise _wrong(value, name, "a text")


def optional(check: Check) -> Check:
    """The check, for a value that is not None."""
    return lambda value, name: None if value is None else check(value, name)


def list_of(check: Check) -> Check:
    """A list whose items pass the check."""

    def check_list(value: Any, name: str) -> None:
        if not isinstance(value, list):
            raise _wrong(value, name, "a list")
        for index, item in enumerate(value):
            check(item, f"{name}[{index}]")

    return check_list


def dict_of(check: Check) -> Check:
    """An object whose values pass the check."""

    def check_dict(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(value, name, "an object")
        for key, item in value.items():
            check(item, f"{name}.{key}")

    return check_dict


def fields(needed: Mapping[str, Check], allowed: Mapping[str, Check] | None = None) -> Check:
    """An object with these entries, and with those of ``allowed`` or without them."""

    def check_fields(value: Any, name: str) -> None:
        dict_of(lambda item, where: None)(value, name)
        for key, check in needed.items():
            if key not in value:
                raise ValueError(f"no {name}.{key}")
            check(value[key], f"{name}.{key}")
        for key, check in (allowed or {}).items():
            if key in value:
                check(value[key], f"{name}.{key}")

    return check_fields


interval = fields({"low": number, "high": number, "level": number})
subjects = dict_of(list_of(text))
_bin = fields({"windows": count, "confidence": optional(number), "accuracy": optional(number)})
_scores = fields(
    {
        "labels": list_of(text),
        "macro_f1": number,
        "accuracy": number,
        "confusion": list_of(list_of(count)),
        "per_class_f1": dict_of(optional(number)),
        "per_subject_f1": dict_of(optional(number)),
    },
    {
        "interval": optional(interval),
        "calibration": optional(fields({"ece": number, "bins": list_of(_bin)})),
        "windows": count,
        "model": text,
        "parameters": count,
        "macs": optional(count),
    },
)


def scores(value: Any, name: str) -> None:
    """Scores of a model: a square matrix of counts, and an F1 for each label."""
    _scores(value, name)
    labels, confusion = value["labels"], value["confusion"]
    if not labels or len(set(labels)) != len(labels):
        raise _wrong(labels, f"{name}.labels", "names that differ")
    if [len(row) for row in confusion] != [len(labels)] * len(labels):
        raise _wrong(confusion, f"{name}.confusion", f"{len(labels)} rows of as many counts")
    if set(value["per_class_f1"]) != set(labels):
        raise _wrong(sorted(value["per_class_f1"]), f"{name}.per_class_f1", "an F1 for each label")


def positive(value: Any, name: str) -> None:
    """A number above 0."""
    number(value, name)
    if not value > 0:
        raise _wrong(value, name, "a number above 0")


def _wrong(value: Any, name: str, expected: str) -> ValueError:
    shown = repr(value) if not isinstance(value, float) or math.isfinite(value) else str(value)
    return ValueError(f"{name} is {shown[:60]}, not {expected}")
