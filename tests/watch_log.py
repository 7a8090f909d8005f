"""A folder as a watch's logger leaves it, made up: a file a person, bursts of nanosecond stamps, runs of a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deseptr.contract import STANDARD_GRAVITY
from deseptr.data import Recording, synthetic_dataset

PEOPLE = 23
RATE_HZ = 50.0
LABELS = ("WALKING", "SITTING", "JOGGING")
HEADER = "timestamp,accelX,accelY,accelZ,gyroX,gyroY,gyroZ,ACTIVITY"
_PACKET = 10
_BETWEEN_NS = 200_000
_JITTER_NS = 3_000_000
_BEGAN_NS = 1_700_000_000_000_000_000


def write_watch_log(folder: Path, people: int = PEOPLE, seconds: float = 24.0, seed: int = 0) -> Path:
    """Write ``P01/log.csv`` and so on; a person changes between :data:`LABELS` after 1.0 to 1.3 s."""
    rng = np.random.default_rng(seed)
    recordings = synthetic_dataset(subjects=people, seconds=seconds, seed=seed)
    names = [name.upper() for name in recordings.label_names]
    for person in range(1, people + 1):
        own = {
            names[int(r.labels[0])]: r
            for r in recordings.recordings
            if r.subject == str(person) and names[int(r.labels[0])] in LABELS
        }
        path = folder / f"P{person:02}" / "log.csv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join([HEADER, *_rows(own, rng)]) + "\n")
    return folder


def _rows(own: dict[str, Recording], rng: np.random.Generator) -> list[str]:
    labels: list[str] = []
    while len(labels) < len(own[LABELS[0]]):
        run = int(rng.integers(RATE_HZ, 1.3 * RATE_HZ))
        labels += [LABELS[(LABELS.index(labels[-1]) + 1) % len(LABELS)] if labels else LABELS[0]] * run
    count = len(labels) // _PACKET * _PACKET
    rows = []
    for at, (label, stamp) in enumerate(zip(labels[:count], _stamps(count, rng), strict=True)):
        sample = own[label].signals[at % len(own[label])]
        acceleration, rotation = sample[:3] / STANDARD_GRAVITY, np.degrees(sample[3:])
        cells = [f"{value:.4f}" for value in (*acceleration, *rotation)]
        rows.append(",".join([str(stamp), *cells, label]))
    return rows


def _stamps(count: int, rng: np.random.Generator) -> list[int]:
    """Times of arrival: ten samples come in one packet, a fraction of a millisecond apart."""
    packets = count // _PACKET
    arrived = (np.arange(packets) * round(_PACKET / RATE_HZ * 1e9)).astype(np.int64)
    arrived += rng.integers(0, _JITTER_NS, packets)
    return (_BEGAN_NS + arrived[:, None] + np.arange(_PACKET) * _BETWEEN_NS).ravel().tolist()
