import numpy as np
import pytest

from deseptr.device.doctor import CHECKS, Level, run_checks
from deseptr.device.doctor.software_checks import check_edge_tpu, check_engine, check_model, check_versions
from deseptr.tflite.runtimes import TfliteRuntime, broken_runtime


class Runtime(TfliteRuntime):
    """A runtime that is installed or missing."""

    def installed(self):
        return self.module != "absent"

    def version(self):
        return f"{self.package} 1.0"

    def interpreter(self, kernels="default", delegate=None):
        if self.module == "broken":
            raise broken_runtime(self.package, SystemError("bad call flags"))
        return object


LITERT = Runtime("litert", "ai-edge-litert", "litert")
TFLITE = Runtime("tflite", "tflite-runtime", "tflite", numpy_below=2)
BROKEN = Runtime("litert", "ai-edge-litert", "broken")
ABSENT = Runtime("tflite", "tflite-runtime", "absent", numpy_below=2)


def test_versions(make_subject):
    found = check_versions(make_subject(host={"numpy_version": "1.26.4"})).found
    assert "deseptr " in found
    assert "numpy 1.26.4" in found


@pytest.mark.parametrize(
    ("runtimes", "numpy_version", "level", "found"),
    [
        ((LITERT, TFLITE), "1.26.4", Level.OK, "ai-edge-litert 1.0, tflite-runtime 1.0"),
        ((LITERT, TFLITE), "2.4.1", Level.WARN, "with numpy 2.4.1"),
        ((TFLITE,), "2.0.0", Level.FAIL, "tflite-runtime 1.0 with numpy 2.0.0"),
        ((TFLITE,), "garbage", Level.OK, "tflite-runtime 1.0"),
        ((ABSENT,), "1.26.4", Level.FAIL, "no TFLite runtime"),
        ((LITERT, ABSENT), "2.4.1", Level.OK, "ai-edge-litert 1.0"),
        ((BROKEN,), "2.4.1", Level.FAIL, "ai-edge-litert 1.0: SystemError when it was loaded (bad call flags)"),
        ((BROKEN, ABSENT), "1.26.4", Level.FAIL, "ai-edge-litert 1.0: SystemError"),
        ((BROKEN, TFLITE), "2.4.1", Level.FAIL, "ai-edge-litert 1.0, tflite-runtime 1.0: SystemError"),
        ((BROKEN, TFLITE), "1.26.4", Level.WARN, "ai-edge-litert: SystemError when it was loaded"),
    ],
)
def test_engine(make_subject, runtimes, numpy_version, level, found):
    result = check_engine(make_subject(host={"runtimes": runtimes, "numpy_version": numpy_version}))
    assert result.level is level
    assert found in result.found


def test_model(make_subject, int8_model):
    result = check_model(make_subject(model=int8_model))
    assert result.level is Level.OK
    assert "3 classes, windows of 0.64 s at 50 Hz" in result.found


def test_model_that_gives_no_numbers(make_subject, float_model):
    subject = make_subject(model=float_model)
    subject.engine.invoke = lambda window: np.array([np.nan, 0, 0], np.float32)
    assert check_model(subject).level is Level.FAIL


def test_no_model_leaves_the_sensor_to_be_examined(make_subject, tmp_path):
    findings = {finding.check: finding for finding in run_checks(make_subject(model=tmp_path / "no.tflite"), CHECKS)}
    assert findings["model"].level is Level.FAIL
    assert "no.tflite: No such file" in findings["model"].found
    assert findings["model-fit"].found == "needs model"
    assert findings["fifo-rate"].level is Level.OK


LIBRARY = {"usr/lib/aarch64-linux-gnu/libedgetpu.so.1": b""}
USB = {
    "sys/bus/usb/devices/1-1/idVendor": b"18d1\n",
    "sys/bus/usb/devices/1-1/idProduct": b"9302\n",
}


@pytest.mark.parametrize(
    ("files", "level", "found"),
    [
        ({}, Level.SKIP, "none; models run on the processor"),
        (LIBRARY, Level.SKIP, "none; models run on the processor (libedgetpu.so.1 is installed)"),
        (USB, Level.WARN, "a USB Edge TPU without libedgetpu.so.1"),
        (USB | LIBRARY, Level.OK, "a USB Edge TPU, libedgetpu.so.1"),
        ({"dev/apex_0": b""}, Level.WARN, "a PCIe Edge TPU without libedgetpu.so.1"),
        ({"sys/bus/usb/devices/1-1/idVendor": b"18d1"}, Level.SKIP, "none; models run on the processor"),
    ],
)
def test_edge_tpu(make_subject, files, level, found):
    result = check_edge_tpu(make_subject(files=files))
    assert (result.level, result.found) == (level, found)
