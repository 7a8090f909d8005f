"""Samples in, events out, for samples of any source: without bus, driver or clock of the device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import DataError, SetupError
from deseptr.tflite.engine import Engine

from .alarms.watch import EventWatch
from .events import Event, GapEvent
from .label.tracker import LabelTracker
from .label.unknown import UnknownJudge
from .latency import WindowTimes
from .mounting.watch import MountingWatch
from .stream.resampler import StreamResampler
from .stream.stream import FASTEST, RATE_TOLERANCE, SLOWEST, begin_segment
from .stream.windows import Window, WindowAssembler
from .window_classifier import WindowClassifier


class PushStream:
    """A model that is fed samples by its caller.

    Args:
        engine: the model.
        rate_hz: rate of the samples; the model's by default. Beyond ``rate_tolerance`` they are resampled.
        tracker: decides on labels; with none, windows are only classified.
        rate_tolerance: relative difference from the model's rate at which samples are taken as they are.
        timer: host time in nanoseconds, for latencies.
        watch: raises alarms; None if no class is an event.
        unknown: decides which windows have no label; None if all have one.
        mounting: corrects windows for a turned sensor; None if they are classified as measured.

    Raises:
        SetupError: if the rate is too far from the model's to be resampled.
    """

    def __init__(
        self,
        engine: Engine,
        rate_hz: float | None = None,
        *,
        tracker: LabelTracker | None = None,
        rate_tolerance: float = RATE_TOLERANCE,
        timer: Callable[[], int] = time.perf_counter_ns,
        watch: EventWatch | None = None,
        unknown: UnknownJudge | None = None,
        mounting: MountingWatch | None = None,
    ) -> None:
        contract = engine.contract
        self._contract, self._timer = contract, timer
        self._classifier = WindowClassifier(engine, tracker, timer, watch, unknown, mounting)
        self._times = WindowTimes()
        self.rate_hz = contract.rate_hz if rate_hz is None else rate_hz
        ratio = self.rate_hz / contract.rate_hz
        if not (math.isfinite(ratio) and SLOWEST <= ratio <= FASTEST):
            raise SetupError(
                "rate_hz",
                found=f"{self.rate_hz:g} Hz",
                expected=f"{SLOWEST * contract.rate_hz:g} to {FASTEST * contract.rate_hz:g} Hz, for this model",
                next_step="pass the samples' own rate, or train for it",
            )
        self._channels = len(contract.channels)
        self._resampler = StreamResampler(ratio, self._channels) if abs(ratio - 1) > rate_tolerance else None
        self._assembler = WindowAssembler(contract.window_length, contract.hop_length, self._channels, contract.history)
        # Without resampling, the period of a sample is the source's, not the model's.
        self._stream_hz = contract.rate_hz if self._resampler else self.rate_hz

    def __repr__(self) -> str:
        contract = self._contract
        resampled = f", resampled to {contract.rate_hz:g} Hz" if self._resampler else ""
        return f"PushStream({contract.model}, samples at {self.rate_hz:g} Hz{resampled})"

    def push(self, samples: Any) -> list[Event]:
        """Take the next samples and give the events that they bring about.

        Args:
            samples: ``[n, channels]`` in SI units, or one sample ``[channels]``; channels in the contract's order.

        Raises:
            DataError: if the shape is another one or a value is not finite; none of the samples is taken.
        """
        began = self._timer()
        array = self._checked(samples)
        ready = array if self._resampler is None else self._resampler.push(array)
        events = [event for window in self._assembler.push(ready) for event in self._events(window, began)]
        return events + self._classifier.answered(self._assembler.received / self._stream_hz)

    def end(self, reason: str = "the samples ended") -> list[Event]:
        """Raise the alarms that wait for their confirmation, as no more samples come, with the reason for that."""
        return [*self._classifier.end(self._assembler.received / self._stream_hz, reason)]

    def gap(self, seconds: float) -> GapEvent:
        """Report that samples of so many seconds were lost; no window spans the gap.

        Raises:
            DataError: if the time is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise DataError("gap", found=f"{seconds} s", expected="0 s or more", next_step="pass the time lost")
        lost = seconds * self.rate_hz
        begin_segment(self._assembler, self._resampler, lost)
        self._classifier.gap()
        return GapEvent(self._assembler.received / self._stream_hz, "source", round(lost))

    def _checked(self, samples: Any) -> NDArray[np.float32]:
        try:
            array = np.atleast_2d(np.asarray(samples, np.float32))
        except (TypeError, ValueError) as error:
            raise DataError(
                "samples",
                found=f"values that are no numbers ({error})",
                expected=f"[sample, {self._channels}]: {', '.join(self._contract.channels)}",
                next_step="pass the channels alone",
            ) from error
        if array.ndim != 2 or array.shape[1] != self._channels:
            raise DataError(
                "samples",
                found=f"shape {np.shape(samples)}",
                expected=f"[sample, {self._channels}]: {', '.join(self._contract.channels)}",
                next_step="pass one row a sample",
            )
        if not np.isfinite(array).all():
            raise DataError(
                "samples", found="NaN or infinity", expected="finite numbers", next_step="report them with gap(seconds)"
            )
        return array

    def _events(self, window: Window, began: int) -> Iterator[Event]:
        yield from self._classifier.classify(window, window.end / self._stream_hz, began, self._times)
