"""Description of the machine, without which a measured latency means nothing."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

from deseptr.contract.host_files import text_of

_EMULATORS = ("qemu", "tcg", "virtual cpu version")


def describe_machine(root: Path = Path("/")) -> dict[str, Any]:
    """Platform, processor, versions, and whether the processor is emulated.

    Args:
        root: folder that contains ``proc`` and ``sys``.

    >>> sorted(describe_machine())
    ['architecture', 'board', 'cpu', 'emulated', 'numpy', 'platform', 'python']
    """
    cpuinfo = text_of(root / "proc/cpuinfo")
    return {
        "platform": platform.platform(),
        "architecture": platform.machine(),
        "board": text_of(root / "sys/firmware/devicetree/base/model") or None,
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
    board = text_of(root / "sys/firmware/devicetree/base/compatible") + text_of(root / "sys/class/dmi/id/sys_vendor")
    clock = text_of(root / "sys/devices/system/clocksource/clocksource0/available_clocksource")
    return ("qemu" in board.lower() or "linux,dummy-virt" in board) and "kvm" not in clock
