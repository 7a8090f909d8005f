"""Effects of made-up variants, whose differences are known."""

from typing import Any

import numpy as np
import pytest

from deseptr.evaluate.lab.effects import effects
from deseptr.evaluate.lab.grid import Cell, Grid
from deseptr.evaluate.lab.variants import Variant

WEARERS = np.array([0.0, 0.1, -0.1, 0.05])
STEMS = {"own": 0.6, "shared-tuned": 0.7, "shared-frozen": 0.66}
METHODS = {"none": 0.0, "soft": 0.04, "soft T=2": 0.05, "hard": 0.02}
HEADS = {"class": 0.0, "distillation": 0.02, "mean": 0.03}


def variant(
    cell: Cell | None, head: str, share: float, seeds: tuple[int, ...] = (0, 1), kind: str = "float"
) -> Variant:
    """A variant that is right in this share of 1000 windows a class, a hundredth more at each further seed."""
    confusions = {}
    for seed in seeds:
        right = np.round(1000 * (share + WEARERS + seed / 100)).astype(np.int64)
        wrong = 1000 - right
        confusions[seed] = np.stack([np.stack([right, wrong], -1), np.stack([wrong, right], -1)], -2)
    return Variant(cell, head, kind, confusions)


def all_variants(grid: Grid) -> list[Variant]:
    return [
        variant(cell, head, STEMS[cell.stem] + METHODS[cell.method] + HEADS[head])
        for cell in grid.cells
        for head in HEADS
    ]  # fmt: skip


def by_name(found: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(effect["factor"], effect["contrast"], effect["at"]): effect["difference"] for effect in found}


def test_each_effect_is_the_known_difference_and_inside_its_interval():
    found = by_name(effects(all_variants(Grid(temperatures=(2.0, 1.0))), "mean"))
    expected = {
        ("stem", "shared-tuned − own", "soft T=2"): 0.1,
        ("stem", "shared-frozen − own", "none"): 0.06,
        ("distillation", "soft − none", "own"): 0.04,
        ("distillation", "soft T=2 − none", "own"): 0.05,
        ("distillation", "soft T=2 − soft", "shared-tuned"): 0.01,
        ("distillation", "hard − none", "shared-frozen"): 0.02,
        ("distillation", "hard − soft", "own"): -0.02,
        ("head", "distillation − class", "hard, own"): 0.02,
        ("head", "mean − class", "none, shared-frozen"): 0.03,
    }
    for name, difference in expected.items():
        assert found[name]["mean"] == pytest.approx(difference), name
        assert found[name]["std"] == pytest.approx(0, abs=1e-9)
        # Every wearer and seed gives the same difference here, so that the pairs leave no doubt at all.
        assert found[name]["interval"]["low"] == pytest.approx(difference)
        assert found[name]["interval"]["high"] == pytest.approx(difference)
    assert len(found) == 4 * 2 + 3 * 6 + 12 * 2


def test_effects_are_of_what_was_run():
    grid = Grid(distillations=("soft",), stems=("own", "shared-tuned"))
    names = [(effect["factor"], effect["contrast"], effect["at"]) for effect in effects(all_variants(grid), "class")]
    assert names[0] == ("stem", "shared-tuned − own", "soft")
    assert [name[0] for name in names] == ["stem", *["head"] * 4]
    assert effects([variant(Cell("soft", "own"), "mean", 0.7)], "mean") == []


def test_seeds_that_one_variant_lacks_are_left_out_of_the_difference():
    variants = [variant(Cell("none", "own"), "mean", 0.6, (0, 2)), variant(Cell("hard", "own"), "mean", 0.7, (2, 1))]
    (effect,) = effects(variants, "mean")
    assert effect["seeds"] == [2]
    assert effect["difference"]["mean"] == pytest.approx(0.1)
    assert effect["difference"]["std"] is None
    assert effects([variant(variants[0].cell, "mean", 0.6, (0,)), variants[1]], "mean") == []


def test_teacher_and_int8_take_no_part():
    cells = Cell("none", "own"), Cell("hard", "own")
    variants = [variant(cells[0], "mean", 0.6), variant(cells[1], "mean", 0.7), variant(None, "", 0.9)]
    int8 = [variant(cell, "mean", 0.5, kind="int8") for cell in cells]
    assert effects([*variants, *int8], "mean") == effects(variants[:2], "mean")


def test_figures_of_a_variant():
    figures = variant(Cell("soft", "own", 2.0), "mean", 0.7).figures()
    assert (figures["distillation"], figures["temperature"], figures["stem"]) == ("soft", 2.0, "own")
    assert figures["seeds"] == [0, 1]
    assert figures["accuracy"]["per_seed"] == pytest.approx([0.7125, 0.7225])
    assert figures["macro_f1"]["mean"] == pytest.approx(0.7175)
    assert figures["macro_f1"]["std"] == pytest.approx(0.01 / np.sqrt(2))
    assert 0.6 < figures["macro_f1"]["interval"]["low"] < 0.7175 < figures["macro_f1"]["interval"]["high"] < 0.82
