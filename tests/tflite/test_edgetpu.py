"""All failures of an Edge TPU, with substitute libraries that are compiled here."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import ModelError, SetupError
from deseptr.tflite import edgetpu, embed_contract, load_engine, read_tflite
from deseptr.tflite.edgetpu import edgetpu_delegate, find_devices, is_compiled
from deseptr.tflite.runtimes import TfliteRuntime, choose_runtime

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

# tensorflow/lite/delegates/external/external_delegate_interface.h
REFUSING = """
#include <stddef.h>
void *tflite_plugin_create_delegate(char **keys, char **values, size_t options, void (*report)(const char *)) {
  report("Failed to open device");
  return NULL;
}
void tflite_plugin_destroy_delegate(void *delegate) {}
"""
# TfLiteDelegate of tensorflow/lite/core/c/common.h: one that takes no operation.
IDLE = """
#include <stddef.h>
#include <stdint.h>
typedef struct Delegate {
  void *data;
  int (*prepare)(void *context, struct Delegate *self);
  void *copy_from, *copy_to, *free_buffer;
  int64_t flags;
  void *opaque;
} Delegate;
static int prepare(void *context, Delegate *self) { return 0; }
static Delegate delegate = {NULL, prepare};
void *tflite_plugin_create_delegate(char **keys, char **values, size_t options, void (*report)(const char *)) {
  return &delegate;
}
void tflite_plugin_destroy_delegate(void *delegate) {}
"""


@pytest.fixture
def library(tmp_path):
    """Compile a library of some C source; its path."""

    def make(source):
        path = tmp_path / "libfake.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)], input=source, text=True, check=True)
        return str(path)

    return make


@pytest.fixture
def marked(int8_model, contract, tmp_path):
    """A model that any processor can run and that has the operation's name in it."""
    flatbuffer = edgetpu.without_archive(int8_model.read_bytes())
    path = tmp_path / "marked.tflite"
    path.write_bytes(embed_contract(flatbuffer + b"edgetpu-custom-op", contract))
    return path


