"""Packages whose names are imported when they are first used."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.contract.lazy import lazy_face

FACES = ("contract", "data", "tflite", "device", "convert", "firmware_harness.simulator")


@pytest.mark.parametrize("package", FACES)
def test_every_name_is_there(package):
    module = importlib.import_module(f"deseptr.{package}")
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


@pytest.mark.parametrize("package", FACES)
def test_no_name_is_that_of_a_module(package):
    module = importlib.import_module(f"deseptr.{package}")
    modules = {path.stem for path in Path(module.__file__).parent.iterdir() if path.suffix in (".py", "")}
    assert not modules & set(module.__all__)


def test_an_unknown_name_is_an_attribute_error():
    import deseptr.contract

    with pytest.raises(AttributeError, match=r"module 'deseptr.contract' has no attribute 'nothing'"):
        deseptr.contract.nothing  # noqa: B018
    with pytest.raises(ImportError):
        exec("from deseptr.device import nothing")


def test_a_name_is_imported_once():
    import deseptr.contract

    vars(deseptr.contract).pop("DataError", None)
    error = deseptr.contract.DataError
    assert vars(deseptr.contract)["DataError"] is error


def test_a_package_without_a_list_of_names_is_a_bug(tmp_path):
    with pytest.raises(ValueError, match="non-existent stub"):
        lazy_face("somebody", str(tmp_path / "__init__.py"))


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import deseptr.device", {"numpy", "ai_edge_litert", "tflite_runtime", "smbus2", "click", "rich"}),
        ("import deseptr.contract, deseptr.data", {"numpy"}),
        ("from deseptr.device import Runtime, run_live", {"deseptr.data.synthetic", "deseptr.data.hapt"}),
        ("from deseptr.contract import DataError, DeseptrError, atomic_write", {"numpy"}),
        ("from deseptr.device import BusError, LinuxI2cBus, SystemClock, read_board", {"numpy", "smbus2"}),
        ("from deseptr.tflite import load_engine", {"ai_edge_litert", "tflite_runtime", "smbus2"}),
    ],
)
def test_import_loads_no_heavy_module(code, absent):
    check = f"import sys\n{code}\nassert not {absent!r} & set(sys.modules), {absent!r} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [[], ["run"], ["profile"], ["evaluate"]])
def test_help_of_the_device_loads_neither_numpy_nor_an_engine(command):
    code = (
        "import sys\nfrom deseptr.cli.device.group import device\n"
        f"try: device({[*command, '--help']!r})\n"
        "finally: assert not {'numpy', 'rich', 'ai_edge_litert', 'tflite_runtime', 'smbus2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
