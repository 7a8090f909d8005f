import numpy as np
import pytest
import tensorflow as tf

from deseptr.contract import ConversionError, read_tflite
from deseptr.convert.lint import check, non_int8_ops
from deseptr.device.graph import read_graph


def flatbuffer(function, shape: tuple[int, ...], *, int8: bool = False, flex: bool = False) -> bytes:
    signature = [tf.TensorSpec(shape, tf.float32)]
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if int8:
        rng = np.random.default_rng(0)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([rng.normal(size=shape).astype("f")] for _ in range(4))
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


def test_converted_student_is_int8_throughout(tiny_tflite):
    graph = read_graph(read_tflite(tiny_tflite).content)
    nodes = graph.nodes
    check(nodes, tiny_tflite)
    ops = graph.ops
    assert non_int8_ops(nodes) == []
    assert not {"QUANTIZE", "DEQUANTIZE", "FULLY_CONNECTED"} & ops.keys()
    assert ops["L2_NORMALIZATION"] == ops["RSQRT"] == 3
    assert ops["CONV_2D"] == 16


def test_float_island_is_named_with_its_layer():
    """A sine has no int8 kernel: the converter wraps it in DEQUANTIZE and QUANTIZE and says nothing."""
    content = flatbuffer(lambda x: tf.nn.relu(tf.sin(tf.nn.relu(x))), (1, 8), int8=True)
    assert any(op.startswith("SIN") for op in non_int8_ops(read_graph(content).nodes))
    with pytest.raises(ConversionError, match=r"m\.tflite: found float islands: DEQUANTIZE .*SIN"):
        check(read_graph(content).nodes, "m.tflite")


def test_flex_op_is_named():
    content = flatbuffer(tf.linalg.inv, (1, 2, 2), flex=True)
    with pytest.raises(ConversionError, match="operations that need TensorFlow: FlexMatrixInverse"):
        check(read_graph(content).nodes, "m.tflite")


def test_rank_five_is_refused():
    content = flatbuffer(lambda x: tf.nn.relu(tf.reshape(x, (1, 2, 2, 2, 2))), (1, 16), int8=True)
    with pytest.raises(ConversionError, match="activations of high rank: RESHAPE"):
        check(read_graph(content).nodes, "m.tflite")
