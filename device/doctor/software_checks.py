"""Checks of the software: versions, TFLite runtimes and numpy, the model, and the Edge TPU."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from deseptr.contract import SetupError
from deseptr.contract.counts import counted
from deseptr.contract.host_files import matching, text_of
from deseptr.tflite.runtimes import TfliteRuntime

from .finding import CheckResult, fail, ok, skip, warn
from .subject import Subject

# Google Coral documentation, "Get started with the USB Accelerator": before and after its firmware was loaded.
EDGE_TPU_USB = (("1a6e", "089a"), ("18d1", "9302"))
EDGE_TPU_LIBRARY = "libedgetpu.so.1"
_LIBRARY_FOLDERS = ("usr/lib", "usr/lib/*-linux-gnu*", "usr/local/lib", "lib/*-linux-gnu*")


def check_versions(subject: Subject) -> CheckResult:
    """Installed versions, for reports."""
    return ok(
        f"deseptr {version('deseptr')}, Python {platform.python_version()}, numpy {subject.host.numpy_version}, "
        f"{platform.system()} on {platform.machine()}"
    )


def check_engine(subject: Subject) -> CheckResult:
    """The installed TFLite runtimes, and whether they work with the installed numpy."""
    installed = [runtime for runtime in subject.host.runtimes if runtime.installed()]
    if not installed:
        names = " or ".join(runtime.package for runtime in subject.host.runtimes)
        return fail("no TFLite runtime", names, f"`pip install {subject.host.runtimes[0].package}`")
    named = ", ".join(runtime.version() for runtime in installed)
    clashing = [runtime for runtime in installed if clashes(runtime, subject.host.numpy_version)]
    broken = [(runtime, error) for runtime in installed if runtime not in clashing and (error := _failure(runtime))]
    if broken and len(broken) + len(clashing) == len(installed):
        _, error = broken[0]
        return fail(f"{named}: {error.found}", error.expected, error.next_step)
    if broken:
        runtime, error = broken[0]
        return warn(f"{named}: {runtime.package}: {error.found}", error.expected, error.next_step)
    if not clashing:
        return ok(named)
    clash = clashing[0]
    found = f"{named} with numpy {subject.host.numpy_version}"
    expected = f"numpy below {clash.numpy_below} for {clash.package}"
    if len(clashing) == len(installed):
        return fail(
            found, expected, f"`pip install 'numpy<{clash.numpy_below}'`, or ai-edge-litert where it has a wheel"
        )
    return warn(found, expected, f"`pip uninstall {clash.package}`; {installed[0].package} is the one in use")


def check_model(subject: Subject) -> CheckResult:
    """Whether the model loads and gives finite logits."""
    engine = subject.engine
    contract = engine.contract
    logits = engine.invoke(np.zeros((contract.input_length, len(contract.channels)), np.float32))
    if not np.isfinite(logits).all():
        return fail("logits that are not finite", "finite logits", "convert the model again with `deseptr convert RUN`")
    return ok(
        f"{contract.model} on {engine.name}: {counted(len(contract.labels), 'class')}, windows of "
        f"{contract.window_s:g} s at {contract.rate_hz:g} Hz"
    )


def check_edge_tpu(subject: Subject) -> CheckResult:
    """An Edge TPU, and the library that it needs."""
    root = subject.host.root
    device = edge_tpu(root)
    library = any(path.exists() for path in _libraries(root))
    if device and library:
        return ok(f"{device}, {EDGE_TPU_LIBRARY}")
    if device:
        return warn(
            f"{device} without {EDGE_TPU_LIBRARY}", EDGE_TPU_LIBRARY, "install Google's package libedgetpu1-std"
        )
    return skip("none; models run on the processor" + (f" ({EDGE_TPU_LIBRARY} is installed)" if library else ""))


def edge_tpu(root: Path) -> str | None:
    """The Edge TPU that is plugged in, if any."""
    if (root / "dev/apex_0").exists():
        return "a PCIe Edge TPU"
    for device in matching(root / "sys/bus/usb/devices", "*"):
        if (text_of(device / "idVendor"), text_of(device / "idProduct")) in EDGE_TPU_USB:
            return "a USB Edge TPU"
    return None


def clashes(runtime: TfliteRuntime, numpy_version: str) -> bool:
    """Whether a runtime was built against an older numpy than the installed one."""
    major = numpy_version.partition(".")[0]
    return runtime.numpy_below is not None and major.isdecimal() and int(major) >= runtime.numpy_below


def _libraries(root: Path) -> list[Path]:
    return [path for folder in _LIBRARY_FOLDERS for path in matching(root, f"{folder}/{EDGE_TPU_LIBRARY}")]


def _failure(runtime: TfliteRuntime) -> SetupError | None:
    """Why a runtime cannot be loaded; None if it can."""
    try:
        runtime.interpreter()
    except SetupError as error:
        return error
    return None
