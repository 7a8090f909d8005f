import subprocess
import sys

import pytest
from hypothesis import given, strategies as st

from deseptr.device.profile.usage import WearMeter, process_memory


def status(tmp_path, text):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text(text)
    return tmp_path


def test_memory_as_linux_accounts_it(tmp_path):
    root = status(tmp_path, "Name:\tpython\nVmHWM:\t   64000 kB\nVmRSS:\t   48000 kB\n")
    assert process_memory(root).resident == 48000 * 1024
    assert process_memory(root).peak == 64000 * 1024


@pytest.mark.parametrize("text", ["", "VmRSS: many kB\nVmHWM: 3 kB\n", "nothing"])
def test_without_proc_status_the_peak_is_used_for_both(tmp_path, text):
    memory = process_memory(status(tmp_path, text))
    assert memory.resident == memory.peak > 1 << 20


def test_peak_grows_with_what_is_held():
    before = process_memory()
    held = bytearray(before.peak - before.resident + (32 << 20))
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    assert process_memory().peak >= before.peak + (16 << 20)


def test_a_small_process_is_not_as_large_as_the_one_that_started_it():
    """`ru_maxrss` would say so: Linux carries it over."""
    held = bytearray(96 << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    code = "from deseptr.device.profile.usage import process_memory; print(process_memory().peak)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < process_memory().peak - (32 << 20)


@given(
    st.lists(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 1)), min_size=1, max_size=8), min_size=1, max_size=4)
)
def test_only_the_time_between_labels_of_one_session_counts(sessions):
    cpu = 0.0
    meter = WearMeter(lambda: cpu)
    wearer = spent = 0.0
    for steps in sessions:
        meter.session()
        t, cpu = 0.0, cpu + 1000.0  # setting up, which is not to count
        for number, (seconds, work) in enumerate(steps):
            t, cpu = t + seconds, cpu + work
            meter.label(t)
            wearer += seconds if number else 0.0
            spent += work if number else 0.0
    assert meter.wearer_s == pytest.approx(wearer)
    assert meter.cpu_s == pytest.approx(spent, abs=1e-6)
    per_hour = meter.to_dict()["per_hour_s"]
    assert per_hour == (pytest.approx(spent / wearer * 3600, rel=1e-3, abs=1e-2) if wearer else None)
