import dataclasses
import json
from pathlib import Path

from deseptr.train import TrainConfig


def test_settings_of_an_older_run_get_the_defaults_of_what_it_did_not_have(tmp_path: Path):
    path = tmp_path / "config.json"
    newer = {"shift", "gain", "rate_jitter", "dropped", "warp", "mask", "cutmix"}
    content = dataclasses.asdict(TrainConfig(dim=12))
    path.write_text(json.dumps({name: value for name, value in content.items() if name not in newer}))
    assert TrainConfig.load(path) == TrainConfig(dim=12)
