"""``import deseptr``: what it has, what it leaves alone, and what it does without the training extra."""

import importlib.metadata
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import deseptr

NAMES = {
    "load",
    "fit",
    "crossval",
    "compare",
    "stream",
    "load_run",
    "load_model",
    "Run",
    "Model",
    "Dataset",
    "Recording",
    "__version__",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_name_is_there():
    assert set(deseptr.__all__) >= NAMES
    for name in deseptr.__all__:
        assert getattr(deseptr, name) is not None
        assert name in dir(deseptr)


def test_no_name_is_that_of_a_room_or_a_module():
    root = Path(deseptr.__file__).parents[1]
    rooms = {path.parent.name for path in root.glob("*/__init__.py")}
    modules = {path.stem for path in Path(deseptr.__file__).parent.glob("*.py")}
    assert not (rooms | modules) & set(deseptr.__all__)


def test_version_is_the_distributions():
    assert deseptr.__version__ == importlib.metadata.version("deseptr")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'deseptr' has no attribute 'train_everything'"):
        deseptr.train_everything  # noqa: B018


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import deseptr", "numpy click rich smbus2 keras tensorflow"),
        ("import deseptr; deseptr.fit; deseptr.load", "numpy click rich smbus2 keras tensorflow"),
        ("import deseptr; deseptr.load('synthetic:subjects=1,seconds=10')", "keras tensorflow click rich sklearn"),
        ("import deseptr; deseptr.load_model().contract", "keras tensorflow click rich smbus2 ai_edge_litert"),
        ("import deseptr; next(deseptr.load_model().simulate(seconds=4))", "keras tensorflow click rich sklearn"),
    ],
)
def test_nothing_is_imported_before_it_is_used(code: str, absent: str):
    done = run(f"{code}\nimport sys; print(*sorted(set({absent.split()!r}) & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


VERBS = ["fit('synthetic', 'run')", "crossval('synthetic', 'out')", "load_run('run').predict([[0] * 6] * 128)"]


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_extra_one_line_says_which(verb: str, tmp_path: Path):
    code = (
        "import os, sys, deseptr\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "for name in ('tensorflow', 'keras'): sys.modules[name] = None\n"
        f"try: deseptr.{verb}\n"
        "except deseptr.DeseptrError as error: print(error)\n"
        "print(sorted(os.listdir()))"
    )
    if "load_run" in verb:
        (tmp_path / "run").mkdir()
        deseptr.ModelContract(labels=("a", "b")).save(tmp_path / "run" / "contract.json")
    done = run(code)
    line, left = done.stdout.splitlines()
    assert "found no package" in line
    assert "pip install 'deseptr[train]'" in line
    assert left == ("['run']" if "load_run" in verb else "[]")


@pytest.mark.parametrize("name", ["fit", "load", "crossval", "compare", "load_run", "load_model", "stream"])
def test_help_shows_arguments_errors_and_what_comes_back(name: str):
    text = pydoc.render_doc(getattr(deseptr, name), renderer=pydoc.plaintext)
    assert "Raises:" in text
    assert "Args:" in text
    if name in ("fit", "load", "compare", "load_model", "stream"):
        assert ">>>" in text
