import pytest

from deseptr.contract import ModelError
from deseptr.train import TrainConfig
from deseptr.train.config import MODEL_NAMES
from deseptr.train.models.registry import MODELS


def test_names_of_the_command_line_are_those_of_the_registry():
    assert tuple(MODELS) == MODEL_NAMES


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("vit", "vit_d48_h3_l4"),
        ("septr", "septr_d48_h3_l2"),
        ("septr-time-first", "septr_time_first_d48_h3_l2"),
        ("resnet18", "resnet18_w64"),
        ("deit-vit", "deit_vit_d48_h3_l4"),
        ("deit-septr", "deit_septr_d48_h3_l2"),
        ("deseptr", "deseptr_d48_h3_l2"),
    ],
)
def test_names_decode_themselves(model: str, name: str):
    assert MODELS[model].name(TrainConfig(heads=3, depth=2)) == name


def test_depth_of_one_is_not_said():
    assert MODELS["deseptr"].name(TrainConfig()) == "deseptr_d48_h1"


def test_vit_has_as_many_blocks_as_the_separable_models():
    config = TrainConfig(depth=2)
    assert len(MODELS["vit"].build(3, config).all_blocks()) == len(MODELS["septr"].build(3, config).all_blocks()) == 4


def test_distilled_models_have_two_heads():
    for name, family in MODELS.items():
        assert getattr(family.build(3, TrainConfig()), "distilled", False) == family.distilled, name


def test_unknown_model_is_refused():
    with pytest.raises(ModelError, match="model: found transformer, expected one of vit, septr"):
        TrainConfig(model="transformer")
