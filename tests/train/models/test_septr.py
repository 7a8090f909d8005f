import numpy as np
import pytest
import tensorflow as tf

from deseptr.train.models import SepTr
from deseptr.train.models.septr import encode_axis

ORDERS = ["frequency", "time"]


def small(**settings) -> SepTr:
    return SepTr(5, **{"dim": 8, "heads": 2, **settings})


@pytest.mark.parametrize("first", ORDERS)
@pytest.mark.parametrize("depth", [1, 2])
def test_layer_contract(first: str, depth: int, layer_faults, rng: np.random.Generator):
    spectrogram = rng.normal(size=(3, 17, 25, 6)).astype(np.float32)
    assert not layer_faults(small(first=first, depth=depth), spectrogram, shapes=[(3, 5)])


def test_orders_differ_only_in_the_order(rng: np.random.Generator):
    spectrogram = rng.normal(size=(2, 17, 25, 6)).astype(np.float32)
    models = [small(first=first, depth=2) for first in ORDERS]
    logits = [np.asarray(model(spectrogram)) for model in models]
    models[1].set_weights(models[0].get_weights())
    logits = [np.asarray(model(spectrogram)) for model in models]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3
    assert [block.name for block in models[0].stages] == ["frequency_1", "time_1", "frequency_2", "time_2"]
    assert [block.name for block in models[1].stages] == ["time_1", "frequency_1", "time_2", "frequency_2"]


@pytest.mark.parametrize("first", ORDERS)
def test_encoder_is_the_two_axes_one_after_the_other(first: str, rng: np.random.Generator):
    model = small(first=first)
    model.build((None, 17, 25, 6))
    grid = rng.normal(size=(1, 5, 7, 8)).astype(np.float32)
    special = rng.normal(size=(1, 1, 8)).astype(np.float32)
    columns = np.swapaxes(grid, 1, 2)
    if first == "frequency":
        encoded, token = encode_axis(model.frequency_blocks[0], columns, special, None)
        expected = encode_axis(model.time_blocks[0], np.swapaxes(encoded, 1, 2), token, None)[1]
    else:
        encoded, token = encode_axis(model.time_blocks[0], grid, special, None)
        expected = encode_axis(model.frequency_blocks[0], np.swapaxes(encoded, 1, 2), token, None)[1]
    np.testing.assert_allclose(model.encode(grid, special, None), expected, atol=1e-5)


@pytest.mark.parametrize("first", ORDERS)
def test_class_token_survives_both_stages(first: str, rng: np.random.Generator):
    model, spectrogram = small(first=first), rng.normal(size=(2, 17, 25, 6)).astype(np.float32)
    model(spectrogram)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model(spectrogram) ** 2)
    assert np.abs(tape.gradient(value, model.tokens.class_token)).max() > 1e-4


def test_unknown_axis_is_refused():
    with pytest.raises(ValueError, match="Received: first=channel"):
        small(first="channel")
