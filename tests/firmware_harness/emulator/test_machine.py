import json
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator import guest
from deseptr.firmware_harness.emulator.machine import Job, check_qemu, job_entries, qemu_command


def test_the_command_counts_instructions_on_one_processor():
    command = qemu_command("cortex-a53", Path("k"), Path("a"))
    words = " ".join(command)
    assert words.startswith("qemu-system-aarch64 -M virt -cpu cortex-a53 ")
    assert "-accel tcg,thread=single -icount shift=0,sleep=off" in words
    assert "-smp 1" in words
    assert "-kernel k -initrd a" in words
    assert "-no-reboot" in words
    assert command[command.index("-append") + 1].endswith("panic=-1")


def test_without_counting_the_clock_is_in_real_time():
    assert "-icount" not in qemu_command("cortex-a53", Path("k"), Path("a"), counting=False)


def test_the_jobs_archive_contains_process_1_the_models_and_the_job():
    entries = {entry.path: entry for entry in job_entries([b"one", b"two"], Job(samples=7, warmup=2, seed=3))}
    assert entries["init"].data.startswith(b"#!/usr/bin/python3")
    assert entries["init"].mode & 0o100
    assert [entries[f"job/{index}.tflite"].data for index in range(2)] == [b"one", b"two"]
    assert json.loads(entries["job/job.json"].data) == {
        "models": ["/job/0.tflite", "/job/1.tflite"],
        "samples": 7,
        "warmup": 2,
        "seed": 3,
    }


def test_missing_qemu_is_reported_with_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match=r"^qemu-system-aarch64: found no such program.*qemu-system-arm"):
        check_qemu()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.float32])
def test_inputs_are_the_same_for_the_same_seed(dtype: type):
    detail = {"dtype": dtype, "shape": np.array([1, 150, 6])}
    first, again, other = (guest.random_input(detail, seed) for seed in (0, 0, 1))
    assert (first.dtype, first.shape) == (dtype, (1, 150, 6))
    assert (first == again).all()
    assert (first != other).any()
    assert len(np.unique(first)) > 200


def test_models_take_turns_and_warm_up_is_not_counted():
    calls: list[str] = []

    class Model:
        def __init__(self, name: str) -> None:
            self.name = name

        def invoke(self) -> None:
            calls.append(self.name)

    counts = guest.count([Model("a"), Model("b")], warmup=1, samples=2)
    assert calls == ["a", "b"] * 3
    assert [len(taken) for taken in counts] == [2, 2]
