"""Temperature and throttling of the board now, from the kernel's files; None where there is no such file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_CPU_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "x86_pkg_temp", "cpu0-thermal")
# The flags of `vcgencmd get_throttled`, in hexadecimal without 0x; the folder's name changed with the kernels.
_THROTTLED = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
    "sys/devices/platform/soc/firmware/get_throttled",
)
_LONGEST = 64


def heat(root: Path = Path("/")) -> dict[str, Any]:
    """``temperature_c`` of the processor and ``throttled``, the firmware's flags.

    Args:
        root: folder in which sys/ is.
    """
    zones = sorted(root.glob("sys/class/thermal/thermal_zone*"))
    zone = next((zone for zone in zones if _text(zone / "type") in _CPU_ZONES), None)
    millidegrees = None if zone is None else _integer(_text(zone / "temp"), 10)
    flags = (_integer(_text(root / path), 16) for path in _THROTTLED)
    return {
        "temperature_c": None if millidegrees is None else millidegrees / 1000,
        "throttled": next((each for each in flags if each is not None), None),
    }


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("ascii", "replace").strip()
    except OSError:
        return ""


def _integer(text: str, base: int) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None
