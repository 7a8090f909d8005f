"""From labelled recordings of a wearer to their file, refused if it would not help them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import AS_TRAINED, DataError, ModelContract, Mounting
from deseptr.contract.counts import counted
from deseptr.contract.familiar_statistics import window_statistics
from deseptr.data import Dataset, Windows, cut_for_model
from deseptr.data.recording import short_list
from deseptr.device.mounting.labelled import RecordedMounting, recorded_mounting
from deseptr.device.mounting.recordings import turned_back
from deseptr.tflite import TfliteFile, predict_with_embeddings
from deseptr.tflite.engine import Engine

from .enough import check_enough
from .recorded import Recorded
from .self_check import SelfCheck, check_itself
from .wearer_file import MOST_WINDOWS, WearerFile, check_wearer, model_hash

# Of a label in a session: two minutes of windows that overlap by half.
MOST_OF_A_LABEL = 100
# A new label must be told from the others at least this often.
LEAST_NEW = 0.5
# Held out in turn, some of them must remain.
LEAST_WINDOWS_OF_NEW = 6


@dataclass(frozen=True)
class Personal:
    """The file of a wearer, and how it does on what they recorded.

    Args:
        file: the file.
        check: shares of the wearer's own windows that are right, each with the rest of the recordings.
        mounting: by what the recordings of the session were turned back.
    """

    file: WearerFile
    check: SelfCheck
    mounting: RecordedMounting


def personalise(
    engine: Engine,
    model: TfliteFile,
    dataset: Dataset,
    wearer: str,
    *,
    new_labels: Sequence[str] = (),
    before: WearerFile | None = None,
    mounting: Mounting | str | None = AS_TRAINED,
) -> Personal:
    """Make the file of a wearer, or add a session to it.

    Args:
        engine: the model, without a wearer.
        model: its file.
        dataset: labelled recordings of this wearer alone; other labels are left out.
        wearer: the name.
        new_labels: labels of the recordings that the model lacks and gets.
        before: the file so far.
        mounting: how the sensor of the recordings is turned, as of
            :func:`deseptr.device.mounting.labelled.recorded_mounting`; samples are turned back.

    Raises:
        DataError: if the recordings are of several people, have no window of a label or lack a channel; if a new label
            is one of the model's, or none of the model's is recorded beside it; if the file is of another wearer or
            model, or would get too many windows; if only one activity was recorded in all sessions; if it is to be
            estimated how the sensor is turned, and that is not clear; or if the correction would make the wearer's own
            windows worse.
        SetupError: if there is no such mounting, or a sensor has not all three axes.
    """
    contract = engine.contract
    wanted = _labels_used(contract, dataset, tuple(new_labels))
    turned = recorded_mounting(dataset, contract, mounting)
    windows = _windows(engine, turned_back(dataset, turned.turn), wanted, tuple(new_labels))
    logits, embeddings = predict_with_embeddings(engine, windows.signals)
    # The temperature may change later.
    logits *= contract.logit_temperature or 1.0
    samples = windows.signals[:, -contract.window_length :]
    statistics = window_statistics(samples, contract.channels).astype(np.float32)
    session = Recorded(
        logits, embeddings, windows.labels, windows.recording, windows.start, statistics, turned.turn.name
    )
    made = WearerFile(check_wearer(wearer), model_hash(model), contract.labels, tuple(new_labels), (session,))
    if before is not None:
        made = before.with_session(made)
    if len(made.recorded) > MOST_WINDOWS:
        raise DataError(
            f"wearer {made.wearer}",
            found=f"{counted(len(made.recorded), 'window')} in {counted(len(made.sessions), 'session')}",
            expected=f"at most {MOST_WINDOWS}",
            next_step="make a new file of the latest recordings alone",
        )
    check_enough(made.wearer, made.counts())
    temperature = contract.logit_temperature or 1.0
    check = check_itself(made.recorded, temperature, len(made.new_labels), contract.input_length)
    _refuse_if_worse(made, check)
    return Personal(made, check, turned)


def results(made: Personal) -> list[str]:
    """How a wearer's file does on what was recorded, in lines for the wearer."""
    check = made.check
    lines = ["too little was recorded of each activity to tell from it how much better this is"]
    if check.before is not None and check.after is not None:
        lines = [
            f"own windows right: {check.before:.1%} with the model as it is, {check.after:.1%} corrected "
            f"(each part without itself, {counted(check.windows, 'window')})"
        ]
    if made.mounting.meaning:
        lines.insert(0, made.mounting.meaning)
    return lines + [
        f"new label {made.file.new_labels[number]}: {share:.1%} recognised" for number, share in check.new.items()
    ]


