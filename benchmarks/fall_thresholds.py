"""The threshold detector of the literature, on SisFall and on the daily life of other data sets.

    python benchmarks/fall_thresholds.py ../shared/data -o benchmarks/sisfall/fall_thresholds.json

Beginning, impact and posture, as in Kangas et al., Gait & Posture 28, 2008: within a second the acceleration's
magnitude is below one threshold and then above another, and two seconds later the wearer's posture differs from that
before by an angle. Thresholds come from a grid: those of each wearer are the ones that find most falls of all others
at no more than one false alarm in all of their daily life. Whoever is measured has chosen nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import STANDARD_GRAVITY
from deseptr.data import Recording, load_dataset
from deseptr.evaluate.continuous.event_scores import EventRecord, TrueEvent, score_events

BEGINNINGS_G = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.1)
IMPACTS_G = (1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0)
ANGLES_DEG = (0, 30, 40, 50, 60, 75)
ALLOWED = (0, 1, 3, 10, 30)
FALLING_S = 1.0
# Means of the acceleration that are postures, seconds from the impact.
BEFORE_S, AFTER_S = (-4.0, -1.5), (1.5, 2.5)
REFRACTORY_S = 10.0
OTHERS = ("hapt", "motionsense")


class Thresholds(NamedTuple):
    """Settings: magnitudes in g and an angle in degrees."""

    beginning_g: float
    impact_g: float
    angle_deg: float


class Trial(NamedTuple):
    """A recording: its wearer, its duration, the moment of its fall if it has one, and the alarms of each setting."""

    subject: str
    duration_s: float
    impact_s: float | None
    alarms_s: dict[Thresholds, tuple[float, ...]]


GRID = [Thresholds(*each) for each in product(BEGINNINGS_G, IMPACTS_G, ANGLES_DEG)]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with sisfall.npz, hapt.npz and motionsense.npz")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    trials = list(sisfall(chosen.data / "sisfall.npz"))
    wearers = sorted({trial.subject for trial in trials})
    choices = {wearer: choose([trial for trial in trials if trial.subject != wearer]) for wearer in wearers}
    overall = choose(trials)
    result = {
        "grid": {"beginning_g": BEGINNINGS_G, "impact_g": IMPACTS_G, "angle_deg": ANGLES_DEG},
        "left_out": scores(trials, choices),
        "wearers": {
            wearer: {"thresholds": choices[wearer]._asdict()}
            | scores([trial for trial in trials if trial.subject == wearer], choices)
            for wearer in wearers
        },
        "all_wearers": {"thresholds": overall._asdict()} | scores(trials, dict.fromkeys(wearers, overall)),
        "front": [
            {"allowed": allowed, **best._asdict(), **scores(trials, dict.fromkeys(wearers, best))}
            for allowed in ALLOWED
            for best in [choose(trials, allowed)]
        ],
        "elsewhere": {name: elsewhere(chosen.data / f"{name}.npz", overall) for name in OTHERS},
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def sisfall(path: Path) -> Iterator[Trial]:
    """The trials of SisFall."""
    dataset = load_dataset(path)
    impacts = np.load(path)["impact"]
    for recording, impact in zip(dataset.recordings, impacts, strict=True):
        moment = None if impact < 0 else float(impact / recording.rate_hz)
        yield Trial(recording.subject, recording.duration_s, moment, alarms(recording))


def alarms(recording: Recording) -> dict[Thresholds, tuple[float, ...]]:
    """Times of the alarms of every setting of the grid, seconds."""
    acceleration = recording.signals[:, :3].astype(np.float64) / STANDARD_GRAVITY
    rate, magnitude = recording.rate_hz, np.linalg.norm(acceleration, axis=1)
    width = round(FALLING_S * rate)
    padded = np.concatenate([np.full(width, np.inf), magnitude])
    lowest = np.lib.stride_tricks.sliding_window_view(padded, width + 1).min(axis=1)
    moments = np.flatnonzero((magnitude >= min(IMPACTS_G)) & (lowest <= max(BEGINNINGS_G)))
    angles = _turned(acceleration, moments, rate)
    found = {}
    for setting in GRID:
        meant = (magnitude[moments] >= setting.impact_g) & (lowest[moments] <= setting.beginning_g)
        found[setting] = _raised(moments[meant & (angles >= setting.angle_deg)], rate)
    return found


def _turned(acceleration: NDArray[np.float64], moments: NDArray[np.intp], rate: float) -> NDArray[np.float64]:
    """Angles between the postures before and after some samples, degrees; 0 where one of them was not recorded."""
    sums = np.concatenate([np.zeros((1, 3)), acceleration.cumsum(axis=0)])
    postures, recorded = [], np.ones(len(moments), bool)
    for span in (BEFORE_S, AFTER_S):
        first, last = (np.clip(moments + round(s * rate), 0, len(acceleration)) for s in span)
        recorded &= last - first >= 0.3 * rate
        postures.append(sums[last] - sums[first])
    before, after = postures
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    cosines = (before * after).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    return np.where(recorded, np.degrees(np.arccos(np.clip(cosines, -1, 1))), 0.0)


def _raised(moments: NDArray[np.intp], rate: float) -> tuple[float, ...]:
    made: list[float] = []
    for moment in moments / rate + AFTER_S[1]:
        if not made or moment - made[-1] >= REFRACTORY_S:
            made.append(float(moment))
    return tuple(made)


def choose(trials: Sequence[Trial], allowed: int = 1) -> Thresholds:
    """The setting that finds most falls at so few false alarms in daily life; ties go to fewer of these."""

    def merit(setting: Thresholds) -> tuple[bool, int, int]:
        calm = sum(len(trial.alarms_s[setting]) for trial in trials if trial.impact_s is None)
        falls = score_events([record(trial, setting) for trial in trials if trial.impact_s is not None])
        return calm <= allowed, falls.detected if calm <= allowed else -calm, -calm

    return max(GRID, key=merit)


def record(trial: Trial, setting: Thresholds) -> EventRecord:
    """A trial for scoring; an alarm is due from a second before the impact on."""
    latest = trial.duration_s + AFTER_S[1]
    due = () if trial.impact_s is None else (TrueEvent(trial.impact_s, latest, 1.0),)
    return EventRecord(trial.subject, trial.duration_s, due, trial.alarms_s[setting])


def scores(trials: Sequence[Trial], choices: dict[str, Thresholds]) -> dict[str, Any]:
    """Scores of the falls and of daily life, each wearer with their own thresholds."""
    parts = {
        "falls": [trial for trial in trials if trial.impact_s is not None],
        "daily_life": [trial for trial in trials if trial.impact_s is None],
    }
    return {
        name: score_events([record(trial, choices[trial.subject]) for trial in part]).to_dict()
        for name, part in parts.items()
    }


def elsewhere(path: Path, setting: Thresholds) -> dict[str, Any]:
    """False alarms in recordings without falls."""
    recordings = load_dataset(path).recordings
    records = [EventRecord(each.subject, each.duration_s, (), alarms(each)[setting]) for each in recordings]
    return score_events(records).to_dict()


if __name__ == "__main__":
    main()
