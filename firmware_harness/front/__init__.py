"""Front ends: ways for unmodified programs to reach the simulated bus.

From the nearest to the farthest: :mod:`.ioctl` answers the system calls of one command, without a kernel module. All
share :mod:`.messages`, and the chips behind it.
"""

from .ioctl import IoctlBus, check_umockdev, missing_umockdev, run_with_ioctl_bus
from .messages import Message, MessageBus

__all__ = ["IoctlBus", "Message", "MessageBus", "check_umockdev", "missing_umockdev", "run_with_ioctl_bus"]
