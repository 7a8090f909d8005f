import json
from pathlib import Path

import numpy as np
import pytest
from jax_process import on_jax

_CODE = """
import json, numpy as np
from keras import ops
from deseptr.train.models.taps import convolve
rng = np.random.default_rng(0)
worst = 0.0
for size, taps, strides, padding in json.loads(open("cases.json").read()):
    x = rng.normal(size=(2, *size, 3)).astype("float32")
    kernel = rng.normal(size=(*taps, 3, 4)).astype("float32")
    expected = np.asarray(ops.conv(x, kernel, strides=tuple(strides), padding=padding))
    found = np.asarray(convolve(x, kernel, strides, padding))
    assert found.shape == expected.shape, (size, taps, strides, padding)
    worst = max(worst, float(np.abs(found - expected).max()))
print(worst < 1e-4)
"""


def test_taps_side_by_side_are_the_convolution(tmp_path: Path):
    pytest.importorskip("jax")
    grid = [
        (size, taps, strides, padding)
        for size in ([12, 6], [13, 1])
        for taps in ([5, 1], [7, 1], [1, 1], [4, 1])
        for strides in ([1, 1], [2, 1], [4, 1])
        for padding in ("valid", "same")
    ]
    (tmp_path / "cases.json").write_text(json.dumps(grid))
    assert on_jax(_CODE, tmp_path).split() == ["True"]


def test_tensorflow_keeps_its_own_convolution(rng: np.random.Generator):
    from keras import ops

    from deseptr.train.models.taps import convolve

    x, kernel = rng.normal(size=(2, 9, 4, 3)).astype(np.float32), rng.normal(size=(3, 2, 3, 5)).astype(np.float32)
    np.testing.assert_array_equal(convolve(x, kernel, (2, 1)), ops.conv(x, kernel, strides=(2, 1), padding="valid"))
