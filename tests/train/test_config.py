import dataclasses
import json
from pathlib import Path

import pytest

from deseptr.train import TrainConfig


def test_settings_of_an_older_run_get_the_defaults_of_what_it_did_not_have(tmp_path: Path):
    path = tmp_path / "config.json"
    newer = {"shift", "gain", "rate_jitter", "dropped", "warp", "mask", "cutmix"}
    content = dataclasses.asdict(TrainConfig(dim=12))
    path.write_text(json.dumps({name: value for name, value in content.items() if name not in newer}))
    assert TrainConfig.load(path) == TrainConfig(dim=12)


@pytest.mark.parametrize("model", ["deseptr", "deseptr-spectrogram", "vit"])
def test_settings_of_version_0_1_keep_their_network(tmp_path: Path, model: str):
    """Version 0.1 called the model on spectrograms ``deseptr``; the settings that came later are not in its files."""
    path = tmp_path / "config.json"
    settings = TrainConfig(model="vit" if model == "vit" else "deseptr-spectrogram", dim=8, heads=2)
    later = {"views", "members", "teacher_share", "clip_norm", "mixup", "shift_samples", "time_warp", "sensor_rate"}
    content = {name: value for name, value in dataclasses.asdict(settings).items() if name not in later}
    path.write_text(json.dumps({**content, "model": model}))
    assert TrainConfig.load(path) == settings
    assert TrainConfig.model_name(path) == settings.model


def test_settings_of_today_keep_the_model_on_views(tmp_path: Path):
    path = tmp_path / "config.json"
    TrainConfig().save(path)
    assert (TrainConfig.load(path), TrainConfig.model_name(path)) == (TrainConfig(), "deseptr")
