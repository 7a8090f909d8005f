import sys
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelError, SetupError
from deseptr.tflite import load_engine
from deseptr.tflite.bare_model import BareOnnx, BareTflite, Port, random_feeds, runner
from deseptr.tflite.graph import pack, unpack
from deseptr.tflite.runtimes import choose_runtime


def load(path: Path, **settings) -> BareTflite:
    return BareTflite(path.read_bytes(), path, choose_runtime("auto"), **settings)


@pytest.fixture
def onnx_model(contract, weights) -> bytes:
    """The mean of a window times weights."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [
            make.make_node("ReduceMean", ["window"], ["mean"], axes=[1], keepdims=0),
            make.make_node("Gemm", ["mean", "weights"], ["logits"], transB=1),
        ],
        "tiny",
        [make.make_tensor_value_info("window", floats, ["batch", contract.window_length, 6])],
        [make.make_tensor_value_info("logits", floats, ["batch", 3])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits private memory")
@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_a_small_flatbuffer_that_asks_for_gigabytes_is_refused(kernels):
    # tf.reduce_mean(tf.tile(window, [1, 2_000_000, 1]) + 1.0, axis=[1]) of a window [1, 128, 6], by TensorFlow 2.21.
    content = Path(__file__).with_name("tiled.flatbuffer").read_bytes()
    assert len(content) < 2000
    with pytest.raises(ModelError, match=r"found a graph that ai-edge-litert .* cannot run"):
        BareTflite(content, "bomb.tflite", choose_runtime("litert"), kernels=kernels)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits private memory")
def test_a_small_onnx_model_that_asks_for_gigabytes_is_refused(onnx_model):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(onnx_model)
    repeats = onnx.numpy_helper.from_array(np.array([1, 1 << 24, 1], np.int64), "repeats")
    model.graph.initializer.append(repeats)
    model.graph.node.insert(0, onnx.helper.make_node("Tile", ["window", "repeats"], ["tiled"]))
    model.graph.node[1].input[0] = "tiled"
    with pytest.raises(ModelError, match=r"found a graph that onnxruntime .* cannot run"):
        BareOnnx(bytes(model.SerializeToString()), "bomb.onnx")


def test_float_model_is_the_engines(float_model, contract):
    model = load(float_model)
    window = np.random.default_rng(0).normal(0, 8, (contract.window_length, 6)).astype(np.float32)
    (logits,) = model.run([model.inputs[0].encode(window)])
    np.testing.assert_array_equal(logits[0], load_engine(float_model).invoke(window))


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_int8_model_is_the_engines(int8_model, contract, kernels):
    model = load(int8_model, kernels=kernels)
    (port,) = model.inputs
    assert (port.shape, port.dtype, port.quantised) == ((1, contract.window_length, 6), np.int8, True)
    window = np.random.default_rng(0).normal(0, 20, (contract.window_length, 6)).astype(np.float32)
    (logits,) = model.run([port.encode(window / np.array(contract.input_range, np.float32))])
    assert logits.dtype == np.int8
    np.testing.assert_allclose((logits[0] - 3.0) / 32, load_engine(int8_model).invoke(window), atol=1 / 32)


def test_noise_fills_a_quantised_input_and_stays_small_in_a_float_one(int8_model, float_model):
    for path, bounds in ((int8_model, (-128, 127)), (float_model, (-1, 1))):
        model = load(path)
        values = np.concatenate([feed[0].ravel() for feed in random_feeds(model, 40)])
        assert values.dtype == model.inputs[0].dtype
        assert bounds[0] <= values.min() < 0.9 * bounds[0]
        assert 0.9 * bounds[1] < values.max() <= bounds[1]


def test_runner_goes_round_its_inputs():
    class Echo:
        runtime, inputs = "echo", ()

        def run(self, arrays):
            return list(arrays)

    call = runner(Echo(), [["a"], ["b"]])
    assert [call() for _ in range(3)] == [["a"], ["b"], ["a"]]


def test_quantised_port_rounds_and_saturates():
    port = Port("x", (1, 4), np.dtype(np.int8), 0.5, -3)
    assert port.encode(np.array([0.24, 0.26, 99, -99], np.float32)).tolist() == [[-3, -2, 127, -128]]


def test_onnx_model_gives_its_outputs(onnx_model, contract, weights):
    model = BareOnnx(onnx_model, "tiny.onnx")
    assert model.runtime.startswith("onnxruntime ")
    assert model.inputs == (Port("window", (1, contract.window_length, 6), np.dtype(np.float32)),)
    (feed,) = random_feeds(model, 1)
    np.testing.assert_allclose(model.run(feed)[0][0], weights @ feed[0][0].mean(0), atol=1e-5)


@pytest.mark.parametrize("shape", [["batch", None, 6], ["batch", 0, 6]])
def test_dimensions_that_an_onnx_file_leaves_open_are_1_and_none_is_0(shape):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, floats = onnx.helper, onnx.TensorProto.FLOAT
    node = make.make_node("Relu", ["window"], ["logits"])
    ends = [make.make_tensor_value_info(name, floats, shape) for name in ("window", "logits")]
    graph = make.make_graph([node], "open", ends[:1], ends[1:])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    if 0 in shape:
        with pytest.raises(ModelError, match="cannot run"):
            BareOnnx(model.SerializeToString(), "empty")
    else:
        assert BareOnnx(model.SerializeToString(), "open").inputs[0].shape == (1, 1, 6)


def test_whole_numbers_without_a_scale_are_no_windows(float_model):
    model = unpack(float_model.read_bytes())
    window = model.subgraphs[0].tensors[0]
    image = model.subgraphs[0].tensors[1]
    window.type = image.type = pytest.importorskip("ai_edge_litert.schema_py_generated").TensorType.INT32
    model.subgraphs[0].operators, model.subgraphs[0].outputs = model.subgraphs[0].operators[:1], [1]
    with pytest.raises(ModelError, match="found type int32 with scale 0, expected float32, or integers with a scale"):
        BareTflite(pack(model), "tokens", choose_runtime("auto"))


def test_onnx_without_its_runtime_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SetupError, match=r"onnxruntime: found not installed.*pip install 'deseptr\[onnx\]'"):
        BareOnnx(b"", "m.onnx")


@pytest.mark.parametrize("content", [b"", b"noise" * 40])
def test_broken_onnx_is_one_line(content):
    pytest.importorskip("onnxruntime")
    with pytest.raises(ModelError, match=r"m.onnx: found a graph that onnxruntime \S+ cannot run") as caught:
        BareOnnx(content, "m.onnx")
    assert "\n" not in str(caught.value)


def test_broken_flatbuffer_is_one_line(int8_model, capfd):
    with pytest.raises(ModelError, match=r"m: found a graph that \S+ \S+ cannot run \("):
        BareTflite(int8_model.read_bytes()[:300], "m", choose_runtime("auto"))
    assert capfd.readouterr().err == ""
