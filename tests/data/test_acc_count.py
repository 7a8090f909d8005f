"""The size of a count is that by which the samples were rounded, and no other sensor seems to have one."""

import numpy as np
from hypothesis import given, settings, strategies as st

from deseptr.contract import channels_of
from deseptr.data import Dataset, Recording, describe
from deseptr.data.acc_count import acc_count_of

ACC = channels_of(["acc"])


def recording(signals: np.ndarray, channels: tuple[str, ...] = ACC) -> Recording:
    return Recording(signals.astype(np.float32), 50.0, "1", np.zeros(len(signals)), channels=channels)


def worn(seed: int, seconds: int = 20) -> np.ndarray:
    """Still, then moving."""
    rng = np.random.default_rng(seed)
    strength = np.repeat([0.01, 3.0], 25 * seconds)[:, None]
    return np.array([0.02, 0.03, 9.73]) + strength * rng.normal(size=(50 * seconds, 3))


@given(st.floats(0.005, 1.9), st.integers(0, 1000), st.integers(3, 6))
@settings(max_examples=40, deadline=None)
def test_the_count_is_found_also_in_rounded_text(count: float, seed: int, digits: int):
    counted = np.rint(worn(seed) / count) * count
    found = acc_count_of([recording(counted.round(digits))])
    # A text of few digits may write neighbours of a fine sensor alike: only that it is no coarse one matters.
    assert found < 0.06 if count < 0.05 else abs(found / count - 1) < 0.05


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_samples_without_counts_have_none(seed: int):
    signals = worn(seed)
    assert acc_count_of([recording(signals)]) < 0.06
    # A sensor that hangs, with a spike or two.
    hung = np.tile(signals[:1], (500, 1))
    assert acc_count_of([recording(hung)]) == 0
    hung[100], hung[200] = signals[600], signals[700]
    assert acc_count_of([recording(hung)]) == 0
    assert acc_count_of([recording(signals, channels_of(["gyro"]))]) == 0


def test_a_wearer_who_is_still_is_no_oddity_of_a_coarse_sensor_but_of_a_fine_one():
    signals = worn(3)
    coarse = np.rint(signals / 0.157) * 0.157
    said = {}
    for name, values in (("coarse", coarse), ("fine", np.where(np.arange(1000)[:, None] < 500, signals[0], signals))):
        said[name] = "\n".join(describe(Dataset((recording(values),), ("a",))).oddities)
    assert "does not change" not in said["coarse"]
    assert "acceleration does not change" in said["fine"]
