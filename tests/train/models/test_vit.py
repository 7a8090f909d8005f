import numpy as np

from deseptr.train.models import ViT


def test_layer_contract(layer_faults, rng: np.random.Generator):
    spectrogram = rng.normal(size=(3, 17, 25, 6)).astype(np.float32)
    assert not layer_faults(ViT(5, dim=8, heads=2, depth=2), spectrogram, shapes=[(3, 5)])


def test_every_patch_reaches_the_class_token(rng: np.random.Generator):
    model, spectrogram = ViT(5, dim=8, heads=2, dropout=0.0), rng.normal(size=(1, 17, 25, 6)).astype(np.float32)
    before = np.asarray(model(spectrogram))
    for row, column in ((0, 0), (16, 24), (8, 12)):
        changed = spectrogram.copy()
        changed[0, row, column] += 3
        assert np.abs(np.asarray(model(changed)) - before).max() > 1e-4


def test_blocks_have_the_names_by_which_a_checkpoint_holds_them():
    assert [block.name for block in ViT(5, dim=8, heads=2, depth=3).all_blocks()] == ["block_1", "block_2", "block_3"]
