import numpy as np
import pytest

from deseptr.train.models import DeitSepTr, DeitViT, SepTr
from deseptr.train.models.tokens import GridTokens


def test_patches_do_not_overlap_and_lose_nothing(rng: np.random.Generator):
    layer, x = GridTokens(8, patch=4), rng.normal(size=(1, 17, 25, 6)).astype(np.float32)
    before = np.asarray(layer(x)[0])
    assert before.shape == (1, 5, 7, 8)
    for row, column in np.ndindex(17, 25):
        changed = x.copy()
        changed[0, row, column] += 1
        moved = np.abs(np.asarray(layer(changed)[0]) - before).max(axis=(0, 3)) > 1e-5
        assert moved.sum() == 1


def test_projection_of_a_patch_is_linear_in_its_cells(rng: np.random.Generator):
    layer, x = GridTokens(8, patch=2), rng.normal(size=(1, 4, 6, 3)).astype(np.float32)
    layer(x)
    kernel, bias = np.asarray(layer.projection.kernel), np.asarray(layer.projection.bias)
    projected = np.einsum("ijc,ijcd->d", x[0, 2:4, 4:6], kernel) + bias
    normed = (projected - projected.mean()) / projected.std()
    positions = np.asarray(layer.frequency_position)[1, 0] + np.asarray(layer.time_position)[0, 2]
    np.testing.assert_allclose(np.asarray(layer(x)[0])[0, 1, 2], normed + positions, atol=1e-4)


@pytest.mark.parametrize(("kind", "count"), [(SepTr, 1), (DeitSepTr, 2), (DeitViT, 2)])
def test_special_tokens_are_as_many_as_heads(kind, count: int):
    model = kind(5, dim=8, heads=2)
    model.build((None, 17, 25, 6))
    assert len(model.tokens.special) == len(model.output_heads) == count
    assert model.tokens(np.zeros((2, 17, 25, 6), np.float32))[1].shape == (2, count, 8)


def test_three_special_tokens_are_refused():
    with pytest.raises(ValueError, match="Received: special_tokens=3"):
        GridTokens(8, special_tokens=3)
