"""Small PyTorch networks, trained and exported to ``.pt2`` files.

    python tests/make_torch_networks.py tests/pt2

It takes PyTorch, which the other tests do without; `tests/train/torch_program/test_with_torch.py` uses it where PyTorch
is installed. The files of `tests/pt2` were written by PyTorch 2.14.1, then compressed; their pickled example
inputs are left out.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch_windows import CHANNELS, CLASSES, STEPS, windows


class Cnn(nn.Module):
    """Two convolutions on ``[batch, channels, time]``."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(CHANNELS, 12, 5, stride=2), nn.Conv1d(12, 12, 3, stride=2)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x.transpose(1, 2)))
        return self.head(torch.relu(self.second(x)).mean(2))


class Gru(nn.Module):
    """A strided convolution and a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gru = nn.Conv1d(CHANNELS, 12, 4, stride=4), nn.GRU(12, 8, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.gru(torch.relu(self.first(x.transpose(1, 2))).transpose(1, 2))
        return self.head(states[:, -1])


class Transformer(nn.Module):
    """A class token and patches with positions in an encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv1d(CHANNELS, 16, 7, stride=4, padding=3), nn.BatchNorm1d(16)
        self.token = nn.Parameter(torch.randn(1, 1, 16) * 0.1)
        self.places = nn.Parameter(torch.randn(1, STEPS // 4 + 1, 16) * 0.1)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.patches(x.permute(0, 2, 1))).permute(0, 2, 1)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.places
        return self.head(self.encoder(x)[:, 0])


class Mixed(nn.Module):
    """Buffers, a depthwise convolution, pools with and without padding, and a log-softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(CHANNELS, 12, 5, groups=CHANNELS, padding="same"),
            nn.ELU(),
            nn.MaxPool1d(3, 2, padding=1),
            nn.Conv1d(12, 8, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.AvgPool1d(3, 1, padding=1),
            nn.AdaptiveAvgPool1d(4),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32, CLASSES),
            nn.LogSoftmax(-1),
        )
        self.register_buffer("mean", torch.tensor([0.0, 7.0, 4.0, 0.0, 0.0, 0.0]))
        self.register_buffer("deviation", torch.tensor([6.0, 6.0, 6.0, 1.5, 1.5, 1.5]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(((x - self.mean) / self.deviation).transpose(1, 2))


class TwoWayLstm(nn.Module):
    """Two layers of a bidirectional LSTM, of which the last states are read."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, 6, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (states, _) = self.lstm(x[:, ::4] * 0.1)
        return self.head(torch.cat([states[-2], states[-1]], dim=-1))


class Picture(nn.Module):
    """A window as a picture of one colour: convolutions along two axes, and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, (5, 1), (2, 1)),
            nn.BatchNorm2d(8),
            nn.ReLU6(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(8, 8, (3, CHANNELS)),
            nn.GroupNorm(2, 8),
            nn.SiLU(),
        )
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.softmax(self.head(self.layers(x.unsqueeze(1)).squeeze(3).mean(-1)), dim=1)


class TimeFirst(nn.Module):
    """Time as the first axis: an RNN, two layers of a GRU, and a mean weighted by attention."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.gru, self.head = nn.RNN(CHANNELS, 8), nn.GRU(8, 8, 2), nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, channels = x.shape
        states, _ = self.rnn(x.reshape(batch, steps // 4, 4, channels).mean(2).transpose(0, 1) * 0.1)
        states, last = self.gru(states)
        weights = torch.softmax(states.sum(-1), dim=0)
        return self.head((states * weights.unsqueeze(-1)).sum(0) + last[-1])


class Split(nn.Module):
    """Both sensors apart, a squeeze-and-excite gate, gated units, stacks and slices."""

    def __init__(self) -> None:
        super().__init__()
        self.acc, self.gyro = nn.Linear(3, 8), nn.Linear(3, 8)
        self.gate, self.norm = nn.Linear(16, 16), nn.LayerNorm(16)
        self.slope, self.head = nn.PReLU(16), nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        acc, gyro = x.chunk(2, dim=-1)
        both = torch.stack([self.acc(acc / 9.81), self.gyro(gyro)], dim=2).flatten(2)
        both = self.norm(both) * torch.sigmoid(self.gate(both.mean(1, keepdim=True)))
        turned = self.slope(both.transpose(1, 2)).clamp(-2, 2)
        early, late = turned.split([STEPS // 2, STEPS // 2], dim=2)
        return self.head(torch.maximum(early.amax(-1), late.pow(2).mean(-1)) - 0.5 * torch.tanh(turned[..., 3]))


NETWORKS = {
    "cnn": Cnn,
    "gru": Gru,
    "transformer": Transformer,
    "mixed": Mixed,
    "two-way-lstm": TwoWayLstm,
    "picture": Picture,
    "time-first": TimeFirst,
    "split": Split,
}


def trained(name: str) -> nn.Module:
    """A network that has learned the classes."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    signals, labels = (torch.from_numpy(part) for part in windows(300, seed=0))
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(60):
        for batch in torch.randperm(len(signals)).split(50):
            outputs = network(signals[batch])
            logits = torch.log(outputs + 1e-6) if name == "picture" else outputs
            loss = functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def export(network: nn.Module, path: Path) -> None:
    """Write a network as examples/export_pytorch.py does."""
    examples = torch.from_numpy(windows(6, seed=1)[0])
    with torch.no_grad():
        logits = torch.cat([network(window[None]) for window in examples])
    program = torch.export.export(network, (examples[:1],))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    check = json.dumps({"windows": examples.tolist(), "logits": logits.tolist()})
    torch.export.save(program, path, extra_files={"check.json": check})


def main(folder: Path) -> None:
    """Write all networks."""
    for name in NETWORKS:
        path = folder / f"{name}.pt2"
        export(trained(name), path)
        with zipfile.ZipFile(path) as archive:
            members = {entry: archive.read(entry) for entry in archive.namelist() if "sample_inputs" not in entry}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in members.items():
                archive.writestr(zipfile.ZipInfo(entry), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
