r"""What does a model cost that was trained for a sensor in any orientation, and what does it bring to a turned one?

    deseptr crossval hapt.npz --protocol official --labels 1-6 --distillation none --validation 0 --seed 0 \
        -o runs/upright
    deseptr crossval hapt.npz --protocol official --labels 1-6 --distillation none --validation 0 --seed 0 \
        --rotation-degrees 180 -o runs/any
    python benchmarks/any_orientation.py hapt.npz runs/upright runs/any -o any_orientation.json

Both int8 models on the official test wearers, as recorded and by a sensor that is turned by each of the 23 turns:
macro-F1 over all test windows, with a 95 % interval over the wearers of the difference as recorded (bootstrap, 2,000
draws).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract import AS_TRAINED, MOUNTINGS, macro_f1, seeds_interval, subject_confusions
from deseptr.data import Dataset, Windows, cut_for_model, load_dataset
from deseptr.device.mounting.recordings import turned_back
from deseptr.tflite import Engine, load_engine, predict

MODEL = Path("fold-test/model.tflite")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="hapt.npz")
    parser.add_argument("upright", type=Path, help="cross-validation with the default rotation")
    parser.add_argument("any", type=Path, help="cross-validation with --rotation-degrees 180")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    summaries = {name: json.loads((getattr(chosen, name) / "crossval.json").read_text()) for name in ("upright", "any")}
    subjects = summaries["upright"]["protocol"]["folds"][0]["test_subjects"]
    tested = load_dataset(chosen.data).select(subjects=subjects)
    engines = {name: load_engine(getattr(chosen, name) / MODEL) for name in summaries}
    as_recorded = {name: counts(engine, windows_of(tested, engine)) for name, engine in engines.items()}
    turned = {name: by_turn(engine, tested) for name, engine in engines.items()}
    interval = seeds_interval(as_recorded["any"][None], as_recorded["upright"][None])
    scores = {name: float(macro_f1(each.sum(0))) for name, each in as_recorded.items()}
    result = {
        "windows": int(as_recorded["any"].sum()),
        "subjects": len(subjects),
        "epochs": {name: epochs(getattr(chosen, name)) for name in summaries},
        "as_recorded": scores,
        "any_minus_upright": {"mean": scores["any"] - scores["upright"], "interval": interval and interval._asdict()},
        "turned": {
            name: {"mean": float(np.mean([*each.values()])), "worst": min(each.values())}
            for name, each in turned.items()
        },
        "by_turn": turned,
    }
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def windows_of(tested: Dataset, engine: Engine) -> Windows:
    """Windows of the model's own labels."""
    return cut_for_model(tested, engine.contract, list(engine.contract.labels))


def by_turn(engine: Engine, tested: Dataset) -> dict[str, float]:
    """Macro-F1 of a sensor that is turned, by the turn."""
    turns = [turn for turn in MOUNTINGS if turn != AS_TRAINED]
    measured = ((turn, turned_back(tested, turn.inverse())) for turn in turns)
    return {turn.name: float(macro_f1(counts(engine, windows_of(each, engine)).sum(0))) for turn, each in measured}


def counts(engine: Engine, windows: Windows) -> Any:
    """Confusion counts ``[subject, class, predicted]``."""
    predicted = predict(engine, windows.signals).argmax(axis=1)
    return subject_confusions(windows.labels, predicted, windows.subjects, len(engine.contract.labels))


def epochs(run: Path) -> int:
    """Epochs of the student."""
    found: int = json.loads((run / "fold-test/run/config.json").read_text())["student_epochs"]
    return found


if __name__ == "__main__":
    main()
