"""How well an activity that a model lacks is recognised by half a minute of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fold_models import Wearer, wearer_of
from personal_scores import corrected, splits

from deseptr.contract import ModelContract
from deseptr.data import load_dataset
from deseptr.device.personal.fit import LEAST_NEW
from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.self_check import check_itself
from deseptr.tflite import load_engine

NEW_S, OTHERS_S = 30.0, 10.0


def new_labels(data: Path, folder: Path) -> list[dict[str, Any]]:
    """Models that were trained without an activity, which is then new, on their test wearers.

    Args:
        data: folder of the data sets.
        folder: runs by the name of the data set and the activity, as ``hapt-laying``.
    """
    rows = []
    for run in sorted(each for each in folder.iterdir() if (each / "crossval.json").exists()):
        name, _, activity = run.name.partition("-")
        protocol = json.loads((run / "crossval.json").read_text("utf-8"))["protocol"]
        engine = load_engine(run / "fold-test" / "model.tflite")
        labels = (*engine.contract.labels, activity)
        dataset = load_dataset(data / f"{name}.npz").select(labels=labels)
        people = [
            wearer_of(engine, dataset.select(subjects=[each]), 0, labels)
            for each in protocol["folds"][0]["test_subjects"]
        ]
        rows.append({"data": name, "label": activity, "wearers": len(people)} | _scores(name, engine.contract, people))
    return rows


def withheld_labels(data: str, contract: ModelContract, people: list[Wearer]) -> dict[str, Any]:
    """The same for each class of the models, whose logit is withheld; the network did learn of it."""
    return {
        name: _scores(data, contract, [_withheld(person, label) for person in people])
        for label, name in enumerate(contract.labels)
    }


def _scores(data: str, contract: ModelContract, people: list[Wearer]) -> dict[str, Any]:
    """Means over wearers and tries: F1 of the new label, other windows that it takes, and how often it is refused."""
    found = []
    for person in people:
        new = person.seen.classes
        lengths = dict.fromkeys(range(new), OTHERS_S) | {new: NEW_S}
        for recorded, tested in splits(data, contract, person, lengths):
            own, asked = person.seen.take(recorded), person.seen.take(tested)
            if not (own.labels == new).any():
                continue
            told, true = corrected(own, asked, 1).argmax(axis=1) == new, asked.labels == new
            share = check_itself(own, 1.0, 1, contract.input_length).new.get(0, 0.0)
            f1 = 2 * int((told & true).sum()) / max(1, int(told.sum() + true.sum()))
            found.append((f1, float(told[~true].mean()), share < LEAST_NEW))
    f1, taken, refused = np.mean(found, axis=0).tolist()
    return {"f1": f1, "taken": taken, "refused": refused}


def _withheld(person: Wearer, label: int) -> Wearer:
    """The windows without the logit of a class, whose windows have the label after the others'."""
    seen = person.seen
    rest = [each for each in range(seen.classes) if each != label]
    table = np.array([rest.index(each) if each != label else len(rest) for each in range(seen.classes)])
    without: Recorded = replace(seen, logits=seen.logits[:, rest], labels=table[seen.labels])
    return replace(person, seen=without)
