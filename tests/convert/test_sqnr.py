from typing import Any

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.convert.sqnr import LayerSqnr, layer_sqnr, worst
from deseptr.tflite.graph import pack, read_graph
from deseptr.tflite.runtimes import choose_runtime

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")

SHAPE = (1, 32, 32)
STEP = 1 / 64


class Builder:
    """A flatbuffer written tensor by tensor; a tensor's kind is ``(type, scale, zero point)`` or float32's None."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.operatorCodes, self.model.buffers = 3, [], [schema.BufferT()]
        self.model.subgraphs = [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, name: str, kind: tuple[str, float, int] | None = None) -> int:
        made = schema.TensorT()
        made.name, made.shape = name, list(SHAPE)
        made.type = getattr(schema.TensorType, kind[0] if kind else "FLOAT32")
        if kind:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array([kind[1]], np.float32)
            made.quantization.zeroPoint = np.array([kind[2]], np.int64)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def op(self, name: str, inputs: list[int], output: int) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        self.model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self.model.operatorCodes) - 1, inputs, [output]
        options = {
            "RESHAPE": schema.ReshapeOptionsT,
            "ADD": schema.AddOptionsT,
            "L2_NORMALIZATION": schema.L2NormOptionsT,
        }
        if name in options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options[name].__name__.removesuffix("T"))
            made.builtinOptions = options[name]()
        if name == "RESHAPE":
            made.builtinOptions.newShape = list(SHAPE)
        if name == "ADD":
            made.builtinOptions.potScaleInt16 = False
        self.graph.operators.append(made)
        return output

    def done(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        return pack(self.model)


def chain(*steps: tuple[str, str, Any], kind: Any = None) -> bytes:
    """A graph of ``(operation, name, kind)`` one behind the other; ADD adds what it reads to itself."""
    build = Builder()
    first = last = build.tensor("window", kind)
    for op, name, kind_out in steps:
        last = build.op(op, [last, last] if op == "ADD" else [last], build.tensor(name, kind_out))
    return build.done([first], [last])


def int8(scale: float, zero_point: int = 0) -> tuple[str, float, int]:
    return ("INT8", scale, zero_point)


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (20, *SHAPE[1:])).astype(np.float32)


def expected_db(values: np.ndarray, noise_power: float) -> float:
    return float(10 * np.log10(np.mean(np.square(values, dtype=np.float64)) / noise_power))


@pytest.mark.parametrize("zero_point", [0, -7])
def test_rounding_makes_a_twelfth_of_a_squared_step(inputs: np.ndarray, zero_point: int):
    kind = int8(STEP, zero_point)
    (layer,) = layer_sqnr(chain(("RESHAPE", "a", None)), chain(("RESHAPE", "a", kind), kind=kind), inputs)
    assert layer.sqnr_db == pytest.approx(expected_db(inputs, STEP**2 / 12), abs=0.1)
    assert layer.lsb_rms == pytest.approx(1 / np.sqrt(12), rel=0.01)
    assert layer.own_sqnr_db == layer.sqnr_db
    assert (layer.layer, layer.op, layer.elements) == ("a", "RESHAPE", 32 * 32)


def test_sixteen_bits_are_48_db_better_than_eight(inputs: np.ndarray):
    exact = chain(("RESHAPE", "a", None))
    fine = ("INT16", STEP / 256, 0)
    (eight,) = layer_sqnr(exact, chain(("RESHAPE", "a", int8(STEP)), kind=int8(STEP)), inputs)
    (sixteen,) = layer_sqnr(exact, chain(("RESHAPE", "a", fine), kind=fine), inputs)
    assert sixteen.sqnr_db - eight.sqnr_db == pytest.approx(20 * np.log10(256), abs=0.1)


def test_saturation_counts_as_noise(inputs: np.ndarray):
    kind = int8(1 / 256)
    (layer,) = layer_sqnr(chain(("RESHAPE", "a", None)), chain(("RESHAPE", "a", kind), kind=kind), inputs)
    clipped = np.clip(inputs, -128 / 256, 127 / 256)
    assert layer.sqnr_db == pytest.approx(expected_db(inputs, float(np.mean((inputs - clipped) ** 2))), abs=0.05)


def test_own_error_is_that_of_exact_inputs(inputs: np.ndarray):
    # Coarse steps are whole numbers of fine ones, so that nothing is lost between them: the second layer's error is all
    # inherited, and on exact inputs it would be four bits smaller.
    coarse, fine = int8(1 / 8), int8(1 / 128)
    exact = chain(("RESHAPE", "a", None), ("RESHAPE", "b", None))
    quantised = chain(("RESHAPE", "a", coarse), ("QUANTIZE", "between", fine), ("RESHAPE", "b", fine), kind=coarse)
    first, second = layer_sqnr(exact, quantised, inputs * np.float32(0.9))
    assert (first.layer, second.layer) == ("a", "b")
    assert second.sqnr_db == pytest.approx(first.sqnr_db, abs=0.01)
    assert second.own_sqnr_db - first.own_sqnr_db == pytest.approx(20 * np.log10(16), abs=0.2)


def test_error_of_an_addition_is_its_inputs_twice_and_its_own_rounding(inputs: np.ndarray):
    wide = int8(4 * STEP)
    exact = chain(("RESHAPE", "a", None), ("ADD", "b", None))
    _, layer = layer_sqnr(exact, chain(("RESHAPE", "a", int8(STEP)), ("ADD", "b", wide), kind=int8(STEP)), inputs)
    # A sum of two equal numbers of steps lies, every other time, just between two steps four times as wide.
    power = 4 * STEP**2 / 12 + (2 * STEP) ** 2 / 2
    assert layer.sqnr_db == pytest.approx(expected_db(2 * inputs, power), abs=0.05)


def test_layers_of_other_names_are_matched_by_their_order(inputs: np.ndarray):
    exact = chain(("RESHAPE", "a", None), ("ADD", "b", None))
    quantised = chain(("RESHAPE", "c", int8(STEP)), ("ADD", "d", int8(2 * STEP)), kind=int8(STEP))
    assert [layer.layer for layer in layer_sqnr(exact, quantised, inputs)] == ["a", "b"]


def test_layers_in_another_order_are_matched_by_their_names(inputs: np.ndarray):
    def forked(kinds: list[Any], kind: Any, order: list[int]) -> bytes:
        build = Builder()
        window = build.tensor("window", kind)
        one = build.tensor("one", kinds[0])
        two, four = build.tensor("two", kinds[1]), build.tensor("four", kinds[2])
        ops = [("ADD", [window, window], one), ("ADD", [one, one], two), ("ADD", [one, window], four)]
        for index in order:
            build.op(*ops[index])
        return build.done([window], [two, four])

    exact = forked([None] * 3, None, [0, 1, 2])
    quantised = forked([int8(2 * STEP), int8(4 * STEP), int8(3 * STEP)], int8(STEP), [0, 2, 1])
    layers = layer_sqnr(exact, quantised, inputs)
    assert [layer.layer for layer in layers] == ["one", "four", "two"]
    assert all(layer.sqnr_db > 35 for layer in layers)


def test_layers_left_in_float_inherit_errors_and_add_none(inputs: np.ndarray):
    exact = chain(("RESHAPE", "a", None), ("L2_NORMALIZATION", "b", None), ("RESHAPE", "c", None))
    mixed = chain(
        ("QUANTIZE", "in", int8(STEP)),
        ("RESHAPE", "a", int8(STEP)),
        ("DEQUANTIZE", "out", None),
        ("L2_NORMALIZATION", "b", None),
        ("QUANTIZE", "back", int8(1 / 128)),
        ("RESHAPE", "c", int8(1 / 128)),
    )
    first, norm, last = layer_sqnr(exact, mixed, inputs)
    assert (norm.op, norm.lsb_rms, norm.own_sqnr_db) == ("L2_NORMALIZATION", None, np.inf)
    assert norm.sqnr_db == pytest.approx(first.sqnr_db, abs=0.5)
    assert norm.to_dict()["own_sqnr_db"] is None
    assert last.sqnr_db < last.own_sqnr_db < np.inf


def test_same_flatbuffer_has_no_noise(inputs: np.ndarray):
    exact = chain(("RESHAPE", "a", None), ("ADD", "b", None))
    assert [layer.sqnr_db for layer in layer_sqnr(exact, exact, inputs)] == [np.inf] * 2


def test_models_without_a_common_layer_are_refused(inputs: np.ndarray):
    with pytest.raises(ModelError) as caught:
        layer_sqnr(chain(("RESHAPE", "a", None)), chain(("ADD", "b", None)), inputs)
    assert str(caught.value) == (
        "float and quantised model: found no layer in common, expected two flatbuffers of the same network; "
        "convert both from one checkpoint"
    )


def test_graph_that_cannot_run_is_one_line(inputs: np.ndarray):
    exact = chain(("L2_NORMALIZATION", "a", None))
    unknown = chain(("L2_NORMALIZATION", "a", ("INT16", STEP, 0)), kind=("INT16", STEP, 0))
    with pytest.raises(
        ModelError, match=r"^model: found a graph that \S+ \S+ cannot run \(.*\), expected a complete model"
    ) as e:
        layer_sqnr(exact, unknown, inputs)
    assert "\n" not in str(e.value)


def test_worst_are_the_largest_losses_of_their_own():
    def layer(name: str, op: str, sqnr: float, own: float | None) -> LayerSqnr:
        return LayerSqnr(name, op, sqnr, 1.0, 8, own)

    layers = [
        layer("a", "CONV_2D", 30, 31),
        layer("b", "CONV_2D", 10, 40),
        layer("c", "SOFTMAX", 25, None),
        layer("d", "RESHAPE", 5, 6),
        layer("e", "MUL", 20, 20),
    ]
    assert [found.layer for found in worst(layers, 3)] == ["e", "c", "a"]
    assert len(worst(layers)) == 4


@pytest.mark.parametrize("bits", [8, 16])
def test_a_student_has_figures_of_every_layer(random_student: Any, contract: Any, windows: np.ndarray, bits: int):
    from deseptr.convert.lowering.inference_graph import InferenceGraph

    graph = InferenceGraph(random_student(0), contract)
    encoded = graph.encode(windows)
    exact, quantised = flatbuffer(graph), flatbuffer(graph, encoded, bits)
    layers = layer_sqnr(exact, quantised, encoded)
    assert [layer.op for layer in layers] == [node.op for node in read_graph(exact).nodes]
    assert all(layer.own_sqnr_db is not None and layer.own_sqnr_db > layer.sqnr_db - 1 for layer in layers)
    # int16 has no kernel for it, and the converter leaves it in float.
    floats = {layer.op for layer in layers if layer.lsb_rms is None}
    assert floats == (set() if bits == 8 else {"L2_NORMALIZATION"})

    interpreter = choose_runtime("auto").interpreter("builtin")(model_content=quantised)
    interpreter.allocate_tensors()
    errors = []
    for window, logits in zip(encoded, graph.predict(windows), strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[None])
        interpreter.invoke()
        errors.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0] - logits)
    assert layers[-1].sqnr_db == pytest.approx(
        expected_db(graph.predict(windows), float(np.mean(np.square(errors)))), abs=0.01
    )


def flatbuffer(graph: Any, windows: Any = None, bits: int = 0) -> bytes:
    """A graph as float flatbuffer, or calibrated on windows with activations of 8 or 16 bits and float ends."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.function], graph)
    if bits:
        sets = tf.lite.OpsSet
        sixteen = [sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, sets.TFLITE_BUILTINS]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([window[None]] for window in windows)
        converter.target_spec.supported_ops = [sets.TFLITE_BUILTINS_INT8] if bits == 8 else sixteen
    return bytes(converter.convert())
