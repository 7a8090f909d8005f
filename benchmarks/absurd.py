"""Does the packaged model say `unknown` of what nobody wears, and what does that cost what it knows?

    python benchmarks/absurd.py ../shared/data --hapt HAPT.tflite -o benchmarks/absurd.json

Signals and recordings are played through a simulated MPU-6050, its bus and its driver into a model as `device run` runs
it: as it is, with its temperature, its known windows and its mounting, and without these. Absurd signals last a minute.
A turned sensor is worn by each test wearer of MotionSense for all of their trials, between which its plug is pulled for
some seconds. What the known activities lose is counted on the test wearers of MotionSense, and on those of HAPT by a
model of its official split, which gets the same references from its training wearers as `deseptr calibrate` would.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plausibility import ABSURD, RATE_HZ, SECONDS

from deseptr.contract import CHANNELS, DecisionConfig, Mounting
from deseptr.data import UNLABELLED, Dataset, Recording, load_dataset
from deseptr.device import (
    LabelTracker,
    MountingCorrection,
    MountingEvent,
    MountingWatch,
    UnknownJudge,
    default_model,
    describe_machine,
)
from deseptr.evaluate.known_windows import find_known_windows, known_subjects
from deseptr.evaluate.model_file import write_contract
from deseptr.evaluate.mounting_reference import find_mounting_reference
from deseptr.firmware_harness.simulator import Expected, Nack, Replayed, ReplayedWindow, Scenario, replay
from deseptr.tflite import Engine, load_engine, read_tflite

WAYS = ("without", "packaged", "auto")
SENSOR, SHARE = "mpu6050", 0.99
# Between two trials the sensor holds still, and in the middle of that its plug is pulled.
PAUSE_S, HIDDEN_S = 4.0, 3.0
TURNS = ("x90", "y90", "z90", "x270", "y270", "z270")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with hapt.npz and motionsense.npz")
    parser.add_argument("--hapt", type=Path, required=True, help="int8 model of HAPT's official split")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    phone, waist = (load_dataset(chosen.data / f"{name}.npz") for name in ("motionsense", "hapt"))
    with tempfile.TemporaryDirectory() as folder:
        packaged, plain = load_engine(default_model()), without_references(default_model(), Path(folder))
        six = waist.select(labels=load_engine(chosen.hapt).contract.labels)
        official = with_references(chosen.hapt, six, Path(folder))
        people = tested(packaged, phone)
        result = {
            "seconds": SECONDS,
            "sensor": SENSOR,
            "share": SHARE,
            "absurd": absurd(packaged, plain),
            "turned": turned(packaged, plain, people),
            "known": {"motionsense": known(packaged, people), "hapt": known(official, tested(official, six))},
            "machine": describe_machine(),
        }
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def without_references(model: Path, folder: Path) -> Engine:
    """A model whose contract has neither temperature nor known windows nor mounting."""
    file = read_tflite(model)
    bare = replace(file.contract, logit_temperature=None, known_windows=None, mounting=None)
    return load_engine(write_contract(file, folder / "plain.tflite", bare))


def with_references(model: Path, dataset: Dataset, folder: Path) -> Engine:
    """A model with known windows and mounting of its training wearers."""
    file = read_tflite(model)
    part = dataset.select(subjects=known_subjects(file.contract, dataset, None))
    known_windows = find_known_windows(file.contract, part, SHARE).known
    mounting = find_mounting_reference(file.contract, part).reference
    contract = replace(file.contract, known_windows=known_windows, mounting=mounting)
    return load_engine(write_contract(file, folder / "known.tflite", contract))


def tested(engine: Engine, dataset: Dataset) -> Dataset:
    """The recordings of a model's test wearers."""
    own = known_subjects(engine.contract, dataset, None)
    return dataset.select(subjects=tuple(each for each in dataset.subjects if each not in own))


