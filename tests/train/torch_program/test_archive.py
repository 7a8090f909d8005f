"""Files that are no program, or one that only a pickle or code in it could complete: one line, nothing executed."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_files import bomb
from pt2_files import PT2, edited, networks

from deseptr.contract import ModelError
from deseptr.train.torch_program.archive import has_example, read_program

WEIGHTS = "data/weights/model_weights_config.json"


class Trap:
    """Executes what no reader may."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self._mark,)


def test_weights_have_their_shapes_and_the_program_its_window():
    program = read_program(PT2 / "gru.pt2")
    assert program.shape == (1, 32, 6)
    shapes = sorted(array.shape for array in program.constants.values())
    assert shapes == [(3,), (3, 8), (12,), (12, 6, 4), (24,), (24,), (24, 8), (24, 12)]
    assert [node.operation for node in program.nodes] == [
        *("transpose", "conv1d", "relu", "transpose", "zeros", "gru", "select", "linear")
    ]
    assert program.nodes[5].layer == ("gru", "GRU")


def test_pickled_weight_is_refused_and_not_executed(tmp_path: Path):
    def pickled(config: Any) -> None:
        config["config"]["first.weight"]["use_pickle"] = True

    mark = tmp_path / "executed"
    trap = {"data/weights/weight_0": pickle.dumps(Trap(mark)), "data/sample_inputs/model.pt": pickle.dumps(Trap(mark))}
    with pytest.raises(ModelError, match=r"first.weight is pickled, which is not read"):
        read_program(edited("gru", tmp_path, {WEIGHTS: pickled, **trap}))
    read_program(edited("gru", tmp_path, {"data/sample_inputs/model.pt": trap["data/sample_inputs/model.pt"]}))
    assert not mark.exists()


def test_symbolic_shape_is_refused_and_not_evaluated(tmp_path: Path):
    mark = tmp_path / "executed"

    def symbolic(program: Any) -> None:
        size = {"as_expr": {"expr_str": f"__import__('pathlib').Path({str(mark)!r}).touch()", "hint": {"as_int": 1}}}
        program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"][0] = size
        program["range_constraints"] = {"s0": {"min_val": 0, "max_val": 9}}

    with pytest.raises(ModelError, match=r"shapes that are not fixed; export without dynamic_shapes"):
        read_program(edited("gru", tmp_path, {"models/model.json": symbolic}))
    assert not mark.exists()


def meta(field: str, value: Any) -> Any:
    def change(config: Any) -> None:
        config["config"]["head.weight"]["tensor_meta"][field] = value

    return change


BROKEN = {
    "no program": ({"models/model.json": None}, r"0 members models/model.json"),
    "no JSON": ({"models/model.json": b"{"}, r"an unreadable program \(Expecting"),
    "too deep": ({"models/model.json": b"[" * 100_000}, r"nested too deeply"),
    "a list": ({"models/model.json": b"[]"}, r"an unreadable program"),
    "another schema": (
        {"models/model.json": lambda program: program["schema_version"].update(major=9)},
        r"version 9 of the schema, 8 is read",
    ),
    "two windows": (
        {
            "models/model.json": lambda p: p["graph_module"]["signature"]["input_specs"].append(
                {"user_input": {"arg": 1}}
            )
        },
        r"an unreadable program",
    ),
    "no weights": ({WEIGHTS: lambda config: config["config"].clear()}, r"an unreadable program \(no '"),
    "short memory": ({WEIGHTS: meta("storage_offset", {"as_int": 99999})}, r"head.weight has \d+ numbers of 1000\d\d"),
    "steps beyond": (
        {WEIGHTS: meta("strides", [{"as_int": 10**15}, {"as_int": 1}])},
        r"head.weight has \d+ numbers of",
    ),
    "steps back": ({WEIGHTS: meta("strides", [{"as_int": -8}, {"as_int": 1}])}, r"sizes \[-8, 1\]"),
    "huge": ({WEIGHTS: meta("sizes", [{"as_int": 10**12}, {"as_int": 10**12}])}, r"head.weight has"),
    "huge and empty steps": (
        {
            WEIGHTS: lambda config: config["config"]["head.weight"]["tensor_meta"].update(
                sizes=[{"as_int": 10**9}, {"as_int": 10**9}], strides=[{"as_int": 0}, {"as_int": 0}]
            )
        },
        r"head.weight has",
    ),
    "bfloat16": ({WEIGHTS: meta("dtype", 13)}, r"head.weight has numbers of type 13; save model.float\(\)"),
    "not finite": ({"data/weights/weight_7": np.full(3, np.nan, "<f4").tobytes()}, r"head.bias has NaN or infinity"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_one_line(name: str, tmp_path: Path):
    changes, line = BROKEN[name]
    path = edited("gru", tmp_path, changes)
    with pytest.raises(ModelError, match=line) as refused:
        read_program(path)
    assert str(refused.value).startswith(f"{path}: found an unreadable program")


@pytest.mark.parametrize("content", [b"", b"PK", bytes(100), bomb("net/models/model.json", 2**27)])
def test_file_that_is_no_archive_is_one_line(content: bytes, tmp_path: Path):
    (tmp_path / "net.pt2").write_bytes(content)
    with pytest.raises(ModelError, match="an unreadable program"):
        read_program(tmp_path / "net.pt2")


def test_whether_a_file_can_be_checked(tmp_path: Path):
    assert all(has_example(PT2 / f"{name}.pt2") for name in networks())
    path = edited("cnn", tmp_path, {"extra/check.json": None})
    assert not has_example(path)
    assert read_program(path).example is None
