import pytest

from deseptr.device.doctor import Level
from deseptr.device.doctor.board_checks import (
    check_board,
    check_clock,
    check_cpu_temperature,
    check_disk,
    check_governor,
    check_throttling,
)

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
SYNCHRONISED = "run/systemd/timesync/synchronized"


def test_board(make_patient):
    assert check_board(make_patient()).found == "Raspberry Pi Zero 2 W Rev 1.0"
    unnamed = make_patient(files={"sys/firmware/devicetree/base/model": None})
    assert check_board(unnamed).level is Level.SKIP


@pytest.mark.parametrize(
    ("word", "level", "found", "step"),
    [
        (b"0", Level.OK, "neither now nor since boot", ""),
        (b"50000", Level.WARN, "since boot: under-voltage, throttled (0x50000)", "use the supply"),
        (b"80000", Level.WARN, "since boot: soft temperature limit (0x80000)", "cool the board"),
        (b"50005", Level.FAIL, "now: under-voltage, throttled (0x50005)", "use the supply"),
        (b"8", Level.FAIL, "now: soft temperature limit (0x8)", "cool the board"),
        (None, Level.SKIP, "no Raspberry Pi's firmware to ask", ""),
        (b"zzz", Level.SKIP, "no Raspberry Pi's firmware to ask", ""),
    ],
)
def test_throttling(make_patient, word, level, found, step):
    verdict = check_throttling(make_patient(files={THROTTLED: word}))
    assert verdict.level is level
    assert verdict.found.startswith(found)
    assert verdict.next_step.startswith(step)


def test_throttling_by_the_firmware_s_own_command(make_patient):
    def run(command):
        return "throttled=0x1\n" if tuple(command) == ("vcgencmd", "get_throttled") else ""

    assert check_throttling(make_patient(host={"run": run})).found == "now: under-voltage (0x1)"


@pytest.mark.parametrize(
    ("millidegrees", "level"),
    [(b"48312", Level.OK), (b"76000", Level.WARN), (b"85000", Level.FAIL), (b"hot", Level.SKIP), (None, Level.SKIP)],
)
def test_cpu_temperature(make_patient, millidegrees, level):
    assert check_cpu_temperature(make_patient(files={TEMPERATURE: millidegrees})).level is level


@pytest.mark.parametrize(
    ("governor", "level", "found"),
    [
        (b"ondemand", Level.OK, "ondemand, 600 MHz now of 1000 MHz"),
        (b"powersave", Level.WARN, "powersave, 600 MHz now of 1000 MHz"),
        (None, Level.SKIP, "the processor's clock is fixed, or not to be seen"),
    ],
)
def test_governor(make_patient, governor, level, found):
    verdict = check_governor(make_patient(files={GOVERNOR: governor}))
    assert (verdict.level, verdict.found) == (level, found)


@pytest.mark.parametrize(("free", "level"), [(10**9, Level.OK), (10**8, Level.WARN), (10**7, Level.FAIL)])
def test_disk(make_patient, free, level):
    verdict = check_disk(make_patient(host={"free_bytes": lambda path: free}))
    assert verdict.level is level
    assert verdict.found == f"{free / 1e6:.0f} MB free"


@pytest.mark.parametrize(
    ("told", "file", "level"),
    [
        ("yes\n", None, Level.OK),
        ("no\n", None, Level.WARN),
        ("no\n", b"", Level.OK),
        ("", b"", Level.OK),
        ("", None, Level.SKIP),
    ],
)
def test_clock(make_patient, told, file, level):
    patient = make_patient(files={SYNCHRONISED: file}, host={"run": lambda command: told})
    assert check_clock(patient).level is level
