"""Programs of PyTorch as Keras models: PyTorch's logits, the names of its modules, one line for a refusal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from pt2_files import PT2, edited, networks

from deseptr.contract import ModelContract, ModelError, StftSpec
from deseptr.train.checkpoint import load_run
from deseptr.train.torch_program.archive import read_program
from deseptr.train.torch_program.network import OPERATIONS, load_torch_program
from deseptr.train.training_loop import predict_logits

FAST = ("cnn", "gru", "transformer", "split")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in networks()]
)
def test_program_gives_the_logits_of_pytorch(name: str):
    example = read_program(PT2 / f"{name}.pt2").example
    assert example is not None
    assert np.ptp(example.logits) > 0.5
    model = load_torch_program(PT2 / f"{name}.pt2")
    np.testing.assert_allclose(predict_logits(model, example.windows), example.logits, atol=2e-5, rtol=2e-5)


def test_layers_are_named_like_the_modules():
    model = load_torch_program(PT2 / "transformer.pt2")
    kinds = {layer.name: type(layer).__name__ for layer in model.layers}
    assert kinds["patches"] == "Conv1D"
    assert kinds["encoder.layers.0.norm1"] == "LayerNormalization"
    assert kinds["encoder.layers.0.self_attn"] == "Dense"
    # No transposition is left but those of the heads.
    assert sum("transpose" in operation.name for operation in model.operations) == 5
    assert not any(isinstance(layer, keras.layers.Permute) for layer in model.layers)


def test_program_is_a_checkpoint_with_its_contract_beside_it(tmp_path: Path):
    (tmp_path / "net.pt2").write_bytes((PT2 / "cnn.pt2").read_bytes())
    settings: dict[str, Any] = {"hop_length": 16, "stft": StftSpec(8, 4, 3), "model": "torch"}
    ModelContract(labels=("a", "b", "c"), window_length=32, **settings).save(tmp_path / "contract.json")
    model, contract = load_run(tmp_path / "net.pt2")
    assert contract.labels == ("a", "b", "c")
    assert model.output_shape == (1, 3)
    ModelContract(labels=("a", "b"), window_length=32, **settings).save(tmp_path / "contract.json")
    with pytest.raises(ModelError, match=r"found output \(1, 3\), expected \(1, 2\), one logit for each label"):
        load_run(tmp_path / "net.pt2")


def node(program: Any, operation: str) -> Any:
    return next(n for n in program["graph_module"]["graph"]["nodes"] if f".{operation}." in n["target"])


def unknown(program: Any) -> None:
    node(program, "relu")["target"] = "torch.ops.aten.erfinv.default"


def of_a_library(program: Any) -> None:
    node(program, "conv1d")["target"] = "torch.ops.mine.conv.default"


def other_argument(program: Any) -> None:
    node(program, "conv1d")["inputs"].append({"name": "tiles", "arg": {"as_int": 3}, "kind": 1})


def in_training(program: Any) -> None:
    node(program, "gru")["inputs"][6]["arg"] = {"as_bool": True}
    node(program, "gru")["inputs"][5]["arg"] = {"as_float": 0.5}


def computed_weight(program: Any) -> None:
    node(program, "conv1d")["inputs"][1]["arg"]["as_tensor"]["name"] = "x"


def no_such_value(program: Any) -> None:
    node(program, "relu")["inputs"][0]["arg"]["as_tensor"]["name"] = "elsewhere"


def no_such_output(program: Any) -> None:
    program["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]["name"] = ["elsewhere"]


REFUSED: dict[str, tuple[Callable[[Any], None], str]] = {
    "unknown": (unknown, r"the module itself \(Gru\): found operation erfinv, for which there is no rewriting"),
    "library": (of_a_library, r"layer 'first' \(Conv1d\): found operation torch.ops.mine.conv.default"),
    "argument": (other_argument, r"layer 'first' \(Conv1d\): found conv1d with other arguments .*tiles"),
    "training": (in_training, r"layer 'gru' \(GRU\): found gru with train=True.*eval\(\)"),
    "weight": (
        computed_weight,
        r"layer 'first' \(Conv1d\): found conv1d with a kernel that is computed from the window",
    ),
    "output": (no_such_output, r"the output: found a value that nothing computes, expected logits of the window"),
    "value": (no_such_value, r"found a value 'elsewhere' that nothing computes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_the_module(name: str, tmp_path: Path):
    change, line = REFUSED[name]
    path = edited("gru", tmp_path, {"models/model.json": change})
    with pytest.raises(ModelError, match=line) as refused:
        load_torch_program(path)
    assert str(path) in str(refused.value)


def test_rewriting_that_does_not_give_the_files_logits_is_refused(tmp_path: Path):
    def wrong(check: Any) -> None:
        check["logits"][2][1] += 0.1

    with pytest.raises(ModelError, match=r"logits differ from PyTorch's by 0\.1"):
        load_torch_program(edited("cnn", tmp_path, {"extra/check.json": wrong}))

    def shorter(check: Any) -> None:
        check["windows"] = [window[1:] for window in check["windows"]]

    with pytest.raises(ModelError, match=r"check.json: found windows \[6, 31, 6\]"):
        load_torch_program(edited("cnn", tmp_path, {"extra/check.json": shorter}))


def test_every_operation_is_named_in_the_documents():
    page = (Path(__file__).parents[3] / "docs" / "converting.md").read_text()
    listed = page.partition("<!-- operations of PyTorch -->")[2].partition("\n\n")[0]
    assert sorted(word.strip("`\n ") for word in listed.split(",")) == sorted(OPERATIONS)
