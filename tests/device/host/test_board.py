import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.device.host.board import BoardState, Throttled, read_board, read_throttled, run_command
from deseptr.device.host.power import pmic_power

PI5 = {
    "sys/firmware/devicetree/base/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "54350\n",
    "sys/class/thermal/thermal_zone1/type": "rp1_adc\n",
    "sys/class/thermal/thermal_zone1/temp": "41000\n",
    **{
        f"sys/devices/system/cpu/cpu{core}/cpufreq/{name}": text
        for core in range(4)
        for name, text in {
            "scaling_governor": "ondemand\n",
            "scaling_cur_freq": f"{1_500_000 + core}\n",
            "cpuinfo_max_freq": "2400000\n",
        }.items()
    },
}
# As a Raspberry Pi 5 prints it, with its indents; EXT5V and the battery have no current.
PMIC = """ 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.20000000A
  VDD_CORE_A current(7)=2.00000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.90000000V
     EXT5V_V volt(24)=5.13000000V
      BATT_V volt(25)=0.00000000V
"""


def root_with(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def answers(**by_word: str):
    return lambda command: by_word.get(command[1], "")


def test_raspberry_pi_5(tmp_path):
    run = answers(get_throttled="throttled=0x50005\n", pmic_read_adc=PMIC)
    board = read_board(root_with(tmp_path, PI5), run)
    assert board.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert board.temperature_c == 54.35
    assert board.clock_hz == (1_500_000_000, 1_500_001_000, 1_500_002_000, 1_500_003_000)
    assert board.max_clock_hz == 2_400_000_000
    assert board.governor == "ondemand"
    assert board.throttled.now == board.throttled.since_boot == ("under-voltage", "throttled")
    assert board.power.watts == pytest.approx(0.37 + 0.66 + 1.8)
    assert "USB" in board.power.leaves_out
    assert board.to_dict()["throttled"] == {
        "flags": "0x50005",
        "now": ["under-voltage", "throttled"],
        "since_boot": ["under-voltage", "throttled"],
    }


def test_a_clock_below_zero_is_none(tmp_path):
    limits = {name: "-1\n" for name in PI5 if name.endswith(("max_freq", "cur_freq"))}
    board = read_board(root_with(tmp_path, PI5 | limits), answers())
    assert (board.clock_hz, board.max_clock_hz) == ((), None)


def test_board_without_any_readable_state(tmp_path):
    assert read_board(tmp_path, answers()) == BoardState()


def test_this_machine_can_be_read():
    board = read_board()
    assert board.power is None or board.power.watts >= 0
    assert board.to_dict().keys() >= {"model", "temperature_c", "clock_hz", "governor", "throttled", "power"}


@pytest.mark.parametrize("flag", range(4))
def test_every_flag_has_its_bit(flag):
    name = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")[flag]
    assert Throttled(1 << flag).now == (name,)
    assert Throttled(1 << flag).since_boot == ()
    assert Throttled(1 << flag + 16).since_boot == (name,)
    assert Throttled(1 << flag + 16).now == ()


def test_the_kernels_file_replaces_vcgencmd(tmp_path):
    root = root_with(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": "80000\n"})
    assert read_throttled(root, answers()) == Throttled(0x80000)
    assert read_throttled(root, answers(get_throttled="throttled=0x0\n")) == Throttled(0)


def test_vcgencmd_without_permission(tmp_path):
    assert read_throttled(tmp_path, answers(get_throttled="Can't open device file: /dev/vcio\n")) is None


def test_temperature_of_the_firmware_where_the_kernel_has_none(tmp_path):
    assert read_board(tmp_path, answers(measure_temp="temp=48.3'C\n")).temperature_c == 48.3


def test_cores_that_differ(tmp_path):
    cpu = "sys/devices/system/cpu"
    files = {f"{cpu}/cpu0/cpufreq/scaling_governor": "ondemand", f"{cpu}/cpu10/cpufreq/scaling_governor": "performance"}
    assert read_board(root_with(tmp_path, files), answers()).governor == "ondemand, performance"


def test_only_rails_with_current_and_voltage_count():
    assert pmic_power(answers(pmic_read_adc="EXT5V_V volt(24)=5.1V\nVDD_CORE_A current(7)=2.0A\n")) is None


def test_a_missing_or_failing_command_gives_nothing():
    assert run_command(("no-such-command-anywhere",)) == ""
    assert run_command(("sh", "-c", "echo said; exit 1")) == ""
    assert run_command(("sh", "-c", "printf 'a\\377b'")) == "a�b"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40), min_size=len(PI5), max_size=len(PI5)), st.text(max_size=80))
def test_garbage_never_fails(tmp_path, contents, output):
    for name, content in zip(PI5, contents, strict=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    board = read_board(tmp_path, lambda _: output)
    assert all(clock > 0 for clock in board.clock_hz)
    assert board.temperature_c is None or -60 <= board.temperature_c <= 999


@given(st.from_regex(r"\s*(VDD_CORE|X)_[AV] (current|volt)\(\d+\)=[\d.eE+-]*[AV]?\n?", fullmatch=True))
def test_damaged_lines_of_the_power_chip_never_fail(line):
    power = pmic_power(lambda _: line * 2)
    assert power is None or power.watts >= 0


def test_a_folder_where_a_file_should_be(tmp_path):
    (tmp_path / "sys/firmware/devicetree/base/model").mkdir(parents=True)
    assert re.match("BoardState", repr(read_board(tmp_path, answers())))
