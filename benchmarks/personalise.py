"""What does a wearer's own correction bring on int8 models, to people whom the models never saw?

    python benchmarks/personalise.py ../shared/data --motionsense RUN MODELS --hapt RUN MODELS \
        --without FOLDER -o benchmarks/personalise.json

Every wearer is a test wearer of one of ten folds (`fold_models.py`), and the int8 engine that the device runs gives
the logits and embeddings. Each activity is recorded for some seconds: on HAPT from one of the wearer's two recordings,
and the other is the test; on MotionSense from one trial of the activity, and the wearer's other trials of it are the
test. The first and the last are recorded in turn, from several beginnings; an activity that a wearer did in one trial
alone is tested and not recorded. A correction that the wearer's own windows refuse is not used, as in the commands.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fold_models import BASIC, Folds, Wearer, add_folds
from personal_bus import over_the_bus
from personal_limits import limits
from personal_new import new_labels, withheld_labels
from personal_scores import WORSE, Places, corrected, percent_f1, splits, summary

from deseptr.contract import ModelContract
from deseptr.device.personal.correction import GAIN, OFFSET, RIDGE
from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.self_check import check_itself

SECONDS = (3, 10, 30)
LONG_S, LONG = 60, ("sitting", "standing", "walking")
ON_THE_BUS_S = 30


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    add_folds(parser)
    parser.add_argument(
        "--without",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="runs of `deseptr crossval --protocol official --labels …` without one activity, as DATA-ACTIVITY",
    )
    parser.add_argument("--new-only", action="store_true", help="measure these alone; the rest of OUTPUT stays")
    parser.add_argument("--bus", type=int, default=3, help="wearers of each data set who are played over the bus")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.new_only:
        kept = json.loads(chosen.output.read_text("utf-8")) | {"left_out": new_labels(chosen.data, chosen.without)}
        chosen.output.write_text(json.dumps(kept, indent=1) + "\n")
        return
    result: dict[str, Any] = {"gain": GAIN, "ridge": RIDGE, "offset": OFFSET, "worse_by": WORSE}
    result["sets"] = {}
    for name, labels in (("motionsense", ()), ("hapt", BASIC)):
        folds = Folds.read(chosen.data, name, getattr(chosen, name), labels)
        people, contract = list(folds.wearers()), folds.engine(0).contract
        # Held out when the constants of the correction were chosen.
        found = result["sets"][name] = _measure_all(name, contract, people, folds.dataset.test_subjects)
        worst = sorted(found["runs"][-2]["wearers"], key=lambda row: float(row["before"]))[: chosen.bus]
        found["bus"] = [
            _bus(name, folds, person) for person in people if person.name in {row["wearer"] for row in worst}
        ]
    result["left_out"] = new_labels(chosen.data, chosen.without)
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def _measure_all(data: str, contract: ModelContract, people: list[Wearer], held_out: Sequence[str]) -> dict[str, Any]:
    runs = []
    lengths = [(seconds, contract.labels) for seconds in SECONDS] + [(LONG_S, LONG)]
    for seconds, labels in lengths:
        wanted = {contract.labels.index(label): float(seconds) for label in labels}
        rows = [_row(contract, person, list(splits(data, contract, person, wanted))) for person in people]
        others = summary([row for row in rows if row["wearer"] in held_out])["gained"]
        run = {"seconds": seconds, "all": labels == contract.labels, "held_out": others}
        runs.append(run | summary(rows) | {"wearers": rows})
    found = {
        "labels": list(contract.labels),
        "held_out": list(held_out),
        "runs": runs,
        "limits": limits(contract, people),
    }
    return found | {"withheld": withheld_labels(data, contract, people)}


def _bus(data: str, folds: Folds, person: Wearer) -> dict[str, Any]:
    contract = folds.engine(person.fold).contract
    lengths = dict.fromkeys(range(len(contract.labels)), float(ON_THE_BUS_S))
    recorded, tested = next(splits(data, contract, person, lengths))
    return over_the_bus(folds, person, recorded, tested)


def _row(contract: ModelContract, person: Wearer, tries: Sequence[tuple[Places, Places]]) -> dict[str, Any]:
    measured = [_measured(contract, person.seen.take(recorded), person.seen.take(tested)) for recorded, tested in tries]
    before, after, refused = (float(np.mean([each[index] for each in measured])) for index in range(3))
    return {"wearer": person.name, "before": before, "after": after, "refused": refused}


def _measured(contract: ModelContract, recorded: Recorded, tested: Recorded) -> tuple[float, float, bool]:
    """Macro-F1 in percent before and after, over the classes that are tested, and whether the correction is refused."""
    before = percent_f1(tested.labels, tested.logits)
    if check_itself(recorded, 1.0, 0, contract.input_length).worse:
        return before, before, True
    return before, percent_f1(tested.labels, corrected(recorded, tested)), False


if __name__ == "__main__":
    main()
