"""The contract of a model, which training, conversion and device share.

A contract is written beside a checkpoint as ``contract.json`` and inside a ``.tflite`` file (see
:mod:`deseptr.tflite.file`). It contains no weights and nothing about a board or a bus.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .channels import CHANNELS, UNITS, sensors_of
from .decision import DecisionConfig
from .drift_reference import DriftReference
from .errors import ModelError, SetupError
from .event_rule import EventRule
from .files import atomic_write
from .held_out import HeldOut
from .input_files import parse_json, read_input
from .known_windows import KnownWindows, statistics_count
from .mounting_reference import MountingReference
from .stft import StftSpec
from .views import InputViews

# Each is written in the lowest format that has its fields, which more of the earlier versions read.
FORMATS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SINCE = {
    "views": 2,
    "held_out": 3,
    "decision": 4,
    "mag_full_scale_ut": 5,
    "events": 6,
    "logit_temperature": 7,
    "embedding_width": 8,
    "mounting": 9,
    "known_windows": 10,
    "drift": 11,
}
LONGEST_WINDOW = 1_000_000
WIDEST_EMBEDDING = 65_536
LARGEST_CONTRACT = 2**20


@dataclass(frozen=True)
class ModelContract:
    """Everything that a model and its data source must agree on.

    Args:
        labels: class names, in the order of the logits.
        rate_hz: sample rate of the window, Hz.
        window_length: samples in a window; the graph's input is ``[1, window_length, graph_channels]``.
        hop_length: samples between the starts of successive windows.
        channels: channel names in the order of the input's last axis.
        units: SI unit of each channel; a magnetic field is in microtesla.
        input_range: for each channel, the SI value that corresponds to 1.0 at a quantised input; larger values
            saturate. An int8 tensor has one scale: 1 rad/s on a scale for 80 m/s^2 would have two bits.
        acc_full_scale_g: smallest accelerometer full scale that covers the training data, in g.
        gyro_full_scale_dps: the same for the gyroscope, in degrees per second.
        stft: the spectrogram inside the graph.
        model: name of the model, which states its size (``deseptr_d32``).
        versions: versions of the packages that made the model, by package name.
        views: encoding of a window for the graph; None if the graph takes the window itself.
        held_out: the subjects that the model was tested on and not trained on; None if they are not known.
        decision: how its windows become a label that lasts, as ``deseptr tune`` chose it; None for the defaults.
        mag_full_scale_ut: the smallest full scale of a magnetometer that covers the training data, in microtesla; None
            if the model uses none.
        events: rules of the classes that raise alarms; None if none does.
        logit_temperature: divisor of the model's logits after which confidence and accuracy agree, as ``deseptr
            calibrate`` fitted it; engines divide by it. None for the logits as they are.
        embedding_width: values of the graph's second output, what its heads read of a window; 0 if it has none.
        mounting: how the training wearers wore the sensor; None if it is not known.
        known_windows: which windows are like those of its recordings, as ``deseptr calibrate --known`` found; None if
            every window is taken for one.
        drift: what its windows were like on people whom it was not trained on, as ``deseptr calibrate --drift`` found;
            None if later days are compared with nothing.

        >>> contract = ModelContract(labels=("still", "walking"), rate_hz=50.0, window_length=128)
        >>> contract.window_s
        2.56
        >>> ModelContract.from_json(contract.to_json()) == contract
        True
    """

    labels: tuple[str, ...]
    rate_hz: float = 50.0
    window_length: int = 128
    hop_length: int = 64
    channels: tuple[str, ...] = CHANNELS
    units: tuple[str, ...] = UNITS
    input_range: tuple[float, ...] = (40.0, 40.0, 40.0, 10.0, 10.0, 10.0)
    acc_full_scale_g: float = 8.0
    gyro_full_scale_dps: float = 1000.0
    stft: StftSpec = field(default_factory=StftSpec)
    model: str = "unnamed"
    versions: Mapping[str, str] = field(default_factory=dict)
    views: InputViews | None = None
    held_out: HeldOut | None = None
    decision: DecisionConfig | None = None
    mag_full_scale_ut: float | None = None
    events: tuple[EventRule, ...] | None = None
    logit_temperature: float | None = None
    embedding_width: int = 0
    mounting: MountingReference | None = None
    known_windows: KnownWindows | None = None
    drift: DriftReference | None = None

    def __post_init__(self) -> None:
        self._require(len(self.labels) >= 2, "labels", self.labels, "at least two class names")
        self._require(len(set(self.labels)) == len(self.labels), "labels", self.labels, "names that differ")
        for name in ("labels", "channels", "units"):
            names = getattr(self, name)
            self._require(all(map(_is_name, names)), name, names, "names of printable characters")
        self._require(_is_name(self.model), "model", self.model, "a name of printable characters")
        self._require(_positive(self.rate_hz), "rate_hz", self.rate_hz, "a positive rate in Hz")
        self._require(
            self.window_length <= LONGEST_WINDOW, "window_length", self.window_length, f"{LONGEST_WINDOW} at most"
        )
        self._require(
            self.stft.frames(self.window_length) > 0,
            "window_length",
            self.window_length,
            f"at least one frame of {self.stft.frame_length} samples",
        )
        self._require(
            1 <= self.hop_length <= self.window_length,
            "hop_length",
            self.hop_length,
            f"1 to the window's {self.window_length} samples",
        )
        count = len(self.channels)
        self._require(count > 0, "channels", self.channels, "at least one channel")
        self._require(len(set(self.channels)) == count, "channels", self.channels, "names that differ")
        self._require(len(self.units) == count, "units", self.units, f"{count} units, one per channel")
        self._require(
            len(self.input_range) == count and all(map(_positive, self.input_range)),
            "input_range",
            self.input_range,
            f"{count} positive values, one per channel",
        )
        self._require(_positive(self.acc_full_scale_g), "acc_full_scale_g", self.acc_full_scale_g, "a positive range")
        self._require(
            _positive(self.gyro_full_scale_dps), "gyro_full_scale_dps", self.gyro_full_scale_dps, "a positive range"
        )
        self._require(
            self.mag_full_scale_ut is None or _positive(self.mag_full_scale_ut),
            "mag_full_scale_ut",
            self.mag_full_scale_ut,
            "a positive range, or none",
        )
        self._require(
            self.logit_temperature is None or _positive(self.logit_temperature),
            "logit_temperature",
            self.logit_temperature,
            "a positive number, or none",
        )
        self._require(
            0 <= self.embedding_width <= WIDEST_EMBEDDING,
            "embedding_width",
            self.embedding_width,
            f"0 to {WIDEST_EMBEDDING} values",
        )
        if self.mounting is not None:
            self._check_mounting(self.mounting)
        known = self.known_windows
        self._require(
            known is None or len(known.scale) == statistics_count(self.channels),
            "known_windows",
            None if known is None else f"{len(known.scale)} statistics",
            f"the {statistics_count(self.channels)} of its channels",
        )
        if self.drift is not None:
            self._check_drift(self.drift)
        if self.decision is not None:
            self._check_decision(self.decision)
        events = [rule.label for rule in self.events or ()]
        right = self.events != () and set(events) <= set(self.labels) and len(set(events)) == len(events)
        self._require(right, "events", ", ".join(events) or "none", "some of the labels, each once")

    def _check_mounting(self, mounting: MountingReference) -> None:
        unknown = [each.label for each in mounting.classes if each.label not in self.labels]
        self._require(not unknown, "mounting", f"the motion of {', '.join(unknown)}", "motions of the labels")
        missing = set(mounting.sensors) - set(sensors_of(self.channels))
        self._require(not missing, "mounting", f"features of {', '.join(sorted(missing))}", "those of its channels")

    def _check_drift(self, drift: DriftReference) -> None:
        # A wearer's own labels come after those of the reference.
        fits = drift.classes <= len(self.labels)
        self._require(fits, "drift", f"{drift.classes} classes", f"those of its {len(self.labels)} labels")
        width = 0 if drift.embedding is None else len(drift.embedding.scale)
        self._require(width in (0, self.embedding_width), "drift", f"{width} values of an embedding", "its own")

    def _check_decision(self, decision: DecisionConfig) -> None:
        unknown = [name for name in decision.thresholds if name not in self.labels]
        self._require(not unknown, "decision", f"thresholds of {', '.join(unknown)}", "thresholds of the labels")
        chain, hop_s = decision.chain, decision.hop_s
        fits = chain is None or chain.classes == len(self.labels)
        self._require(fits, "decision", "a chain of other classes", f"one of {len(self.labels)} classes")
        right = hop_s is None or 1 <= self._samples_of(hop_s) <= self.window_length
        self._require(right, "decision", f"a hop of {hop_s} s", f"a sample to {self.window_s:g} s")

    @staticmethod
    def _require(condition: bool, name: str, found: object, expected: str) -> None:
        if not condition:
            raise ModelError(f"contract.{name}", found=found, expected=expected, next_step="correct the contract")

    def differences(self, other: ModelContract) -> tuple[str, ...]:
        """Names of the fields in which two contracts differ."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name))

    @property
    def window_s(self) -> float:
        """Length of a window in seconds."""
        return self.window_length / self.rate_hz

    @property
    def hop_s(self) -> float:
        """Time between the starts of successive windows in seconds."""
        return self.hop_length / self.rate_hz

    @property
    def history(self) -> int:
        """Number of samples before a window that its encoding needs; 0 without views."""
        return 0 if self.views is None else self.views.history

    @property
    def input_length(self) -> int:
        """Number of samples of an engine's input ``[input_length, channels]``: the history and the window."""
        return self.history + self.window_length

    @property
    def graph_channels(self) -> int:
        """Values per sample at the graph's input: two views of each channel, or the channels themselves."""
        return len(self.channels) * (1 if self.views is None else 2)

    def at_hop(self, hop_s: float | None) -> ModelContract:
        """The contract with another time from window to window; the model is the same at every one.

        Args:
            hop_s: seconds, rounded to samples; None for the contract as it is.

        Raises:
            SetupError: if it is less than a sample or more than a window.

        >>> ModelContract(("still", "walking")).at_hop(0.32).hop_length
        16
        """
        if hop_s is None:
            return self
        samples = self._samples_of(hop_s)
        if not 1 <= samples <= self.window_length:
            raise SetupError(
                "hop",
                found=f"{hop_s:g} s",
                expected=f"{1 / self.rate_hz:g} to {self.window_s:g} s, a sample to a window of this model",
                next_step="choose another hop",
            )
        return replace(self, hop_length=samples)

    def _samples_of(self, hop_s: float) -> int:
        """A hop in samples; 0 if no number holds it."""
        samples = hop_s * self.rate_hz
        return round(samples) if math.isfinite(samples) else 0

    def to_json(self) -> str:
        """The contract as indented JSON with sorted keys; equal contracts give equal text."""
        content = asdict(replace(self, decision=None))
        content["decision"] = None if self.decision is None else self.decision.to_dict()
        form = max([FORMATS[0], *(since for name, since in _SINCE.items() if content[name] not in (None, 0))])
        content = {name: value for name, value in content.items() if _SINCE.get(name, 1) <= form}
        content["format"] = form
        return json.dumps(content, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, source: object = "contract") -> ModelContract:
        """Read a contract that :meth:`to_json` wrote.

        Args:
            text: the JSON.
            source: origin of the text, for the error message.

        Raises:
            ModelError: if it is not JSON, has another format, or a field is missing, unknown or of the wrong type.
        """
        try:
            content = parse_json(text)
        except ValueError as error:
            raise _unreadable(source, f"no JSON ({error})") from error
        if not isinstance(content, dict) or content.get("format") not in FORMATS:
            raise _foreign(source, content.get("format") if isinstance(content, dict) else type(content).__name__)
        return cls._from_fields(content, source)

    @classmethod
    def _from_fields(cls, content: dict[str, Any], source: object) -> ModelContract:
        form = content.pop("format")
        known = {f.name for f in fields(cls) if _SINCE.get(f.name, 1) <= form}
        if content.keys() != known:
            raise _unreadable(source, f"fields that differ by {', '.join(sorted(known ^ content.keys()))}")
        try:
            content |= _required(content) | _optional(content, form) | _embedding(content)
        except (TypeError, ValueError, AttributeError, OverflowError, SetupError) as error:
            raise _unreadable(source, f"a field of the wrong kind ({error})") from error
        return cls(**content)

    def save(self, path: Path) -> None:
        """Write the JSON to ``path`` atomically."""
        atomic_write(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> ModelContract:
        """Read a contract file.

        Raises:
            ModelError: if the file is missing or not a contract.
        """
        try:
            text = read_input(path, LARGEST_CONTRACT)
        except OSError as error:
            step = "for a network of your own, write one with `ModelContract(labels=…).save`; a run folder has one"
            raise _unreadable(path, error.strerror or "no file", step) from error
        return cls.from_json(text, path)


def _required(content: dict[str, Any]) -> dict[str, Any]:
    """The fields that every format has, in their types."""
    (model,) = _strings([content["model"]])
    return {
        "stft": StftSpec(**{k: _integer(v) for k, v in content["stft"].items()}),
        **{name: _strings(content[name]) for name in ("channels", "units", "labels")},
        "input_range": tuple(_number(v) for v in content["input_range"]),
        **{name: _number(content[name]) for name in ("rate_hz", "acc_full_scale_g", "gyro_full_scale_dps")},
        **{name: _integer(content[name]) for name in ("window_length", "hop_length")},
        "model": model,
        "versions": {str(k): str(v) for k, v in content["versions"].items()},
    }


def _optional(content: dict[str, Any], form: int) -> dict[str, Any]:
    """The fields of later formats, in their types: null is allowed where a later format is the reason for this one."""
    readers: dict[str, Callable[[Any], Any]] = {
        "views": _views,
        "held_out": _held_out,
        "decision": DecisionConfig.from_dict,
        "mag_full_scale_ut": _number,
        "events": _events,
        "logit_temperature": _number,
        "mounting": MountingReference.from_dict,
        "known_windows": KnownWindows.from_dict,
        "drift": DriftReference.from_dict,
    }
    return {
        name: read(content[name])
        for name, read in readers.items()
        if content.get(name) is not None or (name in content and form == _SINCE[name])
    }


def _embedding(content: dict[str, Any]) -> dict[str, Any]:
    """The width of the embedding, which is 0 rather than null in the formats that have it without need."""
    return {name: _integer(content[name]) for name in ("embedding_width",) if name in content}


def _positive(value: float) -> bool:
    """Whether a value is a positive number within the range of float32, the precision of the computations."""
    return math.isfinite(value) and 1e-30 < value < 1e30


def _is_name(text: str) -> bool:
    """Whether a text fits into a line of ``labels.txt`` and can be printed on a terminal."""
    return bool(text.strip()) and not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not an integer")
    return value


def _events(value: Any) -> tuple[EventRule, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list of events")
    return tuple(EventRule.from_dict(each) for each in value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _strings(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise TypeError("not a list of names")
    return tuple(values)


def _views(value: Any) -> InputViews:
    if value.keys() != {"history", "thresholds"}:
        raise ValueError("views are a history and thresholds")
    return InputViews(_integer(value["history"]), tuple(_integer(v) for v in value["thresholds"]))


def _held_out(value: Any) -> HeldOut:
    if value.keys() != {"salt", "hashes"}:
        raise ValueError("held_out is a salt and hashes")
    (salt,) = _strings([value["salt"]])
    return HeldOut(salt, _strings(value["hashes"]))


def _foreign(source: object, form: object) -> ModelError:
    newer = isinstance(form, int) and form > FORMATS[-1]
    return _unreadable(source, f"format {form}", *(["update deseptr: a later version wrote it"] if newer else []))


def _unreadable(source: object, found: str, next_step: str = "train or convert again with this version") -> ModelError:
    return ModelError(
        source,
        found=found,
        expected=f"a deseptr contract of format {FORMATS[0]} to {FORMATS[-1]}",
        next_step=next_step,
    )
