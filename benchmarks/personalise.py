"""What does a wearer's own correction bring on int8 models, for people whom neither training nor its constants saw?

    python benchmarks/personalise.py ../shared/data --hapt HAPT.tflite -o benchmarks/personalise.json

The packaged model on the test wearers of MotionSense, and a model of HAPT's official split on its test wearers. Each
activity is recorded for some seconds: on HAPT from one of the wearer's two recordings, and the other is the test; on
MotionSense from a trial of that activity, and the wearer's other trials of it are the test. The first and the last are
tried, from several beginnings. A correction that the wearer's own windows refuse is not used, as in the commands. For a
new label, one class's logit is withheld: the network did learn of it, so that a label that is really new does worse.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ModelContract, macro_f1
from deseptr.data import Dataset, Windows, load_dataset
from deseptr.device import default_model
from deseptr.device.personal.correction import GAIN, OFFSET, RIDGE, fit_correction
from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.self_check import check_itself
from deseptr.evaluate.predictor import windows_for
from deseptr.tflite import Engine, load_engine, predict_with_embeddings

SECONDS = (3, 10, 30)
LONG = {"seconds": 60, "labels": ("sitting", "standing", "walking")}
NEW = {"seconds": 30, "others": 10}
TRIES, RESAMPLES, FIFTH = 3, 2000, 5


class Wearer(NamedTuple):
    """Windows of a wearer as the model sees them, and the trial of each."""

    name: str
    seen: Recorded
    trials: NDArray[np.int64]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("--hapt", type=Path, required=True, help="int8 model of HAPT's official split")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    result: dict[str, Any] = {"gain": GAIN, "ridge": RIDGE, "offset": OFFSET, "tries": TRIES, "new_s": NEW, "runs": []}
    for name, model in (("motionsense", default_model()), ("hapt", chosen.hapt)):
        engine, dataset = load_engine(model), load_dataset(chosen.data / f"{name}.npz")
        people = _wearers(engine, _tested(engine.contract, dataset))
        every = engine.contract.labels
        for seconds, labels in [*((each, every) for each in SECONDS), (LONG["seconds"], LONG["labels"])]:
            run = _run(name, engine.contract, people, seconds, labels)
            result["runs"].append(run | {"data": name, "seconds": seconds, "all": labels is every})
        result.setdefault("features", {})[name] = "embedding" if engine.contract.embedding_width else "logits"
        result.setdefault("new", {})[name] = _new(name, engine.contract, people)
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def _tested(contract: ModelContract, dataset: Dataset) -> Dataset:
    """The recordings of the people whom the model did not learn from."""
    names = contract.held_out.among(dataset.subjects) if contract.held_out else dataset.test_subjects
    return dataset.select(subjects=names, labels=contract.labels)


def _wearers(engine: Engine, dataset: Dataset) -> list[Wearer]:
    windows = windows_for(engine.contract, dataset)
    trials = np.array([int(each.name) for each in dataset.recordings])
    return [_wearer(engine, windows.of_subjects([name]), trials, name) for name in dataset.subjects]


def _wearer(engine: Engine, windows: Windows, trials: NDArray[np.int64], name: str) -> Wearer:
    logits, embeddings = predict_with_embeddings(engine, windows.signals)
    logits *= engine.contract.logit_temperature or 1.0
    seen = Recorded(logits, embeddings, windows.labels, windows.recording, windows.start)
    return Wearer(name, seen, trials[windows.recording])


def _run(
    data: str, contract: ModelContract, people: list[Wearer], seconds: float, labels: tuple[str, ...]
) -> dict[str, Any]:
    rows = []
    for person in people:
        wanted = [contract.labels.index(label) for label in labels]
        tries = [
            _measured(contract, person.seen.take(recorded), person.seen.take(tested))
            for recorded, tested in _splits(data, contract, person, dict.fromkeys(wanted, seconds))
        ]
        before, after, refused = (float(np.mean([each[index] for each in tries])) for index in range(3))
        rows.append({"wearer": person.name, "before": before, "after": after, "refused": refused})
    return _summary(rows) | {"wearers": rows}


def _measured(contract: ModelContract, recorded: Recorded, tested: Recorded) -> tuple[float, float, bool]:
    """Macro-F1 in percent before and after, over the classes that are tested, and whether the correction is refused."""
    before = _f1(tested.labels, tested.logits)
    check = check_itself(recorded, _temperature(contract), 0, contract.input_length)
    if check.worse:
        return before, before, True
    return before, _f1(tested.labels, _corrected(contract, recorded, tested, 0)), False


def _corrected(contract: ModelContract, recorded: Recorded, tested: Recorded, new: int) -> NDArray[np.float64]:
    temperature = _temperature(contract)
    logits = tested.logits / temperature
    features = tested.embeddings if tested.embeddings.shape[1] else logits
    return fit_correction(recorded, temperature, new).apply(logits, features)


def _temperature(contract: ModelContract) -> float:
    return contract.logit_temperature or 1.0


def _f1(labels: NDArray[np.int64], logits: NDArray[Any]) -> float:
    classes = logits.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
    return 100.0 * float(macro_f1(confusion))


def _splits(
    data: str, contract: ModelContract, person: Wearer, lengths: dict[int, float]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of the windows that are recorded, and of those of the test, from other recordings."""
    random = np.random.default_rng(int(person.name))
    for _ in range(TRIES):
        for end in (0, -1):
            recorded, tested = [], np.ones(len(person.seen), np.bool_)
            for label in range(len(contract.labels)):
                own = np.flatnonzero(person.seen.labels == label)
                # HAPT's recordings have every activity, MotionSense's trials one.
                trials = np.unique(person.trials if data == "hapt" else person.trials[own])
                inside = own[person.trials[own] == trials[end]]
                tested[person.trials == trials[end]] = False
                if label in lengths and len(inside):
                    count = max(1, 1 + int((lengths[label] - contract.window_s) // contract.hop_s))
                    first = int(random.integers(0, max(1, len(inside) - count + 1)))
                    recorded.append(inside[first : first + count])
            yield np.sort(np.concatenate(recorded)), np.flatnonzero(tested)


def _new(data: str, contract: ModelContract, people: list[Wearer]) -> dict[str, Any]:
    """F1 of each class as a new label, its logit withheld, and the share of other windows that it takes."""
    found: dict[str, list[tuple[float, float]]] = {label: [] for label in contract.labels}
    for person in people:
        for label, name in enumerate(contract.labels):
            lengths = {each: float(NEW["others"]) for each in range(len(contract.labels))}
            withheld = _withheld(person.seen, label)
            for recorded, tested in _splits(data, contract, person, lengths | {label: float(NEW["seconds"])}):
                asked = withheld.take(tested)
                told = _corrected(contract, withheld.take(recorded), asked, 1).argmax(axis=1) == asked.classes
                true = asked.labels == asked.classes
                hits = int((told & true).sum())
                found[name].append((2 * hits / max(1, told.sum() + true.sum()), float(told[~true].mean())))
    return {
        name: {"f1": float(np.mean([each[0] for each in rows])), "taken": float(np.mean([each[1] for each in rows]))}
        for name, rows in found.items()
    }


def _withheld(seen: Recorded, label: int) -> Recorded:
    """The windows without the logit of a class, whose windows have the label after the others'."""
    rest = [each for each in range(seen.classes) if each != label]
    table = np.array([rest.index(each) if each != label else len(rest) for each in range(seen.classes)])
    return replace(seen, logits=seen.logits[:, rest], labels=table[seen.labels])


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
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
    }


if __name__ == "__main__":
    main()
