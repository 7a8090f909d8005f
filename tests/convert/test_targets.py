import pytest

from deseptr.convert.targets import TARGETS

MODES = ("int8", "int16x8", "float16", "dynamic", "float32")
STUDENT = {
    *("ADD", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "L2_NORMALIZATION", "MAX_POOL_2D", "MEAN"),
    *("RESHAPE", "SOFTMAX", "STRIDED_SLICE", "TRANSPOSE"),
}


def builtin_operators() -> set[str]:
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    return {name for name in vars(BuiltinOperator) if not name.startswith("_")}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_listed_op_is_one_of_the_schema(target):
    listed = target.ops.keys() | target.accelerated | frozenset().union(*target.lacks.values())
    assert listed <= builtin_operators()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_a_kernel_lacks_is_an_op_it_has(target):
    assert frozenset().union(*target.lacks.values()) <= target.ops.keys()
    assert all(version >= 1 for version in target.ops.values())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_students_ops_run_everywhere(target):
    assert target.ops.keys() >= STUDENT


def test_modes():
    assert TARGETS["pi"].modes == MODES
    assert TARGETS["micro"].modes == ("int8", "int16x8", "float32")
    assert TARGETS["coral"].modes == ("int8",)


def test_names_are_keys():
    assert all(name == target.name for name, target in TARGETS.items())


def test_edge_tpu_lacks_what_cost_a_day():
    absent = {"BATCH_MATMUL", "GELU", "ABS", "SQRT", "LOG", "NEG", "DIV", "DEQUANTIZE"}
    assert not absent & TARGETS["coral"].accelerated


def test_a_coral_board_is_a_pi_with_an_accelerator():
    assert TARGETS["coral"].ops == TARGETS["pi"].ops
    assert TARGETS["coral"].accelerated <= TARGETS["pi"].ops.keys()


def test_micro_has_no_gelu_and_its_own_dense_kernel():
    assert "GELU" not in TARGETS["micro"].ops
    assert TARGETS["micro"].per_channel_dense
    assert not TARGETS["pi"].per_channel_dense


def test_l2_normalization_has_no_int16_kernel_anywhere():
    assert "L2_NORMALIZATION" in TARGETS["pi"].lacks["INT16"] & TARGETS["micro"].lacks["INT16"]
    assert "L2_NORMALIZATION" not in TARGETS["pi"].lacks["INT8"]


def open_with_litert(op: str, version: int) -> bool:
    """Whether ai-edge-litert knows an operation at a version: its code alone is looked up, no node uses it."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter

    from deseptr.tflite.graph import pack

    code, graph, model = schema.OperatorCodeT(), schema.SubGraphT(), schema.ModelT()
    code.builtinCode = getattr(schema.BuiltinOperator, op)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
    tensor = schema.TensorT()
    tensor.shape, tensor.buffer = [1], 0
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    try:
        Interpreter(model_content=pack(model))
    except ValueError:
        return False
    return True


def test_listed_versions_are_registered():
    """Of ai-edge-litert, which is installed here; tflite-runtime 2.14 was asked the same by hand."""
    ops = TARGETS["pi"].ops
    assert not [op for op, version in ops.items() if not open_with_litert(op, version)]
    assert not open_with_litert("RESHAPE", 2)