def played(
    engine: Engine, dataset: Dataset, mounting: str | None = None, faults: Sequence[Nack] = ()
) -> Iterator[Replayed]:
    """Events of recordings as `device run --simulate` has them."""
    contract = engine.contract
    scenario = Scenario("trials", "", dataset.recordings[0].duration_s, Expected(), faults=tuple(faults))
    return replay(
        engine,
        dataset,
        sensor=SENSOR,
        tracker=LabelTracker(contract.labels, DecisionConfig(), contract.hop_s),
        unknown=UnknownJudge(contract),
        mounting=MountingWatch.of(contract, mounting),
        scenario=scenario if faults else None,
    )


def windows_of(events: Iterator[Replayed]) -> list[ReplayedWindow]:
    """The windows among events."""
    return [each for each in events if isinstance(each, ReplayedWindow)]


def absurd(packaged: Engine, plain: Engine) -> dict[str, Any]:
    """What a model says of each absurd signal, with its references and without."""
    rng = np.random.default_rng(0)
    rows = {}
    for name, make in ABSURD.items():
        dataset = worn("absurd", make(rng), np.full(round(SECONDS * RATE_HZ), UNLABELLED), ())
        rows[name] = {
            "packaged": until_unknown(windows_of(played(packaged, dataset))),
            "without": until_unknown(windows_of(played(plain, dataset))),
        }
    return rows


def worn(name: str, signals: NDArray[Any], labels: NDArray[Any], names: tuple[str, ...]) -> Dataset:
    """A data set of one recording."""
    recording = Recording(signals, RATE_HZ, "1", labels)
    return Dataset((recording,), names, name)


def until_unknown(windows: list[ReplayedWindow]) -> dict[str, Any]:
    """When the label is first `unknown`, seconds, why, in which share of the windows from then on, and else what."""
    unknown = [each.event.state == "unknown" for each in windows]
    if not any(unknown):
        return {"seconds": None, "reasons": [], "share": 0.0, "labels": labels_of(windows)}
    since = windows[unknown.index(True) :]
    return {
        "seconds": round(since[0].event.t, 2),
        "reasons": sorted({each.event.unknown or "undecided" for each in since if each.event.state == "unknown"}),
        "share": sum(each.event.state == "unknown" for each in since) / len(since),
        "labels": labels_of(windows),
    }


def labels_of(windows: list[ReplayedWindow]) -> list[str]:
    """The labels that were shown."""
    return sorted({str(each.event.state) for each in windows} - {"unknown"})


def turned(packaged: Engine, plain: Engine, people: Dataset) -> dict[str, Any]:
    """Windows of turned sensors that are shown with a label that is wrong, and what is said of the mounting."""
    rows = []
    for subject in people.subjects:
        wearer, faults = in_a_row(people.select(subjects=(subject,)))
        for turn in TURNS:
            other = with_turn(wearer, turn)
            rows.append(
                {
                    "wearer": subject,
                    "turn": turn,
                    "without": wrong(list(played(plain, other, faults=faults))),
                    "packaged": wrong(list(played(packaged, other, faults=faults))),
                    "auto": wrong(list(played(packaged, other, "auto", faults=faults))),
                }
            )
    by_wearer = {name: [each for each in rows if each["wearer"] == name] for name in people.subjects}
    return {
        "wear_s": {name: seconds(people.select(subjects=(name,))) for name in people.subjects},
        "rows": rows,
        "summary": {way: summary(rows, way) for way in WAYS},
        "by_wearer": {name: {way: summary(own, way) for way in WAYS} for name, own in by_wearer.items()},
    }


def seconds(dataset: Dataset) -> float:
    """Length of all recordings."""
    return sum(each.duration_s for each in dataset.recordings)


