import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.interpolate import CubicSpline

from deseptr.device import StreamResampler

CUTS = st.lists(st.integers(0, 400), max_size=12)


def signals(count, seed=0):
    return np.random.default_rng(seed).normal(0, 5, (count, 6)).astype(np.float32)


def through(resampler, samples, cuts=()):
    pieces = np.split(samples, sorted(cut for cut in cuts if cut < len(samples)))
    return np.concatenate([resampler.push(piece) for piece in pieces])


@given(CUTS, st.floats(0.3, 4.0))
def test_same_bits_for_any_pieces(cuts, step):
    samples = signals(400)
    whole = through(StreamResampler(step), samples)
    assert through(StreamResampler(step), samples, cuts).tobytes() == whole.tobytes()


@given(CUTS, st.floats(0.9, 1.1), st.floats(0.9, 1.1), st.integers(50, 200))
def test_same_bits_across_a_change_of_step(cuts, first, second, change):
    def run(cuts):
        resampler = StreamResampler(first)
        before = through(resampler, signals(400)[:change], [cut for cut in cuts if cut < change])
        resampler.change_step(second)
        after = through(resampler, signals(400)[change:], [cut - change for cut in cuts if cut > change])
        return np.concatenate((before, after))

    assert run(cuts).tobytes() == run(()).tobytes()


@given(st.floats(0.3, 4.0), st.integers(0, 100), st.integers(1, 60))
def test_wanted_is_exactly_what_completes_the_outputs(step, before, outputs):
    resampler = StreamResampler(step)
    resampler.push(signals(before))
    wanted = resampler.wanted(outputs)
    # What is complete was given by the push before, so that some sample lacks.
    assert wanted >= 1
    made = len(resampler.push(signals(wanted - 1)))
    assert made < outputs <= made + len(resampler.push(signals(1)))


@pytest.mark.parametrize("step", [0.95, 1.05, 1.04, 2.0])
def test_a_slow_signal_agrees_with_scipy(step):
    times = np.arange(600)
    samples = np.stack([np.sin(2 * np.pi * 0.04 * times + phase) for phase in range(6)], 1).astype(np.float32)
    made = StreamResampler(step).push(samples)
    expected = CubicSpline(times, samples)(np.arange(len(made)) * step)
    middle = slice(20, -20)
    assert np.abs(made - expected)[middle].max() < 2e-3


@pytest.mark.parametrize("step", [0.5, 0.97, 1.0, 1.3, 3.7])
def test_a_constant_stays_and_the_count_fits(step):
    resampler = StreamResampler(step)
    made = resampler.push(np.full((1000, 6), 9.81, np.float32))
    assert made == pytest.approx(9.81, rel=1e-6)
    assert len(made) == pytest.approx((1000 - resampler.delay) / step, abs=2)
    assert len(made) + resampler.pending == pytest.approx(1000 / step, abs=1)


def test_step_of_one_gives_the_samples_back():
    samples = signals(100)
    made = StreamResampler(1.0).push(samples)
    assert made == pytest.approx(samples[: len(made)], abs=1e-5)


def test_frequencies_above_the_new_nyquist_rate_are_removed():
    times = np.arange(2000)
    alias = np.repeat(np.sin(2 * np.pi * 0.4 * times)[:, None], 6, 1).astype(np.float32)
    made = StreamResampler(2.0).push(alias)
    assert np.abs(made[50:-50]).max() < 0.02


def test_memory_is_bounded():
    resampler = StreamResampler(1.05)
    for _ in range(200):
        resampler.push(signals(16))
    assert resampler.kept < 64


@pytest.mark.parametrize("step", [0, -1, float("nan"), float("inf")])
def test_a_step_is_positive(step):
    with pytest.raises(ValueError, match=r"step must be positive and finite\. Received: "):
        StreamResampler(step)
