"""Oddities of the signals: gravity that is missing, sensors that are off or stuck, another mounting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import SENSORS

from .recording import Dataset, Recording, short_list

_STILL_S = 2.0
"""Three axes that repeat for so long are no measurement: a sensor's noise moves at least one of them."""
_ZERO_S = 0.2
_STEADY_S = 5.0
_LEAST_GRAVITY = 1.5
_TURNING = 7.0
"""m/s^2: a larger median acceleration is that of a sensor which turned, so that gravity averages out."""
_IN_G = (0.5, 2.0)
"""m/s^2: a median acceleration in between is more likely in g, which another oddity says."""
_LEAST_SUBJECTS = 4
_CANCELLED = 0.2
_FAR_DEG, _NEAR_DEG, _TURNED_DEG = 60.0, 40.0, 90.0
"""In one label alone people differ more, as in how they lie: only another side of the sensor counts."""


def signal_oddities(dataset: Dataset, coarse: bool) -> Iterator[str]:
    """All of them, one line each; ``coarse``: an accelerometer that may give one value while its wearer is still."""
    yield from _without_gravity(dataset.recordings)
    yield from _zeros(dataset.recordings)
    yield from _stuck(dataset.recordings, coarse)
    yield from _mountings(dataset)


def _without_gravity(recordings: Sequence[Recording]) -> Iterator[str]:
    """Gravity stays in the mean of a recording, while what a wearer does averages out."""
    long = [r for r in recordings if r.duration_s >= _STEADY_S and r.axes("acc") is not None]
    if not long:
        return
    norms = np.concatenate([_norms(r) for r in long])
    steady = float(np.median([_steady(r) for r in long]))
    if steady < _LEAST_GRAVITY and not _IN_G[0] < np.median(norms) < _IN_G[1]:
        yield (
            f"acceleration averages {steady:.2f} m/s^2 over a recording, where gravity would leave most of 9.81: "
            "gravity was removed, so that postures cannot be told apart; take the columns with gravity"
        )
    elif steady >= _LEAST_GRAVITY and (without := [r for r in long if _lacks_gravity(r)]):
        yield (
            f"acceleration averages {_steady(without[0]):.2f} m/s^2 in {_counted(len(without))} ({without[0].title}), "
            "unlike in the others: gravity was removed there, leave them out or take the columns with gravity"
        )


def _acceleration(recording: Recording) -> NDArray[np.float32]:
    axes = recording.axes("acc")
    return np.empty((0, 3), np.float32) if axes is None else axes


def _norms(recording: Recording) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(_acceleration(recording), axis=1), np.float32)


def _steady(recording: Recording) -> float:
    return float(np.linalg.norm(_acceleration(recording).mean(0)))


def _lacks_gravity(recording: Recording) -> bool:
    # With gravity the norm is about 9.81 however the sensor turns; in g the mean is most of the norm.
    norm, steady = float(np.median(_norms(recording))), _steady(recording)
    off = not recording.signals.any(1).all()
    return not off and norm < _TURNING and steady < min(_LEAST_GRAVITY, norm / 2)


def _zeros(recordings: Sequence[Recording]) -> Iterator[str]:
    found = [(r, *_longest(np.asarray(~r.signals.any(1)))) for r in recordings]
    off = [(r, at, length) for r, at, length in found if length >= _ZERO_S * r.rate_hz and length > 2]
    if off:
        first, at, length = off[0]
        without = ", without gravity" if first.axes("acc") is not None else ""
        yield (
            f"all channels are 0{without}, in {_counted(len(off))} ({first.title}: for "
            f"{length / first.rate_hz:.2f} s at {at / first.rate_hz:.2f} s): the sensor was off, cut it out"
        )


def _stuck(recordings: Sequence[Recording], coarse: bool) -> Iterator[str]:
    for sensor, (_, _, name) in SENSORS.items():
        if sensor == "acc" and coarse:
            continue
        stuck = []
        for r in recordings:
            axes = r.axes(sensor)
            if axes is None:
                continue
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
    ups = _ups(dataset)
    whole = {subject: up for subject, own in ups.items() if (up := _common([*own.values()])) is not None}
    odd = _apart(whole, _FAR_DEG, 50)
    if odd:
        listed = _listed(odd)
        yield f"gravity points elsewhere than in the rest for subject {listed}: the sensor was worn in another way"
    for index, label in enumerate(dataset.label_names):
        in_label = {subject: own[index] for subject, own in ups.items() if index in own and subject not in odd}
        if turned := _apart(in_label, _TURNED_DEG, 90):
            yield (
                f"gravity points elsewhere than in the rest for subject {_listed(turned)} in {label} alone: the sensor "
                "was turned then, or it was done in another way"
            )


def _ups(dataset: Dataset) -> dict[str, dict[int, NDArray[np.float64]]]:
    """Direction of each subject's mean acceleration in each label, unlabelled samples as one more."""
    sums: dict[str, dict[int, NDArray[np.float64]]] = {subject: {} for subject in dataset.subjects}
    for r in dataset.recordings:
        for segment in r.segments():
            total = _acceleration(r)[segment.start : segment.stop].sum(0, dtype=np.float64)
            own = sums[r.subject]
            own[segment.label] = own.get(segment.label, np.zeros(3)) + total
    return {
        subject: {label: unit for label, total in own.items() if (unit := _unit(total)) is not None}
        for subject, own in sums.items()
    }


def _common(directions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """Direction of the sum; None if there are none, or if they cancel each other."""
    total = np.sum(directions, axis=0) if directions else np.zeros(3)
    return _unit(total) if np.linalg.norm(total) > _CANCELLED * len(directions) else None


def _apart(known: dict[str, NDArray[np.float64]], far_deg: float, agreeing: float) -> dict[str, float]:
    """Degrees from the middle of the others, of subjects that are ``far_deg`` away or more where the others agree.

    Args:
        known: a direction of each subject.
        far_deg: least angle.
        agreeing: percentage of the others who must be near their middle.
    """
    if len(known) < _LEAST_SUBJECTS:
        return {}
    apart = {}
    for subject, up in known.items():
        others = np.stack([other for name, other in known.items() if name != subject])
        middle = _unit(np.median(others, axis=0))
        if middle is not None and np.percentile(_angles(others, middle), agreeing) <= _NEAR_DEG:
            angle = float(_angles(up[None], middle)[0])
            if angle >= far_deg:
                apart[subject] = angle
    # If many differ, none is the odd one.
    return apart if len(apart) <= len(known) / 4 else {}


def _listed(apart: dict[str, float]) -> str:
    return short_list(f"{subject} ({angle:.0f} degrees off)" for subject, angle in apart.items())


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64] | None:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else None


def _angles(vectors: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.degrees(np.arccos(np.clip(vectors @ direction, -1, 1)))


def _counted(count: int) -> str:
    return f"{count} recording{'s' * (count > 1)}"
