"""Oddities of the signals: gravity that is missing, sensors that are off or stuck, another mounting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .recording import Dataset, Recording, short_list

_STILL_S = 2.0
"""Three axes that repeat for so long are no measurement: a sensor's noise moves at least one of them."""
_ZERO_S = 0.2
_STEADY_S = 5.0
_LEAST_GRAVITY = 1.5
_IN_G = (0.5, 2.0)
"""m/s^2: a median acceleration in between is more likely in g, which another oddity says."""
_LEAST_SUBJECTS = 4
_FAR_DEG, _NEAR_DEG = 60.0, 40.0


def signal_oddities(dataset: Dataset) -> Iterator[str]:
    """All of them, one line each."""
    yield from _without_gravity(dataset.recordings)
    yield from _zeros(dataset.recordings)
    yield from _stuck(dataset.recordings)
    yield from _mountings(dataset)


def _without_gravity(recordings: Sequence[Recording]) -> Iterator[str]:
    """Gravity stays in the mean of a recording, while what a wearer does averages out."""
    long = [r for r in recordings if r.duration_s >= _STEADY_S]
    if not long:
        return
    norms = np.concatenate([np.linalg.norm(r.signals[:, :3], axis=1) for r in long])
    steady = float(np.median([np.linalg.norm(r.signals[:, :3].mean(0)) for r in long]))
    if steady < _LEAST_GRAVITY and not _IN_G[0] < np.median(norms) < _IN_G[1]:
        yield (
            f"acceleration averages {steady:.2f} m/s^2 over a recording, where gravity would leave most of 9.81: "
            "gravity was removed, so that postures cannot be told apart; take the columns with gravity"
        )


def _zeros(recordings: Sequence[Recording]) -> Iterator[str]:
    found = [(r, *_longest(np.asarray(~r.signals.any(1)))) for r in recordings]
    off = [(r, at, length) for r, at, length in found if length >= _ZERO_S * r.rate_hz and length > 2]
    if off:
        first, at, length = off[0]
        yield (
            f"all channels are 0, without gravity, in {_counted(len(off))} ({first.title}: for "
            f"{length / first.rate_hz:.2f} s at {at / first.rate_hz:.2f} s): the sensor was off, cut it out"
        )


def _stuck(recordings: Sequence[Recording]) -> Iterator[str]:
    for sensor, name in enumerate(("acceleration", "angular rate")):
        stuck = []
        for r in recordings:
            axes = r.signals[:, 3 * sensor : 3 * sensor + 3]
            still = np.asarray(~np.diff(axes, axis=0).any(1) & axes[1:].any(1))
            at, length = _longest(still)
            if length >= _STILL_S * r.rate_hz and not still.all():
                stuck.append((r, at, length))
        if stuck:
            first, at, length = stuck[0]
            yield (
                f"{name} does not change in {_counted(len(stuck))} ({first.title}: for {length / first.rate_hz:.1f} s "
                f"at {at / first.rate_hz:.1f} s): the sensor was stuck, or values were filled in"
            )


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Start and length of the longest run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    longest = int(lengths.argmax())
    return int(edges[2 * longest]), int(lengths[longest])


def _mountings(dataset: Dataset) -> Iterator[str]:
    """Subjects whose gravity points elsewhere than that of the others, who agree with each other."""
    ups = {subject: _up(dataset, subject) for subject in dataset.subjects}
    known = {subject: up for subject, up in ups.items() if up is not None}
    if len(known) < _LEAST_SUBJECTS:
        return
    apart = {}
    for subject, up in known.items():
        others = np.stack([other for name, other in known.items() if name != subject])
        middle = _unit(np.median(others, axis=0))
        if middle is not None and np.median(_angles(others, middle)) <= _NEAR_DEG:
            angle = float(_angles(up[None], middle)[0])
            if angle >= _FAR_DEG:
                apart[subject] = angle
    # If many differ, none is the odd one.
    if apart and len(apart) <= len(known) / 4:
        listed = short_list(f"{subject} ({angle:.0f} degrees off)" for subject, angle in apart.items())
        yield f"gravity points elsewhere than in the rest for subject {listed}: the sensor was worn in another way"


def _up(dataset: Dataset, subject: str) -> NDArray[np.float64] | None:
    """Direction of a subject's mean acceleration, each label counting once."""
    sums: dict[int, NDArray[np.float64]] = {}
    for r in dataset.recordings:
        for segment in r.segments() if r.subject == subject else ():
            total = r.signals[segment.start : segment.stop, :3].sum(0, dtype=np.float64)
            sums[segment.label] = sums.get(segment.label, np.zeros(3)) + total
    units = [unit for total in sums.values() if (unit := _unit(total)) is not None]
    return _unit(np.sum(units, axis=0)) if units else None


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64] | None:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else None


def _angles(vectors: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.degrees(np.arccos(np.clip(vectors @ direction, -1, 1)))


def _counted(count: int) -> str:
    return f"{count} recording{'s' * (count > 1)}"
