"""Packages whose names are imported when they are first used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.contract.lazy import lazy_attributes

ROOT = Path(__file__).parents[2]
PACKAGES = ("contract", "data", "device")


def tree(package):
    return ast.parse((ROOT / package / "__init__.py").read_text())


def places_for_type_checkers(package):
    (block,) = [node for node in tree(package).body if isinstance(node, ast.If)]
    return {alias.name: node.module for node in block.body for alias in node.names}


def places_for_python(package):
    (call,) = [node for node in ast.walk(tree(package)) if isinstance(node, ast.Call)]
    names = ast.literal_eval(call.args[1])
    return {name: module for module, told in names.items() for name in told.split()}


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_and_python_are_told_the_same(package):
    places = places_for_python(package)
    assert places == places_for_type_checkers(package)
    assert sorted(places) == sorted(importlib.import_module(f"deseptr.{package}").__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there(package):
    module = importlib.import_module(f"deseptr.{package}")
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_that_of_a_module(package):
    modules = {path.stem for path in (ROOT / package).iterdir() if path.suffix in (".py", "")}
    assert not modules & places_for_python(package).keys()


def test_an_unknown_name_is_an_attribute_error():
    import deseptr.contract

    with pytest.raises(AttributeError, match=r"module 'deseptr.contract' has no attribute 'nothing'"):
        deseptr.contract.nothing  # noqa: B018
    with pytest.raises(ImportError):
        exec("from deseptr.device import nothing")


def test_a_name_is_imported_once():
    getattribute, _ = lazy_attributes("deseptr.contract", {"errors": "DataError"})
    import deseptr.contract

    vars(deseptr.contract).pop("DataError", None)
    error = getattribute("DataError")
    assert vars(deseptr.contract)["DataError"] is error is deseptr.contract.DataError


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import deseptr.device", {"numpy", "ai_edge_litert", "tflite_runtime", "smbus2", "click", "rich"}),
        ("import deseptr.contract, deseptr.data", {"numpy"}),
        ("from deseptr.device import Runtime, load_engine, run_live", {"deseptr.data.synthetic", "deseptr.data.hapt"}),
        ("from deseptr.contract import DataError, DeseptrError, atomic_write", {"numpy"}),
        ("from deseptr.device import BusError, LinuxI2cBus, SystemClock, read_board", {"numpy", "smbus2"}),
        ("from deseptr.device import load_engine", {"ai_edge_litert", "tflite_runtime", "smbus2"}),
    ],
)
def test_what_an_import_leaves_alone(code, absent):
    check = f"import sys\n{code}\nassert not {absent!r} & set(sys.modules), {absent!r} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [[], ["run"], ["profile"], ["evaluate"]])
def test_help_of_the_device_loads_neither_numpy_nor_an_engine(command):
    code = (
        "import sys\nfrom deseptr.cli.device import device\n"
        f"try: device({[*command, '--help']!r})\n"
        "finally: assert not {'numpy', 'rich', 'ai_edge_litert', 'tflite_runtime', 'smbus2'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
