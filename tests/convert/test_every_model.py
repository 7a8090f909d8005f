"""Every network becomes an int8 graph with nearly the checkpoint's logits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from edited import edited

from deseptr.convert.embedding_noise import embedding_sqnr_db
from deseptr.convert.lint import check
from deseptr.convert.lowering.inference_graph import InferenceGraph
from deseptr.convert.quantize import flatbuffer_of
from deseptr.convert.recipe import Recipe
from deseptr.convert.symmetric import make_operands_symmetric
from deseptr.convert.targets import TARGETS
from deseptr.tflite import embed_contract, load_engine, predict_with_embeddings
from deseptr.tflite.graph import read_graph
from deseptr.train.models.registry import MODELS


@pytest.mark.parametrize("name", [name for name, family in MODELS.items() if family.input in ("spectrogram", "window")])
def test_int8_conversion(name: str, windows: np.ndarray, random_model, contract, tmp_path: Path):
    classifier = random_model(name, scale=0.05)
    expected = np.asarray(classifier(windows))
    graph = InferenceGraph(classifier, contract, embedding=True)
    content = edited(flatbuffer_of(graph, Recipe(), graph.encode(windows), name), make_operands_symmetric)
    lowered = read_graph(content)
    check(lowered, TARGETS["pi"], "int8", name)
    assert not {"FULLY_CONNECTED", "WHILE"} & lowered.ops.keys()
    path = tmp_path / "m.tflite"
    path.write_bytes(embed_contract(content, replace(contract, embedding_width=graph.embedding_width)))
    logits, embeddings = predict_with_embeddings(load_engine(path), windows)
    assert np.sqrt(((logits - expected) ** 2).mean()) < 0.15 * expected.std()
    exact = np.concatenate([graph.function(tf.constant(window[None]))[1] for window in graph.encode(windows)])
    # Of random weights, the tokens of a transformer hardly differ from window to window.
    assert embedding_sqnr_db(embeddings, exact) > 6
