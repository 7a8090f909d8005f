from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import dft_kernels
from deseptr.train.macs import window_macs
from deseptr.train.models import WaveformDeSepTr
from deseptr.train.view_encoder import ViewEncoder


def randomised(length: int, rng: np.random.Generator, classes: int = 5) -> WaveformDeSepTr:
    """A network whose every weight and statistic is random, so that a wrong formula cannot hide."""
    model = WaveformDeSepTr(classes, name="network")
    model.build((None, length, 12))
    for weight in model.weights:
        if "seed" in weight.path:
            continue
        noise = rng.normal(size=weight.shape) * 0.1
        positive = any(name in weight.path for name in ("variance", "gamma", "gain"))
        weight.assign(np.abs(np.asarray(weight) + noise) + 0.1 if positive else np.asarray(weight) + noise)
    return model


def views(rng: np.random.Generator, count: int = 3, length: int = 150) -> np.ndarray:
    return (rng.integers(-128, 128, (count, length, 12)) / 127.5).astype(np.float32)


class Reference:
    """The network in numpy, written from its description, on the weights of a Keras model."""

    def __init__(self, model: WaveformDeSepTr) -> None:
        self.weights = {w.path.removeprefix("network/"): np.asarray(w, np.float64) for w in model.weights}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.weights[name]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        gamma, beta, mean, variance = (
            self[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self[f"{name}/kernel"] + self[f"{name}/bias"]

    def along(self, x: np.ndarray, name: str, axis: int, stride: int, depthwise: bool = False) -> np.ndarray:
        """A valid convolution along one axis of ``[batch, rows, columns, channels]``, batch norm and ReLU."""
        kernel = self[f"{name}/kernel"].squeeze(2 - axis)
        frames = np.moveaxis(np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis), -1, 0)
        frames = np.take(frames, np.arange(0, frames.shape[axis + 1], stride), axis + 1)
        if depthwise:
            y = sum(frame * taps[:, 0] for frame, taps in zip(frames, kernel, strict=True))
        else:
            y = sum(frame @ taps for frame, taps in zip(frames, kernel, strict=True))
        return np.maximum(self.norm(y, f"{name}/{self.batch_norm(name)}"), 0)

    @staticmethod
    def maxima(x: np.ndarray, size: int, stride: int) -> np.ndarray:
        return np.stack([x[:, i : i + size].max(1) for i in range(0, x.shape[1] - size + 1, stride)], 1)

    def batch_norm(self, name: str) -> str:
        (found,) = {key.removeprefix(f"{name}/").split("/")[0] for key in self.weights if key.startswith(f"{name}/b")}
        return found

    def token(self, x: np.ndarray, name: str) -> np.ndarray:
        return np.clip(self.norm(x @ self[f"{name}/kernel"][0, 0], f"{name}/{self.batch_norm(name)}"), -1, 1)

    def spectrogram(self, v: np.ndarray) -> np.ndarray:
        from deseptr.contract import StftSpec

        analysis, _ = dft_kernels(StftSpec(32, 4, 2))
        frames = np.stack([v[:, start : start + 32] for start in range(0, v.shape[1] - 31, 4)], 1)
        bins = []
        for k in range(12):
            gain = np.repeat(self["spectrogram/gain"][:, k], 6)
            rows = [0] if k == 0 else [2 * k - 1, 2 * k]
            parts = [np.clip(np.einsum("bflc,l->bfc", frames, analysis[:, r]) * gain, -6, 6) for r in rows]
            bins.append(parts[0] if k == 0 else np.pi / 2 * (np.abs(parts[0]) + np.abs(parts[1])))
        return np.stack(bins, 2) / 3

    def block(self, x: np.ndarray, name: str) -> np.ndarray:
        first = x[..., :2, :]
        scores = self.dense(first, f"{name}/query") @ np.swapaxes(x, -1, -2)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = weights @ self.dense(x, f"{name}/value")
        y = np.clip(first + self.norm(mixed, f"{name}/attention_norm"), -1, 1)
        hidden = np.maximum(self.dense(y, f"{name}/expand"), 0)
        return np.clip(y + self.norm(self.dense(hidden, f"{name}/contract"), f"{name}/mlp_norm"), -1, 1)

    def logits(self, v: np.ndarray) -> list[np.ndarray]:
        count = (v.shape[1] - 48) // 16 + 1
        s = np.pad(self.spectrogram(v), ((0, 0), (0, 0), (1, 1), (0, 0)))
        s = self.along(self.along(s, "stem/along_bins", 2, 2), "stem/along_time", 1, 4, depthwise=True)
        w = np.stack([v[..., :6], v[..., 6:]], -1)
        w = self.maxima(self.along(w, "trunk/temporal_1", 1, 1), 4, 2)
        w = self.maxima(self.along(w, "trunk/temporal_2", 1, 1), 2, 2)
        w = self.along(w, "trunk/temporal_3", 1, 1)
        w = w.reshape(len(v), -1, 1, 96) @ self["trunk/across/kernel"][0, 0]
        w = np.maximum(self.norm(w, f"trunk/across/{self.batch_norm('trunk/across')}"), 0)
        shape = self.along(w, "trunk/shape", 1, 4, depthwise=True)[:, :count]
        peak = np.stack([w[:, 4 * c : 4 * c + 6].max(1) for c in range(count)], 1)
        rows = [
            self.token(s, "stem/projection")[:, :count],
            self.token(shape, "trunk/shape_projection"),
            self.token(peak, "trunk/peak_projection"),
        ]
        grid = np.clip(np.concatenate(rows, 2) + self["frequency_position"], -1, 1)
        special = np.broadcast_to(np.clip(self["special"], -1, 1), (len(v), count, 2, 32))
        x = self.block(np.concatenate([special, grid], 2), "frequency_block")
        x = np.clip(x + self["time_position"], -1, 1).reshape(len(v), 2 * count, 32)
        special = np.broadcast_to(np.clip(self["time_special"], -1, 1), (len(v), 2, 32))
        x = self.block(np.concatenate([special, x], 1), "time_block")
        top = peak.max((1, 2))
        heads = ("class_head", "distillation_head")
        return [self.dense(np.concatenate([x[:, i], top], 1), name) for i, name in enumerate(heads)]


@pytest.mark.parametrize("length", [64, 128, 150])
def test_layer_contract(length: int, layer_faults, rng: np.random.Generator):
    assert not layer_faults(WaveformDeSepTr(5), views(rng, length=length), shapes=[(3, 5), (3, 5)])


@pytest.mark.parametrize("length", [128, 150])
def test_agrees_with_numpy(length: int, rng: np.random.Generator):
    model = randomised(length, rng)
    v = views(rng, length=length)
    for found, expected in zip(model(v), Reference(model).logits(v.astype(np.float64)), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-4)
        assert np.ptp(expected, axis=0).max() > 0.05


def test_columns_depend_on_their_own_samples_alone(rng: np.random.Generator):
    """A stream needs this: column c sees samples 16c to 16c + 47."""
    model, v = randomised(150, rng), views(rng, 1)
    before = [np.asarray(x) for x in model.columns(v)]
    for start in (47, 48):
        changed = v.copy()
        changed[:, start:] = views(rng, 1)[:, start:]
        after = [np.asarray(x) for x in model.columns(changed)]
        same = [np.array_equal(old[:, 0], new[:, 0]) for old, new in zip(before, after, strict=True)]
        # Peaks end one sample earlier than the spectrogram's frames.
        assert same == ([False, True] if start == 47 else [True, True])
        assert all((old[:, 1] != new[:, 1]).any() for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(("length", "parameters"), [(128, 47_544), (150, 47_576)])
def test_size(length: int, parameters: int):
    model = WaveformDeSepTr(12)
    model.build((None, length, 12))
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert trained == parameters


def test_macs():
    classifier = WindowClassifier(ViewEncoder([20.0] * 3 + [5.0] * 3), WaveformDeSepTr(12))
    macs = window_macs(classifier, (31 + 150, 6))
    assert 2_150_000 < macs < 2_250_000


def test_gains_bring_the_largest_projections_to_saturation(rng: np.random.Generator):
    model, v = WaveformDeSepTr(5), views(rng, 100)
    v[..., 6:] *= 0.1
    model.build((None, 150, 12))
    model.adapt(v)
    projections = np.abs(np.asarray(model.spectrogram.project(v)))
    by_view = (
        projections.reshape(100, -1, 2, 6, 23) * np.asarray(model.spectrogram.gain)[:, None, model.spectrogram.bin_of]
    )
    for view in range(2):
        for k in range(12):
            share = (by_view[:, :, view][..., model.spectrogram.bin_of == k] > 6).mean()
            assert 0 < share <= 0.0011


def test_a_window_shorter_than_a_column_is_refused():
    with pytest.raises(ValueError, match=r"at least 48 samples\. Received: 47"):
        WaveformDeSepTr(5).build((None, 47, 12))


def test_gains_and_weights_survive_a_checkpoint(tmp_path: Path, rng: np.random.Generator):
    import keras

    classifier = WindowClassifier(ViewEncoder([20.0] * 3 + [5.0] * 3), randomised(128, rng))
    windows: Any = rng.normal(size=(3, 31 + 128, 6)).astype(np.float32) * 5
    expected = np.asarray(classifier(windows))
    classifier.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(loaded(windows), expected)
