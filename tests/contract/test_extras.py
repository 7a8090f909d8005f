"""A package that is installed and does not work: a line with the remedy, whatever it raises."""

import sys

import pytest

from deseptr.contract import SetupError
from deseptr.contract.extras import extra_of, failing_package, needing_extra, repair_of


@pytest.fixture
def broken_package(tmp_path, monkeypatch):
    """A function that makes a package `h5py` whose import runs a line."""

    def make(line: str) -> None:
        (tmp_path / "h5py.py").write_text(line)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "h5py", raising=False)

    return make


@pytest.mark.parametrize(
    "line",
    [
        "import numpy; numpy.no_such_name",
        "raise RuntimeError('module compiled against ABI version 0x1000009')",
        "raise SystemError('initialization raised an unreported exception')",
        "raise ImportError('numpy.core.multiarray failed to import')",
        "raise ValueError('numpy.dtype size changed')",
    ],
)
def test_any_exception_of_an_import_names_package_and_remedy(broken_package, line):
    broken_package(line)
    with pytest.raises(SetupError) as caught, needing_extra("deseptr.fit"):
        import h5py  # noqa: F401
    assert caught.value.thing == "h5py"
    assert "pip install --force-reinstall 'deseptr[train]'" in caught.value.next_step


def test_a_bug_of_our_own_is_no_import():
    with pytest.raises(ZeroDivisionError) as caught, needing_extra("deseptr.fit"):
        1 / 0  # noqa: B018
    assert failing_package(caught.value) is None


@pytest.mark.parametrize(
    ("package", "remedy"), [("numpy", "'deseptr'"), ("keras", "'deseptr[train]'"), ("onnxruntime", "'deseptr[onnx]'")]
)
def test_the_remedy_installs_what_fits_together(package, remedy):
    assert repair_of(package) == f"`pip install --force-reinstall {remedy}`"


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("ray.util", ("ray", "cluster")),
        ("paho.mqtt.client", ("paho", "mqtt")),
        ("keras", ("keras", "train")),
        ("some_package", ("some_package", "train")),
        ("deseptr.no_such_module", None),
        (None, None),
    ],
)
def test_extra_of_a_missing_module(module, expected):
    assert extra_of(ModuleNotFoundError("missing", name=module)) == expected
