"""A model and its decision on disk, and the wearers that it may be tuned on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deseptr.contract import DataError, DecisionConfig, EventRule, ModelContract, ModelError, SetupError
from deseptr.data import Dataset
from deseptr.data.recording import check_subjects
from deseptr.evaluate.model_file import check_model_output, write_contract
from deseptr.tflite import read_tflite

from .learned_chain import LearnedChain, learn_chain
from .playing import truth_table

FORMAT = "deseptr tuning 1"
_MOST_HOPS = 16


def tuning_subjects(
    model: Path, run: Path | None, wanted: tuple[str, ...] | None, dataset: Dataset, purpose: str = "tune"
) -> tuple[str, ...]:
    """The wearers to tune or calibrate on: those wanted, else the validation subjects of the run.

    Args:
        model: the model.
        run: its run folder, if it is known; a model that is a run folder is its own.
        wanted: names, if somebody chose.
        dataset: recordings.
        purpose: verb of the command, for messages.

    Raises:
        DataError: if there are none, or the recordings lack one.
        ModelError: if the run is not finished.
    """
    if wanted:
        check_subjects(wanted, dataset.subjects, dataset.name)
        return wanted
    folder = run or (model if model.is_dir() else None)
    if folder is None:
        raise DataError(
            f"wearers to {purpose} on",
            found="none that are known",
            expected="wearers whom the model was neither trained nor will be tested on",
            next_step="pass --run RUN for its validation subjects, or choose with --subjects",
        )
    from deseptr.train.run_folder import RunFolder, read_metrics

    subjects = read_metrics(RunFolder(folder)).get("subjects", {})
    found = tuple(map(str, subjects.get("validation", ())))
    if not found:
        raise DataError(
            f"{folder}",
            found="a run without validation subjects",
            expected=f"wearers to {purpose} on",
            next_step="choose with --subjects, or train with --validation 0.2",
        )
    check_subjects(found, dataset.subjects, dataset.name)
    return found


def chain_of_others(
    contract: ModelContract, dataset: Dataset, tuned_on: tuple[str, ...]
) -> tuple[LearnedChain | None, str]:
    """Durations and order of the activities of all others but the held-out ones; None, and why, if there are none."""
    held_out = contract.held_out.among(dataset.subjects) if contract.held_out else dataset.test_subjects
    others = tuple(each for each in dataset.subjects if each not in (*tuned_on, *held_out))
    if not others:
        return None, "no wearers but those to tune on: the durations of activities are not learned, nor markov tried"
    part = dataset.select(subjects=others)
    table = truth_table(contract, part)
    truths = [table[recording.labels] for recording in part.recordings]
    try:
        return learn_chain(part.recordings, truths, contract.labels), ""
    except DataError as error:
        return None, f"markov is not tried: {error}"


def parse_hops(text: str | None, contract: ModelContract, before: DecisionConfig) -> tuple[float, ...]:
    """Hops to try, the one so far among them: those listed, else that of the training, its half and its quarter.

    Raises:
        SetupError: if one is no number, or does not fit the model.
    """
    hops = _listed(text) if text else [contract.hop_s / part for part in (1, 2, 4)]
    if len(hops) > _MOST_HOPS or any(math.isnan(hop) for hop in hops):
        raise SetupError(
            "--hops",
            found=text,
            expected=f"{_MOST_HOPS} numbers of seconds at most",
            next_step="write them as 1.28,0.64,0.32",
        )
    assert before.hop_s is not None, "the decision before has its hop"
    return tuple(dict.fromkeys(contract.at_hop(hop).hop_s for hop in (before.hop_s, *hops)))


def check_output(model: Path, output: Path | None) -> None:
    """Refuse an output that the model cannot be written to, before the search.

    Raises:
        SetupError: if an output is named for a run folder, or is a file that is no model.
        ModelError: if the model is neither a run folder nor a ``.tflite`` file.
    """
    if model.is_dir() and output is not None:
        raise SetupError(
            "-o", found="a file for a run folder", expected="none: the run itself is tuned", next_step="leave -o out"
        )
    if not model.is_dir() and model.suffix != ".tflite":
        raise ModelError(
            model, found="neither of them", expected="a run folder or a .tflite file", next_step="tune one of these"
        )
    check_model_output(output)


def check_truth(dataset: Dataset, contract: ModelContract) -> None:
    """Refuse recordings that no decision can be chosen by.

    Raises:
        DataError: if no recording is as long as a window, or no sample has one of the model's labels.
    """
    known = [name in contract.labels for name in dataset.label_names]
    labelled = any(known[label] for each in dataset.recordings for label in set(each.labels[each.labels >= 0].tolist()))
    longest = max(len(each.signals) / each.rate_hz for each in dataset.recordings)
    if not labelled or longest < contract.window_s:
        raise DataError(
            dataset.name,
            found=f"{longest:.2f} s at most" if labelled else "no sample with a label that the model has",
            expected=f"recordings of {contract.window_s:g} s or more with some of {', '.join(contract.labels)}",
            next_step="rename the labels, or choose other recordings",
        )


def write_decision(model: Path, output: Path | None, decision: DecisionConfig) -> Path:
    """Write a decision into the contract of a model; as :func:`write_event` otherwise."""
    return _write(model, output, lambda contract: replace(contract, decision=decision))


def write_event(model: Path, output: Path | None, rule: EventRule) -> Path:
    """Write the rule of an event into the contract of a model, in place of the one that its class had.

    Args:
        model: a run folder, or a ``.tflite``.
        output: another ``.tflite`` to write; the model itself by default.
        rule: it.

    Returns:
        The file that was written.
    """

    def changed(contract: ModelContract) -> ModelContract:
        others = [each for each in contract.events or () if each.label != rule.label]
        return replace(contract, events=(*others, rule))

    return _write(model, output, changed)


def _write(model: Path, output: Path | None, change: Callable[[ModelContract], ModelContract]) -> Path:
    if model.is_dir():
        from deseptr.train.run_folder import RunFolder

        path = RunFolder(model).contract
        change(ModelContract.load(path)).save(path)
        return path
    file = read_tflite(model)
    return write_contract(file, output, change(file.contract))


def _listed(text: str) -> list[float]:
    def read(part: str) -> float:
        try:
            return float(part)
        except ValueError:
            return math.nan

    return [read(part) for part in text.split(",")]
