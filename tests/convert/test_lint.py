import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st

from deseptr.contract import ConversionError
from deseptr.convert.lint import Lint, check, lint, non_int8_ops
from deseptr.convert.targets import TARGETS
from deseptr.tflite import read_tflite
from deseptr.tflite.graph import Graph, Node, Tensor, pack, read_graph, unpack

PI, MICRO, CORAL = (TARGETS[name] for name in ("pi", "micro", "coral"))


def flatbuffer(
    function, shape: tuple[int | None, ...], *, int8: bool = False, io: tf.DType = tf.int8, flex: bool = False
) -> bytes:
    signature = [tf.TensorSpec(shape, tf.float32)]
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if int8:
        rng = np.random.default_rng(0)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([rng.normal(size=shape).astype("f")] for _ in range(4))
        converter.inference_input_type = converter.inference_output_type = io
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


def naive_norm(x: tf.Tensor) -> tf.Tensor:
    """Layer normalization as Keras writes it, with its NEG, between two ReLUs."""
    x = tf.nn.relu(x)
    with tf.name_scope("norm"):
        mean = tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
        scale = tf.math.rsqrt(variance + 1e-3)
        return tf.nn.relu(x * scale + tf.negative(mean) * scale)


@cache
def relu(io: str = "int8") -> bytes:
    return flatbuffer(lambda x: tf.nn.relu(x * 2), (1, 4, 4, 3), int8=True, io=tf.dtypes.as_dtype(io))


@cache
def dense() -> bytes:
    weights = tf.constant(np.random.default_rng(1).normal(size=(8, 4)) * [0.1, 1, 2, 5], tf.float32)
    return flatbuffer(lambda x: tf.matmul(x, weights), (1, 8), int8=True)


def changed(content: bytes, change: Callable[[Any], None]) -> Graph:
    model = unpack(content)
    change(model)
    return read_graph(pack(model))


def rules(graph: Graph, target=PI, mode: str = "int8") -> set[str]:
    return {finding.rule for finding in lint(graph, target, mode)}


