import numpy as np
import pytest
import tensorflow as tf
from edited import edited

from deseptr.convert.symmetric import make_operands_symmetric
from deseptr.tflite.graph import Graph, read_graph

SHAPE = (1, 2, 3, 4)


def int8(function) -> bytes:
    rng = np.random.default_rng(0)
    signature = [tf.TensorSpec(SHAPE, tf.float32)]
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=SHAPE).astype("f")] for _ in range(20))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def projected(x: tf.Tensor, outputs: int = 4) -> tf.Tensor:
    kernel = tf.constant(np.random.default_rng(1).normal(size=(1, 1, x.shape[-1], outputs)), tf.float32)
    return tf.nn.conv2d(x, kernel, 1, "VALID") + 3.0


def operand(graph: Graph):
    return next(node for node in graph.nodes if node.op == "BATCH_MATMUL").inputs[1]


def logits(content: bytes, windows: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for window in windows:
        scale, zero = given["quantization"]
        interpreter.set_tensor(given["index"], np.clip(np.rint(window / scale) + zero, -128, 127).astype(np.int8)[None])
        interpreter.invoke()
        scale, zero = told["quantization"]
        found.append((interpreter.get_tensor(told["index"])[0].astype(float) - zero) * scale)
    return np.stack(found)


@pytest.mark.parametrize(
    "value",
    [projected, lambda x: tf.transpose(tf.reshape(projected(x), (1, 3, 2, 4)), (0, 2, 1, 3))],
    ids=["plain", "rearranged"],
)
def test_values_become_symmetric_and_keep_their_range(value):
    before = int8(lambda x: tf.matmul(tf.nn.softmax(tf.matmul(x, x, transpose_b=True)), value(x)))
    after = edited(before, make_operands_symmetric)
    graphs = [read_graph(content) for content in (before, after)]
    products = [[node for node in graph.nodes if node.op == "BATCH_MATMUL"][-1].inputs[1] for graph in graphs]
    was, now = products
    assert was.zero_points[0] != 0 == now.zero_points[0]
    widest = max(was.zero_points[0] + 127, 127 - was.zero_points[0]) * was.scales[0]
    np.testing.assert_allclose(127 * now.scales[0], widest, rtol=1e-6)
    windows = np.random.default_rng(2).normal(size=(20, *SHAPE[1:]))
    first, second = (logits(content, windows) for content in (before, after))
    assert np.abs(first - second).max() < 0.05 * np.ptp(first)


def test_keys_that_come_transposed_stay():
    before = int8(lambda x: tf.matmul(projected(x), projected(x) - 1.0, transpose_b=True))
    after = edited(before, make_operands_symmetric)
    np.testing.assert_array_equal(operand(read_graph(after)).zero_points, operand(read_graph(before)).zero_points)


def test_an_operand_that_pooling_reads_too_stays():
    def function(x: tf.Tensor) -> tf.Tensor:
        value = projected(x)
        return tf.matmul(tf.matmul(x, x, transpose_b=True), value) + tf.reduce_sum(
            tf.nn.max_pool2d(value, 2, 1, "SAME")
        )

    before = int8(function)
    after = edited(before, make_operands_symmetric)
    pooled = [next(n for n in read_graph(c).nodes if n.op == "MAX_POOL_2D") for c in (before, after)]
    np.testing.assert_array_equal(pooled[0].inputs[0].zero_points, pooled[1].inputs[0].zero_points)
    assert np.isfinite(logits(after, np.zeros((1, *SHAPE[1:])))).all()
