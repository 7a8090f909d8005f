"""The state of the board: temperature, clock, throttling and power.

A latency measured on a throttled board is one of the throttled board. Nothing here raises an error: a value that is
missing or malformed is None.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deseptr.contract.host_files import matching, number_of, text_of

from .power import Power, RunCommand, pmic_power

# Raspberry Pi documentation, "vcgencmd", get_throttled: bits 0 to 3 are so now, bits 16 to 19 were since boot.
THROTTLE_FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
_SINCE_BOOT = 16
# The driver's own file, in hexadecimal without 0x; its folder's name changed with the kernels.
_SYSFS_THROTTLED = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
    "sys/devices/platform/soc/firmware/get_throttled",
)
_CPU_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "x86_pkg_temp", "cpu0-thermal")
COMMAND_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Throttled:
    """Throttling of a Raspberry Pi by voltage or heat, as its firmware reports it.

    Args:
        flags: the number from ``vcgencmd get_throttled``.
    """

    flags: int

    @property
    def now(self) -> tuple[str, ...]:
        """Flags of :data:`THROTTLE_FLAGS` that are set now."""
        return self._set_from(0)

    @property
    def since_boot(self) -> tuple[str, ...]:
        """Flags that were set at some time since boot."""
        return self._set_from(_SINCE_BOOT)

    def _set_from(self, first: int) -> tuple[str, ...]:
        return tuple(name for number, name in enumerate(THROTTLE_FLAGS) if self.flags >> (first + number) & 1)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"flags": f"0x{self.flags:x}", "now": list(self.now), "since_boot": list(self.since_boot)}


@dataclass(frozen=True, slots=True)
class BoardState:
    """State of a board at one moment; unknown values are None or empty.

    Args:
        model: as in the device tree, ``Raspberry Pi 5 Model B Rev 1.0``.
        temperature_c: of the processor.
        clock_hz: clock of each core.
        max_clock_hz: highest clock allowed for its cores, whatever they run at now.
        governor: governor of the clock; several, separated by commas, if the cores differ.
        throttled: the firmware's throttling flags.
        power: its power draw.
    """

    model: str | None = None
    temperature_c: float | None = None
    clock_hz: tuple[int, ...] = ()
    max_clock_hz: int | None = None
    governor: str | None = None
    throttled: Throttled | None = None
    power: Power | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        power = self.power
        return {
            "model": self.model,
            "temperature_c": self.temperature_c,
            "clock_hz": list(self.clock_hz),
            "max_clock_hz": self.max_clock_hz,
            "governor": self.governor,
            "throttled": None if self.throttled is None else self.throttled.to_dict(),
            "power": power and {"watts": power.watts, "source": power.source, "leaves_out": power.leaves_out},
        }


def run_command(command: Sequence[str]) -> str:
    """Output of a command on stdout; empty if the command is missing, fails, or takes too long."""
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=COMMAND_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def read_board(root: Path = Path("/"), run: RunCommand = run_command) -> BoardState:
    """Read the board's state.

    Args:
        root: folder that contains ``proc`` and ``sys``.
        run: runs a command and gives its output, empty if it fails.

    >>> sorted(read_board().to_dict())
    ['clock_hz', 'governor', 'max_clock_hz', 'model', 'power', 'temperature_c', 'throttled']
    """
    governors, clocks, largest = _frequency(root)
    return BoardState(
        model=text_of(root / "sys/firmware/devicetree/base/model") or None,
        temperature_c=_temperature(root, run),
        clock_hz=clocks,
        max_clock_hz=largest,
        governor=", ".join(governors) or None,
        throttled=read_throttled(root, run),
        power=pmic_power(run),
    )


def read_throttled(root: Path = Path("/"), run: RunCommand = run_command) -> Throttled | None:
    """Throttling flags of a Raspberry Pi; None on other boards, or without permission to query them."""
    answer = re.search(r"throttled=0x([0-9a-fA-F]{1,8})\b", run(("vcgencmd", "get_throttled")))
    words = [answer.group(1)] if answer else [text_of(root / path) for path in _SYSFS_THROTTLED]
    for word in words:
        if re.fullmatch(r"[0-9a-fA-F]{1,8}", word):
            return Throttled(int(word, 16))
    return None


def _temperature(root: Path, run: RunCommand) -> float | None:
    zones = {}
    for zone in matching(root / "sys/class/thermal", "thermal_zone*"):
        millidegrees = number_of(zone / "temp")
        if millidegrees is not None and -60_000 <= millidegrees <= 200_000:
            zones[text_of(zone / "type")] = millidegrees / 1000.0
    for name in _CPU_ZONES:
        if name in zones:
            return zones[name]
    answer = re.search(r"temp=(\d{1,3}(?:\.\d{1,3})?)'C", run(("vcgencmd", "measure_temp")))
    return float(answer.group(1)) if answer else None


def _frequency(root: Path) -> tuple[tuple[str, ...], tuple[int, ...], int | None]:
    """Governors without repeats, the clock of each core in Hz, and the highest allowed one."""
    folders = [core / "cpufreq" for core in matching(root / "sys/devices/system/cpu", "cpu[0-9]*")]
    folders.sort(key=lambda folder: (len(folder.parent.name), folder.parent.name))
    governors = dict.fromkeys(filter(None, (text_of(folder / "scaling_governor") for folder in folders)))
    clocks, limits = (
        [khz * 1000 for khz in (number_of(folder / name) for folder in folders) if khz is not None and khz > 0]
        for name in ("scaling_cur_freq", "cpuinfo_max_freq")
    )
    return tuple(governors), tuple(clocks), max(limits, default=None)
