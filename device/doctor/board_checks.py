"""Checks of the board: throttling by heat or voltage, processor clock, disk space, and the time of day."""

from __future__ import annotations

from .finding import CheckResult, fail, ok, skip, warn
from .subject import Subject

# The firmware of a Raspberry Pi slows down from 80 °C on and more at 85 ("Frequency management and thermal control").
WARM_C, HOT_C = 75.0, 85.0
SUITABLE_GOVERNORS = {"performance", "ondemand", "schedutil", "conservative", "interactive"}
# An hour of recording at 50 Hz takes about 17 MB.
LOW_BYTES, LEAST_BYTES = 200_000_000, 20_000_000
SYNCHRONISED = "run/systemd/timesync/synchronized"
_SUPPLY = "use the supply made for the board and a short, thick cable"


def check_board(subject: Subject) -> CheckResult:
    """Model of the board."""
    return ok(subject.board.model) if subject.board.model else skip("the device tree names none")


def check_throttling(subject: Subject) -> CheckResult:
    """Under-voltage and throttling, now and since boot."""
    throttled = subject.board.throttled
    if throttled is None:
        return skip("no Raspberry Pi's firmware, or no permission to query it (group video)")
    if throttled.now:
        step = _SUPPLY if "under-voltage" in throttled.now else "cool the board; latencies are those of a slowed one"
        return fail(f"now: {', '.join(throttled.now)} (0x{throttled.flags:x})", "none", step)
    if throttled.since_boot:
        step = _SUPPLY if "under-voltage" in throttled.since_boot else "cool the board"
        return warn(f"since boot: {', '.join(throttled.since_boot)} (0x{throttled.flags:x})", "none", step)
    return ok("neither now nor since boot")


def check_cpu_temperature(subject: Subject) -> CheckResult:
    """Temperature of the processor."""
    celsius = subject.board.temperature_c
    if celsius is None:
        return skip("no thermal sensor found")
    found, expected = f"{celsius:.1f} °C", f"below {WARM_C:g} °C"
    if celsius >= HOT_C:
        return fail(found, expected, "cool the board; it slows itself down")
    if celsius >= WARM_C:
        return warn(found, expected, "give the board a heat sink or a fan")
    return ok(found)


def check_governor(subject: Subject) -> CheckResult:
    """Governor of the processor's clock."""
    governor = subject.board.governor
    if governor is None:
        return skip("the processor's clock is fixed, or not readable")
    names = set(governor.split(", "))
    clocks, largest = subject.board.clock_hz, subject.board.max_clock_hz
    found = governor + (f", {max(clocks) / 1e6:.0f} MHz now" if clocks else "")
    found += f" of {largest / 1e6:.0f} MHz" if largest else ""
    if names <= SUITABLE_GOVERNORS:
        return ok(found)
    step = "`echo ondemand | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`"
    return warn(found, f"one of {', '.join(sorted(SUITABLE_GOVERNORS))}", step)


def check_disk(subject: Subject) -> CheckResult:
    """Room for recordings and logs."""
    free = subject.host.free_bytes(subject.host.folder)
    found = f"{free / 1e6:.0f} MB free"
    if free < LEAST_BYTES:
        return fail(found, f"at least {LEAST_BYTES / 1e6:.0f} MB", "free some space")
    if free < LOW_BYTES:
        return warn(found, f"at least {LOW_BYTES / 1e6:.0f} MB", "free some space; an hour of recording takes 17 MB")
    return ok(found)


def check_clock(subject: Subject) -> CheckResult:
    """Whether the time of day is synchronised; a Raspberry Pi without a network starts with an old time."""
    answer = subject.host.run(("timedatectl", "show", "--property=NTPSynchronized", "--value")).strip()
    if answer == "yes" or (subject.host.root / SYNCHRONISED).exists():
        return ok("synchronised")
    if answer == "no":
        step = "connect to a network, or `sudo timedatectl set-ntp true`; sampling does not depend on it"
        return warn("not synchronised", "a synchronised clock for the times in logs", step)
    return skip("no answer from systemd's timedatectl")
