"""Is the board held back by heat or voltage, is there room on its disk, and does it know what time it is?"""

from __future__ import annotations

from .finding import Verdict, fail, ok, skip, warn
from .subject import Patient

# The firmware of a Raspberry Pi slows down from 80 °C on and more at 85 ("Frequency management and thermal control").
WARM_C, HOT_C = 75.0, 85.0
SUITABLE_GOVERNORS = {"performance", "ondemand", "schedutil", "conservative", "interactive"}
# An hour of recording at 50 Hz takes about 17 MB.
LOW_BYTES, LEAST_BYTES = 200_000_000, 20_000_000
SYNCHRONISED = "run/systemd/timesync/synchronized"
_SUPPLY = "use the supply made for the board and a short, thick cable"


def check_board(patient: Patient) -> Verdict:
    """What it runs on."""
    return ok(patient.board.model) if patient.board.model else skip("the device tree names none")


def check_throttling(patient: Patient) -> Verdict:
    """Under-voltage and throttling, now and since boot."""
    throttled = patient.board.throttled
    if throttled is None:
        return skip("no Raspberry Pi's firmware to ask, or not for this user (group video)")
    if throttled.now:
        step = _SUPPLY if "under-voltage" in throttled.now else "cool the board; latencies are those of a slowed one"
        return fail(f"now: {', '.join(throttled.now)} (0x{throttled.flags:x})", "none", step)
    if throttled.since_boot:
        step = _SUPPLY if "under-voltage" in throttled.since_boot else "cool the board"
        return warn(f"since boot: {', '.join(throttled.since_boot)} (0x{throttled.flags:x})", "none", step)
    return ok("neither now nor since boot")


def check_cpu_temperature(patient: Patient) -> Verdict:
    """How warm the processor is."""
    celsius = patient.board.temperature_c
    if celsius is None:
        return skip("no sensor to ask")
    found, expected = f"{celsius:.1f} °C", f"below {WARM_C:g} °C"
    if celsius >= HOT_C:
        return fail(found, expected, "cool the board; it slows itself down")
    if celsius >= WARM_C:
        return warn(found, expected, "give the board a heat sink or a fan")
    return ok(found)


def check_governor(patient: Patient) -> Verdict:
    """Who decides on the processor's clock."""
    governor = patient.board.governor
    if governor is None:
        return skip("the processor's clock is fixed, or not to be seen")
    names = set(governor.split(", "))
    clocks, largest = patient.board.clock_hz, patient.board.max_clock_hz
    found = governor + (f", {max(clocks) / 1e6:.0f} MHz now" if clocks else "")
    found += f" of {largest / 1e6:.0f} MHz" if largest else ""
    if names <= SUITABLE_GOVERNORS:
        return ok(found)
    step = "`echo ondemand | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`"
    return warn(found, f"one of {', '.join(sorted(SUITABLE_GOVERNORS))}", step)


def check_disk(patient: Patient) -> Verdict:
    """Room for recordings and logs."""
    free = patient.host.free_bytes(patient.host.folder)
    found = f"{free / 1e6:.0f} MB free"
    if free < LEAST_BYTES:
        return fail(found, f"at least {LEAST_BYTES / 1e6:.0f} MB", "free some space")
    if free < LOW_BYTES:
        return warn(found, f"at least {LOW_BYTES / 1e6:.0f} MB", "free some space; an hour of recording takes 17 MB")
    return ok(found)


def check_clock(patient: Patient) -> Verdict:
    """Whether the time of day is right; a Raspberry Pi without a network wakes up in the past."""
    told = patient.host.run(("timedatectl", "show", "--property=NTPSynchronized", "--value")).strip()
    if told == "yes" or (patient.host.root / SYNCHRONISED).exists():
        return ok("synchronised")
    if told == "no":
        step = "connect to a network, or `sudo timedatectl set-ntp true`; sampling does not depend on it"
        return warn("not synchronised", "a synchronised clock for the times in logs", step)
    return skip("no systemd to ask")
