"""Writing recordings as a dataset of Motion-BIDS, which :mod:`.motion_bids` reads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deseptr.contract import SENSORS, DataError, atomic_folder, sensors_of, unit_of

from .motion_bids import NOT_AVAILABLE
from .recording import UNLABELLED, Dataset, Recording

BIDS_VERSION = "1.10.0"
_TASK, _SYSTEM, _POINT = "activities", "imu", "sensor"
_TYPES = {"acc": "ACCEL", "gyro": "GYRO", "mag": "MAGN"}
_README = """Recordings of activities by a sensor of {sensors}, worn by a person.

Every run has no gap; runs with the same `recording` in `…_scans.tsv` are parts of one. Events with a duration are
activities. Acceleration, where there is one, includes gravity. Subjects have their own names in `participants.tsv`.
"""
_COLUMNS: dict[str, dict[str, Any]] = {
    "participants": {
        "name": {"Description": "the subject's own name"},
        "split": {"Description": "test for subjects who are held out", "Levels": {"test": "", "train": ""}},
    },
    "scans": {"recording": {"Description": "name of the recording; several runs are parts of it, with gaps between"}},
}


def save_motion_bids(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset as a new folder of Motion-BIDS, whole or not at all; values are written to the last bit.

    Raises:
        DataError: if a label or subject is ``n/a``, which means none there.
        SetupError: if the folder is there already, or cannot be written.
    """
    for name in (*dataset.label_names, *dataset.subjects):
        if name in (NOT_AVAILABLE, ""):
            raise DataError(
                f"{dataset.name}: name {name!r}",
                found="a label or subject that means none in Motion-BIDS",
                expected="another name",
                next_step="give it another one, a label with --rename",
            )
    people = _participants(dataset.subjects)
    with atomic_folder(path) as folder:
        _write_top(folder, dataset, people)
        for subject, participant in people.items():
            own = [recording for recording in dataset.recordings if recording.subject == subject]
            _write_subject(folder / participant, own, dataset.label_names)


def _participants(subjects: Sequence[str]) -> dict[str, str]:
    """Identifiers of the subjects, whose letters and digits they keep where these differ from all others'."""
    plain = [re.sub(r"[^0-9a-zA-Z]", "", subject) for subject in subjects]
    # Some file systems do not tell upper case from lower case.
    count = Counter(name.lower() for name in plain)
    if all(plain) and max(count.values()) == 1:
        return {subject: f"sub-{name}" for subject, name in zip(subjects, plain, strict=True)}
    width = len(str(len(subjects)))
    return {subject: f"sub-{number:0{width}}" for number, subject in enumerate(subjects, 1)}


def _write_top(folder: Path, dataset: Dataset, people: dict[str, str]) -> None:
    description = {
        "Name": dataset.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "deseptr"}],
    }
    _write_json(folder / "dataset_description.json", description)
    sensors = " and ".join(SENSORS[name].title for name in sensors_of(dataset.channels))
    (folder / "README").write_text(_README.format(sensors=sensors), "utf-8")
    rows = [(own, name, "test" if name in dataset.test_subjects else "train") for name, own in people.items()]
    _write_table(folder / "participants.tsv", ("participant_id", "name", "split"), rows)
    _write_json(folder / "participants.json", _COLUMNS["participants"])
    _write_json(folder / "scans.json", _COLUMNS["scans"])


def _write_subject(folder: Path, recordings: Sequence[Recording], label_names: Sequence[str]) -> None:
    motion = folder / "motion"
    motion.mkdir(parents=True)
    scans = []
    width = max(2, len(str(len(recordings))))
    for run, recording in enumerate(recordings, 1):
        stem = f"{folder.name}_task-{_TASK}_tracksys-{_SYSTEM}_run-{run:0{width}}"
        scans.append((f"motion/{stem}_motion.tsv", NOT_AVAILABLE, recording.name))
        with (motion / f"{stem}_motion.tsv").open("w", encoding="ascii", newline="") as file:
            file.writelines("\t".join([f"{value:.9g}" for value in row]) + "\n" for row in recording.signals.tolist())
        _write_json(motion / f"{stem}_motion.json", _sidecar(recording))
        _write_table(
            motion / f"{stem}_channels.tsv",
            ("name", "component", "type", "tracked_point", "units"),
            [(channel, channel[-1], _TYPES[channel[:-2]], _POINT, unit_of(channel)) for channel in recording.channels],
        )
        events = [
            (segment.start / recording.rate_hz, (segment.stop - segment.start) / recording.rate_hz, name)
            for segment in recording.segments()
            if segment.label != UNLABELLED and (name := label_names[segment.label])
        ]
        _write_table(motion / f"{stem}_events.tsv", ("onset", "duration", "trial_type"), events)
    _write_table(folder / f"{folder.name}_scans.tsv", ("filename", "acq_time", "recording"), scans)


def _sidecar(recording: Recording) -> dict[str, Any]:
    return {
        "TaskName": _TASK,
        "TaskDescription": "activities, which the events name",
        "TrackingSystemName": _SYSTEM,
        "SamplingFrequency": recording.rate_hz,
        "RecordingDuration": recording.duration_s,
        "MotionChannelCount": len(recording.channels),
        **{f"{_TYPES[name]}ChannelCount": 3 for name in sensors_of(recording.channels)},
        "TrackedPointsCount": 1,
        "MissingValues": NOT_AVAILABLE,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(buffer.getvalue(), "utf-8", newline="")
