import numpy as np
import pytest

from deseptr.train.augment import Warp

RAMPS = np.stack(np.meshgrid(np.arange(17), np.arange(25), indexing="ij"), axis=-1).astype(np.float32)
both_axes = pytest.mark.parametrize("name", ["time", "frequency"])


def places(name: str, max_fraction: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel came from along the axis and along the other; the axis comes first, then the other.

    For frequency, of the bins that it warps: the first is left out.
    """
    warped = np.asarray(Warp(name, max_fraction, rate=1.0, seed=1)(np.repeat(RAMPS[None], 64, axis=0), training=True))
    if name == "frequency":
        return warped[:, 1:, :, 0], warped[:, 1:, :, 1]
    return warped[..., 1].swapaxes(1, 2), warped[..., 0].swapaxes(1, 2)


@both_axes
def test_ramps_show_where_each_value_came_from(name: str):
    along, other = places(name)
    still = along[:, :1, :1] + np.arange(along.shape[1])[:, None]
    move = np.abs(along - still).reshape(64, -1).max(axis=1)
    longest = 0.1 * (along.shape[1] - 1)
    assert (np.diff(along, axis=1) > -1e-4).all()
    assert 0.8 * longest < move.max() < 1.15 * longest
    assert np.std(move) > 0.2 * longest
    np.testing.assert_allclose(other, np.broadcast_to(np.arange(other.shape[2]), other.shape), atol=1e-4)


@both_axes
def test_edges_that_the_axis_runs_into_are_held(name: str):
    """Exactly at their ends and middle, within an eighth of the largest move between."""
    along, _ = places(name)
    size, across = along.shape[1:]
    first, last = along[:, 0] - along[:, :1, 0], along[:, -1] - along[:, :1, 0] - (size - 1)
    for edge in (first, last):
        np.testing.assert_allclose(edge[:, [0, across // 2, -1]], 0, atol=1e-4)
        assert np.abs(edge).max() < 0.1 * (size - 1) / 8


@both_axes
def test_largest_warp_that_is_allowed_does_not_fold(name: str):
    along, _ = places(name, 0.199)
    assert (np.diff(along, axis=1) > -1e-4).all()


def test_warp_that_could_fold_is_refused():
    with pytest.raises(ValueError, match=r"Received: max_fraction=0\.2"):
        Warp(max_fraction=0.2)


def test_dc_does_not_leak_into_the_magnitudes():
    spectrogram = np.zeros((32, 17, 25, 1), np.float32)
    spectrogram[:, 0] = 5.0
    np.testing.assert_array_equal(
        np.asarray(Warp("frequency", rate=1.0, seed=2)(spectrogram, training=True)), spectrogram
    )


def test_dc_stays_where_it_is_in_a_warp_along_frequency():
    spectrogram = np.random.default_rng(0).normal(size=(32, 17, 25, 2)).astype(np.float32)
    warped = np.asarray(Warp("frequency", rate=1.0, seed=2)(spectrogram, training=True))
    np.testing.assert_array_equal(warped[:, 0], spectrogram[:, 0])
    assert np.abs(warped[:, 1:] - spectrogram[:, 1:]).max() > 0.1


def test_constant_picture_stays_constant():
    picture = np.full((16, 17, 25, 2), 3.0, np.float32)
    np.testing.assert_allclose(np.asarray(Warp("time", rate=1.0, seed=2)(picture, training=True)), 3.0, rtol=1e-5)


@both_axes
@pytest.mark.parametrize("shape", [(3, 17, 1, 6), (3, 2, 25, 6)])
def test_an_image_of_one_frame_or_one_bin_stays_as_it_is(name: str, shape: tuple[int, ...]):
    """A window of one STFT frame; and two bins, of which a warp along frequency leaves the first out."""
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    warped = np.asarray(Warp(name, rate=1.0, seed=0)(image, training=True))
    assert np.isfinite(warped).all()
    if shape[2] == 1 or name == "frequency":
        np.testing.assert_array_equal(warped, image)
