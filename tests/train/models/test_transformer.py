import numpy as np
import pytest

from deseptr.train.models.transformer import EncoderBlock, SelfAttention


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_per_head_over_the_token_axis(heads: int, rng: np.random.Generator):
    layer, x = SelfAttention(8, heads), rng.normal(size=(2, 3, 5, 8)).astype(np.float32)
    mine = np.asarray(layer(x))
    kernel, bias, out, out_bias = (np.asarray(w) for w in layer.weights)
    for sequence in np.ndindex(2, 3):
        query, key, value = np.split(x[sequence] @ kernel + bias, 3, axis=-1)
        mixed = np.zeros((5, 8), np.float32)
        for head in range(heads):
            part = slice(head * 8 // heads, (head + 1) * 8 // heads)
            weights = softmax(query[:, part] @ key[:, part].T / np.sqrt(8 / heads))
            mixed[:, part] = weights @ value[:, part]
        np.testing.assert_allclose(mine[sequence], mixed @ out + out_bias, atol=1e-5)


def test_rows_do_not_see_each_other(rng: np.random.Generator):
    block, x = EncoderBlock(8, 2), rng.normal(size=(1, 3, 5, 8)).astype(np.float32)
    before = np.asarray(block(x))
    x[0, 1] += 1
    after = np.asarray(block(x))
    np.testing.assert_array_equal(after[0, [0, 2]], before[0, [0, 2]])
    assert np.abs(after[0, 1] - before[0, 1]).max() > 0.1


@pytest.mark.parametrize("kind", [SelfAttention, EncoderBlock])
def test_layer_contract(kind, layer_faults, rng: np.random.Generator):
    x = rng.normal(size=(2, 3, 5, 8)).astype(np.float32)
    layer = kind(8, 2)
    if kind is SelfAttention:
        assert not layer_faults(layer, x, shapes=[(2, 3, 5, 8)], fits=False)
    else:
        assert not layer_faults(layer, x, shapes=[(2, 3, 5, 8)])


def test_heads_must_divide_dim():
    with pytest.raises(ValueError, match="Received: dim=8, heads=3"):
        SelfAttention(8, 3)
