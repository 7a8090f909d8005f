"""Sources as plain data: the ``[source]`` table of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError
from deseptr.contract.input_files import LARGEST_INTEGER
from deseptr.contract.limits import Limits
from deseptr.data import load_dataset
from deseptr.data.synthetic import MOST_SUBJECTS
from deseptr.firmware_harness.simulator.faults.toml import check_keys, check_type

from .counting import CountingSource
from .source import ConstantSource, RecordingSource, SignalSource
from .synthetic import SineSource, WearerSource

# Types of the keys of each kind.
KEYS: dict[str, dict[str, tuple[type, ...]]] = {
    "wearer": {"subject": (int,), "seed": (int,), "stretch_s": (float,)},
    "constant": {"signals": (list,)},
    "sine": {
        "frequency_hz": (float, list),
        "amplitude": (float, list),
        "offset": (float, list),
        "phase": (float, list),
    },
    "recording": {"data": (str,), "number": (int,)},
    "counting": {},
}
LIMITS = {
    "subject": Limits(1, MOST_SUBJECTS, whole=True),
    "seed": Limits(0, LARGEST_INTEGER, whole=True),
    "stretch_s": Limits(1, 3600),
    "number": Limits(0, LARGEST_INTEGER, whole=True),
}
REQUIRED = {"constant": ("signals",), "sine": ("frequency_hz", "amplitude"), "recording": ("data",)}


@dataclass(frozen=True)
class SourceSpec:
    """A description from which a source can be made any number of times.

    Args:
        kind: ``wearer`` (an endless one), ``constant``, ``sine``, ``recording`` (of a data set, by its number) or
            ``counting``.
        options: the options of that kind.
        folder: folder of a recording's file.

    >>> SourceSpec("constant", {"signals": [0, 0, 9.8, 0, 0, 0]}).make().duration_ns is None
    True
    """

    kind: str = "wearer"
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def make(self) -> SignalSource:
        """A new source, at its beginning.

        Raises:
            DataError: if a recording cannot be read.
            SetupError: if a value is invalid.
        """
        return MAKERS[self.kind](self)


def source_spec(table: Mapping[str, Any], where: str, folder: Path) -> SourceSpec:
    """The source that a ``[source]`` table describes.

    Raises:
        SetupError: if a kind or key is unknown, a value is of the wrong type, or one is missing.
    """
    where = f"{where}, source"
    kind = table.get("kind", "wearer")
    if not isinstance(kind, str) or kind not in KEYS:
        raise SetupError(
            f"{where}, kind", found=kind, expected=f"one of {', '.join(KEYS)}", next_step="choose one of these"
        )
    known = KEYS[kind]
    options = {key: value for key, value in table.items() if key != "kind"}
    check_keys(options, known, where, f"a {kind} source")
    for key in REQUIRED.get(kind, ()):
        if key not in options:
            raise SetupError(where, found=f"no {key}", expected=f"one for {kind}", next_step=f"write {key} = …")
    checked = {key: check_type(options[key], known[key], where, key) for key in options}
    for key, limits in LIMITS.items():
        if key in checked and not limits.allow(checked[key]):
            raise SetupError(f"{where}, {key}", found=checked[key], expected=limits, next_step=f"change {key}")
    return SourceSpec(kind, checked, folder)


def _constant(spec: SourceSpec) -> SignalSource:
    signals = spec.options["signals"]
    if not isinstance(signals, list) or len(signals) != 6 or not all(map(Limits(-1e9, 1e9).allow, signals)):
        raise SetupError(
            "constant source, signals", found=signals, expected="six numbers", next_step="give one for each axis"
        )
    return ConstantSource(signals)


def _recording(spec: SourceSpec) -> SignalSource:
    data, number = spec.options["data"], spec.options.get("number", 0)
    beside = spec.folder / data
    recordings = load_dataset(str(beside) if beside.exists() else data).recordings
    if not 0 <= number < len(recordings):
        raise SetupError(
            f"recording source, {data}",
            found=f"no recording {number}",
            expected=f"0 to {len(recordings) - 1}",
            next_step="change number",
        )
    return RecordingSource(recordings[number])


MAKERS: dict[str, Callable[[SourceSpec], SignalSource]] = {
    "wearer": lambda spec: WearerSource(**spec.options),
    "constant": _constant,
    "sine": lambda spec: SineSource(**spec.options),
    "recording": _recording,
    "counting": lambda spec: CountingSource(),
}
