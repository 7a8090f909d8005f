"""What is wrong with the figures of a profile: everything that keeps them from being those of the device in wear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deseptr.device.host.board import BoardState, Throttled

BUSY_SHARE = 0.5


def find_caveats(
    machine: dict[str, Any], sensor: dict[str, Any], before: BoardState, after: BoardState, *, real_time: bool
) -> list[str]:
    """One sentence for each, the gravest first; none for a quiet, cool board at full clock with a real sensor.

    Args:
        machine: as :func:`deseptr.device.describe_machine` has it, with ``load_average`` and ``processors``.
        sensor: what the session says of its sensor.
        before: the board before the first window.
        after: the board after the last one.
        real_time: whether waits were real, or a virtual clock's.
    """
    return [
        *_processor(machine),
        *_throttling(before.throttled, after.throttled),
        *_governor(after),
        *_bus(sensor, real_time),
        *_load(machine),
    ]


def _processor(machine: dict[str, Any]) -> Iterator[str]:
    if machine["emulated"]:
        yield "emulated processor: these durations are the emulator's, and no latencies of any device"


def _throttling(before: Throttled | None, after: Throttled | None) -> Iterator[str]:
    now = [*(before.now if before else ()), *(after.now if after else ())]
    if now:
        yield f"the board was held back while this was measured: {', '.join(dict.fromkeys(now))}"
    since_boot = [flag for flag in (after.since_boot if after else ()) if flag not in now]
    known = before.since_boot if before else ()
    fresh = [flag for flag in since_boot if flag not in known]
    old = [flag for flag in since_boot if flag in known]
    if fresh:
        yield f"the board was held back for a time while this was measured: {', '.join(fresh)}"
    if old:
        # The firmware's mark stays until the next boot.
        yield f"held back before, since boot: {', '.join(old)}; whether again meanwhile cannot be told"


def _governor(board: BoardState) -> Iterator[str]:
    if board.governor not in (None, "performance"):
        yield (
            f"clock governor {board.governor}: a short inference may run before the clock has risen, and another "
            "load may raise it; `performance` gives figures that repeat"
        )


def _bus(sensor: dict[str, Any], real_time: bool) -> Iterator[str]:
    if sensor["simulated"]:
        yield "simulated bus: `read` is this machine simulating a sensor, not a wire, and costs processor time"
    if not real_time:
        yield "virtual time: the loop never slept, so that the processor never idled, and wake-ups have no jitter"


def _load(machine: dict[str, Any]) -> Iterator[str]:
    load, processors = machine.get("load_average"), machine.get("processors")
    if load is not None and processors and load > BUSY_SHARE * processors:
        yield f"the machine was busy beforehand: load {load:.1f} on {processors} processors"
