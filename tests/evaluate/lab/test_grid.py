from dataclasses import replace

import pytest

from deseptr.contract import ModelError
from deseptr.evaluate.lab.grid import VARIED, Cell, Grid
from deseptr.train import TrainConfig
from deseptr.train.models.registry import needs_teacher


def test_grid_has_every_combination_once_in_a_fixed_order():
    grid = Grid(("hard", "soft"), ("own", "shared-tuned"), (4.0, 1.0, 4.0))
    names = [(cell.method, cell.stem) for cell in grid.cells]
    assert names == [(m, s) for m in ("soft", "soft T=4", "hard") for s in ("shared-tuned", "own")]
    assert len({cell.folder for cell in grid.cells}) == 6
    assert len(Grid().cells) == 9


def test_cell_has_a_name_and_a_folder():
    assert Cell("soft", "own", 2.5).method == "soft T=2.5"
    assert Cell("soft", "own", 2.5).folder == "soft-t2.5-own"
    assert Cell("none", "shared-frozen").folder == "none-shared-frozen"


def test_cell_decides_only_the_varied_settings():
    base = TrainConfig("deseptr-spectrogram", dim=8)
    config = Cell("soft", "own", 2.0).config(base, 7)
    assert [getattr(config, name) for name in VARIED] == ["soft", 2.0, "own", 7]
    assert replace(config, **{name: getattr(base, name) for name in VARIED}) == base


def test_cells_and_training_agree_on_who_needs_a_teacher():
    for cell in Grid().cells:
        assert cell.needs_teacher == needs_teacher(cell.config(TrainConfig("deseptr-spectrogram"), 0)), cell


def test_factor_without_a_level_or_with_an_unknown_one_is_refused():
    with pytest.raises(ModelError, match="stems: found borrowed, expected some of shared-tuned, shared-frozen, own"):
        Grid(stems=("own", "borrowed"))
    with pytest.raises(ModelError, match="seeds: found none, expected at least one"):
        Grid(seeds=())
