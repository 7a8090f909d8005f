"""Agreement and score of int8 Keras models with one scale for the window in SI units and with each channel's own range.

Before: the window over the input range is multiplied back to SI units in the graph, whose product has one int8 scale.
After: the range goes into the first weights, as ``deseptr convert`` does it. The same with 16-bit activations.

The models of the cases are taken as they are; the others are trained for a few epochs on windows of each DATA, without
its own test subjects, whose windows are then compared.

    python benchmarks/input_range.py DATA... --cases ../shared/cases/keras -o benchmarks/input_range.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from deseptr.contract import ModelContract, score
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.keras_layers.network import keras_logits, lower_network
from deseptr.convert.lowering.keras_layers.softmax_head import softmax_head
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.data import Dataset, Windows, load_dataset
from deseptr.evaluate.predictor import windows_for
from deseptr.tflite import embed_contract, load_engine, predict
from deseptr.train.checkpoint import load_run
from deseptr.train.run_folder import evenly

EPOCHS = 5
TRAIN = 6000
layers = keras.layers


class OneScale(InferenceGraph):
    """The graph as it was: the window in SI units before the first layer."""

    def _logits(self, window: tf.Tensor) -> tf.Tensor:
        return lower_network(self._classifier, window * self._range, head=softmax_head(self._classifier)).logits


VARIANTS = (("before", OneScale, "int8"), ("after", InferenceGraph, "int8"), ("int16x8", InferenceGraph, "int16x8"))
OWN: dict[str, Callable[[], list[Any]]] = {
    "convolution": lambda: [layers.Conv1D(12, 9, strides=4, activation="relu"), layers.GlobalMaxPooling1D()],
    "normalised convolution": lambda: [
        layers.BatchNormalization(),
        layers.Conv1D(12, 9, strides=4, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D(),
    ],
    "separable": lambda: [
        layers.Rescaling(0.1),
        layers.SeparableConv1D(16, 9, strides=4, activation="relu"),
        layers.GlobalMaxPooling1D(),
    ],
    "dense": lambda: [layers.AveragePooling1D(8), layers.Flatten(), layers.Dense(24, activation="relu")],
    "lstm of every sample": lambda: [layers.LSTM(16)],
    "pooled gru": lambda: [layers.AveragePooling1D(16), layers.GRU(8)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="recordings with test subjects of their own")
    parser.add_argument("--cases", type=Path, required=True, help="folder of folders with net.keras and contract.json")
    parser.add_argument("--labels", type=int, default=6, help="the first so many classes of DATA")
    parser.add_argument("--only", help="one model, whose rows replace those in the output; all by default")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    cases = [load_run(folder / "net.keras") for folder in sorted(options.cases.iterdir()) if folder.is_dir()]
    kept = json.loads(options.output.read_text())["models"] if options.only else []
    rows: list[dict[str, Any]] = [row for row in kept if row["model"] != options.only]

    def add(model: str, figures: dict[str, Any]) -> None:
        rows.append({"data": data.name, "model": model, **figures})
        print(rows[-1], flush=True)
        options.output.write_text(json.dumps({"epochs": EPOCHS, "train": TRAIN, "models": rows}, indent=2) + "\n")

    for name in options.data:
        data = load_dataset(name)
        contract = ModelContract(labels=data.label_names[: options.labels], model="own")
        windows = windows_for(contract, data)
        held_out = windows.of_subjects(list(data.test_subjects))
        known = windows.of_subjects([s for s in data.subjects if s not in data.test_subjects])
        split = _Split(known, held_out)
        wanted = {own: between for own, between in OWN.items() if options.only in (None, own)}
        for own, between in wanted.items():
            model = _trained(between(), contract, known)
            add(own, _measured(model, contract, split))
        for model, case in cases if not options.only else ():
            if set(case.labels) == set(contract.labels):
                # The order of a case's classes is its own.
                add(case.model, _measured(model, case, _split_of(case, data)))


class _Split(NamedTuple):
    """Windows to train and calibrate with, and windows to compare on."""

    known: Windows
    held_out: Windows


def _split_of(contract: ModelContract, data: Dataset) -> _Split:
    windows = windows_for(contract, data)
    known = windows.of_subjects([s for s in data.subjects if s not in data.test_subjects])
    return _Split(known, windows.of_subjects(list(data.test_subjects)))


def _trained(between: list[Any], contract: ModelContract, known: Windows) -> keras.Model:
    keras.utils.set_random_seed(0)
    window = layers.Input((contract.window_length, len(contract.channels)))
    model = keras.Sequential([window, *between, layers.Dense(len(contract.labels))])
    chosen = evenly(len(known.signals), TRAIN)
    model.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(known.signals[chosen], known.labels[chosen], epochs=EPOCHS, batch_size=64, verbose=0)
    return model


def _measured(model: Any, contract: ModelContract, split: _Split) -> dict[str, Any]:
    known, held_out = split
    reference = keras_logits(model, held_out.signals, softmax_head(model)).argmax(axis=1)
    calibration = known.signals[evenly(len(known.signals), Recipe().calibration_windows)]
    figures: dict[str, Any] = {"windows": len(held_out.signals), "float": _score(reference, held_out, contract)}
    for name, kind, mode in VARIANTS:
        graph = kind(model, contract)
        content = flatbuffer_of(graph, Recipe(mode), graph.encode(calibration), "benchmark")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.tflite"
            file.write_bytes(embed_contract(content, contract))
            classes = predict(load_engine(file), held_out.signals).argmax(axis=1)
        agreement = float((classes == reference).mean())
        figures[name] = {"agreement": agreement, "macro_f1": _score(classes, held_out, contract)}
    return figures


def _score(classes: Any, held_out: Any, contract: ModelContract) -> float:
    return float(score(held_out.labels, classes, contract.labels, held_out.subjects).macro_f1)


if __name__ == "__main__":
    main()
