import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from deseptr.contract import InputViews, ModelError, views as module
from deseptr.contract.view_encoding import step_sizes
from deseptr.contract.views import LARGEST, SMALLEST, asinh_thresholds

RANGE = (19.14, 2.63)
LINEAR = tuple(512 * level - 256 for level in range(1, 128))

histories = st.sampled_from((1, 3, 7, 31, 63))
threshold_lists = st.one_of(
    st.sampled_from((asinh_thresholds(), LINEAR, tuple(range(1, 128)))),
    st.lists(st.integers(1, 2_200_000), min_size=127, max_size=127, unique=True).map(lambda t: tuple(sorted(t))),
)


@st.composite
def encodings(draw):
    """Views and samples ``[history + length, 2]`` of every size, some far outside the range."""
    views = InputViews(draw(histories), draw(threshold_lists))
    length = draw(st.integers(1, 12))
    scale = draw(st.sampled_from((1e-3, 0.1, 5.0, 100.0)))
    values = hnp.arrays(np.float32, (views.history + length, 2), elements=st.floats(-1, 1, width=32))
    return views, draw(values) * np.float32(scale)


def one_by_one(views: InputViews, samples: np.ndarray, input_range=RANGE) -> list[list[int]]:
    """The rule of the contract, a sample and a channel at a time, in Python's integers."""

    def step(value, channel):
        size = np.float32(input_range[channel] / 32640)
        return int(max(SMALLEST, min(LARGEST, float(np.rint(np.float32(value) / size)))))

    rows = []
    for index in range(views.history, len(samples)):
        coarse, fine = [], []
        for channel in range(samples.shape[1]):
            own = step(samples[index, channel], channel)
            last = [step(samples[index - back, channel], channel) for back in range(views.history + 1)]
            deviation = len(last) * own - sum(last)
            level = sum(1 for threshold in views.thresholds if threshold <= abs(deviation))
            coarse.append(max(-128, min(127, math.floor((own + 128) / 256))))
            fine.append(level if deviation > 0 else -level)
        rows.append(coarse + fine)
    return rows


@given(encodings())
def test_it_is_the_rule_to_the_integer(encoding):
    views, samples = encoding
    assert views.encode(samples, RANGE).tolist() == one_by_one(views, samples)


def test_it_is_the_three_lines_of_numpy():
    rng = np.random.default_rng(0)
    samples = (rng.normal(size=(31 + 150, 2)) * (12, 2)).astype(np.float32)
    q = np.clip(np.rint(samples / np.float32(np.array(RANGE) / 32640)), -32768, 32767).astype(np.int32)
    h = 32 * q[31:] - np.lib.stride_tricks.sliding_window_view(q, 32, axis=0).sum(-1)
    fine = np.sign(h) * np.searchsorted(asinh_thresholds(), np.abs(h), "right")
    expected = np.concatenate([np.clip((q[31:] + 128) >> 8, -128, 127), fine], 1).astype(np.int8)
    encoded = InputViews().encode(samples, RANGE)
    assert encoded.dtype == np.int8
    assert np.array_equal(encoded, expected)


@given(encodings())
def test_a_batch_is_its_windows(encoding):
    views, samples = encoding
    batch = np.stack([samples, samples[::-1], 2 * samples])
    encoded = views.encode(batch, RANGE)
    assert all(np.array_equal(one, views.encode(window, RANGE)) for one, window in zip(encoded, batch, strict=True))


@given(st.integers(-9000, 9000), st.integers(0, 2**32 - 1))
def test_a_constant_changes_the_coarse_view_alone(offset, seed):
    steps = np.random.default_rng(seed).integers(-9000, 9000, (31 + 40, 2))
    size = step_sizes(RANGE)
    plain, moved = (InputViews().encode((steps + add).astype(np.float32) * size, RANGE) for add in (0, offset))
    assert np.array_equal(plain[:, 2:], moved[:, 2:])
    assert np.array_equal(moved[:, :2], (steps[31:] + offset + 128) >> 8)


@given(encodings())
def test_the_fine_view_is_odd(encoding):
    views, samples = encoding
    # Saturated samples are not odd: the smallest 16-bit integer has no opposite.
    limit = np.array(RANGE, np.float32)
    samples = np.clip(samples, -limit, limit)
    forth, back = views.encode(samples, RANGE), views.encode(-samples, RANGE)
    assert np.array_equal(forth[:, 2:], -back[:, 2:])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("value", [20.0, 1e9, np.inf])
def test_both_views_saturate(sign, value):
    samples = np.full((31 + 2, 1), -sign * value, np.float32)
    samples[-1] = sign * value
    assert InputViews().encode(samples, (19.14,))[-1].tolist() == [127 if sign > 0 else -128, sign * 127]


@given(st.integers(0, 126))
def test_a_level_begins_at_its_threshold(level):
    thresholds = tuple(31 * (level + 1) for level in range(127))
    samples = np.zeros((32, 1), np.float32)
    encoded = []
    for step in (level, level + 1):
        samples[-1] = step
        encoded.append(int(InputViews(31, thresholds).encode(samples, (32640.0,))[0, 1]))
    assert encoded == [level, level + 1]


def test_default_thresholds_are_even_in_asinh():
    levels = np.arcsinh(200 * np.array(asinh_thresholds()) / (32 * 32640)) / np.arcsinh(200) * 127
    assert np.abs(levels - np.arange(0.5, 127)).max() < 0.002
    assert InputViews() == InputViews(31, asinh_thresholds())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"history": 0}, "history"),
        ({"history": -1}, "history"),
        ({"history": 30}, "history"),
        ({"history": 511}, "history"),
        ({"thresholds": ()}, "thresholds"),
        ({"thresholds": LINEAR[:-1]}, "thresholds"),
        ({"thresholds": LINEAR[::-1]}, "thresholds"),
        ({"thresholds": (0, *LINEAR[1:])}, "thresholds"),
        ({"thresholds": (*LINEAR[:-1], LINEAR[-2])}, "thresholds"),
        ({"thresholds": (*LINEAR[:-1], 2**31)}, "thresholds"),
    ],
)
def test_impossible_views_are_refused_by_name(change, name):
    with pytest.raises(ModelError, match=f"^contract.views.{name}: found"):
        InputViews(**change)


def test_a_window_without_its_history_is_refused():
    with pytest.raises(ValueError, match=r"more than the history of 31. Received: shape \[31, 2\]"):
        InputViews().encode(np.zeros((31, 2)), RANGE)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(32, 64))
def test_float32_is_exact(seed, length):
    """Training sums in float32: the largest sums must come out as in integers."""
    steps = np.random.default_rng(seed).choice(np.array([-32768, 32767], np.float32), (length, 1))
    sums = np.lib.stride_tricks.sliding_window_view(steps, 32, axis=0).sum(-1, dtype=np.float32)
    deviation = np.float32(32) * steps[31:] - sums
    whole = steps.astype(np.int64)
    assert np.array_equal(
        deviation, 32 * whole[31:] - np.lib.stride_tricks.sliding_window_view(whole, 32, axis=0).sum(-1)
    )


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted == 4
