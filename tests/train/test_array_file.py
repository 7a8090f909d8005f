from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Triple(Pair):
    third: np.ndarray = field(default_factory=lambda: np.empty(0))


def test_a_field_with_a_default_may_be_missing(tmp_path: Path):
    Pair(np.arange(2), np.arange(3)).save(tmp_path / "pair.npz")
    assert Triple.load(tmp_path / "pair.npz").third.shape == (0,)
    Triple(np.arange(2), np.arange(3), np.arange(4)).save(tmp_path / "triple.npz")
    assert Triple.load(tmp_path / "triple.npz").third.tolist() == [0, 1, 2, 3]
    assert Pair.load(tmp_path / "triple.npz").second.tolist() == [0, 1, 2]


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
