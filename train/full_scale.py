"""The full scales that a sensor needs: those that the events of each class stay within, or those that are asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from deseptr.contract import STANDARD_GRAVITY, ModelError
from deseptr.contract.counts import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Peaks = Mapping[str, NDArray[np.float64]]

AUTO = "auto"
ACC_FULL_SCALES_G = (2.0, 4.0, 8.0, 16.0)
GYRO_FULL_SCALES_DPS = (250.0, 500.0, 1000.0, 2000.0)
# Those of magnetometers in gauss, 4 to 16, and the one of those by Asahi Kasei.
MAG_FULL_SCALES_UT = (400.0, 800.0, 1200.0, 1600.0, 4900.0)
CLIPPED_SHARE = 0.05
"""Of the runs of a class, so many may exceed the full scale; one in twenty is a sensor that was knocked."""
_SCALES = {"acc": ACC_FULL_SCALES_G, "gyro": GYRO_FULL_SCALES_DPS, "mag": MAG_FULL_SCALES_UT}
_PER_SI = {"acc": 1 / STANDARD_GRAVITY, "gyro": 180 / math.pi, "mag": 1.0}
_UNITS = {"acc": "g", "gyro": "deg/s", "mag": "uT"}
_NUMBER = r"(\d{1,5}(?:\.\d{1,3})?)"
_ENTRY = re.compile(rf"(acc)={_NUMBER}g|(gyro)={_NUMBER}dps|(mag)={_NUMBER}uT")
_FIELDS = {"acc": "acc_g", "gyro": "gyro_dps", "mag": "mag_ut"}


class FullScale(NamedTuple):
    """Full scales in g, degrees per second and microtesla; None of a sensor whose scale the recordings decide."""

    acc_g: float | None = None
    gyro_dps: float | None = None
    mag_ut: float | None = None


class ChosenScales(NamedTuple):
    """Full scales in g, degrees per second and microtesla; None of a magnetometer that was not recorded."""

    acc_g: float
    gyro_dps: float
    mag_ut: float | None = None


_MOST = 1e6


def parse_full_scale(text: str) -> FullScale:
    """Full scales out of ``auto``, or of some of ``acc=16g,gyro=2000dps,mag=4900uT``.

    Raises:
        ModelError: if the text is something else.

    >>> parse_full_scale("acc=16g")
    FullScale(acc_g=16.0, gyro_dps=None, mag_ut=None)
    """
    if text == AUTO:
        return FullScale()
    # A damaged config.json may have anything here.
    parts = text.split(",") if isinstance(text, str) else [""]
    found = [_ENTRY.fullmatch(part.strip()) for part in parts]
    values: dict[str, float] = {}
    for entry in found:
        sensor, value = ("", "0") if entry is None else [group for group in entry.groups() if group]
        name = _FIELDS.get(sensor, "")
        if not 0 < float(value) <= _MOST or name in values:
            raise ModelError(
                "full_scale",
                found=repr(text),
                expected="auto, or some of acc=16g, gyro=2000dps and mag=4900uT",
                next_step="write it so, or leave it out",
            )
        values[name] = float(value)
    return FullScale(**values)


def choose_full_scales(peaks: Peaks, wanted: FullScale, sensors: Sequence[str] = ("acc", "gyro")) -> ChosenScales:
    """Full scales: those wanted, else the smallest common ones that the runs stay within.

    Of the runs of every class at most :data:`CLIPPED_SHARE` exceeds it. A percentile over all samples would not do:
    the peak of a fall is a few samples of hours.

    Args:
        peaks: of the training subjects' runs by label, ``[run, sensor]`` in m/s^2, rad/s and microtesla.
        wanted: what is asked for.
        sensors: those of the columns; an accelerometer or gyroscope that was not recorded gets the smallest scale,
            which every chip has.
    """
    found = {
        sensor: _covering([runs[:, column] * _PER_SI[sensor] for runs in peaks.values()], _SCALES[sensor])
        for column, sensor in enumerate(sensors)
    }
    acc, gyro = (found.get(sensor, _SCALES[sensor][0]) for sensor in ("acc", "gyro"))
    mag = found.get("mag")
    return ChosenScales(wanted.acc_g or acc, wanted.gyro_dps or gyro, None if mag is None else wanted.mag_ut or mag)


def clipped_runs(peaks: Peaks, chosen: ChosenScales, sensors: Sequence[str] = ("acc", "gyro")) -> Iterator[str]:
    """A line for each class and sensor with the number of runs that a sensor of these full scales would clip."""
    for column, sensor in enumerate(sensors):
        scale, unit = getattr(chosen, _FIELDS[sensor]), _UNITS[sensor]
        if scale is None:
            continue
        for label, runs in peaks.items():
            clipped = int((runs[:, column] * _PER_SI[sensor] > scale).sum())
            if clipped:
                of = f"of the {counted(len(runs), 'run')} of {label}"
                verb = "exceeds" if clipped == 1 else "exceed"
                yield f"{clipped} {of} {verb} ±{scale:g} {unit} on some axis"


def _covering(peaks: Sequence[NDArray[np.float64]], scales: Sequence[float]) -> float:
    for scale in scales:
        if all((runs > scale).mean() <= CLIPPED_SHARE for runs in peaks if len(runs)):
            return scale
    return scales[-1]