@pytest.fixture
def compiled(int8_model, contract, tmp_path):
    """A model with the operation itself, as the compiler writes it."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")
    model = schema.ModelT.InitFromPackedBuf(edgetpu.without_archive(int8_model.read_bytes()), 0)
    code = next(each for each in model.operatorCodes if each.builtinCode == schema.BuiltinOperator.CONV_2D)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "edgetpu-custom-op"
    for operator in model.subgraphs[0].operators:
        if model.operatorCodes[operator.opcodeIndex] is code:
            operator.builtinOptions, operator.builtinOptionsType = None, 0
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "compiled.tflite"
    path.write_bytes(embed_contract(bytes(builder.Output()), contract))
    return path


def root_with_usb(root, vendor, product):
    device = root / "sys/bus/usb/devices/1-1"
    device.mkdir(parents=True)
    (device / "idVendor").write_text(f"{vendor}\n")
    (device / "idProduct").write_text(f"{product}\n")
    return root


def test_a_compiled_model_is_known_by_its_operation(int8_model, compiled):
    assert not is_compiled(int8_model.read_bytes())
    assert is_compiled(compiled.read_bytes())


def test_the_name_only_in_the_archive_is_no_operation(int8_model, contract):
    flatbuffer = edgetpu.without_archive(int8_model.read_bytes())
    assert not is_compiled(embed_contract(flatbuffer, replace(contract, model="edgetpu-custom-op")))


@pytest.mark.parametrize("ids", [("1a6e", "089a"), ("18d1", "9302")])
def test_devices_on_usb(tmp_path, ids):
    assert find_devices(root_with_usb(tmp_path, *ids)) == (f"USB {ids[0]}:{ids[1]}",)


def test_devices_on_pcie_and_other_things_on_usb(tmp_path):
    root = root_with_usb(tmp_path, "046d", "c52b")
    (root / "dev").mkdir()
    (root / "dev/apex_0").touch()
    assert find_devices(root) == ("/dev/apex_0",)
    assert find_devices(tmp_path / "absent") == ()


def test_a_model_that_was_not_compiled(int8_model):
    with pytest.raises(ModelError, match=r"no edgetpu-custom-op in it, expected a model compiled .*edgetpu_compiler"):
        load_engine(int8_model, "edgetpu")


def test_auto_runs_other_models_on_the_processor(int8_model, monkeypatch):
    monkeypatch.setattr("deseptr.tflite.engine.edgetpu_delegate", lambda *_: pytest.fail("asked for an Edge TPU"))
    assert "Edge TPU" not in load_engine(int8_model).name


def failure(path, library, root):
    with pytest.raises(SetupError) as caught:
        edgetpu_delegate(read_tflite(path), choose_runtime("auto"), root=root, library=library)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_library(marked, tmp_path):
    message = failure(marked, str(tmp_path / "libedgetpu.so.1"), tmp_path)
    assert "libedgetpu.so.1: found no such library, expected the Edge TPU's runtime; install libedgetpu1-std" in message


def test_a_library_for_another_processor(marked, tmp_path):
    path = tmp_path / "libother.so"
    path.write_bytes(b"\x7fELF\x01" + bytes(200))
    message = failure(marked, str(path), tmp_path)
    assert "expected the Edge TPU's runtime for this processor" in message


@needs_compiler
def test_a_library_that_is_no_delegate(marked, tmp_path, library):
    message = failure(marked, library("int unrelated(void) { return 1; }"), tmp_path)
    assert (
        "libfake.so: found a library without tflite_plugin_create_delegate, expected the Edge TPU's runtime" in message
    )


@needs_compiler
def test_no_device(marked, tmp_path, library):
    message = failure(marked, library(REFUSING), tmp_path)
    assert message.startswith("Edge TPU: found none, expected one on USB (1a6e:089a or 18d1:9302) or on PCIe")
    assert "lsusb" in message


@needs_compiler
def test_a_device_that_something_else_holds(marked, tmp_path, library):
    message = failure(marked, library(REFUSING), root_with_usb(tmp_path, "18d1", "9302"))
    assert message.startswith(
        "Edge TPU USB 18d1:9302: found one that cannot be opened (Failed to open device), expected"
    )
    assert "plugdev" in message


def test_a_runtime_without_delegates(marked, tmp_path):
    # Any module will do that imports and has no such function.
    runtime = TfliteRuntime("litert", "ai-edge-litert", "ai_edge_litert")
    with pytest.raises(SetupError, match=r"found no function load_delegate, expected a TFLite runtime that can load"):
        edgetpu_delegate(read_tflite(marked), runtime, root=tmp_path)


@needs_compiler
@pytest.mark.parametrize("kind", ["auto", "edgetpu"])
def test_a_delegate_that_loads_is_used(marked, int8_model, contract, library, monkeypatch, kind):
    made = library(IDLE)
    monkeypatch.setattr(
        "deseptr.tflite.engine.edgetpu_delegate", lambda model, runtime: edgetpu_delegate(model, runtime, library=made)
    )
    engine = load_engine(marked, kind)
    assert engine.name.endswith(", Edge TPU")
    window = np.ones((contract.window_length, 6), np.float32)
    assert engine.invoke(window).tolist() == load_engine(int8_model, "litert").invoke(window).tolist()


@pytest.mark.parametrize("kind", ["auto", "edgetpu"])
def test_a_compiled_model_without_an_edge_tpu_names_what_is_missing(compiled, kind):
    with pytest.raises(SetupError, match="or load the model from before `edgetpu_compiler`"):
        load_engine(compiled, kind)


def test_a_compiled_model_on_the_processor(compiled):
    with pytest.raises(
        ModelError, match=r"cannot run \(.*unresolved custom op: edgetpu-custom-op.*use --engine edgetpu"
    ):
        load_engine(compiled, "litert")
