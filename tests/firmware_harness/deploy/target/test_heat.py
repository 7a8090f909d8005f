from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.heat import heat


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_board_without_these_files_has_neither(tmp_path: Path):
    assert heat(tmp_path) == {"temperature_c": None, "throttled": None}


def test_the_processors_zone_is_taken_whatever_its_number(tmp_path: Path):
    for number, kind, temperature in ((0, "gpu-thermal", "99000"), (1, "cpu-thermal", "51634")):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/type", f"{kind}\n")
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", f"{temperature}\n")
    assert heat(tmp_path)["temperature_c"] == 51.634


@pytest.mark.parametrize("folder", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware", "soc/firmware"])
def test_flags_are_hexadecimal(tmp_path: Path, folder: str):
    write(tmp_path, f"sys/devices/platform/{folder}/get_throttled", "50005\n")
    assert heat(tmp_path)["throttled"] == 0x50005


def test_what_is_no_number_is_none(tmp_path: Path):
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "cpu_thermal")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "warm")
    write(tmp_path, "sys/devices/platform/soc/firmware/get_throttled", "")
    assert heat(tmp_path) == {"temperature_c": None, "throttled": None}


@pytest.mark.parametrize("said", ["9999999999999", "200001", "-60001", "1_000", "+5", "٣", "0x10"])
def test_a_temperature_that_no_processor_has_is_none_and_the_next_zones_is_taken(tmp_path: Path, said: str):
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "cpu-thermal")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", said)
    assert heat(tmp_path)["temperature_c"] is None
    write(tmp_path, "sys/class/thermal/thermal_zone1/type", "cpu-thermal")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", "48500")
    assert heat(tmp_path)["temperature_c"] == 48.5


@pytest.mark.parametrize("said", ["-15", "1_0", "0x50005", "100000000"])
def test_flags_that_the_firmware_never_has_are_none(tmp_path: Path, said: str):
    """A workstation refuses the whole answer of a board that sends a negative number."""
    write(tmp_path, "sys/devices/platform/soc/firmware/get_throttled", said)
    assert heat(tmp_path)["throttled"] is None
