"""Which score tells a movement that a model never learned, or a sensor worn elsewhere, from what it knows?

    python benchmarks/unknown.py ../shared/data --phone RUN --waist RUN --int8-waist HAPT.tflite
        --left-out RUN ... -o benchmarks/unknown.json

Scores of the logits, of the tokens before the heads (the embedding) and of statistics of the samples are fitted on the
training wearers and measured on the test wearers, of MotionSense (in a trouser pocket) and HAPT (at the waist): the
area under the curve, and the share found where 95 % of the test wearers' windows are known. Strange are windows of the
other data set, and those of a sensor that is turned by 90° about z. With ``--left-out``, a model that was trained
without one activity is given that one; the statistics need no model, so that every activity is left out of them.

Then the chosen score as `deseptr calibrate --known` makes it and `device run` uses it: what int8 models lose on their
test wearers, and what is found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from confidence import auroc, strangers
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, KnownWindows, ModelContract, nearest, window_statistics
from deseptr.data import Dataset, Windows, load_dataset
from deseptr.device import Window, default_model
from deseptr.device.label.familiarity import Familiarity
from deseptr.evaluate.known_windows import find_known_windows, known_subjects, prototypes_of
from deseptr.evaluate.predictor import windows_for
from deseptr.tflite import Engine, load_engine, predict

KNOWN, SHARES = 0.95, (0.95, 0.99)
EVERY = 3
Rows = NDArray[Any]
Score = Callable[[Rows], Rows]
Fit = Callable[[Rows, Rows], Score]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("--phone", type=Path, required=True, help="run of MotionSense")
    parser.add_argument("--waist", type=Path, required=True, help="run of HAPT's official split")
    parser.add_argument("--int8-waist", type=Path, required=True, help="the same model in int8")
    parser.add_argument("--left-out", type=Path, nargs="*", default=[], help="runs of HAPT without one activity each")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    phone, waist = (load_dataset(chosen.data / f"{name}.npz") for name in ("motionsense", "hapt"))
    engines = {"motionsense": load_engine(default_model()), "hapt": load_engine(chosen.int8_waist)}
    sets = {"motionsense": (phone, waist), "hapt": (waist, phone)}
    runs = {"motionsense": chosen.phone, "hapt": chosen.waist}
    result = {
        "known": KNOWN,
        "scores": {name: scores(runs[name], engines[name], *sets[name]) for name in sets},
        "left_out": {
            "model": [row for run in chosen.left_out for row in left_out(run, waist)],
            "statistics": {name: without_each(engines[name], *split(engines[name], sets[name][0])) for name in sets},
        },
        "chosen": {name: as_product(engines[name], *sets[name]) for name in sets},
        "cost_us": cost(engines["motionsense"].contract),
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def split(engine: Engine, dataset: Dataset) -> tuple[Windows, Windows]:
    """Windows of those that the model knows, every third, and of its test wearers."""
    own = known_subjects(engine.contract, dataset, None)
    others = tuple(each for each in dataset.subjects if each not in own)
    training, test = (windows_for(engine.contract, dataset.select(subjects=part)) for part in (own, others))
    return training.take(np.arange(0, len(training), EVERY)), test


def scores(run: Path, engine: Engine, dataset: Dataset, other: Dataset) -> list[dict[str, Any]]:
    """Each score against windows of the other data set and of a turned sensor."""
    training, test = split(engine, dataset)
    strange = {"other": strangers(engine, other)[::2], "turned": turned(test.signals[::EVERY])}
    features = Features(run)
    rows = []
    for name, space, fit in SCORES:
        score = fit(features.of(space, training.signals), training.labels)
        own = score(features.of(space, test.signals))
        found = {what: score(features.of(space, windows)) for what, windows in strange.items()}
        rows.append({"score": name, **figures(own, found)})
    return rows


def figures(own: Rows, strange: dict[str, Rows]) -> dict[str, Any]:
    """Area under the curve, and share found at the threshold of known windows, by kind of strange ones."""
    limit = np.quantile(own, 1 - KNOWN)
    return {
        "auroc": {what: auroc(own, values) for what, values in strange.items()},
        "found": {what: float((values < limit).mean()) for what, values in strange.items()},
    }


def turned(windows: Rows) -> Rows:
    """Windows of a sensor that is turned by 90° about z."""
    made = windows.copy()
    for first in (0, 3):
        made[..., first], made[..., first + 1] = -windows[..., first + 1], windows[..., first]
    return made


def left_out(run: Path, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Each score of a model that lacks one activity of a data set, against that activity; test wearers."""
    from deseptr.train.run_folder import RunFolder, read_metrics

    features = Features(run)
    contract = features.contract
    names = [name for name in dataset.label_names if name not in contract.labels and "_to_" not in name]
    people = read_metrics(RunFolder(run))["subjects"]
    training = windows_for(contract, dataset.select(subjects=(*people["train"], *people["validation"])))
    tested = dataset.select(subjects=people["test"])
    test = windows_for(contract, tested)
    for name in names:
        unseen = windows_for(replace(contract, labels=(name, "-")), tested)
        for title, space, fit in SCORES:
            score = fit(features.of(space, training.signals), training.labels)
            strange = {"unseen": score(features.of(space, unseen.signals))}
            yield {"activity": name, "score": title, **figures(score(features.of(space, test.signals)), strange)}


