"""Options of a conversion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from deseptr.contract import ConversionError

from .targets import TARGETS

MODES = ("int8", "int16x8", "float16", "dynamic", "float32")
QUANTISED_MODES = ("int8", "int16x8")
IO_TYPES = ("int8", "int16", "float32")
_IO_OF_MODE = {"int8": ("int8", "float32"), "int16x8": ("int16", "float32")}
_FLOAT_IO = ("float32",)


@dataclass(frozen=True)
class Recipe:
    """Options of the conversion from a checkpoint to a flatbuffer.

    Args:
        mode: ``"int8"``: weights and activations in 8 bits; ``"int16x8"``: activations in 16 bits; ``"float16"``:
            weights in 16-bit float; ``"dynamic"``: weights in 8 bits, activations quantised at run time;
            ``"float32"``.
        io: element type of window and logits, ``"int8"``, ``"int16"`` or ``"float32"``; the mode's own by default.
            With float input, the model takes raw windows in SI units; else windows divided by the contract's input
            range.
        target: name of the target, one of ``targets.TARGETS``.
        calibration_windows: number of the run's calibration windows that determine the ranges of activations.
        float_layers: names of the layers of an int8 graph that stay in float.
        embedding: whether the graph's second output is what the model's heads read, where that is one tensor.

    Raises:
        ConversionError: if a value is unknown or two values exclude each other.

    Example:
        >>> Recipe("int16x8", io="float32").io
        'float32'
        >>> Recipe("int8").quantised
        True
    """

    mode: str = "int8"
    io: str = ""
    target: str = "pi"
    calibration_windows: int = 256
    float_layers: tuple[str, ...] = ()
    embedding: bool = True

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise _wrong("--mode", self.mode, MODES)
        allowed = _IO_OF_MODE.get(self.mode, _FLOAT_IO)
        object.__setattr__(self, "io", self.io or allowed[0])
        if self.io not in allowed:
            raise _wrong(f"--io with --mode {self.mode}", self.io, allowed)
        if self.target not in TARGETS:
            raise _wrong("--target", self.target, tuple(TARGETS))
        modes = TARGETS[self.target].modes
        if self.mode not in modes:
            raise _wrong(f"--mode with --target {self.target}", self.mode, modes)
        if self.float_layers and self.mode != "int8":
            raise _wrong("--mode with layers in float", self.mode, ("int8",))
        if self.calibration_windows < 1:
            raise _wrong("calibration windows", str(self.calibration_windows), ("1", "2", "…"))

    @property
    def quantised(self) -> bool:
        """Whether activations are calibrated integers."""
        return self.mode in QUANTISED_MODES

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON values."""
        return {**asdict(self), "float_layers": list(self.float_layers)}


def _wrong(thing: str, found: str, allowed: tuple[str, ...]) -> ConversionError:
    return ConversionError(thing, found=found, expected=f"one of {', '.join(allowed)}", next_step="choose one of these")
