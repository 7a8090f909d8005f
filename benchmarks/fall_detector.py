"""A detector of falls that learns, on SisFall and on the daily life of other data sets, over the simulated bus.

    python benchmarks/fall_detector.py ../shared/data runs/falls -o benchmarks/sisfall/fall_detector.json

Groups of wearers are left out of trainings in turn. The rule of the alarm is tuned on the wearer who chose the epoch,
and the int8 model meets those who were left out once. What the folder holds is kept: the same command continues.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import EventRule, ModelContract
from deseptr.data import Dataset, load_dataset
from deseptr.device import AlarmEvent, EventWatch, describe_machine
from deseptr.device.stream.windows import Window
from deseptr.evaluate.continuous.alarm_replay import sight
from deseptr.evaluate.continuous.alarm_target import FALSE_ALARMS, AlarmTarget
from deseptr.evaluate.continuous.alarm_tuning import THRESHOLDS, WINDOWS, AlarmCase, tune_alarm
from deseptr.evaluate.continuous.event_scores import EventRecord, TrueEvent, binomial_interval, score_events
from deseptr.evaluate.continuous.playing import play
from deseptr.evaluate.predictor import load_predictor
from deseptr.firmware_harness.simulator import replay
from deseptr.tflite import load_engine
from deseptr.train.presets import PRESETS

FALL, ALARM = "fall", "raised"
GROUPS = ("1,4,7", "2,5,8", "3,6,9")
OPTIONS = (
    *("--preset", "falls", "--rate", "50", "--mirror", "x", "--distillation", "none"),
    *("--student-epochs", "6", "--validation", "0.15"),
)
# In the 2.64 h of daily life, as the rival may have.
TARGET = AlarmTarget(FALSE_ALARMS, 1 / 2.64)
CONFIRMED = PRESETS["falls"].rule
RULES = {"at once": replace(CONFIRMED, confirm_s=0.0), "confirmed": CONFIRMED}
OTHERS = ("hapt", "motionsense")
RIVAL = Path(__file__).parent / "sisfall" / "fall_thresholds.json"
# An alarm is due to a fall from so long before its impact on, as the rival's is.
EARLY_S = 1.0


@dataclass(frozen=True)
class SisFall:
    """SisFall, and what its author says of each recording.

    Args:
        dataset: the recordings.
        impacts_s: moment of the largest acceleration of each fall, seconds; none in daily life.
        codes: activity of each recording, as ``F06``.
    """

    dataset: Dataset
    impacts_s: tuple[float | None, ...]
    codes: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> SisFall:
        """Read the file."""
        dataset, raw = load_dataset(path), np.load(path)
        rates = [recording.rate_hz for recording in dataset.recordings]
        impacts = [None if at < 0 else float(at / rate) for at, rate in zip(raw["impact"], rates, strict=True)]
        return cls(dataset, tuple(impacts), tuple(map(str, raw["code"])))

    def of(self, wearers: Sequence[str]) -> SisFall:
        """The recordings of some wearers."""
        chosen = [i for i, recording in enumerate(self.dataset.recordings) if recording.subject in wearers]
        part = self.dataset.select(subjects=tuple(wearers))
        return SisFall(part, tuple(self.impacts_s[i] for i in chosen), tuple(self.codes[i] for i in chosen))

    def events(self, index: int) -> tuple[TrueEvent, ...]:
        """The fall of a recording, to which an alarm is due until the end."""
        moment = self.impacts_s[index]
        return () if moment is None else (TrueEvent(moment, self.dataset.recordings[index].duration_s + 1, EARLY_S),)


class SeveralRules(EventWatch):
    """Follows a class by several rules at once; the key of an alarm is the name of its rule."""

    def __init__(self, contract: ModelContract, rules: Mapping[str, EventRule]) -> None:
        self.labels = (FALL,)
        self._watches = [EventWatch(contract, [rule], make_key=_constant(name)) for name, rule in rules.items()]

    def reset(self) -> None:
        for watch in self._watches:
            watch.reset()

    def gap(self) -> None:
        for watch in self._watches:
            watch.gap()

    def update(self, window: Window, t: float, probabilities: NDArray[np.float32]) -> list[AlarmEvent]:
        return [event for watch in self._watches for event in watch.update(window, t, probabilities)]

    def answered(self, t: float) -> list[AlarmEvent]:
        return []

    def end(self, t: float, reason: str) -> list[AlarmEvent]:
        return [event for watch in self._watches for event in watch.end(t, reason)]


def main() -> None:
    """Train what is not trained, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with sisfall.npz, hapt.npz and motionsense.npz")
    parser.add_argument("folder", type=Path, help="folder for runs and models")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="+", help="only these")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    wanted = chosen.folds or range(len(GROUPS))
    models = [trained(chosen.data / "sisfall.npz", chosen.folder, fold) for fold in wanted]
    sisfall = SisFall.load(chosen.data / "sisfall.npz")
    folds = [kept(run.with_suffix(".measured"), measured, run, model, sisfall, chosen.data) for run, model in models]
    content = {
        "options": " ".join(OPTIONS),
        "allowed_per_hour": TARGET.bound,
        "confirmed_s": CONFIRMED.delay_s,
        **windows_of(models[0][1]),
        "rival": rival([trial for fold in folds for trial in fold["alarms"]["at once"]["sisfall"]]),
        "rules": {name: summary([fold["alarms"][name] for fold in folds]) for name in RULES},
        "front": front(models, folds, sisfall),
        "folds": [{key: value for key, value in fold.items() if key != "alarms"} for fold in folds],
        "machine": describe_machine()["cpu"],
    }
    chosen.output.write_text(json.dumps(content, indent=1) + "\n")


