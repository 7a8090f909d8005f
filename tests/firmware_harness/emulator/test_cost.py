import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.cli.firmware.arm_cost import table
from deseptr.contract import ModelError, SetupError
from deseptr.firmware_harness.emulator.cost import UNIT, ArmCost, ArmCosts, count_instructions, read_console
from deseptr.firmware_harness.emulator.guest import MARK
from deseptr.firmware_harness.emulator.machine import QEMU, Job
from deseptr.firmware_harness.emulator.process import Finished

PACKAGED = Path(__file__).parents[3] / "device" / "models" / "deseptr_motionsense.tflite"
MODELS = [Path("a.tflite"), Path("b.tflite")]
CLOCK = {"clock": {"executed": 1000, "counted": 1002}}


def finished(*facts: dict[str, object], after: str = "", timed_out: bool = False, errors: str = "") -> Finished:
    return Finished(0, "".join(MARK + json.dumps(fact) + "\n" for fact in facts) + after, errors, timed_out=timed_out)


def counted(index: int) -> dict[str, object]:
    return {"model": index, "instructions": [5]}


def test_a_complete_console_is_accepted():
    console = read_console(finished(CLOCK, counted(0), counted(1), {"done": True}), MODELS, "machine", 9)
    assert console.counts == {0: [5], 1: [5]}


def test_the_guests_error_names_the_model_that_was_loading():
    with pytest.raises(ModelError, match=r"^b.tflite: found ValueError: no model"):
        read_console(finished({"loading": 1}, {"error": "ValueError: no model"}), MODELS, "machine", 9)


def test_a_crash_while_loading_names_the_model_and_the_kernels_last_line():
    with pytest.raises(ModelError, match=r"^b.tflite: found Kernel panic"):
        read_console(finished({"loading": 1}, after="Kernel panic\n"), MODELS, "machine", 9)


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (finished({"loading": 0}, timed_out=True), "machine: found no end after 9 s"),
        (finished(errors="qemu: could not load kernel\n"), "machine: found qemu: could not load kernel"),
        (finished(after="Kernel panic\n"), "machine: found Kernel panic"),
        (finished(CLOCK, counted(0), after=MARK + '{"mod'), "machine: found 1 unreadable lines"),
        (finished(counted(0), counted(1), {"done": True}), "machine: found no check of its clock"),
        (
            finished({"clock": {"executed": 100, "counted": 150}}, counted(0), counted(1), {"done": True}),
            "machine: found a clock of 1.500 ns per instruction",
        ),
        (
            finished({"clock": {"executed": 100, "counted": float("nan")}}, counted(0), counted(1), {"done": True}),
            "machine: found a clock of nan ns per instruction",
        ),
    ],
)
def test_a_machine_that_fails_is_one_line(end: Finished, line: str):
    with pytest.raises(SetupError) as caught:
        read_console(end, MODELS, "machine", 9)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_figures_of_two_boots():
    cost = ArmCost("m.tflite", "cortex-a53", ((100, 102, 104), (101, 103, 105)))
    assert cost.medians == (102, 103)
    assert cost.limits == (100, 105)
    assert cost.boots_differ_percent == pytest.approx(100 / 102, rel=0.01)
    assert cost.to_dict()["samples"] == 6
    assert ArmCost("m.tflite", "cortex-a53", ((100,),)).boots_differ_percent is None


def test_the_table_names_the_unit():
    text = table(ArmCosts({"qemu": "7.2"}, (ArmCost("m.tflite", "cortex-a53", ((1_000_000, 1_000_002),)),)))
    assert text.startswith(f"{UNIT}; qemu 7.2\n")
    assert "not a time" in text
    assert "m.tflite  cortex-a53  1,000,001  1,000,000  1,000,002" in text


@pytest.mark.parametrize(
    ("content", "line"), [(None, "found No such file"), (b"12345678", "found 8 bytes without the TFL3 mark")]
)
def test_file_without_a_model_is_refused_before_anything_is_fetched(tmp_path: Path, content: bytes | None, line: str):
    path = tmp_path / "m.tflite"
    if content:
        path.write_bytes(content)
    command = [sys.executable, "-m", "deseptr.cli", "firmware", "arm-cost", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"deseptr: {path}: {line}")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def need_machine() -> None:
    for program in (QEMU, "apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.mark.slow
def test_the_packaged_model_costs_a_53_more_than_a_76():
    need_machine()
    costs = count_instructions([PACKAGED, PACKAGED], ["cortex-a53", "cortex-a76"], job=Job(samples=9)).costs
    little, big = ([cost.instructions for cost in costs if cost.cpu == cpu] for cpu in ("cortex-a53", "cortex-a76"))
    # Two interpreters of one model, counted in turn.
    assert little[0] == pytest.approx(little[1], rel=0.005)
    assert big[0] == pytest.approx(big[1], rel=0.005)
    assert 500_000 < big[0] < little[0] < 20_000_000


@pytest.mark.slow
def test_a_broken_model_is_named_and_a_slow_machine_is_ended_at_the_timeout(tmp_path: Path):
    need_machine()
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(PACKAGED.read_bytes()[:3000])
    with pytest.raises(ModelError, match=r"broken.tflite: found ValueError"):
        count_instructions([PACKAGED, broken], ["cortex-a53"], job=Job(samples=1))
    with pytest.raises(SetupError, match=r"found no end after 1 s"):
        count_instructions([PACKAGED], ["cortex-a53"], timeout=1)
