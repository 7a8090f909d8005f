"""Three PyTorch networks, trained briefly on MotionSense, exported, and converted to full int8.

python benchmarks/torch_networks.py train ../shared/data/motionsense.npz NETWORKS    # where PyTorch is installed
deseptr convert NETWORKS/*.pt2 --data ../shared/data/motionsense.npz -o NETWORKS
python benchmarks/torch_networks.py figures NETWORKS > benchmarks/torch_networks.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

LABELS = ("downstairs", "upstairs", "sitting", "standing", "walking", "jogging")
HELD_OUT = (5, 10, 12, 22)
LENGTH, HOP, EPOCHS, BATCH = 128, 64, 5, 64
GRAVITY = 9.80665


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    training = steps.add_parser("train")
    training.add_argument("data", type=Path)
    training.add_argument("folder", type=Path)
    training.set_defaults(step=lambda options: train(options.data, options.folder))
    printing = steps.add_parser("figures")
    printing.add_argument("folder", type=Path)
    printing.set_defaults(step=lambda options: print_figures(options.folder))
    options = parser.parse_args()
    options.step(options)


def windows_of(path: Path) -> tuple[Any, Any, Any]:
    """Windows in SI units of one activity each, their classes and whether they are held out."""
    data = np.load(path)
    signals = (data["signals"] * data["scale"]).astype(np.float32)
    signals[:, :3] *= GRAVITY
    windows, labels, held_out = [], [], []
    start = data["recording_start"]
    for number, subject in enumerate(data["subject"]):
        own, classes = (part[start[number] : start[number + 1]] for part in (signals, data["label"]))
        for at in range(0, len(own) - LENGTH + 1, HOP):
            if classes[at] and (classes[at : at + LENGTH] == classes[at]).all():
                windows.append(own[at : at + LENGTH])
                labels.append(classes[at] - 1)
                held_out.append(subject in HELD_OUT)
    return np.stack(windows), np.array(labels, np.int64), np.array(held_out)


def networks() -> dict[str, Any]:
    import torch
    from torch import nn

    class Gru(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.gru = nn.Conv1d(6, 16, 8, stride=8), nn.GRU(16, 16, batch_first=True)
            self.head = nn.Linear(16, len(LABELS))

        def forward(self, x: Any) -> Any:
            states, _ = self.gru(torch.relu(self.first(x.transpose(1, 2))).transpose(1, 2))
            return self.head(states[:, -1])

    class Cnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                *(nn.Conv1d(6, 16, 7, stride=2), nn.BatchNorm1d(16), nn.ReLU()),
                *(nn.Conv1d(16, 24, 5, stride=2), nn.BatchNorm1d(24), nn.ReLU()),
                *(nn.Conv1d(24, 32, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
            )
            self.head = nn.Linear(32, len(LABELS))

        def forward(self, x: Any) -> Any:
            return self.head(self.features(x.transpose(1, 2)))

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.places = nn.Conv1d(6, 24, 8, stride=8), nn.Parameter(torch.randn(1, 16, 24) * 0.1)
            layer = nn.TransformerEncoderLayer(24, 2, 48, dropout=0.1, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(24, len(LABELS))

        def forward(self, x: Any) -> Any:
            tokens = self.patches(x.transpose(1, 2)).transpose(1, 2) + self.places
            return self.head(self.encoder(tokens).mean(1))

    return {"cnn": Cnn, "gru": Gru, "transformer": Transformer}


def train(data: Path, folder: Path) -> None:
    """Train the networks and write them with their contract."""
    import torch

    from deseptr.contract import ModelContract

    folder.mkdir(parents=True, exist_ok=True)
    ModelContract(labels=LABELS, window_length=LENGTH, hop_length=HOP, model="torch").save(folder / "contract.json")
    torch.set_num_threads(1)
    signals, labels, held_out = windows_of(data)
    windows, classes = torch.from_numpy(signals), torch.from_numpy(labels)
    known = np.flatnonzero(~held_out)
    for name, make in networks().items():
        torch.manual_seed(0)
        network = make()
        optimizer = torch.optim.Adam(network.parameters(), 0.003)
        for epoch in range(EPOCHS):
            order = torch.from_numpy(np.random.default_rng(epoch).permutation(known))
            for batch in order.split(BATCH):
                loss = torch.nn.functional.cross_entropy(network(windows[batch]), classes[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        network.eval()
        # A part of a tensor would be exported with the memory of the whole.
        examples = windows[held_out][:8].clone()
        with torch.no_grad():
            logits = torch.cat([network(window[None]) for window in examples])
        check = json.dumps({"windows": examples.tolist(), "logits": logits.tolist()})
        program = torch.export.export(network, (examples[:1].clone(),))
        torch.export.save(program, folder / f"{name}.pt2", extra_files={"check.json": check})


def print_figures(folder: Path) -> None:
    """Print what `deseptr convert` found, a row for each network."""
    rows = []
    for name in ("cnn", "gru", "transformer"):
        found = json.loads((folder / f"{name}.json").read_text())
        figures = {key: found[key] for key in ("passed", "windows", "agreement", "bytes", "warnings")}
        rows.append(
            {
                "network": name,
                **figures,
                "nodes": found["lint"]["nodes"],
                "non_int8": len(found["lint"]["non_int8"]),
                "attempts": 1 + len(found["earlier_attempts"]),
                "float": found["float"]["macro_f1"],
                "int8": found["converted"]["macro_f1"],
            }
        )
    json.dump({"epochs": EPOCHS, "held_out": HELD_OUT, "networks": rows}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
