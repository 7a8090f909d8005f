"""How much a correction of a wearer could bring at most, and what it would without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from fold_models import Wearer
from numpy.typing import NDArray
from personal_scores import Places, corrected, percent_f1, summary

from deseptr.contract import ModelContract, softmax
from deseptr.device.personal.recorded import Recorded

FIFTHS = 5
# A trial is odd if most of its windows are wrong while those of another trial of the same activity are right.
MOSTLY, HARDLY = 0.5, 0.1
CONFIDENT, LEAST, PULL = 0.9, 3, 4.0
Logits = NDArray[np.float64]


def limits(contract: ModelContract, people: list[Wearer]) -> dict[str, Any]:
    """Macro-F1 with everything that a wearer did, and without labels.

    ``other_trials``: each trial of an activity by all of the wearer's other trials. ``same_trials``: each fifth of
    each trial by the rest, without what overlaps it: as if every trial had been recorded in part. ``own_windows``:
    fitted on the very windows that are tested. ``shifted``: prior probabilities of the classes, re-estimated from the
    wearer's unlabelled windows (Saerens, Latinne and Decaestecker, Neural Computation 14, 2002). ``centres``: each
    class's logit less the distance of the embedding from the mean of the wearer's windows that are confidently told as
    it.
    """
    length = contract.input_length
    ways: dict[str, Callable[[Wearer], Logits]] = {
        "other_trials": lambda person: _held_out(person, _trials(person), length),
        "same_trials": lambda person: _held_out(person, _fifths(person), length),
        "own_windows": lambda person: corrected(person.seen, person.seen),
        "shifted": lambda person: _shifted(person.seen, _priors(people, person)),
        "centres": lambda person: _to_centres(person.seen),
    }
    found = {name: summary([_row(person, way(person)) for person in people]) for name, way in ways.items()}
    return found | {"trials": _odd_trials(people)}


def _row(person: Wearer, logits: Logits) -> dict[str, Any]:
    labels = person.seen.labels
    return {"before": percent_f1(labels, person.seen.logits), "after": percent_f1(labels, logits)}


def _held_out(person: Wearer, parts: Iterator[Places], length: int) -> Logits:
    seen = person.seen
    logits = np.array(seen.logits, np.float64)
    for part in parts:
        same = seen.stretches[:, None] == seen.stretches[part]
        near = np.abs(seen.places[:, None] - seen.places[part]) < length
        rest = ~(same & near).any(axis=1) & ~np.isin(np.arange(len(seen)), part)
        if np.isin(seen.labels[part], seen.labels[rest]).all():
            logits[part] = corrected(seen.take(rest), seen.take(part))
    return logits


def _trials(person: Wearer) -> Iterator[Places]:
    """The windows of each trial."""
    for trial in np.unique(person.trials):
        yield np.flatnonzero(person.trials == trial)


def _fifths(person: Wearer) -> Iterator[Places]:
    """A fifth of every label of every trial at a time."""
    pairs = np.unique(np.stack([person.trials, person.seen.labels]), axis=1).T
    places = [np.flatnonzero((person.trials == trial) & (person.seen.labels == label)) for trial, label in pairs]
    for number in range(FIFTHS):
        yield np.sort(np.concatenate([np.array_split(each, FIFTHS)[number] for each in places]))


def _priors(people: list[Wearer], person: Wearer) -> Logits:
    """Shares of the classes in the training of a wearer's model, as its loss weighs them."""
    others = np.concatenate([each.seen.labels for each in people if each.fold != person.fold])
    weights: Logits = np.sqrt(np.bincount(others, minlength=person.seen.classes))
    return weights / weights.sum()


def _shifted(seen: Recorded, priors: Logits) -> Logits:
    own = softmax(np.asarray(seen.logits, np.float64))
    shares = priors
    for _ in range(50):
        weighted = own * (shares / priors)
        shares = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.log(own * (shares / priors) + 1e-300)


def _to_centres(seen: Recorded) -> Logits:
    own, features = softmax(np.asarray(seen.logits, np.float64)), np.asarray(seen.features, np.float64)
    told, scale = own.argmax(axis=1), (features**2).sum(axis=1).mean()
    logits = np.array(seen.logits, np.float64)
    for label in range(seen.classes):
        near = features[(told == label) & (own[:, label] > CONFIDENT)]
        far = ((features - near.mean(axis=0)) ** 2).sum(axis=1) / scale if len(near) >= LEAST else 1.0
        logits[:, label] -= PULL * far
    return logits


def _odd_trials(people: list[Wearer]) -> dict[str, Any]:
    """Errors in trials that are mostly wrong while another trial of the wearer's same activity is right."""
    errors, odd = 0, []
    for person in people:
        wrong = person.seen.logits.argmax(axis=1) != person.seen.labels
        errors += int(wrong.sum())
        for label in np.unique(person.seen.labels):
            own = person.seen.labels == label
            shares = {
                trial: float(wrong[own & (person.trials == trial)].mean()) for trial in np.unique(person.trials[own])
            }
            for trial, share in shares.items():
                if share > MOSTLY and min(shares.values()) < HARDLY:
                    count = int(wrong[own & (person.trials == trial)].sum())
                    odd.append({"wearer": person.name, "label": int(label), "trial": int(trial), "errors": count})
    return {"errors": errors, "odd": odd, "share": sum(each["errors"] for each in odd) / max(1, errors)}
