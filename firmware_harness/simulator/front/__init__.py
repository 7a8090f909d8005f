"""Front ends: ways for unmodified programs to reach a simulated bus.

In order of distance from this process: :mod:`.ioctl` answers the system calls of one command, :mod:`.cuse` is a
character device for all programs, and :mod:`.usbip` an adapter for the kernel's own drivers. All translate requests to
:mod:`.messages`; the simulated chips behind them are the same.
"""

from .availability import FrontEnd as FrontEnd, front_ends as front_ends
from .cuse import CUSE_BUS as CUSE_BUS, CuseDevice as CuseDevice, serve_cuse as serve_cuse
from .driver import Driven as Driven, drive as drive, read_samples as read_samples
from .ioctl import (
    IoctlBus as IoctlBus,
    check_umockdev as check_umockdev,
    missing_umockdev as missing_umockdev,
    run_with_ioctl_bus as run_with_ioctl_bus,
)
from .messages import Message as Message, MessageBus as MessageBus
from .tiny_usb import TinyUsb as TinyUsb
from .usbip import serve_device as serve_device, serve_usbip as serve_usbip
