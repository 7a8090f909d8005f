"""The front ends that this machine can serve, and the missing parts of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .cuse import CUSE
from .ioctl import PACKAGES, missing_umockdev
from .usbip import VHCI

USB_DRIVER = Path("/sys/bus/usb/drivers/i2c-tiny-usb")


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A way for programs to reach the simulated bus.

    Args:
        name: its name, as for ``--front``.
        reaches: programs that can use it.
        missing: the missing part; empty if it can be served.
        next_step: remedy for the missing part; empty if it can be served.
    """

    name: str
    reaches: str
    missing: str = ""
    next_step: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``firmware simulate --list --json``."""
        return asdict(self) | {"possible": not self.missing}


def front_ends(cuse: Path = CUSE, hub: Path = VHCI, driver: Path = USB_DRIVER) -> Iterator[FrontEnd]:
    """All front ends, in order of distance from this process."""
    yield FrontEnd("inprocess", "the driver, in this process and in virtual time")
    lacking = missing_umockdev()
    install = f"sudo apt-get install {PACKAGES}" if lacking else ""
    yield FrontEnd("ioctl", "one command, at /dev/i2c-1; no kernel module, no rights", lacking, install)
    missing = _missing(cuse, "modprobe cuse", os.R_OK | os.W_OK)
    yield FrontEnd("cuse", "all programs, at /dev/i2c-77", *missing)
    missing = _missing(hub / "attach", "modprobe vhci-hcd", os.W_OK)
    if missing == ("", "") and not driver.exists():
        missing = (f"no {driver}", "sudo modprobe i2c-tiny-usb")
    yield FrontEnd("usbip", "all programs and the kernel's drivers, at an adapter that the kernel numbers", *missing)


def _missing(path: Path, module: str, mode: int) -> tuple[str, str]:
    if not path.exists():
        return f"no {path}", f"sudo {module}"
    if not os.access(path, mode):
        return f"no permission for {path}", "run it as root"
    return "", ""