def _windows(engine: Engine, dataset: Dataset, wanted: list[str], new_labels: tuple[str, ...]) -> Windows:
    """Windows of the recordings; labels are indices into the model's labels and then the new ones."""
    contract = engine.contract
    windows = cut_for_model(dataset, contract, wanted)
    for name, count in windows.counts().items():
        if name in new_labels and count < LEAST_WINDOWS_OF_NEW:
            raise DataError(
                f"{dataset.name}: {name}",
                found=counted(count, "window"),
                expected=f"at least {LEAST_WINDOWS_OF_NEW} of a new label, to see whether it is told from the others",
                next_step="record it for longer, 30 s or more",
            )
    every = (*contract.labels, *new_labels)
    labels = np.array([every.index(name) for name in wanted])[windows.labels]
    kept = np.concatenate([_spread(np.flatnonzero(labels == each)) for each in np.unique(labels)])
    return replace(windows, labels=labels, label_names=every).take(np.sort(kept))


def _labels_used(contract: ModelContract, dataset: Dataset, new_labels: tuple[str, ...]) -> list[str]:
    subjects, known = dataset.subjects, set(contract.labels)
    if len(subjects) > 1:
        raise DataError(
            dataset.name,
            found=f"recordings of {len(subjects)} people ({short_list(subjects)})",
            expected="those of one wearer",
            next_step="choose one of them, with --subject",
        )
    for name in new_labels:
        check_wearer(name, "new label")
    if known & {*new_labels} or len({*new_labels}) < len(new_labels):
        raise DataError(
            "new label",
            found=", ".join(new_labels),
            expected="labels that the model lacks, each once",
            next_step=f"leave out those of the model: {', '.join(contract.labels)}",
        )
    missing = [name for name in new_labels if name not in dataset.label_names]
    if missing or not known & {*dataset.label_names}:
        expected = f"{', '.join(missing)}, which is new" if missing else f"some of {', '.join(contract.labels)}"
        raise DataError(
            dataset.name,
            found=f"the labels {', '.join(dataset.label_names) or 'none'}",
            expected=expected,
            next_step="record it, and activities that the model knows beside it, to tell it from",
        )
    return [name for name in (*contract.labels, *new_labels) if name in dataset.label_names]


def _spread(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most so many of the windows of a label as are kept, evenly spread."""
    count = min(len(places), MOST_OF_A_LABEL)
    return places[np.linspace(0, len(places) - 1, count).round().astype(np.int64)]


def _refuse_if_worse(made: WearerFile, check: SelfCheck) -> None:
    if check.worse:
        raise DataError(
            f"wearer {made.wearer}",
            found=f"{check.after:.1%} of the windows right with the correction, each part without itself",
            expected=f"at least the {check.before:.1%} of the model as it is",
            next_step="record each activity for longer and under its own name; else the model is as good as it gets",
        )
    for number, share in check.new.items():
        if share < LEAST_NEW:
            raise DataError(
                f"new label {made.new_labels[number]}",
                found=f"{share:.1%} of its windows recognised, each part without itself",
                expected=f"at least {LEAST_NEW:.0%}",
                next_step="record it for longer, or in the way in which it will be done",
            )
