"""Hours under hundreds of faults; the week with ten thousand is `make test-slow`."""

import pytest

from deseptr.device import SENSORS
from deseptr.firmware_harness.simulator import (
    BitFlipRead,
    BrownOut,
    Hang,
    Nack,
    Overflow,
    RegisterUpset,
    draw_faults,
    run_soak,
)


def test_without_faults_every_sample_is_delivered():
    result = run_soak([], 600)
    assert result.violations() == []
    assert result.delivered == result.generated >= 600 * 50
    assert (result.gaps, result.drift_s, result.rungs) == (0, 0, {})


def test_hours_under_hundreds_of_faults():
    result = run_soak(draw_faults(1, 3 * 3600 - 60, 300, begin_s=30), 3 * 3600, seed=1)
    assert result.violations() == []
    assert sum(recovery.count for recovery in result.recoveries.values()) == 300
    assert set(result.rungs) == {"retry", "fifo-reset", "reinit", "reopen"}
    assert result.gaps > 100


@pytest.mark.parametrize("sensor", sorted(set(SENSORS) - {"mpu6050"}))
def test_every_chip_under_faults(sensor):
    result = run_soak(draw_faults(2, 3600 - 60, 60, begin_s=30), 3600, sensor=sensor, seed=2)
    assert result.violations() == []


@pytest.mark.slow
def test_a_week_under_ten_thousand_faults():
    week_s = 7 * 86_400
    result = run_soak(draw_faults(1, week_s - 60, 10_000, begin_s=30), week_s, seed=1)
    assert result.violations() == []
    assert len(result.memory_mib) >= 6


def test_the_same_seed_gives_the_same_run():
    faults = draw_faults(5, 500, 40, begin_s=30)
    first, second = run_soak(faults, 600, seed=5), run_soak(faults, 600, seed=5)
    assert first.to_dict() == second.to_dict()


@pytest.mark.parametrize(
    ("faults", "rungs"),
    [
        ([Hang(at_s=60)], {"fifo-reset": 1, "reinit": 1}),
        ([BrownOut(at_s=60, duration_s=0.003)], {"reinit": 1}),
        # CONFIG bit 2: eight times the rate, which looks like an overflow again and again.
        ([RegisterUpset(at_s=60, register=0x1A, bit=2)], {"reinit": 1}),
        ([Nack(at_s=60, transfers=1)], {"retry": 1}),
        ([Overflow(at_s=60, duration_s=5)], {"fifo-reset": 1}),
        ([BitFlipRead(at_s=60, fifo=True)], {}),
    ],
)
def test_recovery_steps_of_each_fault(faults, rungs):
    result = run_soak(faults, 90)
    assert result.violations() == []
    assert result.rungs == rungs


def test_a_missing_sensor_is_given_up():
    result = run_soak([Nack(at_s=10, duration_s=500)], 600)
    assert result.gave_up is not None
    assert result.gave_up.startswith("mpu6050: found no sample for ")
    assert result.violations()[0].startswith("gave up: ")
