"""What benchmarks of a wearer's correction share: what is recorded, what is the test, and figures over wearers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from fold_models import Wearer
from numpy.typing import NDArray

from deseptr.contract import ModelContract, macro_f1
from deseptr.device.personal.correction import fit_correction
from deseptr.device.personal.recorded import Recorded

TRIES, RESAMPLES, FIFTH, WORSE = 3, 2000, 5, 1.0
Places = NDArray[np.int64]


def corrected(recorded: Recorded, tested: Recorded, new: int = 0) -> NDArray[np.float64]:
    """Logits of windows, corrected by what was recorded."""
    return fit_correction(recorded, 1.0, new).apply(tested.logits, tested.features, tested.statistics)


def percent_f1(labels: NDArray[np.int64], logits: NDArray[Any]) -> float:
    """Macro-F1 in percent over the classes that occur."""
    classes = logits.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
    return 100.0 * float(macro_f1(confusion))


def splits(
    data: str, contract: ModelContract, person: Wearer, lengths: dict[int, float]
) -> Iterator[tuple[Places, Places]]:
    """Indices of the windows that are recorded, and of those of the test, from other trials."""
    random = np.random.default_rng(int(person.name))
    for _ in range(TRIES):
        for end in (0, -1):
            recorded, tested = [], np.ones(len(person.seen), np.bool_)
            for label in range(int(person.seen.labels.max()) + 1):
                own = np.flatnonzero(person.seen.labels == label)
                # HAPT's recordings have every activity, MotionSense's trials one.
                trials = np.unique(person.trials if data == "hapt" else person.trials[own])
                if len(trials) < 2:
                    continue
                tested[person.trials == trials[end]] = False
                inside = own[person.trials[own] == trials[end]]
                if label in lengths and len(inside):
                    count = max(1, 1 + int((lengths[label] - contract.window_s) // contract.hop_s))
                    first = int(random.integers(0, max(1, len(inside) - count + 1)))
                    recorded.append(inside[first : first + count])
            yield np.sort(np.concatenate(recorded)), np.flatnonzero(tested)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures over wearers: means, the paired interval of the gain, the worst, and how many lose."""
    before, after = (np.array([row[name] for row in rows]) for name in ("before", "after"))
    gained = after - before
    worst = np.argsort(before)[: max(1, round(len(rows) / FIFTH))]
    drawn = np.random.default_rng(0).integers(0, len(rows), (RESAMPLES, len(rows)))
    low, high = np.percentile(gained[drawn].mean(axis=1), [2.5, 97.5])
    return {
        "before": float(before.mean()),
        "after": float(after.mean()),
        "gained": {"mean": float(gained.mean()), "low": float(low), "high": float(high)},
        "worst_fifth": {"before": float(before[worst].mean()), "after": float(after[worst].mean())},
        "worst_wearer": {"before": float(before.min()), "after": float(after.min())},
        "largest_loss": float(max(0.0, -gained.min())),
        "worse": int((gained < -WORSE).sum()),
    }