def trained(data: Path, folder: Path, fold: int) -> tuple[Path, Path]:
    """The run and the int8 model of a fold."""
    run, model = folder / f"fold-{fold}", folder / f"fold-{fold}.tflite"
    if not model.exists():
        again = ["--resume"] if run.exists() else []
        command("train", data, *OPTIONS, "--test-subjects", GROUPS[fold], "--seed", fold, *again, "-o", run)
        command("convert", run, "--no-streaming", "-o", model)
    return run, model


def kept(file: Path, make: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """What a function gives, from the file if it was called before."""
    if not file.exists():
        file.write_text(json.dumps(make(*arguments)))
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def front(
    models: Sequence[tuple[Path, Path]], folds: Sequence[Mapping[str, Any]], sisfall: SisFall
) -> list[dict[str, Any]]:
    """What one threshold for all models would give, chosen on the very wearers it is measured on, without the bus."""
    cases = [
        case
        for (_, model), fold in zip(models, folds, strict=True)
        for case in cases_of(model, sisfall.of(fold["subjects"]["test"]))
    ]
    found = []
    for threshold in THRESHOLDS:
        rule = replace(RULES["at once"], threshold=threshold, windows=max(WINDOWS))
        scores = score_events([case.record(rule) for case in cases])
        found.append({"threshold": threshold, "missed": scores.missed, "false_alarms": scores.false_alarms})
    return found


def windows_of(model: Path) -> dict[str, float]:
    """Length of a model's windows, and the time from one to the next."""
    contract = load_engine(model).contract
    return {"window_s": contract.window_s, "hop_s": contract.hop_s}


def rival(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The threshold detector on the same wearers."""
    wearers = json.loads(RIVAL.read_text())["wearers"]
    chosen = [wearers[wearer] for wearer in sorted({trial["subject"] for trial in trials})]
    detected, missed = (sum(each["falls"][name] for each in chosen) for name in ("detected", "missed"))
    low, high = binomial_interval(detected, detected + missed) or (0.0, 1.0)
    falls = {
        "detected": detected,
        "missed": missed,
        "sensitivity": detected / (detected + missed),
        "sensitivity_interval": {"low": low, "high": high},
    }
    return {"falls": falls, "false_alarms": sum(each["daily_life"]["false_alarms"] for each in chosen)}


def command(*words: object) -> None:
    """Run a command of deseptr."""
    subprocess.run([sys.executable, "-m", "deseptr.cli", *map(str, words)], check=True)


def measured(run: Path, model: Path, sisfall: SisFall, data: Path) -> dict[str, Any]:
    """A fold: whom it is of, the rules that were tuned, and all alarms of its model."""
    metrics = json.loads((run / "metrics.json").read_text())
    subjects = metrics["subjects"]
    tuned = {name: tune(model, sisfall.of(subjects["validation"]), rule) for name, rule in RULES.items()}
    rules = {name: EventRule.from_dict(each["rule"]) for name, each in tuned.items()}
    test = sisfall.of(subjects["test"])
    alarms: dict[str, Any] = {name: {} for name in RULES}
    for name, raised in over_the_bus(model, test.dataset, rules).items():
        alarms[name]["sisfall"] = of_sisfall(test, raised)
    for other in OTHERS:
        dataset = load_dataset(data / f"{other}.npz")
        for name, raised in over_the_bus(model, dataset, rules).items():
            alarms[name][other] = of_daily_life(dataset, raised)
    print(subjects["test"], {name: each["rule"]["threshold"] for name, each in tuned.items()}, file=sys.stderr)
    return {"subjects": subjects, "windows": metrics["windows"], "tuned": tuned, "alarms": alarms}


def tune(model: Path, validation: SisFall, before: EventRule) -> dict[str, Any]:
    """The rule that serves the target best on the validation wearers, and what it gives there."""
    found = tune_alarm(cases_of(model, validation), TARGET, before)
    return {"rule": asdict(found.chosen), "figures": found.scores.to_dict()}


def cases_of(model: Path, part: SisFall) -> list[AlarmCase]:
    """What the alarm's detector learns of recordings."""
    predictor = load_predictor(model)
    return [
        AlarmCase(
            played.recording.subject,
            played.recording.duration_s,
            part.events(index),
            sight(played, predictor.contract, FALL),
        )
        for index, played in enumerate(play(predictor, part.dataset))
    ]


def over_the_bus(model: Path, dataset: Dataset, rules: Mapping[str, EventRule]) -> dict[str, list[list[AlarmEvent]]]:
    """The alarms of each rule in each recording, from a simulated sensor's bus."""
    engine = load_engine(model)
    raised: dict[str, list[list[AlarmEvent]]] = {name: [[] for _ in dataset.recordings] for name in rules}
    for each in replay(engine, dataset, watch=SeveralRules(engine.contract, rules)):
        if isinstance(each.event, AlarmEvent) and each.event.state == ALARM:
            raised[each.event.key][each.recording].append(each.event)
    return raised


def of_sisfall(test: SisFall, raised: Sequence[Sequence[AlarmEvent]]) -> list[dict[str, Any]]:
    """Each recording with its alarms, as plain values."""
    return [
        {
            "subject": recording.subject,
            "code": test.codes[index],
            "duration_s": recording.duration_s,
            "impact_s": test.impacts_s[index],
            "alarms_s": [alarm.t for alarm in alarms],
            "cut_short": [bool(alarm.reason) for alarm in alarms],
        }
        for index, (recording, alarms) in enumerate(zip(test.dataset.recordings, raised, strict=True))
    ]


def of_daily_life(dataset: Dataset, raised: Sequence[Sequence[AlarmEvent]]) -> list[dict[str, Any]]:
    """Each recording without falls with its alarms and what was done at the time, as plain values."""
    return [
        {
            "subject": recording.subject,
            "duration_s": recording.duration_s,
            "alarms_s": [alarm.t for alarm in alarms],
            "activities": [_activity(dataset, index, alarm) for alarm in alarms],
        }
        for index, (recording, alarms) in enumerate(zip(dataset.recordings, raised, strict=True))
    ]


def summary(folds: Sequence[Mapping[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    """The figures of a rule over all folds: each wearer of SisFall once, the other data sets once for each model."""
    trials = [trial for fold in folds for trial in fold["sisfall"]]
    falls = [trial for trial in trials if trial["impact_s"] is not None]
    calm = [trial for trial in trials if trial["impact_s"] is None]
    return {
        "falls": score_events(list(map(_record, falls))).to_dict(),
        "daily_life": score_events(list(map(_record, calm))).to_dict(),
        "cut_short": sum(any(trial["cut_short"]) for trial in falls),
        "missed": _count(trial["code"] for trial in falls if not score_events([_record(trial)]).detected),
        "false_alarms_at": _count(code for trial in calm for code in [trial["code"]] * len(trial["alarms_s"])),
        "wearers": {
            wearer: {
                "falls": score_events([_record(trial) for trial in falls if trial["subject"] == wearer]).to_dict(),
                "false_alarms": sum(len(trial["alarms_s"]) for trial in calm if trial["subject"] == wearer),
            }
            for wearer in sorted({trial["subject"] for trial in trials})
        },
        "elsewhere": {
            name: score_events([_record(each) for fold in folds for each in fold[name]]).to_dict()
            | {
                "of_each_model": [sum(len(each["alarms_s"]) for each in fold[name]) for fold in folds],
                "at": _count(activity for fold in folds for each in fold[name] for activity in each["activities"]),
            }
            for name in OTHERS
        },
    }


def _record(trial: Mapping[str, Any]) -> EventRecord:
    moment, duration_s = trial.get("impact_s"), trial["duration_s"]
    due = () if moment is None else (TrueEvent(moment, duration_s + 1, EARLY_S),)
    return EventRecord(trial["subject"], duration_s, due, tuple(trial["alarms_s"]))


def _activity(dataset: Dataset, index: int, alarm: AlarmEvent) -> str:
    recording = dataset.recordings[index]
    assert alarm.peak_t is not None, "the models have an accelerometer"
    label = recording.labels[min(int(alarm.peak_t * recording.rate_hz), len(recording) - 1)]
    return dataset.label_names[label] if label >= 0 else "unlabelled"


def _count(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _constant(name: str) -> Callable[[], str]:
    return lambda: name


if __name__ == "__main__":
    main()
