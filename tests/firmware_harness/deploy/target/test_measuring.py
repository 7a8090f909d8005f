"""Words of a measurement's commands; the measurement itself is tested with a board in ../test_flash.py."""

from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.target.measuring import _filled


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("@m.tflite", "/tmp/x/m.tflite"),
        ("m.tflite", "m.tflite"),
        ("xm.tflite", "xm.tflite"),
        ("@home", "@home"),
        ("", ""),
    ],
)
def test_only_a_file_that_came_along_stands_for_its_path(word: str, filled: str):
    assert _filled(word, {"m.tflite": Path("/tmp/x/m.tflite")}) == filled
