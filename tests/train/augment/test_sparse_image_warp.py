import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates

from deseptr.train.augment import dense_image_warp, sparse_image_warp, spline_flow

ROWS, COLUMNS = 17, 25
HELD = tuple((row, column) for row in (0.0, 8.0, 16.0) for column in (0.0, 12.0, 24.0) if (row, column) != (8.0, 12.0))
GRID = np.stack(np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij"), axis=-1)


def moved_points(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points of four examples in the picture's inner half, at least two pixels apart, and their moves."""
    spread = np.array([[4, 6], [10, 14], [5, 17]], np.float32)[:count]
    points = spread + rng.uniform(0, 2, size=(4, count, 2)).astype(np.float32)
    return points, rng.uniform(-1.5, 1.5, size=(4, count, 2)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3])
def test_flow_is_scipys_thin_plate_spline(count: int, rng: np.random.Generator):
    points, moves = moved_points(count, rng)
    flow = np.asarray(spline_flow((ROWS, COLUMNS), points, moves, HELD))
    for example, at, move in zip(flow, points, moves, strict=True):
        values = np.vstack([np.zeros((len(HELD), 2)), move])
        spline = RBFInterpolator(np.vstack([HELD, at]), values, kernel="thin_plate_spline", degree=1)
        np.testing.assert_allclose(example, spline(GRID.reshape(-1, 2)).reshape(ROWS, COLUMNS, 2), atol=1e-4)


def test_dense_warp_is_scipys_bilinear_resampling(rng: np.random.Generator):
    image = rng.normal(size=(3, ROWS, COLUMNS, 2)).astype(np.float32)
    flow = rng.uniform(-5, 5, size=(3, ROWS, COLUMNS, 2)).astype(np.float32)
    warped = np.asarray(dense_image_warp(image, flow))
    for example in range(3):
        where = np.moveaxis(GRID - flow[example], -1, 0)
        for channel in range(2):
            expected = map_coordinates(image[example, :, :, channel], where, order=1, mode="nearest")
            np.testing.assert_allclose(warped[example, :, :, channel], expected, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_one_axis_alone_is_a_flow_that_is_zero_along_the_other(axis: int, rng: np.random.Generator):
    image = rng.normal(size=(3, ROWS, COLUMNS, 2)).astype(np.float32)
    flow = np.zeros((3, ROWS, COLUMNS, 2), np.float32)
    flow[..., axis] = rng.uniform(-5, 5, size=(3, ROWS, COLUMNS))
    alone = dense_image_warp(image, flow[..., axis : axis + 1], axes=(axis,))
    np.testing.assert_allclose(np.asarray(alone), np.asarray(dense_image_warp(image, flow)), atol=1e-6)


def test_whole_shift_moves_the_picture_and_repeats_its_edge(rng: np.random.Generator):
    image = rng.normal(size=(2, ROWS, COLUMNS, 1)).astype(np.float32)
    flow = np.broadcast_to(np.array([2, -3], np.float32), (2, ROWS, COLUMNS, 2))
    warped = np.asarray(dense_image_warp(image, flow))
    np.testing.assert_array_equal(warped[:, 2:, :-3], image[:, :-2, 3:])
    np.testing.assert_array_equal(warped[:, :2, :-3], np.repeat(image[:, :1, 3:], 2, axis=1))
    np.testing.assert_array_equal(warped[:, 2:, -3:], np.repeat(image[:, :-2, -1:], 3, axis=2))


def test_spot_goes_from_source_to_destination_and_held_points_stay():
    source = np.array([[[6.0, 9.0]]], np.float32)
    destination = np.array([[[8.0, 12.0]]], np.float32)
    image = np.zeros((1, ROWS, COLUMNS, 1), np.float32)
    image[0, 6, 9] = 1.0
    for row, column in HELD:
        image[0, int(row), int(column)] = 5.0
    warped = np.asarray(sparse_image_warp(image, source, destination, HELD))[0, :, :, 0]
    assert warped[8, 12] == pytest.approx(1.0, abs=1e-4)
    assert warped[6, 9] == pytest.approx(0.0, abs=1e-4)
    for row, column in HELD:
        assert warped[int(row), int(column)] == pytest.approx(5.0, abs=1e-4)


def test_same_in_a_graph_of_unknown_batch_size(rng: np.random.Generator):
    image = rng.normal(size=(4, ROWS, COLUMNS, 3)).astype(np.float32)
    points, moves = moved_points(3, rng)
    shapes = [(None, ROWS, COLUMNS, 3), (None, 3, 2), (None, 3, 2)]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes])
    def graph(image, source, destination):
        return sparse_image_warp(image, source, destination, HELD)

    expected = sparse_image_warp(*map(keras.ops.convert_to_tensor, (image, points - moves, points)), HELD)
    np.testing.assert_allclose(graph(image, points - moves, points), expected, atol=1e-4)
