"""Figures of a continuous evaluation, drawn by matplotlib as SVG text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deseptr.evaluate.continuous.moments import Moment
from deseptr.evaluate.continuous.playing import Played
from deseptr.evaluate.continuous.track import NONE, Track

from .colours import AXES, class_colour, is_repeated, line_colour
from .figures import draw_svg, named_legend

_AROUND_S, _LONGEST_S = 3.0, 20.0
_LEAST_SHARE = 1e-3


def moment_figure(moment: Moment, played: Played, track: Track) -> str:
    """The acceleration around a wrong label, which is shaded; the gyroscope if there is no accelerometer.

    Args:
        moment: the wrong stretch.
        played: its recording.
        track: its truth and label.
    """
    rate_hz = track.rate_hz
    first = max(0, round(moment.start - _AROUND_S * rate_hz))
    last = min(len(track), round(min(moment.stop + _AROUND_S * rate_hz, first + _LONGEST_S * rate_hz)))
    sensor, unit = ("acc", "m/s²") if played.recording.axes("acc") is not None else ("gyro", "rad/s")
    signals = played.recording.axes(sensor)
    assert signals is not None, "a recording has one of the two"
    t = np.arange(first, last) / rate_hz

    def draw(axes: Any) -> None:
        for number, (axis, each) in enumerate(zip("xyz", AXES, strict=True)):
            axes.plot(t, signals[first:last, number], lw=0.8, color=each, label=axis)
        axes.axvspan(moment.start / rate_hz, min(moment.stop, last) / rate_hz, color="#b3261e", alpha=0.1, lw=0)
        for row, values in ((1.02, track.truth), (1.10, track.shown)):
            _strip(axes, t, values[first:last], row)
        axes.set(xlabel="s", ylabel=unit, xlim=(t[0], t[-1]))
        axes.legend(loc="upper right", frameon=False, fontsize=7, ncols=3)

    return draw_svg(draw, (4.9, 2.1))


def detection_figure(played: Sequence[Played], labels: Sequence[str]) -> str:
    """Share of a class's windows below a threshold against that of all others above it, for every threshold.

    A window is of the class of its last sample. Both axes are logarithmic.
    """
    probabilities = np.concatenate([each.probabilities for each in played])
    ends = [np.minimum(np.rint(each.t * each.recording.rate_hz).astype(int), len(each.truth) - 1) for each in played]
    truth = np.concatenate([each.truth[end] for each, end in zip(played, ends, strict=True)])
    probabilities, truth = probabilities[truth != NONE], truth[truth != NONE]

    def style(index: int) -> dict[str, str]:
        return {"color": class_colour(index), "ls": "--" if is_repeated(index) else "-"}

    def draw(axes: Any) -> None:
        lines = {}
        for index, label in enumerate(labels):
            own, others = probabilities[truth == index, index], probabilities[truth != index, index]
            if not len(own) or not len(others):
                continue
            thresholds = np.unique(np.quantile(np.concatenate([own, others]), np.linspace(0, 1, 200)))
            missed = np.searchsorted(np.sort(own), thresholds) / len(own)
            false = 1 - np.searchsorted(np.sort(others), thresholds) / len(others)
            axes.plot(np.maximum(false, _LEAST_SHARE), np.maximum(missed, _LEAST_SHARE), lw=1.3, **style(index))
            (lines[label],) = axes.plot([], [], **style(index))
        axes.set(xscale="log", yscale="log", xlim=(_LEAST_SHARE, 1), ylim=(_LEAST_SHARE, 1))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
        axes.set(xlabel="share of other windows above the threshold", ylabel="share of own windows below it")
        axes.grid(alpha=0.25, lw=0.5)
        # None where all windows are of one class, which has no others.
        if lines:
            named_legend(axes, lines, loc="upper left", bbox_to_anchor=(1, 1))

    return draw_svg(draw, (8.2, 4.0))


def errors_figure(content: dict[str, Any]) -> str:
    """Share of the labelled time of each kind of error, by what was true and by what was shown."""
    errors = content["segment_errors"]
    by_truth, by_label = errors["frames_by_truth"], errors["frames_by_label"]
    labelled = sum(by_truth.values()) - by_truth["unlabelled"]
    bars = {"of what was true": by_truth, "of what was shown": by_label}

    def draw(axes: Any) -> None:
        for place, frames in enumerate(bars.values()):
            left = 0.0
            for number, (kind, count) in enumerate(frames.items()):
                share = count / labelled
                if kind in ("correct", "unlabelled") or not share:
                    continue
                axes.barh(place, share, left=left, color=line_colour(number + 4 * place), height=0.6)
                axes.text(left + share / 2, place - 0.38, kind.replace("_", "\n"), ha="center", va="bottom", fontsize=6)
                left += share
        axes.set_yticks(range(len(bars)), list(bars))
        axes.set(xlabel="share of the labelled time", ylim=(1.6, -0.9))
        axes.xaxis.set_major_formatter("{x:.0%}")

    return draw_svg(draw, (8.2, 2.4))


def _strip(axes: Any, t: Any, values: Any, row: float) -> None:
    """Truth or label above the axes, in the colours of the classes."""
    borders = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
    for start, stop in pairwise(borders):
        span = {"transform": axes.get_xaxis_transform(), "lw": 5, "clip_on": False, "solid_capstyle": "butt"}
        axes.plot([t[start], t[stop - 1]], [row, row], color=class_colour(int(values[start])), **span)
