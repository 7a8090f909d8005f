import subprocess
import sys

import pytest

from deseptr.contract import ModelError
from deseptr.train import TrainConfig
from deseptr.train.config import MODEL_NAMES, NETWORK_NAMES, STEM_MODELS
from deseptr.train.models.registry import MODELS, needs_teacher


def test_names_of_the_command_line():
    assert (*NETWORK_NAMES, "random-forest") == MODEL_NAMES
    assert STEM_MODELS == ("deseptr-spectrogram",)
    assert len(MODEL_NAMES) == 13


def test_the_table_of_models_does_not_import_keras():
    code = "import sys, deseptr.train.config; print({'keras', 'sklearn', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("vit", "vit_d48_h3_l4"),
        ("septr", "septr_d48_h3_l2"),
        ("septr-time-first", "septr_time_first_d48_h3_l2"),
        ("resnet18", "resnet18_w32"),
        ("deit-vit", "deit_vit_d48_h3_l4"),
        ("deit-septr", "deit_septr_d48_h3_l2"),
        ("deseptr-spectrogram", "deseptr_spectrogram_d48_h3_l2"),
        ("deseptr", "deseptr_d32"),
        ("wave1d", "wave1d_w64"),
        ("cnn-har", "cnn_har"),
    ],
)
def test_names_state_the_size(model: str, name: str):
    assert MODELS[model].name(TrainConfig(model=model, heads=3, depth=2)) == name


def test_depth_of_one_is_left_out_of_the_name():
    assert MODELS["deseptr"].name(TrainConfig()) == "deseptr_d32"


def test_vit_has_as_many_blocks_as_the_separable_models():
    config = TrainConfig(depth=2)
    assert len(MODELS["vit"].build(3, config).all_blocks()) == len(MODELS["septr"].build(3, config).all_blocks()) == 4


def test_distilled_models_have_two_heads():
    for name, family in MODELS.items():
        assert getattr(family.build(3, TrainConfig()), "distilled", False) == family.distilled, name


def test_views_are_part_of_the_name():
    assert MODELS["cnn-har"].name(TrainConfig(model="cnn-har", views=True)) == "cnn_har_views"


def test_a_recipe_decides_what_is_left_out():
    own = TrainConfig(model="deseptr")
    assert (own.views, own.mixup, own.warp, own.student_epochs, own.members) == (True, 0.5, 0.0, 60, ("wave1d",))
    other = TrainConfig(model="deseptr-spectrogram")
    assert (other.views, other.mixup, other.warp, other.student_epochs, other.members) == (
        False,
        0.0,
        0.1,
        20,
        ("resnet18",),
    )
    given = TrainConfig(model="deseptr", mixup=0.0, student_epochs=3, members=["cnn-har", "wave1d"])
    assert (given.mixup, given.student_epochs, given.members) == (0.0, 3, ("cnn-har", "wave1d"))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"model": "vit", "views": True}, "views True: found the model vit, whose input is spectrogram"),
        ({"model": "wave1d", "views": False}, "views False: found the model wave1d, whose input is views"),
        ({"model": "deseptr", "members": ()}, "found none, expected some of wave1d, tinierhar, cnn-har"),
        (
            {"model": "deseptr", "members": ("resnet18",)},
            "found resnet18, expected some of wave1d",
        ),
        (
            {"model": "deseptr-spectrogram", "members": ("wave1d",)},
            "found wave1d, expected some of vit, .*resnet18, each once",
        ),
    ],
)
def test_settings_that_contradict_the_model_are_refused(settings: dict, line: str):
    with pytest.raises(ModelError, match=line):
        TrainConfig(**settings)


def test_unknown_model_is_refused():
    with pytest.raises(ModelError, match="model: found transformer, expected one of vit, septr"):
        TrainConfig(model="transformer")


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ({"distillation": "medium"}, "distillation: found medium, expected one of none, soft, hard"),
        ({"stem": "borrowed"}, "stem: found borrowed, expected one of shared-tuned, shared-frozen, own"),
        (
            {"model": "deit-vit", "stem": "own"},
            "stem own: found the model deit-vit, .* expected the model deseptr-spectrogram",
        ),
    ],
)
def test_settings_that_no_model_has_are_refused(setting: dict[str, str], line: str):
    with pytest.raises(ModelError, match=line):
        TrainConfig(**setting)


@pytest.mark.parametrize(
    ("setting", "needs"),
    [
        ({}, True),
        ({"model": "deseptr-spectrogram", "stem": "own"}, True),
        ({"distillation": "none", "model": "deseptr-spectrogram"}, True),
        ({"distillation": "none", "model": "deseptr-spectrogram", "stem": "own"}, False),
        ({"distillation": "none", "model": "deit-vit"}, False),
        ({"model": "deit-vit"}, True),
        ({"model": "vit"}, False),
        ({"model": "deseptr"}, True),
        ({"model": "deseptr", "distillation": "none"}, False),
    ],
)
def test_who_needs_a_teacher(setting: dict[str, str], needs: bool):
    assert needs_teacher(TrainConfig(**setting)) is needs
