"""Front ends: ways for unmodified programs to reach a simulated bus.

From the nearest to the farthest: :mod:`.ioctl` answers the system calls of one command, :mod:`.cuse` is a character
device for all programs, and :mod:`.usbip` an adapter that the kernel's own drivers use. All turn what they are asked
into :mod:`.messages`; the registers and the chips behind these are the same.
"""

from .availability import FrontEnd, front_ends
from .cuse import CUSE_BUS, CuseDevice, serve_cuse
from .driver import Driven, drive, read_samples
from .ioctl import IoctlBus, check_umockdev, missing_umockdev, run_with_ioctl_bus
from .messages import Message, MessageBus
from .tiny_usb import TinyUsb
from .usbip import serve_device, serve_usbip

__all__ = [
    "CUSE_BUS",
    "CuseDevice",
    "Driven",
    "FrontEnd",
    "IoctlBus",
    "Message",
    "MessageBus",
    "TinyUsb",
    "check_umockdev",
    "drive",
    "front_ends",
    "missing_umockdev",
    "read_samples",
    "run_with_ioctl_bus",
    "serve_cuse",
    "serve_device",
    "serve_usbip",
]
