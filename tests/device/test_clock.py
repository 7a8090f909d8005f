import time

from deseptr.device import SystemClock


def test_system_clock_waits():
    clock = SystemClock()
    begun = clock.now_ns()
    clock.sleep_ns(2_000_000)
    clock.sleep_ns(-1)
    assert clock.now_ns() - begun >= 2_000_000
    assert abs(clock.now_ns() - time.monotonic_ns()) < 1e9
