import pytest

from deseptr.device import describe_machine


def root_with(tmp_path, **files):
    paths = {
        "cpuinfo": "proc/cpuinfo",
        "vendor": "sys/class/dmi/id/sys_vendor",
        "compatible": "sys/firmware/devicetree/base/compatible",
        "model": "sys/firmware/devicetree/base/model",
        "clock": "sys/devices/system/clocksource/clocksource0/available_clocksource",
    }
    for name, text in files.items():
        path = tmp_path / paths[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_this_machine_is_described_completely():
    machine = describe_machine()
    assert all(machine[name] for name in ("cpu", "python", "numpy", "platform"))


def test_raspberry_pi(tmp_path):
    cpuinfo = "processor\t: 0\nCPU part\t: 0xd0b\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
    machine = describe_machine(root_with(tmp_path, cpuinfo=cpuinfo, model="Raspberry Pi 5 Model B Rev 1.0\0"))
    assert machine["cpu"] == machine["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert not machine["emulated"]


@pytest.mark.parametrize(
    ("files", "emulated"),
    [
        ({"cpuinfo": "model name : QEMU Virtual CPU version 2.5+"}, True),
        ({"cpuinfo": "CPU part : 0xd03", "compatible": "linux,dummy-virt\0"}, True),
        ({"cpuinfo": "model name : AMD EPYC", "vendor": "QEMU\n", "clock": "tsc hpet"}, True),
        ({"cpuinfo": "model name : AMD EPYC", "vendor": "QEMU\n", "clock": "kvm-clock tsc"}, False),
        ({"cpuinfo": "model name : AMD EPYC", "vendor": "Dell Inc.\n"}, False),
        ({}, False),
    ],
)
def test_emulation_is_noticed(tmp_path, files, emulated):
    assert describe_machine(root_with(tmp_path, **files))["emulated"] is emulated
