"""A tiny model made without TensorFlow, so that these tests also run on the device."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import INPUT_STEPS, InputViews, ModelContract, StftSpec, channels_of
from deseptr.contract.views import asinh_thresholds
from deseptr.tflite import embed_contract, without_archive
from deseptr.tflite.edit import add_tensor, operator
from deseptr.tflite.graph import pack, unpack

LABELS = ("lying", "upright", "spinning")


@pytest.fixture(scope="session")
def contract(tiny_contract):
    return tiny_contract


@pytest.fixture(scope="session")
def tiny_contract():
    """``contract`` under a name that no conftest takes for something else."""
    return ModelContract(labels=LABELS, window_length=32, hop_length=16, stft=StftSpec(16, 4, 2), model="tiny")


@pytest.fixture(scope="session")
def viewed_contract(tiny_contract):
    """The same with views, whose history is not that of the default, so that nothing may rely on it."""
    return replace(tiny_contract, views=InputViews(7, asinh_thresholds(7)))


@pytest.fixture(scope="session")
def weights():
    """[class, channel]: the logits are these times the window's mean, in units of the contract's input range."""
    return np.array([[0, 4, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 4]], np.float32)


@pytest.fixture(scope="session")
def viewed_weights(weights):
    """[class, view of a channel]: the logits are these times the mean of the window's views over 127.5."""
    fine = np.array([[0, 0, 2, 0, 0, 0], [0, 0, -2, 0, 0, 1], [0, 1, 0, 0, 0, -3]], np.float32)
    return np.concatenate([weights, fine], axis=1)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory, tiny_contract, weights, viewed_weights):
    """Build and save a one-convolution model; ``quantised`` chooses int8 or float32 ends and weights."""

    def make(
        *, quantised=True, contract=tiny_contract, input_shape=None, classes=None, content=None, scale=None
    ) -> Path:
        classes = classes or len(contract.labels)
        input_shape = input_shape or (1, contract.window_length, contract.graph_channels)
        of_channels = weights if contract.views is None else viewed_weights
        kernel = np.repeat(
            of_channels[:classes, None, None, : input_shape[-1]] / input_shape[1], input_shape[1], axis=1
        )
        if contract.views is None and not quantised:
            kernel = kernel / np.array(contract.input_range, np.float32)
        incoming = VIEW_INPUT if contract.views is not None else (INPUT_SCALE, INPUT_ZERO)
        flatbuffer = build_flatbuffer(kernel, input_shape, quantised, scale or incoming) if content is None else content
        path = tmp_path_factory.mktemp("model") / "tiny.tflite"
        path.write_bytes(embed_contract(flatbuffer, contract))
        return path

    return make


@pytest.fixture(scope="session")
def int8_model(make_model):
    return make_model()


@pytest.fixture(scope="session")
def acc_model(make_model, tiny_contract):
    """A model of acceleration alone."""
    acc = {"channels": channels_of(["acc"]), "units": ("m/s^2",) * 3, "input_range": tiny_contract.input_range[:3]}
    return make_model(contract=replace(tiny_contract, **acc))


@pytest.fixture(scope="session")
def float_model(make_model):
    return make_model(quantised=False)


@pytest.fixture(scope="session")
def viewed_model(make_model, viewed_contract):
    return make_model(contract=viewed_contract)


@pytest.fixture(scope="session")
def float_viewed_model(make_model, viewed_contract):
    return make_model(contract=viewed_contract, quantised=False)


@pytest.fixture(scope="session")
def make_embedded(make_model, tiny_contract):
    """The int8 model with an embedding that is as wide as the logits: their positive part.

    ``first`` chooses which of the outputs is the first, ``name`` is the embedding's, ``width`` what the contract says.
    """

    def make(*, first="logits", name="embedding", width=3) -> Path:
        model = unpack(without_archive(make_model().read_bytes()))
        graph = model.subgraphs[0]
        (logits,) = (int(i) for i in graph.outputs)
        positive = add_tensor(model, name, (1, len(LABELS)), kind="INT8")
        graph.tensors[positive].quantization = graph.tensors[logits].quantization
        graph.operators.append(operator(model, "RELU", [logits], positive, version=2))
        graph.outputs = [logits, positive] if first == "logits" else [positive, logits]
        return make_model(content=pack(model), contract=replace(tiny_contract, embedding_width=width))

    return make


