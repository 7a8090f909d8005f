"""A Coral Edge TPU: whether one is there, whether a model is for it, and what is wrong where it cannot be used.

It is reached through its library as a delegate of a TFLite runtime (coral.ai/docs/edgetpu/tflite-python). PyPI's
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
_UNCOMPILED = "or load the model as it was before `edgetpu_compiler`"


def is_compiled(content: bytes) -> bool:
    """Whether a ``.tflite`` file's content is the compiler's, which nothing but an Edge TPU can run.

    Looks for the operation's name: the schema that could parse it does not come with every runtime.
    """
    return _OPERATION in without_archive(content)


def find_devices(root: Path = Path("/")) -> tuple[str, ...]:
    """The Edge TPUs that the kernel knows, as ``USB 18d1:9302`` or ``/dev/apex_0``.

    Args:
        root: where ``/sys`` and ``/dev`` are found.
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
        model: what it shall run.
        runtime: whose delegate it shall be.
        root: where ``/sys`` and ``/dev`` are found.
        library: the delegate's.

    Raises:
        ModelError: if the model was not compiled for it.
        SetupError: if the runtime cannot load delegates, the library is missing or broken, or there is no Edge TPU, or
            none that this process may use.
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
    """Open it first: a runtime that fails to leaves a half-made object behind, which complains when it is collected."""
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
        found="one that does not open" + (f" ({reason})" if reason else ""),
        expected="one that no other process holds, and that this user may use",
        next_step="end what else uses it, and join its group (`sudo usermod -aG plugdev $USER`, or apex on PCIe)",
    )
