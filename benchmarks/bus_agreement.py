"""Do labels over the simulated bus agree with offline ones, and where they do not, how close was the call?

    python benchmarks/bus_agreement.py ms.tflite motionsense.npz --subjects 5,10,12,22

Prints JSON: windows, agreement, accuracy and macro-F1 both ways, and for every window with another label the offline
margin between its two most probable classes.
"""

import json
from pathlib import Path

import click
import numpy as np

from deseptr.cli.evaluation import windows_for
from deseptr.cli.options import SUBJECTS
from deseptr.contract import score
from deseptr.data import load_dataset
from deseptr.device import load_engine, predict, softmax
from deseptr.firmware_harness import ReplayedWindow, replay


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", metavar="DATA")
@click.option("--subjects", type=SUBJECTS, required=True)
def main(model: Path, source: str, subjects: tuple[str, ...]) -> None:
    """Compare the two paths window by window."""
    dataset = load_dataset(source).select(subjects=subjects)
    engine = load_engine(model)
    contract = engine.contract
    windows = windows_for(contract, dataset)
    logits = predict(engine, windows.signals)
    offline = {
        (int(recording), int(start)): index
        for index, (recording, start) in enumerate(zip(windows.recording, windows.start, strict=True))
    }
    events = [event for event in replay(engine, dataset) if isinstance(event, ReplayedWindow)]
    pairs = [(offline[key], event) for event in events if (key := (event.recording, event.sample)) in offline]
    index = np.array([position for position, _ in pairs])
    online = np.array([contract.labels.index(event.event.label) for _, event in pairs])
    chosen = logits.argmax(axis=1)[index]
    probabilities = np.sort([softmax(row) for row in logits[index]], axis=1)
    differ = np.flatnonzero(online != chosen)
    scores = {
        name: score(windows.labels[index], predicted, contract.labels)
        for name, predicted in (("offline", chosen), ("bus", online))
    }
    result = {
        "windows": len(index),
        "windows_offline": len(windows),
        "agreement": float((online == chosen).mean()),
        "differences": [
            {
                "recording": int(windows.recording[index[i]]),
                "sample": int(windows.start[index[i]]),
                "offline": contract.labels[chosen[i]],
                "bus": contract.labels[online[i]],
                "offline_margin": round(float(probabilities[i, -1] - probabilities[i, -2]), 4),
            }
            for i in differ
        ],
        **{f"{name}_macro_f1": each.macro_f1 for name, each in scores.items()},
        **{f"{name}_accuracy": each.accuracy for name, each in scores.items()},
    }
    click.echo(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
