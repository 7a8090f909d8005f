import time

from deseptr.firmware_harness.simulator import PacedClock, VirtualClock


def test_virtual_time_advances_only_by_waiting():
    clock = VirtualClock()
    assert clock.now_ns() == 0
    clock.sleep_ns(7)
    clock.sleep_ns(-3)
    assert clock.now_ns() == 7


def test_paced_time_does_not_run_ahead():
    begun = time.monotonic()
    clock = PacedClock()
    for _ in range(10):
        clock.sleep_ns(3_000_000)
    assert clock.now_ns() == 30_000_000
    assert time.monotonic() - begun >= 0.029