INPUT_SCALE, INPUT_ZERO = 1 / 100, -5
OUTPUT_SCALE, OUTPUT_ZERO = 1 / 32, 3
VIEW_INPUT = 1 / INPUT_STEPS, 0


def build_flatbuffer(
    kernel: np.ndarray,
    input_shape: tuple[int, ...],
    quantised: bool,
    incoming_scale: tuple[float, int] = (INPUT_SCALE, INPUT_ZERO),
) -> bytes:
    """A model RESHAPE → CONV_2D → RESHAPE with ``kernel [class, time, 1, channel]``."""
    input_scale, input_zero = incoming_scale
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")
    classes, length, _, channels = kernel.shape
    real = schema.TensorType.FLOAT32
    model = schema.ModelT()
    model.version, model.operatorCodes, model.description = 3, [], "tiny"
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []

    def tensor(name, shape, kind, data=None, scale=None, zero_point=0):
        made = schema.TensorT()
        made.name, made.shape, made.type = name, list(shape), kind
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.atleast_1d(np.array(scale, np.float32))
            made.quantization.zeroPoint = np.full(made.quantization.scale.shape, zero_point, np.int64)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code, inputs, outputs, kind=0, options=None):
        opcode = schema.OperatorCodeT()
        opcode.builtinCode = opcode.deprecatedBuiltinCode = code
        opcode.version = 3 if code == schema.BuiltinOperator.CONV_2D and quantised else 1
        model.operatorCodes.append(opcode)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, outputs
        made.builtinOptionsType, made.builtinOptions = kind, options
        graph.operators.append(made)

    if quantised:
        ends = schema.TensorType.INT8
        scales = np.maximum(np.abs(kernel).max((1, 2, 3)), 1e-6) / 127
        data = np.rint(kernel / scales[:, None, None, None]).astype(np.int8)
        bias = np.zeros(classes, np.int32)
        incoming, outgoing = (
            {"scale": input_scale, "zero_point": input_zero},
            {
                "scale": OUTPUT_SCALE,
                "zero_point": OUTPUT_ZERO,
            },
        )
        held, offset = {"scale": scales}, {"scale": scales * input_scale}
    else:
        ends, data, bias = real, kernel.astype(np.float32), np.zeros(classes, np.float32)
        incoming, outgoing, held, offset = {}, {}, {}, {}
    integer = schema.TensorType.INT32
    flat = tensor("window", input_shape, ends, **incoming)
    as_image = np.array([1, length, 1, channels], np.int32)
    image = tensor("image", as_image, ends, **incoming)
    image_shape = tensor("image_shape", [4], integer, as_image)
    filters = tensor("kernel", kernel.shape, ends, data, **held)
    biases = tensor("bias", [classes], integer if quantised else real, bias, **offset)
    convolved = tensor("convolved", [1, 1, 1, classes], ends, **outgoing)
    logits_shape = tensor("logits_shape", [2], integer, np.array([1, classes], np.int32))
    logits = tensor("logits", [1, classes], ends, **outgoing)
    convolution = schema.Conv2DOptionsT()
    convolution.padding, convolution.strideW, convolution.strideH = schema.Padding.VALID, 1, 1
    codes = schema.BuiltinOperator
    operator(codes.RESHAPE, [flat, image_shape], [image])
    operator(codes.CONV_2D, [image, filters, biases], [convolved], schema.BuiltinOptions.Conv2DOptions, convolution)
    operator(codes.RESHAPE, [convolved, logits_shape], [logits])
    graph.inputs, graph.outputs, graph.name = [flat], [logits], "main"
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
