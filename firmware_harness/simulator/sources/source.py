"""Input signals of a simulated sensor: SI signals as a function of time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deseptr.contract import CHANNELS, SENSORS, STANDARD_GRAVITY, DataError
from deseptr.data import Recording


class SignalSource(Protocol):
    """Acceleration and angular rate over time."""

    @property
    def duration_ns(self) -> int | None:
        """Time of the last signal, nanoseconds; None for an endless source."""
        ...

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]`` in m/s^2 and rad/s at ``times_ns [n]`` after the source's beginning."""
        ...


@runtime_checkable
class FieldSource(Protocol):
    """A source that knows the magnetic field, too."""

    def field_at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Magnetic field ``[n, 3]`` in microtesla along the axes of the accelerometer."""
        ...


class ConstantSource:
    """Constant signals.

    Args:
        signals: ``[6]`` in m/s^2 and rad/s.

    >>> ConstantSource([0, 0, 9.8, 0, 0, 0]).at(np.array([0])).tolist()
    [[0.0, 0.0, 9.8, 0.0, 0.0, 0.0]]
    """

    duration_ns = None

    def __init__(self, signals: ArrayLike) -> None:
        self._signals = np.asarray(signals, np.float64)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``."""
        return np.broadcast_to(self._signals, (len(times_ns), 6))


_AT_REST = np.array([0, 0, STANDARD_GRAVITY, 0, 0, 0], np.float32)
# 49 microtesla that dip by 66 degrees, as in central Europe.
NORTH_UT = np.array([19.9, 0.0, -44.8], np.float32)


def _six(recording: Recording) -> NDArray[np.float32]:
    if recording.channels == CHANNELS:
        return recording.signals
    signals = np.tile(_AT_REST, (len(recording), 1))
    for sensor in ("acc", "gyro"):
        own, first = recording.axes(sensor), CHANNELS.index(SENSORS[sensor].channels[0])
        if own is not None:
            signals[:, first : first + 3] = own
    return signals


class RecordingSource:
    """A recording, interpolated linearly at times between its samples.

    A sensor that it lacks is at rest: no rotation, gravity along z, or a field that points north along x and down.

    Raises:
        DataError: if the recording has no samples.

    >>> from deseptr.data import load_dataset
    >>> RecordingSource(load_dataset("synthetic:subjects=1,seconds=10").recordings[0]).duration_ns / 1e9
    9.98
    """

    def __init__(self, recording: Recording) -> None:
        self._signals = _six(recording)
        field = recording.axes("mag")
        self._field = np.tile(NORTH_UT, (len(recording), 1)) if field is None else field
        self._rate_hz = float(recording.rate_hz)
        if len(self._signals) == 0:
            raise DataError(
                recording.title, found="no samples", expected="at least one", next_step="leave the recording out"
            )
        self.duration_ns = round((len(self._signals) - 1) / self._rate_hz * 1e9)

    def at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Signals ``[n, 6]``; times beyond the ends give the first or the last sample."""
        return self._interpolated(self._signals, times_ns)

    def field_at(self, times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Magnetic field ``[n, 3]`` in microtesla, at the ends as for :meth:`at`."""
        return self._interpolated(self._field, times_ns)

    def _interpolated(self, values: NDArray[np.float32], times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        positions = np.clip(times_ns * (self._rate_hz / 1e9), 0, len(values) - 1)
        whole = np.rint(positions)
        # A sample time rounded to a nanosecond must still give the sample bit for bit.
        positions = np.where(np.abs(positions - whole) < 1e-6, whole, positions)
        before = positions.astype(np.int64)
        after = np.minimum(before + 1, len(values) - 1)
        share = (positions - before)[:, None]
        return np.asarray(values[before] * (1 - share) + values[after] * share, np.float64)
