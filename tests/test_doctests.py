"""The examples in docstrings run and print what they claim."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("contract", "data", "tflite", "train", "device", "convert", "firmware_harness", "evaluate", "report", "cli")
KERAS = ("train", "convert/lowering")
WITH_EXAMPLES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix()
    for folder in (*ROOMS, "deseptr")
    for path in (ROOT / folder).rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


def test_every_layer_and_model_has_an_example():
    public = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for folder in ("train/augment", "train/models")
        for path in (ROOT / folder).glob("*.py")
        if "@keras.saving.register_keras_serializable" in path.read_text("utf-8")
    }
    assert public - {"train/models/convolution"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("path", WITH_EXAMPLES)
def test_examples_of(path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    if path.startswith(KERAS):
        pytest.importorskip("tensorflow")
    module = importlib.import_module("deseptr." + path.replace("/", ".").removeprefix("deseptr."))
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.attempted
    assert not result.failed
