"""The same figures three ways: `evaluate --continuous`, `device evaluate --continuous --bus`, and a live `device run`.

    python benchmarks/continuous_ways.py tuned.tflite hapt.npz -o continuous_ways.json

The third plays the recordings over the simulated bus, and its lines of JSON alone say what the label was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.data import Dataset, load_dataset
from deseptr.evaluate.continuous.playing import truth_table
from deseptr.evaluate.continuous.summary import figures_of_wearers, summarise
from deseptr.evaluate.continuous.track import NONE, Track
from deseptr.tflite import read_tflite

BASIC = "1-6"
COMMAND = (sys.executable, "-m", "deseptr.cli")


def deseptr(*words: str) -> str:
    """What a command prints."""
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=True).stdout


def live_figures(model: Path, data: str, dataset: Dataset, subjects: list[str]) -> dict[str, Any]:
    """The figures of the labels that `device run` prints."""
    lines = deseptr(
        "device", "run", "--model", str(model), "--simulate", data, "--subject", ",".join(subjects), "--json"
    )
    contract = read_tflite(model).contract
    chosen = dataset.select(subjects=subjects)
    table = truth_table(contract, chosen)
    shown = [np.full(len(recording), NONE, np.int16) for recording in chosen.recordings]
    for line in map(json.loads, lines.splitlines()):
        if "state" in line:
            recording = chosen.recordings[line["recording"]]
            label = contract.labels.index(line["state"]) if line["state"] in contract.labels else NONE
            shown[line["recording"]][round(line["t"] * recording.rate_hz) :] = label
    tracks = [
        Track(recording.subject, table[recording.labels], labels, recording.rate_hz)
        for recording, labels in zip(chosen.recordings, shown, strict=True)
    ]
    return summarise(figures_of_wearers(tracks, len(contract.labels), onset_classes=range(6)), contract.labels)


def main() -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    options = (str(chosen.model), chosen.data, "--continuous", "--onsets-of", BASIC, "--json")
    straight = json.loads(deseptr("evaluate", *options))
    bus = json.loads(deseptr("device", "evaluate", *options, "--bus"))
    live = live_figures(chosen.model, chosen.data, load_dataset(chosen.data), straight["subjects"])
    names = ("frame_f1", "delay_s", "changes_per_hour", "spurious_changes_per_hour")
    ways = {"evaluate": straight, "device evaluate, bus": bus, "device run": live}
    content = {
        "format": "deseptr continuous ways 1",
        "decision": straight["decision"],
        "ways": [{"way": way, **{name: found[name] for name in names}} for way, found in ways.items()],
    }
    chosen.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
