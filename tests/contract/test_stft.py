import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ModelError, StftSpec


@given(st.integers(1, 64), st.integers(1, 32), st.integers(0, 300))
def test_frames_are_those_that_fit(length: int, step: int, window: int):
    frames = StftSpec(length, step).frames(window)
    starts = [start for start in range(0, window, step) if start + length <= window]
    assert frames == len(starts)


def test_bins_run_from_dc_to_nyquist():
    assert StftSpec(32).bins == 17


def test_refuses_a_zero_step():
    with pytest.raises(ModelError, match=r"stft.frame_step: found 0"):
        StftSpec(frame_step=0)
