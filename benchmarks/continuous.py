"""Labels on whole recordings over the simulated bus: today's defaults, tuned, and with a chain of activities.

    python benchmarks/continuous.py hapt.npz runs/deseptr deseptr.tflite runs/cnn-har cnn-har.tflite -o continuous.json

Each run was trained by ``deseptr train hapt.npz --class-weights sqrt --validation 0.2`` on HAPT's own training wearers;
decisions are tuned on its validation wearers, durations and order of activities are learned from its other
training wearers, and the table is of the test wearers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deseptr.contract import DecisionConfig
from deseptr.data import Dataset, load_dataset
from deseptr.device import describe_machine
from deseptr.evaluate.continuous.measure import classes_of
from deseptr.evaluate.continuous.playing import Played, over_bus, play
from deseptr.evaluate.continuous.summary import figures_of_wearers, summarise
from deseptr.evaluate.continuous.target import Target
from deseptr.evaluate.continuous.tuned_model import chain_of_others, tuning_subjects
from deseptr.evaluate.continuous.tuning import tune
from deseptr.evaluate.predictor import Predictor, load_predictor
from deseptr.firmware_harness.simulator import VirtualClock
from deseptr.tflite import load_engine

HOPS_S = (1.28, 0.64, 0.32, 0.16)
TARGET = Target("delay", 1.5)
BASIC = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")
PLAIN = DecisionConfig("none", threshold=0.0, margin=0.0, dwell_s=0.0)
TRIES, ROUNDS = 100, 3


def decisions(
    predictor: Predictor, dataset: Dataset, validation: tuple[str, ...], hop_s: float
) -> Iterator[tuple[str, DecisionConfig]]:
    """The decisions to compare at a hop, by their names in the table."""
    classes = classes_of(predictor.contract, BASIC)
    played = {hop_s: list(play(predictor, dataset.select(subjects=validation), hop_s))}
    learned, _ = chain_of_others(predictor.contract, dataset, validation)
    before = DecisionConfig(hop_s=hop_s)
    yield "window's own", replace(PLAIN, hop_s=hop_s)
    yield "defaults", before
    options: dict[str, Any] = {"tries": TRIES, "rounds": ROUNDS, "onset_classes": classes}
    yield "tuned", tune(played, TARGET, before, **options).chosen
    tried = tune(played, TARGET, before, learned=learned, **options).tried
    with_chain = [(config, trial) for config, trial in tried if config.smoothing == "markov"]
    yield "tuned, markov", min(with_chain, key=lambda each: TARGET.order(each[1]))[0]
    # Durations alone: what follows what is a habit of the script that the wearers of HAPT were given.
    alone = replace(learned, successions=0 * learned.successions) if learned else None
    tried = tune(played, TARGET, before, learned=alone, **options).tried
    with_chain = [(config, trial) for config, trial in tried if config.smoothing == "markov"]
    yield "tuned, durations alone", min(with_chain, key=lambda each: TARGET.order(each[1]))[0]


def measured(played: list[Played], config: DecisionConfig, labels: tuple[str, ...]) -> dict[str, Any]:
    """The figures of the table, and the kinds of errors."""
    tracks = [each.track(config) for each in played]
    wearers = figures_of_wearers(tracks, len(labels), onset_classes=[labels.index(name) for name in BASIC])
    found = summarise(wearers, labels)
    names = ("frame_f1", "delay_s", "true_changes_per_hour", "changes_per_hour", "spurious_changes_per_hour")
    return {name: found[name] for name in (*names, "segment_errors")}


def decisions_of(
    table: dict[str, Any], model: str, tuned_s: float, hop_s: float
) -> Iterator[tuple[str, DecisionConfig]]:
    """The decisions of an earlier table at the hop ``tuned_s``, for another one."""
    for row in table["rows"]:
        if (row["model"], row["hop_s"]) == (model, tuned_s):
            yield row["decision"], replace(DecisionConfig.from_dict(row["settings"]), hop_s=hop_s)


def rows(
    dataset: Dataset,
    run: Path,
    model: Path,
    hops_s: Sequence[float],
    table: dict[str, Any] | None,
    tuned_s: float | None,
) -> Iterator[dict[str, Any]]:
    """The rows of a model, with the decisions of an earlier table if there is one."""
    engine, predictor = load_engine(model), load_predictor(model)
    validation = tuning_subjects(model, run, None, dataset)
    test = dataset.select(subjects=predictor.contract.held_out.among(dataset.subjects))
    for hop_s in hops_s:
        bus = over_bus(engine, test, DecisionConfig(hop_s=hop_s), sensor="auto", make_clock=VirtualClock)
        played = [each for each, _ in bus]
        name_of = predictor.contract.model
        if table:
            found = decisions_of(table, name_of, tuned_s or hop_s, hop_s)
        else:
            found = decisions(predictor, dataset, validation, hop_s)
        for name, config in found:
            figures = measured(played, config, predictor.contract.labels)
            yield {
                "model": name_of,
                "window_s": predictor.contract.window_s,
                "hop_s": hop_s,
                "decision": name,
                "tuned_at_s": tuned_s or hop_s,
                "settings": config.to_dict(),
                **figures,
            }
            print(name_of, hop_s, name, figures["delay_s"]["p50"], flush=True, file=sys.stderr)


def main() -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("models", nargs="+", type=Path, help="run folder and .tflite of each model")
    parser.add_argument("--hops", type=float, nargs="+", default=HOPS_S, metavar="SECONDS")
    parser.add_argument("--again", type=Path, help="measure the decisions of this table instead of tuning")
    parser.add_argument("--tuned-at", type=float, metavar="SECONDS", help="take the table's decisions at this hop")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    dataset = load_dataset(chosen.data)
    table = json.loads(chosen.again.read_text()) if chosen.again else None
    pairs = zip(chosen.models[::2], chosen.models[1::2], strict=True)
    content = {
        "format": "deseptr continuous benchmark 1",
        "target": str(TARGET),
        "shortest_s": 5.0,
        "rows": [row for run, model in pairs for row in rows(dataset, run, model, chosen.hops, table, chosen.tuned_at)],
        "machine": describe_machine()["cpu"],
    }
    chosen.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
