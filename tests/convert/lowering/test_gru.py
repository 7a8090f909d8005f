import keras
import numpy as np
import pytest
import tensorflow as tf

from deseptr.convert.lowering.gru import gru_states


@pytest.mark.parametrize("backwards", [False, True])
def test_states_are_those_of_keras_in_the_sequences_order(backwards: bool):
    rng = np.random.default_rng(0)
    layer = keras.layers.GRU(5, return_sequences=True, go_backwards=backwards)
    sequence = rng.normal(size=(1, 7, 4)).astype(np.float32)
    layer(sequence)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    expected = np.asarray(layer(sequence))
    mine = gru_states(layer, tf.constant(sequence[:, None]))[:, 0]
    np.testing.assert_allclose(mine, expected[:, ::-1] if backwards else expected, atol=1e-5)
