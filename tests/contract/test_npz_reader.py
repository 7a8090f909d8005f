import tracemalloc

import numpy as np
import pytest
from hostile_files import bomb, encrypted, npy_with_header, npz_of, npz_with, with_method
from hypothesis import given, strategies as st

from deseptr.contract import ArchiveError, read_npz_arrays


def header(descr: str, shape: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    return npz_with(
        npy_with_header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}", version, data)
    )


TERABYTES = "137438953472, 8"
ARRAYS = {
    "matrix": np.arange(6, dtype=np.int16).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "names": np.array(["walking", "Sitzen"]),
    "one": np.array(3.5),
    "empty": np.zeros((0, 4), np.float32),
    "nobody": np.array([], np.str_),
}


def test_arrays_are_those_that_numpy_wrote(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz_of(**ARRAYS))
    for read in (read_npz_arrays(tmp_path / "a.npz"), read_npz_arrays(npz_of(**ARRAYS))):
        assert list(read) == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert read[name].dtype == array.dtype
            np.testing.assert_array_equal(read[name], array, strict=True)


def test_only_the_named_arrays_are_read():
    content = npz_of(**ARRAYS)
    assert list(read_npz_arrays(content, ("one", "another"))) == ["one"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header("<f8", TERABYTES), "does not hold an array of shape"),
        (header("<f8", TERABYTES, version=(2, 0)), "does not hold an array of shape"),
        (header("<f8", "1, " * 40), "shape"),
        (header("<f8", "-1, -8", bytes(64)), "shape"),
        (header("<U0", "1000000000000,"), "shape"),
        (header("<i2", "1,", b"1234"), "shape"),
        (header("|O", "1,"), "Python objects"),
        (npz_with(npy_with_header("{'descr': '<f8', 'shape': (")), "broken header"),
        (npz_with(npy_with_header("(" * 5000)), "broken header"),
        (npz_with(b""), "broken header"),
        (npz_with(b"\x93NUMPY\x09\x00"), "broken header"),
        (encrypted(npz_of(signals=[1])), "signals.npy is encrypted"),
        (with_method(npz_of(signals=[1]), 93), "compressed by method 93"),
        (b"\x93NUMPY", "not a zip file"),
    ],
)
def test_a_broken_file_has_a_reason(content, message):
    tracemalloc.start()
    with pytest.raises(ArchiveError, match=message) as caught:
        read_npz_arrays(content)
    assert len(str(caught.value)) < 400
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def test_an_array_of_zeros_beyond_the_limit_is_refused_before_it_is_allocated():
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="unpacks to"):
        read_npz_arrays(bomb("signals.npy", 80 << 20))
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@given(st.data())
def test_a_damaged_file_is_read_or_refused(data):
    content = bytearray(npz_of(signals=np.arange(30).reshape(5, 6), names=["a", "b"]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        arrays = read_npz_arrays(bytes(content))
    except ArchiveError:
        arrays = {}
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