def of_type(code: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.type = code

    return change


def versioned(version: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.operatorCodes[0].version = version

    return change


def tensor(index: int, type_: str = "INT8", shape: tuple[int, ...] = (1, 4), name: str = "t") -> Tensor:
    return Tensor(index, name, type_, shape, None, np.empty(0, np.float32), np.empty(0, np.int64))


def chain(*types: str, ops: tuple[str, ...]) -> Graph:
    tensors = [tensor(i, type_) for i, type_ in enumerate(types)]
    nodes = [Node(op, 1, (tensors[i],), (tensors[i + 1],)) for i, op in enumerate(ops)]
    return Graph(tuple(nodes), (tensors[0],), (tensors[-1],))


def test_converted_student_is_int8_throughout(tiny_tflite):
    graph = read_graph(read_tflite(tiny_tflite).content)
    for target in (PI, MICRO, CORAL):
        check(graph, target, "int8", tiny_tflite)
    ops = graph.ops
    assert non_int8_ops(graph.nodes) == []
    assert not {"QUANTIZE", "DEQUANTIZE", "FULLY_CONNECTED"} & ops.keys()
    assert ops["L2_NORMALIZATION"] == ops["RSQRT"] == 3
    assert ops["CONV_2D"] == 22


def test_students_norms_would_have_no_int16_kernel(tiny_tflite):
    graph = changed(read_tflite(tiny_tflite).content, of_type(7))
    lacking = [finding for finding in lint(graph, PI, "int16x8") if finding.rule == "types a kernel lacks"]
    assert {finding.op for finding in lacking} == {"L2_NORMALIZATION", "RSQRT"}
    assert {finding.found for finding in lacking} == {"INT16"}


def test_float_island_is_named_with_its_layer():
    """A sine has no int8 kernel: the converter wraps it in DEQUANTIZE and QUANTIZE without a warning."""
    graph = read_graph(flatbuffer(lambda x: tf.nn.relu(tf.sin(tf.nn.relu(x))), (1, 8), int8=True))
    assert any(op.startswith("SIN") for op in non_int8_ops(graph.nodes))
    with pytest.raises(ConversionError, match=r"m\.tflite: found float islands: SIN .*DEQUANTIZE .*INT8 throughout"):
        check(graph, PI, "int8", "m.tflite")


def test_naive_layer_normalization_fails_by_the_layers_name():
    graph = read_graph(flatbuffer(naive_norm, (1, 4, 8), int8=True))
    with pytest.raises(ConversionError, match=r"float islands: NEG \(norm/Neg: FLOAT32\)"):
        check(graph, PI, "int8", "m.tflite")


def test_float_input_and_output_are_legitimate():
    graph = read_graph(relu("float32"))
    assert {"QUANTIZE", "DEQUANTIZE"} <= graph.ops.keys()
    assert lint(graph, PI, "int8") == ()
    summary = Lint.of(graph, PI, "int8")
    assert (summary.quantize, summary.dequantize, len(summary.non_int8)) == (1, 1, 2)


def test_pair_inside_a_graph_with_float_io_is_an_island():
    graph = chain(
        *("FLOAT32", "INT8", "FLOAT32", "INT8", "FLOAT32"), ops=("QUANTIZE", "DEQUANTIZE", "QUANTIZE", "DEQUANTIZE")
    )
    assert [finding.op for finding in lint(graph, PI, "int8")] == ["DEQUANTIZE", "QUANTIZE"]


def test_a_layer_in_float_whose_name_went_to_the_quantize_at_the_output_is_as_wanted():
    """The converter names the QUANTIZE after a requested layer like it, and the layer itself otherwise."""
    first, inside, out = tensor(0), tensor(1, "FLOAT32", name="head;bias"), tensor(2, name="head")
    back = Node("DEQUANTIZE", 1, (first,), (tensor(3, "FLOAT32", name="in float"),))
    dense = Node("FULLY_CONNECTED", 1, back.outputs, (inside,))
    graph = Graph((back, dense, Node("QUANTIZE", 1, (inside,), (out,))), (first,), (out,))
    assert lint(graph, PI, "int8", ["head"]) == ()
    assert {finding.op for finding in lint(graph, PI, "int8")} >= {"FULLY_CONNECTED"}


def test_second_quantize_of_one_input_is_an_island():
    x, a, b = tensor(0, "FLOAT32"), tensor(1), tensor(2)
    graph = Graph((Node("QUANTIZE", 1, (x,), (a,)), Node("QUANTIZE", 1, (x,), (b,))), (x,), (a, b))
    assert [finding.rule for finding in lint(graph, PI, "int8")] == ["float islands"]


def test_requantizing_is_no_island():
    assert lint(chain("INT8", "INT8", ops=("QUANTIZE",)), PI, "int8") == ()


def test_float_model_passes_in_float_and_fails_in_int8():
    graph = read_graph(flatbuffer(naive_norm, (1, 4, 8)))
    assert rules(graph, PI, "float32") == rules(graph, MICRO, "float32") == set()
    assert rules(graph, PI, "dynamic") == rules(graph, PI, "float16") == set()
    assert "float islands" in rules(graph)


def test_flex_op_is_named():
    graph = read_graph(flatbuffer(tf.linalg.inv, (1, 2, 2), flex=True))
    assert rules(graph, PI, "float32") == {"flex ops"}
    with pytest.raises(ConversionError, match="found flex ops: FlexMatrixInverse"):
        check(graph, PI, "float32", "m.tflite")


def test_custom_op():
    def change(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, b"edgetpu-custom-op"

    assert [f[:2] for f in lint(changed(relu(), change), PI, "int8")] == [("custom ops", "edgetpu-custom-op")]


def test_spectrum_of_tensorflow():
    graph = read_graph(flatbuffer(lambda x: tf.abs(tf.signal.rfft(x, [16])), (1, 16)))
    assert {f.op for f in lint(graph, PI, "float32") if f.rule == "complex numbers"} == {"RFFT2D", "COMPLEX_ABS"} | (
        {node.op for node in graph.nodes if "COMPLEX64" in node.types}
    )


@pytest.mark.parametrize("op", ["IF", "WHILE", "CALL_ONCE"])
def test_control_flow_hides_a_graph(op: str):
    assert rules(Graph((Node(op, 1, (), ()),), (), ())) == {"control flow"}


def test_dynamic_shape():
    graph = read_graph(flatbuffer(tf.nn.relu, (None, 8)))
    assert rules(graph, PI, "float32") == {"dynamic shapes"}


def test_op_that_the_target_lacks():
    graph = read_graph(flatbuffer(tf.nn.gelu, (1, 4, 4, 3), int8=True))
    assert "ops the target lacks" not in rules(graph)
    missing = [f for f in lint(graph, MICRO, "int8") if f.rule == "ops the target lacks"]
    assert {f.op for f in missing} == {node.op for node in graph.nodes} - MICRO.ops.keys() != set()


def test_version_above_the_targets():
    graph = changed(relu(), versioned(99))
    (finding,) = lint(graph, PI, "int8")
    assert (finding.rule, finding.found) == ("op versions", "version 99")
    assert finding.expected == f"version {PI.ops[graph.nodes[0].op]} at most"


def test_rank_five_is_refused():
    content = flatbuffer(lambda x: tf.nn.relu(tf.reshape(x, (1, 2, 2, 2, 2))), (1, 16), int8=True)
    with pytest.raises(ConversionError, match=r"ranks: RESHAPE \(.*: rank 5\).* expected rank 4 at most"):
        check(read_graph(content), PI, "int8", "m.tflite")


def test_int16_activations_in_an_int8_model():
    graph = changed(relu(), of_type(7))
    assert rules(graph) == {"element types"}
    assert rules(graph, PI, "int16x8") == rules(graph, MICRO, "int16x8") == set()


def test_kernel_that_lacks_int8():
    assert rules(chain("INT8", "INT8", ops=("NEG",))) == {"types a kernel lacks"}


def test_per_channel_dense_weights():
    graph = read_graph(dense())
    (finding,) = lint(graph, PI, "int8")
    assert finding[:2] == ("per-channel dense weights", "FULLY_CONNECTED")
    assert finding.found == "4 scales"
    assert rules(graph, CORAL) == {"per-channel dense weights"}
    assert rules(graph, MICRO) == set()


def test_mode_that_the_target_lacks():
    with pytest.raises(ConversionError, match="target micro: found mode float16, expected int8 or int16x8 or float32"):
        lint(read_graph(relu()), MICRO, "float16")


@given(count=st.integers(1, 12))
def test_first_five_are_named_and_the_rest_counted(count: int):
    graph = chain(*["INT8"] * (count + 1), ops=("NEG",) * count)
    with pytest.raises(ConversionError) as caught:
        check(graph, PI, "int8", "m")
    assert str(caught.value).count("NEG (t: INT8)") == min(count, 5)
    assert (f" and {count - 5} more" in str(caught.value)) == (count > 5)


def test_other_broken_rules_are_counted():
    graph = Graph((*chain("INT8", "FLOAT32", ops=("RELU",)).nodes, *chain("INT8", "INT8", ops=("NEG",)).nodes), (), ())
    with pytest.raises(ConversionError, match=r"float islands: RELU \(t: FLOAT32\); also types a kernel lacks 1,"):
        check(graph, PI, "int8", "m")


@given(types=st.lists(st.sampled_from(["INT8", "INT16", "FLOAT32", "INT32"]), min_size=2, max_size=8), data=st.data())
def test_lint_is_empty_exactly_where_all_is_int8_and_known(types: list[str], data: st.DataObject):
    ops = tuple(data.draw(st.sampled_from(["RELU", "ADD", "MYSTERY"])) for _ in types[1:])
    findings = lint(chain(*types, ops=ops), PI, "int8")
    assert (findings == ()) == (set(types) == {"INT8"} and "MYSTERY" not in ops)


def test_summary_is_plain_json():
    summary = Lint.of(read_graph(dense()), CORAL, "int8").to_dict()
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["nodes"], summary["macs"], summary["ops"]) == (1, 32, {"FULLY_CONNECTED": 1})
    assert summary["findings"][0]["rule"] == "per-channel dense weights"
    assert summary["edgetpu"]["leading_share"] == 1.0
    assert Lint.of(read_graph(dense()), PI, "int8").edgetpu is None
