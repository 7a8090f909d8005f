import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from deseptr.contract import InputViews, ModelContract, StftSpec
from deseptr.contract.views import asinh_thresholds
from deseptr.tflite.window_encoder import WindowEncoder

CHANNELS = ("acc_x", "gyro_x", "gyro_y")
THRESHOLDS = {
    "asinh": asinh_thresholds(),
    "linear": tuple(512 * level - 256 for level in range(1, 128)),
    "all in a bucket": tuple(range(1, 128)),
    "two in a bucket": tuple(np.cumsum([1000, 1] * 64)[:127].tolist()),
    "never reached": tuple(range(2**31 - 128, 2**31 - 1)),
    "reached at the end": tuple(range(31 * 65535 - 126, 31 * 65535 + 1)),
}


def contract(history=31, thresholds=THRESHOLDS["asinh"], length=9):
    return ModelContract(
        labels=("a", "b"),
        window_length=length,
        hop_length=1,
        channels=CHANNELS,
        units=("m/s^2", "rad/s", "rad/s"),
        input_range=(19.14, 2.63, 32640.0),
        stft=StftSpec(4, 1, 2),
        views=InputViews(history, thresholds),
    )


@given(
    st.sampled_from((1, 3, 31, 63)),
    st.sampled_from(sorted(THRESHOLDS)),
    st.integers(4, 12),
    st.sampled_from((1e-3, 0.1, 5.0, 100.0, 1e5)),
    st.data(),
)
def test_it_gives_the_integers_of_the_contract(history, kind, length, scale, data):
    made = contract(history, THRESHOLDS[kind], length)
    shape = (made.input_length, len(CHANNELS))
    window = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(-1, 1, width=32))) * np.float32(scale)
    encoder = WindowEncoder(made)
    for each in (window, window[::-1], window):
        assert np.array_equal(encoder.encode(each), made.views.encode(each, made.input_range))


@pytest.mark.parametrize("kind", sorted(THRESHOLDS))
def test_every_threshold_is_met_to_the_integer(kind):
    """Windows of one sample: the deviation of its last is 31 times its difference from those before, as they are all
    the same, less what is left of a division."""
    made = contract(31, THRESHOLDS[kind], 4)
    encoder = WindowEncoder(made)
    window = np.zeros((made.input_length, 3), np.float32)
    steps = np.array(THRESHOLDS[kind])[:, None] // 31 + np.arange(-1, 3)
    for step in np.unique(np.clip(np.concatenate([steps, -steps]), -32768, 32767)):
        for rest in (0, 1, 30):
            window[-1, 2] = step
            window[-1 - rest, 2] += 1
            assert np.array_equal(encoder.encode(window), made.views.encode(window, made.input_range))
            window[-1 - rest, 2] -= 1


def test_infinity_saturates():
    made = contract()
    window = np.zeros((made.input_length, 3), np.float32)
    window[::2], window[1::2] = np.inf, -np.inf
    encoded = WindowEncoder(made).encode(window)
    assert set(np.unique(encoded[:, :3])) == {-128, 127}
    assert np.array_equal(encoded, made.views.encode(window, made.input_range))


def test_encoding_allocates_nothing():
    made = contract(length=150)
    encoder = WindowEncoder(made)
    window = np.ones((made.input_length, 3), np.float32)
    encoder.encode(window)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(20):
            encoder.encode(window)
        # Array headers of views come and go; a buffer of the window's size would be 1,800 bytes and more.
        assert tracemalloc.get_traced_memory()[1] - before < 1500
    finally:
        tracemalloc.stop()
