"""Temperature and throttling of the board now, from the kernel's files; None where there is no such file."""

from __future__ import annotations

import re
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
# A sensor that reports more is broken, and int() would also take a sign, underscores, and digits of other scripts.
_MILLIDEGREES, _FLAGS = re.compile("-?[0-9]{1,6}"), re.compile("[0-9a-fA-F]{1,8}")
_COLDEST, _HOTTEST = -60_000, 200_000


def heat(root: Path = Path("/")) -> dict[str, Any]:
    """``temperature_c`` of the processor and ``throttled``, the firmware's flags.

    Args:
        root: folder in which sys/ is.
    """
    zones = sorted(root.glob("sys/class/thermal/thermal_zone*"))
    words = (_text(zone / "temp") for zone in zones if _text(zone / "type") in _CPU_ZONES)
    millidegrees = (int(word) for word in words if _MILLIDEGREES.fullmatch(word))
    celsius = (each / 1000 for each in millidegrees if _COLDEST <= each <= _HOTTEST)
    flags = (_text(root / path) for path in _THROTTLED)
    return {
        "temperature_c": next(celsius, None),
        "throttled": next((int(word, 16) for word in flags if _FLAGS.fullmatch(word)), None),
    }


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("ascii", "replace").strip()
    except OSError:
        return ""
