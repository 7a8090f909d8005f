import numpy as np
import pytest
import tensorflow as tf

from deseptr.train.models import DeSepTr
from deseptr.train.models.septr import encode_axis


def small(**settings) -> DeSepTr:
    return DeSepTr(5, **{"dim": 8, "heads": 2, "stem_filters": 4, **settings})


@pytest.mark.parametrize("depth", [1, 2])
def test_layer_contract(depth: int, layer_faults, rng: np.random.Generator):
    spectrogram = rng.normal(size=(3, 17, 25, 6)).astype(np.float32)
    assert not layer_faults(small(depth=depth), spectrogram, shapes=[(3, 5), (3, 5)])


@pytest.mark.parametrize(("head", "token"), [(0, "class_token"), (1, "distillation_token")])
def test_each_token_reaches_its_head_through_both_stages(head: int, token: str, rng: np.random.Generator):
    model, spectrogram = small(), rng.normal(size=(2, 17, 25, 6)).astype(np.float32)
    model(spectrogram)
    weight = getattr(model.tokens, token)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model(spectrogram)[head] ** 2)
    assert np.abs(tape.gradient(value, weight)).max() > 1e-4


def test_tokens_are_weights_of_their_own():
    model = small()
    model.build((None, 17, 25, 6))
    names = [weight.path.split("/")[-1] for weight in model.tokens.trainable_weights]
    assert {"class_token", "distillation_token"} <= set(names)
    assert not np.array_equal(model.tokens.class_token, model.tokens.distillation_token)


def test_every_row_gets_the_special_tokens_and_their_mean_comes_back():
    grid = np.zeros((1, 3, 4, 2), np.float32)
    grid[0] += np.arange(3)[:, None, None]
    special = np.array([[[10.0, 20.0], [30.0, 40.0]]], np.float32)

    def block(tokens, training=None):
        assert tokens.shape == (1, 3, 6, 2)
        return tokens + np.arange(3, dtype=np.float32)[:, None, None]

    encoded, mean = encode_axis(block, grid, special, None)
    np.testing.assert_array_equal(np.asarray(encoded)[0, :, 0, 0], [0, 2, 4])
    np.testing.assert_array_equal(mean, special + 1)


def test_frequency_stage_keeps_columns_apart(rng: np.random.Generator):
    """Required for streaming: an encoded column depends only on that column."""
    model = small()
    model.build((None, 17, 25, 6))
    columns = rng.normal(size=(1, 7, 5, 8)).astype(np.float32)
    special = rng.normal(size=(1, 2, 8)).astype(np.float32)
    before = np.asarray(encode_axis(model.frequency_blocks[0], columns, special, None)[0])
    columns[0, 3] += 1
    after = np.asarray(encode_axis(model.frequency_blocks[0], columns, special, None)[0])
    others = [0, 1, 2, 4, 5, 6]
    np.testing.assert_array_equal(after[0, others], before[0, others])
    assert np.abs(after[0, 3] - before[0, 3]).max() > 0.1
