"""A short code that tells this machine from others, made so that the machine's identity cannot be read from it."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from pathlib import Path

from deseptr.contract.host_files import text_of

_FILES = ("etc/machine-id", "var/lib/dbus/machine-id")
# A hardware address that was drawn at random, for want of one, has this bit set (RFC 9562, section 6.10).
_MULTICAST = 1 << 40


def machine_code(purpose: str, *, root: Path = Path("/"), mac: Callable[[], int] = uuid.getnode) -> str:
    """Sixteen hexadecimal digits of this machine, the same in every run and others for every purpose.

    Made from the machine id by a keyed hash, as machine-id(5) asks of what leaves the machine; without one, from a
    hardware address.

    Args:
        purpose: what the code is for.
        root: folder that contains ``etc`` and ``var``.
        mac: gives a hardware address as a number, with the multicast bit set if it is random.

    Returns:
        The code; empty if the machine has nothing that tells it from others.

        >>> len(machine_code("an example", mac=lambda: 2))
        16
    """
    identity = next(filter(_is_machine_id, (text_of(root / file) for file in _FILES)), None)
    if identity is None:
        address = mac()
        if address & _MULTICAST:
            return ""
        identity = f"{address:012x}"
    return hmac.new(identity.encode(), f"deseptr {purpose}".encode(), hashlib.sha256).hexdigest()[:16]


def _is_machine_id(text: str) -> bool:
    # Images hold an empty file or `uninitialized` until their first boot.
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)
