import numpy as np
import pytest
import tensorflow as tf

from deseptr.train.models import DeitSepTr


def test_layer_contract(layer_faults, rng: np.random.Generator):
    spectrogram = rng.normal(size=(3, 17, 25, 6)).astype(np.float32)
    assert not layer_faults(DeitSepTr(5, dim=8, heads=2, depth=2), spectrogram, shapes=[(3, 5), (3, 5)])


@pytest.mark.parametrize(("head", "token"), [(0, "class_token"), (1, "distillation_token")])
def test_each_token_is_a_weight_of_its_own_and_reaches_its_head(head: int, token: str, rng: np.random.Generator):
    model, spectrogram = DeitSepTr(5, dim=8, heads=2), rng.normal(size=(2, 17, 25, 6)).astype(np.float32)
    model(spectrogram)
    assert not np.array_equal(model.tokens.class_token, model.tokens.distillation_token)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model(spectrogram)[head] ** 2)
    assert np.abs(tape.gradient(value, getattr(model.tokens, token))).max() > 1e-4
