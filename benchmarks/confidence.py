"""Does a temperature calibrate int8 models for other people, and do their logits tell what they never learned?

    python benchmarks/confidence.py ../shared/data --official HAPT.tflite --sisfall MODELS \
        --motionsense RUN MODELS --hapt RUN MODELS -o benchmarks/confidence.json

The packaged model and SisFall's three are calibrated on the validation wearers of their training and measured on the
test wearers; a model of HAPT's official split, which had no validation wearers, on each test wearer with the
temperature of the others. Ten models each of MotionSense and of HAPT (`fold_models.py`) saw none of two or three
wearers, and are calibrated on each of these alone for each other one: does it help to leave out a temperature that the
windows do not tell from 1? Then each model is given the other data set, which was recorded in another place on the
body with the axes pointing elsewhere, and signals of no wearer: how many of their windows score below 95 % of those of
its own test wearers?
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from fold_models import BASIC, Folds, add_folds
from numpy.typing import NDArray

from deseptr.contract import fit_temperature, reliability, softmax
from deseptr.data import Dataset, load_dataset
from deseptr.device import default_model
from deseptr.evaluate.predictor import windows_for
from deseptr.evaluate.temperature import calibrate
from deseptr.tflite import Engine, load_engine, predict

VALIDATION, TEST = ("14", "16", "19"), ("5", "10", "12", "22")
KNOWN = 0.95
STRANGERS = 3000
# By so much a calibration error is worse.
WORSE = 0.005
Logits = NDArray[np.float64]


def _margin(logits: Logits) -> Logits:
    second, first = np.sort(logits, axis=1)[:, -2:].T
    return np.asarray(first - second)


SCORES: dict[str, Callable[[Logits], Logits]] = {
    "largest logit": lambda logits: logits.max(1),
    "energy": lambda logits: np.log(np.exp(logits).sum(1)),
    "largest probability": lambda logits: softmax(logits).max(1),
    "margin of the two largest logits": _margin,
    "norm of the logits": lambda logits: np.linalg.norm(logits - logits.mean(1, keepdims=True), axis=1),
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("--official", type=Path, required=True, help="int8 model of HAPT's official split")
    parser.add_argument(
        "--sisfall", type=Path, required=True, help="folder of `fall_detector.py`: fold-K, fold-K.tflite"
    )
    add_folds(parser)
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    phone, hapt, falls = (load_dataset(chosen.data / f"{name}.npz") for name in ("motionsense", "hapt", "sisfall"))
    packaged, official = load_engine(default_model()), load_engine(chosen.official)
    tested = hapt.select(subjects=hapt.test_subjects)
    result = {
        "calibration": {
            "motionsense": on_others(packaged, phone.select(subjects=VALIDATION), phone.select(subjects=TEST)),
            "hapt": calibrate(official, tested).to_dict(),
            **{
                f"sisfall, fold {run.name[5:]}": of_run(run, falls) for run in sorted(chosen.sisfall.glob("fold-[0-9]"))
            },
        },
        "one_wearer": {name: one_wearer(chosen.data, name, getattr(chosen, name)) for name in ("motionsense", "hapt")},
        "evidence": {
            "motionsense": evidence(packaged, phone.select(subjects=TEST), hapt),
            "hapt": evidence(official, tested, phone),
        },
        "known": KNOWN,
    }
    chosen.output.write_text(json.dumps(result, indent=2) + "\n")


def on_others(engine: Engine, fitted_on: Dataset, tested: Dataset) -> dict[str, Any]:
    """A calibration on some people, measured on others."""
    fitted = calibrate(engine, fitted_on)
    windows = windows_for(engine.contract, tested)
    logits = logits_of(engine, windows.signals)
    own = fit_temperature(logits, windows.labels)
    steps = {"before": 1.0, "after": fitted.temperature}
    return {
        "temperature": fitted.temperature,
        "sure": fitted.sure,
        "temperature_of_the_tested": own,
        "fitted_on": list(fitted.subjects),
        "subjects": list(tested.subjects),
        "windows": len(windows),
        **{name: reliability(softmax(logits / by), windows.labels).to_dict() for name, by in steps.items()},
    }


def of_run(run: Path, dataset: Dataset) -> dict[str, Any]:
    """The model of a run, calibrated on its validation wearers and measured on its test wearers."""
    subjects = json.loads((run / "metrics.json").read_text("utf-8"))["subjects"]
    engine = load_engine(run.with_suffix(".tflite"))
    return on_others(engine, *(dataset.select(subjects=subjects[part]) for part in ("validation", "test")))


def one_wearer(data: Path, name: str, folders: list[Path]) -> dict[str, Any]:
    """ECE of a wearer's windows without a temperature, with that of one other wearer, and with it if it is sure."""
    folds = Folds.read(data, name, folders, BASIC if name == "hapt" else ())
    rows = []
    for number, (_, names) in enumerate(folds.models):
        engine = folds.engine(number)
        fitted = {each: calibrate(engine, folds.dataset.select(subjects=[each])) for each in names}
        for each, tested in permutations(names, 2):
            windows = windows_for(engine.contract, folds.dataset.select(subjects=[tested]))
            logits = predict(engine, windows.signals).astype(np.float64)
            own = fitted[each]
            steps = (1.0, own.temperature, own.temperature if own.sure else 1.0)
            rows.append([reliability(softmax(logits / by), windows.labels).ece for by in steps])
    before, always, sure = np.array(rows).T
    return {
        "pairs": len(rows),
        "before": float(before.mean()),
        "always": {"ece": float(always.mean()), "worse": int((always > before + WORSE).sum())},
        "sure": {"ece": float(sure.mean()), "worse": int((sure > before + WORSE).sum())},
    }


