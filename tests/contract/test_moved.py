"""Import paths of version 0.1 warn and give the module of today."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deseptr.contract.moved import MODULES, NAMES

ROOT = Path(__file__).parents[2]
KERAS = ("train", "convert", "evaluate")


@pytest.mark.parametrize("old", MODULES)
def test_every_module_has_a_place(old: str):
    path = ROOT.joinpath(*MODULES[old].split(".")[1:])
    assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("old", MODULES)
def test_no_old_name_hides_a_module_of_today(old: str):
    path = ROOT.joinpath(*old.split(".")[1:])
    assert not path.with_suffix(".py").exists()
    assert not path.exists()


@pytest.mark.parametrize(
    "old", ["deseptr.device.graph", "deseptr.firmware_harness.flash.ssh", "deseptr.train.find_runs"]
)
@pytest.mark.filterwarnings("ignore:deseptr.firmware_harness.flash is now")
def test_an_old_path_gives_the_same_module_with_a_warning(old: str):
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=f"{old} is now {MODULES[old]}"):
        module = importlib.import_module(old)
    assert module is importlib.import_module(MODULES[old])


def test_an_import_below_a_moved_package_makes_no_second_copy():
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from deseptr.firmware_harness.flash.ssh import SshTarget as old\n"
        "from deseptr.firmware_harness.deploy.ssh import SshTarget as new\n"
        "assert old is new"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("package", "name"), [(package, name) for package, names in NAMES.items() for name in names])
def test_an_old_name_is_found_where_it_is_now(package: str, name: str):
    if package.split(".")[1] in KERAS:
        pytest.importorskip("tensorflow")
    home, _, new_name = NAMES[package][name].partition(":")
    with pytest.warns(FutureWarning, match=rf"{package}\.{name} is now {home}\.{new_name or name};"):
        value = getattr(importlib.import_module(package), name)
    assert value is getattr(importlib.import_module(home), new_name or name)


def test_a_renamed_name_gives_the_new_one_with_a_warning():
    with pytest.warns(FutureWarning, match=r"deseptr\.device\.Step is now deseptr\.device\.RecoveryStep;"):
        step = importlib.import_module("deseptr.device").Step
    assert step.__name__ == "RecoveryStep"


def test_a_name_that_never_was_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'deseptr.firmware_harness' has no attribute 'nothing'"):
        importlib.import_module("deseptr.firmware_harness").nothing  # noqa: B018


def test_no_module_uses_an_old_path():
    names = [name for name in MODULES if not name.startswith("deseptr.cli")]
    for folder in ("cli", "contract", "convert", "data", "device", "evaluate", "firmware_harness", "report", "train"):
        for path in (ROOT / folder).rglob("*.py"):
            text = "" if path.name == "moved.py" else path.read_text()
            lines = [line for line in text.split(os.linesep) if "import" in line]
            assert not {name for name in names for line in lines if f"from {name} import" in line}, path
