"""Reads ``.pt2``, the archive that ``torch.export.save`` writes: a graph in JSON, weights as raw memory.

``torch.export.load`` executes what a stranger's file says: it unpickles weights and example inputs, and evaluates
symbolic shapes as Python. Here nothing of that is read: only the JSON and the raw memory, within limits.

Source of the layout: torch/export/pt2_archive and torch/_export/serde/schema.py of PyTorch 2.14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import ArchiveError, ModelError, ZipReader, parse_json

from .program import Example, Layer, Name, Node, Program

EXAMPLE = "extra/check.json"
_SCHEMA = 8
# Numbers of torch._export.serde.schema.ScalarType.
_TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", 12: "?"}
_PLAIN = ("as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_bools", "as_string")
# Where and in what memory a result lies has no meaning here.
_IGNORED = ("as_scalar_type", "as_device", "as_layout", "as_memory_format")


def read_program(path: Path) -> Program:
    """Read a program.

    Args:
        path: the ``.pt2`` file.

    Raises:
        ModelError: if it is unreadable, has shapes that are not fixed, or weights that are pickled.
    """
    try:
        with ZipReader(path) as archive:
            return _Reader(archive).program()
    except (ArchiveError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise ModelError(
            path,
            found=f"an unreadable program ({reason})",
            expected="a .pt2 file of torch.export.save of one window [1, window_length, channels]",
            next_step="save it as examples/export_pytorch.py does",
        ) from error


def has_example(path: Path) -> bool:
    """Whether a program that can be read has windows to check its rewriting with."""
    with ZipReader(path) as archive:
        return any(name.endswith(f"/{EXAMPLE}") for name in archive.names())


class _Reader:
    def __init__(self, archive: ZipReader) -> None:
        self._archive = archive
        found = [name for name in archive.names() if name.endswith("/models/model.json")]
        if len(found) != 1:
            raise ValueError(f"{len(found)} members models/model.json")
        self._folder = found[0].removesuffix("models/model.json")

    def _json(self, member: str) -> Any:
        return parse_json(self._archive.read(self._folder + member))

    def program(self) -> Program:
        content = self._json("models/model.json")
        version = content["schema_version"]["major"]
        if version != _SCHEMA:
            raise ValueError(f"version {version} of the schema, {_SCHEMA} is read")
        module = content["graph_module"]
        graph, signature = module["graph"], module["signature"]
        (window,) = (spec["user_input"]["arg"] for spec in signature["input_specs"] if "user_input" in spec)
        (logits,) = (spec["user_output"]["arg"] for spec in signature["output_specs"])
        window = window["as_tensor"]["name"]
        return Program(
            window=window,
            shape=_sizes(graph["tensor_values"][window]["sizes"]),
            constants=dict(self._constants(signature["input_specs"])),
            nodes=tuple(_node(node) for node in graph["nodes"]),
            logits=str(logits["as_tensor"]["name"]),
            example=self._example(),
        )

    def _constants(self, specs: Any) -> Iterator[tuple[str, NDArray[Any]]]:
        weights = self._json("data/weights/model_weights_config.json")["config"]
        others = self._json("data/constants/model_constants_config.json")["config"]
        for spec in specs:
            ((kind, of),) = spec.items()
            if kind == "user_input":
                continue
            name = of[
                {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}[
                    kind
                ]
            ]
            folder, entry = ("weights", weights[name]) if name in weights else ("constants", others[name])
            yield of["arg"]["name"], self._tensor(name, f"data/{folder}/", entry)

    def _tensor(self, name: str, folder: str, entry: Any) -> NDArray[Any]:
        meta = entry["tensor_meta"]
        if entry["use_pickle"]:
            raise ValueError(f"{name} is pickled, which is not read since a pickle may execute anything")
        if meta["dtype"] not in _TYPES:
            raise ValueError(f"{name} has numbers of type {meta['dtype']}; save model.float()")
        memory = np.frombuffer(self._archive.read(f"{self._folder}{folder}{entry['path_name']}"), _TYPES[meta["dtype"]])
        sizes, strides = _sizes(meta["sizes"]), _sizes(meta["strides"])
        (offset,) = _sizes([meta["storage_offset"]])
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if not prod(sizes):
            return np.zeros(sizes, memory.dtype)
        # Steps of 0 let one number stand for any number of them.
        if last >= len(memory) or prod(sizes) > len(memory):
            raise ValueError(f"{name} has {len(memory)} numbers of {max(last + 1, prod(sizes))}")
        steps = [stride * memory.itemsize for stride in strides]
        array = np.lib.stride_tricks.as_strided(memory[offset:], sizes, steps).copy()
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has NaN or infinity")
        return array.astype(np.float32) if array.dtype.kind == "f" else array

    def _example(self) -> Example | None:
        if self._folder + EXAMPLE not in self._archive.names():
            return None
        content = self._json(EXAMPLE)
        return Example(*(np.asarray(content[name], np.float32) for name in ("windows", "logits")))


def _sizes(sizes: Any) -> tuple[int, ...]:
    if any("as_int" not in size for size in sizes):
        raise ValueError("shapes that are not fixed; export without dynamic_shapes")
    found = tuple(size["as_int"] for size in sizes)
    if any(not isinstance(size, int) or size < 0 for size in found):
        raise ValueError(f"sizes {list(found)}")
    return found


def _node(node: Any) -> Node:
    target = node["target"]
    of_aten = target.removeprefix("torch.ops.aten.")
    # In place or not is the same here, where values have one name each.
    operation = target if of_aten == target else of_aten.split(".")[0].rstrip("_")
    arguments = {}
    for given in node["inputs"]:
        ((kind, value),) = given["arg"].items()
        if kind not in _IGNORED:
            arguments[given["name"]] = _argument(kind, value)
    return Node(operation, arguments, tuple(_output(output) for output in node["outputs"]), _layer(node["metadata"]))


def _argument(kind: str, value: Any) -> Any:
    if kind in _PLAIN:
        return value
    if kind == "as_none":
        return None
    if kind in _NAMES:
        return _NAMES[kind](value)
    if "sym" in kind:
        raise ValueError("shapes that are not fixed; export without dynamic_shapes")
    raise ValueError(f"an argument of kind {kind}")


def _optional(value: Any) -> Name | None:
    return Name(value["as_tensor"]["name"]) if "as_tensor" in value else None


_NAMES: dict[str, Callable[[Any], Any]] = {
    "as_tensor": lambda value: Name(value["name"]),
    "as_tensors": lambda value: [Name(part["name"]) for part in value],
    "as_optional_tensor": _optional,
    "as_optional_tensors": lambda value: [_optional(part) for part in value],
}


def _output(output: Any) -> str | tuple[str, ...]:
    ((kind, value),) = output.items()
    names = _argument(kind, value)
    return tuple(names) if isinstance(names, list) else str(names)


def _layer(metadata: Any) -> Layer:
    """The innermost module of ``key,path,class;key,path,class``."""
    parts = metadata.get("nn_module_stack", "").split(";")[-1].split(",")
    return Layer(parts[1], parts[-1].rpartition(".")[2]) if len(parts) > 2 else Layer("", "Module")