def evidence(engine: Engine, known: Dataset, other: Dataset) -> list[dict[str, Any]]:
    """For each score: how well it tells the windows of another data set, and of no wearer, from known ones."""
    windows = windows_for(engine.contract, known)
    own = logits_of(engine, windows.signals)
    strange = {"other": logits_of(engine, strangers(engine, other)), "noise": logits_of(engine, noise(engine))}
    rows = []
    for name, score in SCORES.items():
        limit = np.quantile(score(own), 1 - KNOWN)
        found = {what: float((score(logits) < limit).mean()) for what, logits in strange.items()}
        areas = {what: auroc(score(own), score(logits)) for what, logits in strange.items()}
        rows.append({"score": name, "auroc": areas, "found": found})
    return rows


def logits_of(engine: Engine, windows: NDArray[np.float32]) -> Logits:
    """The graph's logits, without the temperature that a calibrated model has already."""
    return predict(engine, windows).astype(np.float64) * (engine.contract.logit_temperature or 1.0)


def strangers(engine: Engine, other: Dataset) -> NDArray[np.float32]:
    """Windows of whole recordings, unlabelled stretches too."""
    length = engine.contract.input_length
    cut = [
        recording.signals[start : start + length]
        for recording in other.recordings
        for start in range(0, len(recording) - length, 3 * length)
    ]
    drawn = np.random.default_rng(0).permutation(len(cut))[:STRANGERS]
    return np.stack([cut[index] for index in drawn])


def noise(engine: Engine) -> NDArray[np.float32]:
    """White noise of 2 g and 2 rad/s."""
    shape = (300, engine.contract.input_length, 6)
    return np.random.default_rng(0).normal(0, [19.6] * 3 + [2.0] * 3, shape).astype(np.float32)


def auroc(known: Logits, strange: Logits) -> float:
    """Probability that a known window scores higher than a strange one (Mann and Whitney), ties counted half."""
    ordered = np.sort(strange)
    below = np.searchsorted(ordered, known, "left") + np.searchsorted(ordered, known, "right")
    return float(below.sum() / (2 * len(known) * len(strange)))


if __name__ == "__main__":
    main()
