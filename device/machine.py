"""What a latency was measured on, as far as can be told. Without it a figure means nothing."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

_EMULATORS = ("qemu", "tcg", "virtual cpu version")


def describe_machine(root: Path = Path("/")) -> dict[str, Any]:
    """Platform, processor, versions, and whether the processor is emulated.

    Args:
        root: where ``/proc`` and ``/sys`` are found.
    """
    cpuinfo = _text(root / "proc/cpuinfo")
    return {
        "platform": platform.platform(),
        "architecture": platform.machine(),
        "board": _text(root / "sys/firmware/devicetree/base/model").rstrip("\0\n") or None,
        "cpu": _cpu_model(cpuinfo) or platform.processor() or "unknown",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "emulated": _emulated(root, cpuinfo),
    }


def _cpu_model(cpuinfo: str) -> str:
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    fields = {key.strip().lower(): value.strip() for key, _, value in lines}
    return fields.get("model name") or fields.get("model") or fields.get("cpu part", "")


def _emulated(root: Path, cpuinfo: str) -> bool:
    """Whether QEMU runs the instructions: by the processor's name, or a QEMU board without KVM's clock beside it."""
    if any(name in cpuinfo.lower() for name in _EMULATORS):
        return True
    board = _text(root / "sys/firmware/devicetree/base/compatible") + _text(root / "sys/class/dmi/id/sys_vendor")
    clock = _text(root / "sys/devices/system/clocksource/clocksource0/available_clocksource")
    return ("qemu" in board.lower() or "linux,dummy-virt" in board) and "kvm" not in clock


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
