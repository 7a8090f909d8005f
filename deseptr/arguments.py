"""What callers pass, checked before any work is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.contract import DataError, ModelError, SetupError

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.train import TrainConfig

# By the annotation of a setting: what is accepted, its name for people, and the plain type that it becomes.
_KINDS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "int": (Integral, "a whole number", int),
    "float": (Real, "a number", float),
    "str": (str, "a name", str),
    "bool": (bool, "True or False", bool),
    "tuple[str, ...]": (list | tuple, "a list of names", lambda names: tuple(map(str, names))),
}


def dataset_of(data: Any, reading: Mapping[str, Any] | None = None) -> Dataset:
    """Recordings, read if they are a path or the name of a source, text files as ``reading`` says.

    Raises:
        DataError: if they are neither, or cannot be read.
    """
    from deseptr.data import Dataset, ReadOptions, load_dataset

    if isinstance(data, Dataset):
        return data
    if isinstance(data, str | Path):
        return load_dataset(data, ReadOptions.of(reading or {}))
    raise DataError(
        "data",
        found=f"a {type(data).__name__}",
        expected="a Dataset, or a path or name of recordings",
        next_step="make one with deseptr.Dataset.from_dataframe(frame) or deseptr.Dataset.from_arrays(…)",
    )


def check_progress(progress: Any) -> None:
    """Raise a SetupError unless it is True, False or something to call."""
    if not (isinstance(progress, bool) or callable(progress)):
        raise SetupError(
            "progress",
            found=repr(progress),
            expected="True, False or a function of one Progress",
            next_step="pass progress=True for bars",
        )


def train_config(settings: dict[str, Any]) -> TrainConfig:
    """The settings of a training out of keyword arguments.

    Raises:
        SetupError: if there is no such setting.
        ModelError: if a value is of another type or out of its range.
    """
    from dataclasses import fields

    from deseptr.train import TrainConfig

    known = {field.name: field for field in fields(TrainConfig)}
    for name in settings:
        if name not in known:
            raise _unknown(name, list(known))
    # A setting that the model's recipe decides has None as its default, which may be passed too.
    given = {name: value for name, value in settings.items() if not (value is None and known[name].default is None)}
    checked = {name: _of_type(name, value, str(known[name].type)) for name, value in given.items()}
    return TrainConfig(**checked)


def _unknown(name: str, known: list[str]) -> SetupError:
    close = [each for each in known if name in each or each in name] or get_close_matches(name, known, 3, 0.55)
    return SetupError(
        f"setting {name}",
        found="no such setting of a training",
        expected=f"{'something like' if close else 'some of'} {', '.join(close or known)}",
        next_step="correct its name; help(deseptr.train.TrainConfig) lists all",
    )


def _of_type(name: str, value: Any, kind: str) -> Any:
    """The value as the plain type that a setting has; numpy's numbers are numbers too."""
    accepted, words, plain = _KINDS[kind]
    if isinstance(value, bool) != (kind == "bool") or not isinstance(value, accepted):
        raise ModelError(
            f"setting {name}", found=repr(value), expected=words, next_step="see help(deseptr.train.TrainConfig)"
        )
    return plain(value)
