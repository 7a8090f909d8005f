"""Export a PyTorch network of windows for `deseptr convert`; it takes PyTorch, and deseptr only for the contract.

    python examples/export_pytorch.py

writes net.pt2 and contract.json of a network with random weights. Of one's own, `export` is what is needed.
"""

import json
from pathlib import Path

import torch
from torch import nn

from deseptr.contract import ModelContract


def export(network: nn.Module, windows: torch.Tensor, path: Path) -> None:
    """Write a trained network with some windows and its logits for them, which are compared when the file is read.

    Args:
        network: takes windows `[batch, window_length, channels]` in SI units, gives `[batch, classes]`.
        windows: `[n, window_length, channels]`; eight are enough.
        path: the `.pt2` file.
    """
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(window[None]) for window in windows])
    # One window of its own memory: a part of a tensor would be written with all of it.
    program = torch.export.export(network, (windows[:1].clone(),))
    check = json.dumps({"windows": windows.tolist(), "logits": logits.tolist()})
    torch.export.save(program, path, extra_files={"check.json": check})


class Network(nn.Module):
    """Two convolutions and a mean over time."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(6, 16, 7, stride=2), nn.Conv1d(16, 32, 5, stride=2)
        self.head = nn.Linear(32, classes)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Logits `[batch, classes]`."""
        features = torch.relu(self.first(windows.transpose(1, 2)))
        return self.head(torch.relu(self.second(features)).mean(2))


if __name__ == "__main__":
    contract = ModelContract(labels=("downstairs", "jogging", "sitting", "standing", "upstairs", "walking"))
    contract.save(Path("contract.json"))
    export(Network(len(contract.labels)), torch.randn(8, contract.window_length, 6) * 5, Path("net.pt2"))
