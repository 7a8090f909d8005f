from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.train.array_file import ArrayFile


@dataclass(frozen=True)
class Pair(ArrayFile):
    KIND = "pair"
    EXPECTED = "a file of two arrays"
    NEXT_STEP = "write it again"

    first: np.ndarray
    second: np.ndarray


def test_round_trip(tmp_path: Path):
    pair = Pair(np.arange(6).reshape(2, 3), np.array(["a", "bc"]))
    pair.save(tmp_path / "pair.npz")
    loaded = Pair.load(tmp_path / "pair.npz")
    np.testing.assert_array_equal(loaded.first, pair.first)
    np.testing.assert_array_equal(loaded.second, pair.second)


@pytest.mark.parametrize("content", [None, b"", b"no archive", "truncated", "other arrays"])
def test_anything_else_is_one_line(tmp_path: Path, content: bytes | str | None):
    path = tmp_path / "pair.npz"
    if content == "truncated":
        Pair(np.arange(1000), np.arange(1000)).save(path)
        path.write_bytes(path.read_bytes()[:200])
    elif content == "other arrays":
        np.savez(path, third=np.arange(3))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"found no pair \(.*\), expected a file of two arrays; write it again"
    ) as caught:
        Pair.load(path)
    assert "\n" not in str(caught.value)
