from dataclasses import fields

import pytest

from deseptr.train.config import TrainConfig
from deseptr.train.presets import PRESETS, rule_of

SETTINGS = {field.name for field in fields(TrainConfig)}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_settings_that_training_takes(name):
    settings = dict(PRESETS[name].settings)
    assert settings.pop("event") == PRESETS[name].rule.label
    config = TrainConfig(**settings)
    assert {key: getattr(config, key) for key in settings} == settings
    assert settings.keys() <= SETTINGS


def test_the_rule_is_of_the_class_that_is_named():
    assert rule_of("tumble", "falls").confirm_s == PRESETS["falls"].rule.confirm_s
    assert rule_of("tumble", "falls").label == rule_of("tumble", None).label == "tumble"
    assert rule_of("tumble", None).confirm_s == 0