def in_a_row(dataset: Dataset) -> tuple[Dataset, list[Nack]]:
    """All recordings of a wearer as one, and faults that hide the steps from one to the next."""
    pause = round(PAUSE_S * RATE_HZ)
    signals, labels, faults, samples = [], [], [], 0
    for each in dataset.recordings:
        signals.append(np.pad(each.signals, ((pause // 2, pause // 2), (0, 0)), mode="edge"))
        labels.append(np.pad(each.labels, pause // 2, constant_values=UNLABELLED))
        samples += len(signals[-1])
        faults.append(Nack(at_s=samples / RATE_HZ - HIDDEN_S / 2, duration_s=HIDDEN_S))
    return worn(dataset.name, np.concatenate(signals), np.concatenate(labels), dataset.label_names), faults[:-1]


def with_turn(dataset: Dataset, turn: str) -> Dataset:
    """The same recordings by a sensor that is turned."""
    measure = MountingCorrection(Mounting.named(turn).inverse(), CHANNELS)
    recordings = tuple(replace(each, signals=measure(each.signals)) for each in dataset.recordings)
    return replace(dataset, recordings=recordings)


def wrong(events: list[Replayed]) -> dict[str, Any]:
    """Shares of the windows with a known truth: shown with another label, and `unknown`; and the mounting found."""
    said = next((each.event for each in events if isinstance(getattr(each, "event", None), MountingEvent)), None)
    windows = [each for each in events if isinstance(each, ReplayedWindow) and each.truth is not None]
    found = {
        "windows": len(windows),
        "wrong": share_wrong(windows),
        "unknown": sum(each.event.state == "unknown" for each in windows) / len(windows),
    }
    if said is None:
        return found
    after = [each for each in windows if each.event.t > said.t]
    found |= {"found": said.found, "minutes": said.t / 60, "wrong_after": share_wrong(after)}
    return found


def share_wrong(windows: list[ReplayedWindow]) -> float:
    """Share of windows that are shown with a label that is not theirs."""
    return sum(each.event.state not in ("unknown", each.truth) for each in windows) / max(1, len(windows))


def summary(turns: list[dict[str, Any]], way: str) -> dict[str, Any]:
    """Several wearers and turns as one."""
    rows = [each[way] for each in turns]
    count = np.array([each["windows"] for each in rows])
    made = {name: float(np.average([each[name] for each in rows], weights=count)) for name in ("wrong", "unknown")}
    minutes = [each["minutes"] for each in rows if each.get("found")]
    if minutes:
        made |= {
            "found": len(minutes),
            "right": sum(each["turn"] in each[way].get("found", "").split(" or ") for each in turns),
            "of": len(rows),
            "minutes": {"median": float(np.median(minutes)), "most": max(minutes)},
            "wrong_after": float(np.mean([each["wrong_after"] for each in rows if each.get("found")])),
        }
    return made


def known(engine: Engine, people: Dataset) -> dict[str, Any]:
    """What `unknown` costs the known activities: windows by their own class, without averages over time."""
    labels = engine.contract.labels
    windows = [each for each in windows_of(played(engine, people)) if each.truth in labels]
    best = [max(each.event.probabilities, key=lambda name: each.event.probabilities[name]) for each in windows]
    true, given = np.array([each.truth for each in windows]), np.array(best)
    refused = np.array([each.event.unknown is not None for each in windows])
    subjects = np.array([people.recordings[each.recording].subject for each in windows])
    after = np.where(refused, "unknown", given)
    return {
        "windows": len(windows),
        "unknown": float(refused.mean()),
        "right_among_unknown": float((given == true)[refused].mean()) if refused.any() else None,
        "by_wearer": {str(each): float(refused[subjects == each].mean()) for each in people.subjects},
        "by_class": {each: float(refused[true == each].mean()) for each in labels if (true == each).any()},
        "accuracy": {"before": float((given == true).mean()), "after": float((after == true).mean())},
        "macro_f1": {"before": macro(true, given, labels), "after": macro(true, after, labels)},
        "recall": {"before": recall(true, given, labels), "after": recall(true, after, labels)},
    }


def macro(true: NDArray[Any], given: NDArray[Any], labels: tuple[str, ...]) -> float:
    """Macro-F1; a window without a label is a miss of its class and a false alarm of none."""
    ours = [(true == each, given == each) for each in labels]
    return float(np.mean([2 * (a & b).sum() / max(1, a.sum() + b.sum()) for a, b in ours]))


def recall(true: NDArray[Any], given: NDArray[Any], labels: tuple[str, ...]) -> float:
    """Mean recall of the classes."""
    return float(np.mean([(given[true == each] == each).mean() for each in labels if (true == each).any()]))


if __name__ == "__main__":
    main()
