from dataclasses import replace

import numpy as np
from hypothesis import given, strategies as st

from deseptr.data import Windows
from deseptr.train.epoch_order import epoch_order, one_hot, steps_of
from deseptr.train.training_loop import Stage

STAGE = Stage("student", 5, 1e-3, batch_size=8, weight_decay=0.0, warmup=0.1, averaging=0.2, seed=3)


def windows_of(labelled: int, unlabelled: int) -> Windows:
    labels = np.concatenate([np.arange(labelled) % 3, np.full(unlabelled, -1)])
    zeros = np.zeros(len(labels), np.int64)
    return Windows(
        np.zeros((len(labels), 4, 6), np.float32), labels, zeros.astype(str), zeros, zeros, tuple("abc"), 50.0
    )


@given(
    labelled=st.integers(8, 60),
    unlabelled=st.integers(8, 60),
    share=st.sampled_from([0.1, 0.25, 0.5, 0.9]),
    epoch=st.integers(0, 4),
    steps=st.integers(1, 20),
)
def test_a_step_has_its_share_of_unlabelled_windows_after_the_labelled_ones(
    labelled: int, unlabelled: int, share: float, epoch: int, steps: int
):
    windows, stage = windows_of(labelled, unlabelled), replace(STAGE, unlabelled_share=share)
    order = epoch_order(windows, stage, epoch, steps)
    assert order.shape == (steps, 8)
    part = min(round(share * 8), 7)
    without = windows.labels[order] < 0
    assert without.sum(axis=1).tolist() == [part] * steps
    assert not without[:, : 8 - part].any()
    assert order.tolist() == epoch_order(windows, stage, epoch, steps).tolist()
    for chosen, count, size in ((order[:, : 8 - part], labelled, 8 - part), (order[:, 8 - part :], unlabelled, part)):
        # Within a pass no window comes twice.
        for start in range(0, steps, count // max(size, 1)) if size else ():
            once = chosen[start : start + count // size].ravel()
            assert len(set(once.tolist())) == len(once)


@given(count=st.integers(1, 40), epoch=st.integers(0, 4))
def test_labelled_windows_alone_are_gone_through_once_in_a_random_order(count: int, epoch: int):
    windows = windows_of(count, 0)
    order = epoch_order(windows, replace(STAGE, unlabelled_share=0.5), epoch, steps_of(count, 8))
    expected = np.random.default_rng((3, epoch)).permutation(count)
    size = min(8, count)
    assert order.ravel().tolist() == expected[: count // size * size].tolist()


def test_epochs_differ_and_so_do_passes():
    windows = windows_of(16, 0)
    first, second = (epoch_order(windows, STAGE, epoch, 4) for epoch in (0, 1))
    assert first.tolist() != second.tolist()
    assert first[:2].tolist() != first[2:].tolist()
    assert sorted(first[2:].ravel().tolist()) == list(range(16))


def test_target_of_an_unlabelled_window_is_zero():
    windows = windows_of(2, 1)
    assert one_hot(windows).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert one_hot(windows, np.array([2, 1])).tolist() == [[0, 0, 0], [0, 1, 0]]
