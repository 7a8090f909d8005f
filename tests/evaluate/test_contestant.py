"""Models without a contract of their own, which take one from beside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelContract, ModelError
from deseptr.evaluate.compare import Timing
from deseptr.evaluate.contestant import Contestant, Engines, load_contestants

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX model of windows of 32 samples of six channels, whose three logits are sums of two channels each."""
    from onnx import TensorProto, helper, numpy_helper

    pairs = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["window", "time"], ["sums"], keepdims=0),
            helper.make_node("MatMul", ["sums", "pairs"], ["logits"]),
        ],
        "sums",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, [1, 32, 6])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.array([1], np.int64), "time"), numpy_helper.from_array(pairs, "pairs")],
    )
    path = tmp_path_factory.mktemp("onnx") / "sums.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def loaded(path: Path, contract: ModelContract, folder: Path) -> Contestant:
    contract.save(folder / "contract.json")
    (contestant,) = load_contestants([path], Engines(), contract=folder / "contract.json")
    return contestant


def test_an_onnx_model_predicts_by_the_contract_beside_it(sums: Path, contract: ModelContract, tmp_path: Path):
    contestant = loaded(sums, contract, tmp_path)
    assert (contestant.name, contestant.macs, contestant.graph) == ("sums", None, None)
    predictor = contestant.predictor(Engines())
    assert predictor is not None
    windows = np.zeros((2, 32, 6), np.float32)
    windows[0, :, 5], windows[1, 3, :3] = 0.5, (1, 2, 4)
    np.testing.assert_allclose(predictor.predict(windows), [[0, 0, 16], [3, 4, 0]])


@pytest.mark.parametrize("width", [0, 2])
def test_logits_beside_an_embedding_are_found_by_name(sums: Path, contract: ModelContract, tmp_path: Path, width: int):
    model = onnx.load(sums)
    model.graph.node[0].output[0] = model.graph.node[1].input[0] = "embedding"
    model.graph.output.insert(0, onnx.helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, [1, 6]))
    onnx.save(model, tmp_path / "two.onnx")
    windows = np.random.default_rng(0).normal(size=(3, 32, 6)).astype(np.float32)
    found = []
    for path in (sums, tmp_path / "two.onnx"):
        # The contract beside a model may be of its run, which knows of no embedding, or of another conversion.
        predictor = loaded(path, replace(contract, embedding_width=width), tmp_path).predictor(Engines())
        assert predictor is not None
        found.append(predictor.predict(windows))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("labels", "length", "found"),
    [
        (("a", "b", "c", "d"), 32, r"inputs \[\[1, 32, 6\]\] and \[3\] logits, expected \[\[1, 32, 6\]\] and \[4\]"),
        (("a", "b", "c"), 64, r"inputs \[\[1, 32, 6\]\] and \[3\] logits, expected \[\[1, 64, 6\]\] and \[3\]"),
    ],
)
def test_an_onnx_model_of_another_window_or_of_other_classes_is_refused(
    sums: Path, contract: ModelContract, tmp_path: Path, labels: tuple[str, ...], length: int, found: str
):
    contestant = loaded(sums, replace(contract, labels=labels, window_length=length), tmp_path)
    with pytest.raises(ModelError, match=rf"sums\.onnx: found {found} as in its contract; .*--contract"):
        contestant.predictor(Engines())


def test_timing_is_that_of_the_command_by_default():
    assert Timing() == Timing(rounds=1000, warm_up=20, seed=0)


def test_a_scaled_float_input_has_the_steps_of_an_int8_input(sums: Path, contract: ModelContract, tmp_path: Path):
    contract.save(tmp_path / "contract.json")
    (scaled,) = load_contestants([sums], Engines(), contract=tmp_path / "contract.json", scaled=True)
    predictor = scaled.predictor(Engines())
    assert predictor is not None
    windows = np.zeros((1, 32, 6), np.float32)
    # Half of the range, whole steps of 1/127.5, and what is beyond either end.
    windows[0, :2] = np.array(contract.input_range) * [0.5, 0, 3, 0, -3, 0]
    np.testing.assert_allclose(
        predictor.predict(windows), [[2 * 64 / 127.5, 2 * 127 / 127.5, -2 * 128 / 127.5]], rtol=1e-5
    )
