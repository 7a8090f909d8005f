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


def test_board(make_subject):
    assert check_board(make_subject()).found == "Raspberry Pi Zero 2 W Rev 1.0"
    unnamed = make_subject(files={"sys/firmware/devicetree/base/model": None})
    assert check_board(unnamed).level is Level.SKIP


@pytest.mark.parametrize(
    ("word", "level", "found", "step"),
    [
        (b"0", Level.OK, "neither now nor since boot", ""),
        (b"50000", Level.WARN, "since boot: under-voltage, throttled (0x50000)", "use the supply"),
        (b"80000", Level.WARN, "since boot: soft temperature limit (0x80000)", "cool the board"),
        (b"50005", Level.FAIL, "now: under-voltage, throttled (0x50005)", "use the supply"),
        (b"8", Level.FAIL, "now: soft temperature limit (0x8)", "cool the board"),
        (None, Level.SKIP, "no Raspberry Pi's firmware, or no permission to query it", ""),
        (b"zzz", Level.SKIP, "no Raspberry Pi's firmware, or no permission to query it", ""),
    ],
)
def test_throttling(make_subject, word, level, found, step):
    result = check_throttling(make_subject(files={THROTTLED: word}))
    assert result.level is level
    assert result.found.startswith(found)
    assert result.next_step.startswith(step)


def test_throttling_by_the_firmwares_command(make_subject):
    def run(command):
        return "throttled=0x1\n" if tuple(command) == ("vcgencmd", "get_throttled") else ""

    assert check_throttling(make_subject(host={"run": run})).found == "now: under-voltage (0x1)"


@pytest.mark.parametrize(
    ("millidegrees", "level"),
    [(b"48312", Level.OK), (b"76000", Level.WARN), (b"85000", Level.FAIL), (b"hot", Level.SKIP), (None, Level.SKIP)],
)
def test_cpu_temperature(make_subject, millidegrees, level):
    assert check_cpu_temperature(make_subject(files={TEMPERATURE: millidegrees})).level is level


@pytest.mark.parametrize(
    ("governor", "level", "found"),
    [
        (b"ondemand", Level.OK, "ondemand, 600 MHz now of 1000 MHz"),
        (b"powersave", Level.WARN, "powersave, 600 MHz now of 1000 MHz"),
        (None, Level.SKIP, "the processor's clock is fixed, or not readable"),
    ],
)
def test_governor(make_subject, governor, level, found):
    result = check_governor(make_subject(files={GOVERNOR: governor}))
    assert (result.level, result.found) == (level, found)


@pytest.mark.parametrize(
    ("free", "level"),
    [(200_000_000, Level.OK), (199_999_999, Level.WARN), (20_000_000, Level.WARN), (19_999_999, Level.FAIL)],
)
def test_disk(make_subject, free, level):
    result = check_disk(make_subject(host={"free_bytes": lambda path: free}))
    assert result.level is level
    assert result.found == f"{free / 1e6:.0f} MB free"


@pytest.mark.parametrize(
    ("output", "file", "level"),
    [
        ("yes\n", None, Level.OK),
        ("no\n", None, Level.WARN),
        ("no\n", b"", Level.OK),
        ("", b"", Level.OK),
        ("", None, Level.SKIP),
    ],
)
def test_clock(make_subject, output, file, level):
    subject = make_subject(files={SYNCHRONISED: file}, host={"run": lambda command: output})
    assert check_clock(subject).level is level