def without_each(engine: Engine, training: Windows, test: Windows) -> list[dict[str, Any]]:
    """The statistics' score without each activity in turn, against that activity."""
    history = engine.contract.history
    rows, tested = (window_statistics(part.signals[:, history:], CHANNELS) for part in (training, test))
    made = []
    for number, name in enumerate(engine.contract.labels):
        kept = training.labels != number
        score = codebook(rows[kept], training.labels[kept])
        strange = {"unseen": score(tested[test.labels == number])}
        made.append({"activity": name, **figures(score(tested[test.labels != number]), strange)})
    return made


class Features:
    """Logits, embedding and statistics of windows, the first two in float of a run's model."""

    def __init__(self, run: Path) -> None:
        from deseptr.train.quiet_import import load_quietly

        load_quietly()
        from deseptr.train import load_run

        self._classifier, self.contract = load_run(run)
        self._kept: dict[int, tuple[Rows, Rows, Rows]] = {}

    def of(self, space: str, windows: Rows) -> Rows:
        """Features ``[window, feature]`` of a space; of each array of windows they are computed once."""
        if id(windows) not in self._kept:
            statistics = window_statistics(windows[:, self.contract.history :], self.contract.channels)
            # The array is kept as well, so that no other one gets its id.
            self._kept[id(windows)] = (windows, *self._of_network(windows), statistics)
        _, logits, tokens, statistics = self._kept[id(windows)]
        return {"logits": logits, "embedding": tokens, "statistics": statistics}[space]

    def _of_network(self, windows: Rows) -> tuple[Rows, Rows]:
        parts = [self._batch(windows[start : start + 512]) for start in range(0, len(windows), 512)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _batch(self, windows: Rows) -> tuple[Rows, Rows]:
        from keras import ops

        network = self._classifier.network
        views = self._classifier.front_end(windows)
        encoded, peaks = network.columns(views, False)
        placed = ops.clip(encoded + network.time_position, -1.0, 1.0)
        placed = ops.reshape(placed, (len(windows), -1, network.dim))
        special = ops.clip(ops.convert_to_tensor(network.time_special), -1.0, 1.0)
        special = ops.broadcast_to(special, (len(windows), *special.shape))
        tokens = network.time_block(ops.concatenate([special, placed], axis=1), training=False)
        highest = ops.max(peaks, axis=1)
        heads = [
            head(ops.concatenate([tokens[:, place], highest], axis=-1))
            for place, head in enumerate(network.output_heads)
        ]
        return np.asarray(sum(heads)) / len(heads), np.asarray(tokens).reshape(len(windows), -1)


def codebook(rows: Rows, labels: Rows) -> Score:
    """Distance from the nearest of 16 prototypes a class, as `deseptr calibrate --known` makes them."""
    scale, table = prototypes_of(rows.astype(np.float64), labels, np.random.default_rng(0))
    return lambda strange: -nearest(strange / scale, table)


def shared_covariance(rows: Rows, labels: Rows) -> Score:
    """Mahalanobis distance from the nearest class mean, with the covariance within all classes (Lee et al., 2018)."""
    means = [rows[labels == each].mean(axis=0) for each in np.unique(labels)]
    within = np.concatenate([rows[labels == each] - mean for each, mean in zip(np.unique(labels), means, strict=True)])
    covariance = np.cov(within.T)
    precision = np.linalg.inv(covariance + 0.1 * np.trace(covariance) / len(covariance) * np.eye(len(covariance)))
    away = lambda strange, mean: np.einsum("ij,jk,ik->i", strange - mean, precision, strange - mean)  # noqa: E731
    return lambda strange: -np.min([away(strange, mean) for mean in means], axis=0)


def class_means(rows: Rows, labels: Rows) -> Score:
    """Distance from the nearest class mean."""
    means = np.stack([rows[labels == each].mean(axis=0) for each in np.unique(labels)])
    return lambda strange: -nearest(strange, means)


def plain(function: Score) -> Fit:
    """A score that is not fitted."""
    return lambda rows, labels: function


SCORES: tuple[tuple[str, str, Fit], ...] = (
    ("largest logit", "logits", plain(lambda logits: logits.max(1))),
    ("energy", "logits", plain(lambda logits: np.log(np.exp(logits).sum(1)))),
    ("Mahalanobis, logits", "logits", shared_covariance),
    ("nearest of 16 prototypes a class, logits", "logits", codebook),
    ("nearest class mean, embedding", "embedding", class_means),
    ("Mahalanobis, embedding", "embedding", shared_covariance),
    ("nearest of 16 prototypes a class, embedding", "embedding", codebook),
    ("Mahalanobis, statistics", "statistics", shared_covariance),
    ("nearest of 16 prototypes a class, statistics", "statistics", codebook),
)


def as_product(engine: Engine, dataset: Dataset, other: Dataset) -> list[dict[str, Any]]:
    """What an int8 model loses on its test wearers, and what is found, with and without smoothing."""
    contract = engine.contract
    own = known_subjects(contract, dataset, None)
    tested = dataset.select(subjects=tuple(each for each in dataset.subjects if each not in own))
    test = windows_for(contract, tested)
    right = predict(engine, test.signals).argmax(axis=1) == test.labels
    made = []
    for share in SHARES:
        known = find_known_windows(contract, dataset.select(subjects=own), share).known
        unknown = np.concatenate([_streamed(known, contract, part) for part in runs_of(test)])
        found = {"other": strangers(engine, other), "turned": turned(test.signals)}
        made.append(
            {
                "share": share,
                "windows": len(test),
                "prototypes": len(known.table),
                "contract_bytes": len(replace(contract, known_windows=known).to_json()) - len(contract.to_json()),
                "unknown": float(unknown.mean()),
                "by_wearer": {str(each): float(unknown[test.subjects == each].mean()) for each in tested.subjects},
                "accuracy_before": float(right.mean()),
                "accuracy_after": float((right & ~unknown).mean()),
                "found": {what: _found(known, contract, windows) for what, windows in found.items()},
            }
        )
    return made


def runs_of(windows: Windows) -> Iterator[Rows]:
    """Windows of one wearer and activity in a row, each a stream of its own."""
    changes = (windows.labels[1:] != windows.labels[:-1]) | (windows.subjects[1:] != windows.subjects[:-1])
    yield from np.split(windows.signals, np.flatnonzero(changes) + 1)


def _streamed(known: KnownWindows, contract: ModelContract, windows: Rows) -> NDArray[np.bool_]:
    familiarity = Familiarity(known, contract.channels, contract.hop_s)
    return np.array([familiarity.update(Window(0, window, contract.history)) > 1 for window in windows])


def _found(known: KnownWindows, contract: ModelContract, windows: Rows) -> float:
    statistics = window_statistics(windows[:, contract.history :], contract.channels) / np.array(known.scale)
    return float((nearest(statistics, known.table) > known.limit).mean())


def cost(contract: ModelContract) -> float:
    """Median time to score a window, microseconds."""
    rng = np.random.default_rng(0)
    known = KnownWindows.of([1.0] * 9, rng.normal(size=(96, 9)), 1.0, 0.5)
    familiarity = Familiarity(known, contract.channels, contract.hop_s)
    window = Window(0, rng.normal(size=(contract.input_length, 6)).astype(np.float32), contract.history)
    times = []
    for _ in range(2000):
        begun = time.perf_counter_ns()
        familiarity.update(window)
        times.append(time.perf_counter_ns() - begun)
    return float(np.median(times)) / 1000


if __name__ == "__main__":
    main()
