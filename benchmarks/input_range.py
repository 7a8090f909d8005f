"""Agreement and score of int8 Keras models with one scale for the window in SI units and with each channel's own range.

Before: the window over the input range is multiplied back to SI units in the graph, whose product has one int8 scale.
After: the range goes into the first weights, as ``deseptr convert`` does it.

    python benchmarks/input_range.py --cases ../shared/cases/keras -o benchmarks/input_range.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from deseptr.contract import ModelContract, score
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.lowering.keras_layers.network import keras_logits, lower_network
from deseptr.convert.lowering.keras_layers.softmax_head import softmax_head
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.data import load_dataset
from deseptr.evaluate.predictor import windows_for
from deseptr.tflite import embed_contract, load_engine, predict
from deseptr.train.checkpoint import load_run

DATA = "synthetic:subjects=6,seconds=20"
HELD_OUT = ("5", "6")
layers = keras.layers


class OneScale(InferenceGraph):
    """The graph as it was: the window in SI units before the first layer."""

    def _logits(self, window: tf.Tensor) -> tf.Tensor:
        return lower_network(self._classifier, window * self._range, head=softmax_head(self._classifier))


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
    "pooled gru": lambda: [layers.AveragePooling1D(16), layers.GRU(8)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of folders with net.keras and contract.json")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    data = load_dataset(DATA)
    found = {}
    for folder in sorted(path for path in options.cases.iterdir() if path.is_dir()):
        model, contract = load_run(folder / "net.keras")
        found[folder.name] = (model, contract)
    contract = ModelContract(labels=data.label_names, model="own")
    for name, between in OWN.items():
        found[name] = (_trained(between(), contract, data), contract)
    rows = []
    for name, (model, own) in found.items():
        rows.append({"model": name, **_measured(model, own, data)})
        print(rows[-1], flush=True)
    content = {"data": DATA, "held_out": list(HELD_OUT), "models": rows}
    options.output.write_text(json.dumps(content, indent=2) + "\n")


def _trained(between: list[Any], contract: ModelContract, data: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    window = layers.Input((contract.window_length, len(contract.channels)))
    model = keras.Sequential([window, *between, layers.Dense(len(contract.labels))])
    windows = windows_for(contract, data)
    known = windows.of_subjects([s for s in sorted(set(windows.subjects.tolist())) if s not in HELD_OUT])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(known.signals, known.labels, epochs=15, verbose=0)
    return model


def _measured(model: Any, contract: ModelContract, data: Any) -> dict[str, Any]:
    windows = windows_for(contract, data)
    held_out = windows.of_subjects(list(HELD_OUT))
    known = windows.of_subjects([s for s in sorted(set(windows.subjects.tolist())) if s not in HELD_OUT])
    reference = keras_logits(model, held_out.signals, softmax_head(model)).argmax(axis=1)
    figures: dict[str, Any] = {"windows": len(held_out.signals), "float": _score(reference, held_out, contract)}
    for name, kind in (("before", OneScale), ("after", InferenceGraph)):
        graph = kind(model, contract)
        content = flatbuffer_of(graph, Recipe(), graph.encode(known.signals), "benchmark")
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
