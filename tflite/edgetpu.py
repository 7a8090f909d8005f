"""A Coral Edge TPU: detects it, checks that a model is compiled for it, and explains why it cannot be used.

Access is through its library, as a delegate of a TFLite runtime (coral.ai/docs/edgetpu/tflite-python). PyPI's
``pycoral`` is an unrelated project.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from deseptr.contract import DeseptrError, ModelError, SetupError
from deseptr.contract.host_files import matching, text_of

from .file import TfliteFile, without_archive
from .runtimes import TfliteRuntime

LIBRARY = "libedgetpu.so.1"
# Vendor and product on USB before and after the library has loaded its firmware (coral.ai/docs/accelerator/datasheet).
USB_IDS = ("1a6e:089a", "18d1:9302")
PCIE_DEVICES = "apex_*"
_OPERATION = b"edgetpu-custom-op"
_ENTRY = "tflite_plugin_create_delegate"
_UNCOMPILED = "or load the model from before `edgetpu_compiler`"


def is_compiled(content: bytes) -> bool:
    """Whether the content of a ``.tflite`` file was compiled for an Edge TPU, so that nothing else can run it.

    The name of the operation is searched in the bytes: not every runtime comes with a schema to parse them.
    """
    return _OPERATION in without_archive(content)


def find_devices(root: Path = Path("/")) -> tuple[str, ...]:
    """The Edge TPUs known to the kernel, as ``USB 18d1:9302`` or ``/dev/apex_0``.

    Args:
        root: folder that contains ``/sys`` and ``/dev``.
    """
    ids = (
        f"{text_of(device / 'idVendor')}:{text_of(device / 'idProduct')}"
        for device in matching(root / "sys/bus/usb/devices", "*")
    )
    usb = [f"USB {each}" for each in ids if each in USB_IDS]
    return (*usb, *(f"/dev/{device.name}" for device in matching(root / "dev", PCIE_DEVICES)))


def edgetpu_delegate(
    model: TfliteFile, runtime: TfliteRuntime, *, root: Path = Path("/"), library: str = LIBRARY
) -> Any:
    """The Edge TPU as a delegate for a compiled model.

    Args:
        model: the model to run.
        runtime: the runtime that uses the delegate.
        root: folder that contains ``/sys`` and ``/dev``.
        library: library of the delegate.

    Raises:
        ModelError: if the model was not compiled for it.
        SetupError: if the runtime cannot load delegates, the library is missing or broken, or there is no Edge TPU that
            this process may use.
    """
    if not is_compiled(model.content):
        raise ModelError(
            model.path,
            found=f"no {_OPERATION.decode()} in it",
            expected="a model compiled for the Edge TPU",
            next_step="compile it with `edgetpu_compiler`, or use --engine auto",
        )
    load = runtime.delegate_loader()
    _check_library(library)
    try:
        return load(library)
    except (ValueError, RuntimeError) as error:
        raise _device_error(find_devices(root), error) from error


def _check_library(library: str) -> None:
    """Open the library first: a runtime that fails to load it leaves an object that prints errors when freed."""
    try:
        opened = ctypes.PyDLL(library)
    except OSError as error:
        raise _library_error(library, error) from error
    if not hasattr(opened, _ENTRY):
        raise SetupError(
            library,
            found=f"a library without {_ENTRY}",
            expected="the Edge TPU's runtime",
            next_step=f"install libedgetpu1-std of Coral's Debian repository, {_UNCOMPILED}",
        )


def _library_error(library: str, error: OSError) -> DeseptrError:
    missing = "No such file" in str(error)
    return SetupError(
        library,
        found="no such library" if missing else str(error),
        expected="the Edge TPU's runtime" + ("" if missing else " for this processor"),
        next_step=f"install libedgetpu1-std of Coral's Debian repository, {_UNCOMPILED}",
    )


def _device_error(devices: tuple[str, ...], error: Exception) -> DeseptrError:
    if not devices:
        return SetupError(
            "Edge TPU",
            found="none",
            expected=f"one on USB ({' or '.join(USB_IDS)}) or on PCIe (/dev/apex_0)",
            next_step=f"plug it in and look at `lsusb` and `ls /dev/apex*`, {_UNCOMPILED}",
        )
    reason = " ".join(str(error).split("\n", 1)[-1].split())
    return SetupError(
        f"Edge TPU {devices[0]}",
        found="one that cannot be opened" + (f" ({reason})" if reason else ""),
        expected="one that no other process uses and that this user may access",
        next_step="end other processes that use it, join its group (`sudo usermod -aG plugdev $USER`, or apex on PCIe)",
    )
