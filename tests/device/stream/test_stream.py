from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SensorError
from deseptr.device import SampleStream

S = 1_000_000_000


def windows_of(stream, signals, rate_hz, drains):
    """Drain a chip of `rate_hz` after each of `drains` samples; returns number and bits of every window."""
    stream.begin(0)
    made, taken = [], 0
    for count in drains:
        piece = signals[taken : taken + count]
        taken += count
        stream.note_drain(round((taken + 0.5) / rate_hz * S), len(piece))
        made += [(window.start, window.samples.tobytes()) for window in stream.windows(stream.resample(piece))]
    return made


def signals(count):
    return np.random.default_rng(3).normal(0, 5, (count, 6)).astype(np.float32)


@given(st.lists(st.integers(0, 80), min_size=1, max_size=30), st.sampled_from([50.0, 52.0, 48.0, 104.0]))
def test_windows_do_not_depend_on_the_drain_schedule(contract, drains, rate_hz):
    count = sum(drains)
    one_by_one = windows_of(SampleStream(contract, rate_hz, "chip"), signals(count), rate_hz, [1] * count)
    assert windows_of(SampleStream(contract, rate_hz, "chip"), signals(count), rate_hz, drains) == one_by_one
    assert len(one_by_one) >= (count * 50 / rate_hz - 80) // contract.hop_length


@given(st.lists(st.integers(0, 80), min_size=1, max_size=30), st.sampled_from([50.0, 52.0, 104.0]))
def test_the_history_changes_no_window(contract, viewed_contract, drains, rate_hz):
    count, history = sum(drains), viewed_contract.history
    plain, viewed = (
        windows_of(SampleStream(each, rate_hz, "chip"), signals(count), rate_hz, drains)
        for each in (contract, viewed_contract)
    )
    row = 6 * np.dtype(np.float32).itemsize
    assert [(start, samples[history * row :]) for start, samples in viewed] == plain
    stream = b"".join(samples[: contract.hop_length * row] for _, samples in plain)
    first = plain[0][1][:row] if plain else b""
    for index, (start, samples) in enumerate(viewed):
        earlier = (first * history + stream)[: (history + start) * row]
        assert samples[: history * row] == earlier[-history * row :], index


def test_windows_of_a_fitting_rate_are_the_samples_themselves(contract):
    made = windows_of(SampleStream(contract, 50.0, "chip"), signals(64), 50.0, [64])
    assert [number for number, _ in made] == [0, 16, 32]
    assert made[1][1] == signals(64)[16:48].tobytes()


def test_gap_begins_a_new_segment_and_is_counted(contract):
    stream = SampleStream(contract, 50.0, "chip")
    stream.begin(0)
    stream.note_drain(round(40.5 / 50 * S), 40)
    assert [window.start for window in stream.windows(stream.resample(signals(40)))] == [0]
    # Samples 40 to 59 are lost: the next one is taken at 60/50 s.
    assert stream.gap(round(60.5 / 50 * S)) == 20
    assert stream.received == 60
    assert [window.start for window in stream.windows(stream.resample(signals(33)))] == [60]


@pytest.mark.parametrize("rate_hz", [47.5, 52.5])
def test_lock_moves_to_the_measured_rate_and_time_goes_on(contract, rate_hz):
    stream = SampleStream(contract, 50.0, "chip")
    stream.begin(0)
    locks, times = [], []
    for drain in range(1, 400):
        seconds = (drain * 16 + 0.5) / rate_hz
        lock = stream.note_drain(round(seconds * S), 16)
        locks += [lock] if lock else []
        for window in stream.windows(stream.resample(signals(16))):
            times.append((stream.seconds(window.end), seconds))
    (lock,) = locks
    assert (lock.resampled, lock.nominal_hz) == (True, 50.0)
    assert lock.rate_hz == pytest.approx(rate_hz, rel=2e-3)
    stamps, drained = np.array(times).T
    assert (np.diff(stamps) > 0).all()
    # Samples before the lock were taken to be at the nominal rate: 5 % of some seconds.
    assert np.abs(stamps - drained).max() < 1.0


def test_small_deviation_is_measured_and_not_resampled(contract):
    stream = SampleStream(contract, 50.0, "chip")
    stream.begin(0)
    locks = [stream.note_drain(round((n * 16 + 0.5) / 50.5 * S), 16) for n in range(1, 200)]
    (lock,) = filter(None, locks)
    assert not lock.resampled
    assert stream.seconds(5050) == pytest.approx(100, rel=2e-3)


@pytest.mark.parametrize(
    ("nominal", "found"), [(44.0, "44 samples a second, set to 44"), (500.0, "500 samples a second, set to 500")]
)
def test_rate_that_cannot_be_resampled_is_refused(contract, nominal, found):
    with pytest.raises(SensorError) as caught:
        SampleStream(contract, nominal, "chip")
    assert str(caught.value) == (
        f"chip: found {found}, expected 45 to 400, within 25% of its setting; "
        "use another sensor, or train for this one's rate"
    )


def measure(contract, nominal_hz, rate_hz):
    """Drain a sensor of another rate than its setting until its rate is known; returns the lock."""
    stream = SampleStream(contract, nominal_hz, "chip")
    stream.begin(0)
    taken, lock = 0, None
    for drain in range(1, 200):
        due = int(drain * 0.32 * rate_hz + 0.5)
        lock = stream.note_drain(round(drain * 0.32 * S), due - taken) or lock
        taken = due
    return lock


@pytest.mark.parametrize(("nominal_hz", "rate_hz"), [(50.0, 62.0), (104.0, 79.0), (104.0, 129.0)])
def test_rate_24_per_cent_off_its_setting_is_resampled(contract, nominal_hz, rate_hz):
    lock = measure(contract, nominal_hz, rate_hz)
    assert lock.rate_hz == pytest.approx(rate_hz, rel=2e-3)
    assert (lock.nominal_hz, lock.resampled) == (nominal_hz, True)


@pytest.mark.parametrize(("nominal_hz", "rate_hz"), [(50.0, 63.0), (104.0, 77.0), (104.0, 131.0)])
def test_rate_26_per_cent_off_its_setting_is_a_wrong_setting_or_a_counterfeit(contract, nominal_hz, rate_hz):
    with pytest.raises(SensorError) as caught:
        measure(contract, nominal_hz, rate_hz)
    thing, _, rest = str(caught.value).partition(": found ")
    measured, _, rest = rest.partition(" ")
    assert (thing, float(measured)) == ("chip", pytest.approx(rate_hz, rel=5e-3))
    assert rest == (
        f"samples a second, set to {nominal_hz:g}, expected 45 to 400, within 25% of its setting; "
        "use another sensor, or train for this one's rate"
    )


def test_faster_sensor_is_thinned_out(contract):
    stream = SampleStream(contract, 100.0, "chip")
    assert stream.resampled
    stream.begin(0)
    ramp = np.arange(400, dtype=np.float32)[:, None].repeat(6, 1)
    made = list(stream.resample(ramp))
    assert np.array(made)[20:-20, 0] == pytest.approx(2.0 * np.arange(len(made))[20:-20], abs=1e-3)


def test_contract_decides_the_tolerance(contract):
    wide = SampleStream(replace(contract, rate_hz=52.0), 50.0, "chip", rate_tolerance=0.05)
    assert not wide.resampled
    assert SampleStream(replace(contract, rate_hz=52.0), 50.0, "chip").resampled
