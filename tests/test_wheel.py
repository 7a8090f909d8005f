"""The wheel in an empty environment: the device side alone, and it runs."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # What an earlier build left there would go into the wheel.
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=True)
    wheel = next(folder.glob("*.whl"))
    subprocess.run([folder / "venv/bin/pip", "install", "--quiet", wheel], check=True, capture_output=True)
    return folder / "venv" / "bin"


@pytest.mark.slow
def test_runs_the_packaged_model_on_the_synthetic_wearer_without_tensorflow(environment: Path, tmp_path: Path):
    listed = subprocess.run([environment / "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert not {"tensorflow", "keras", "scikit-learn", "matplotlib"} & set(listed.split())
    command = [environment / "deseptr", "device", "run", "--simulate", "--seconds", "60", "--json"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=plain)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) > 30
    assert {"t", "label", "confidence", "probabilities", "latency_us"} <= lines[0].keys()


@pytest.mark.slow
def test_training_without_its_extra_says_what_to_install(environment: Path, tmp_path: Path):
    command = [environment / "deseptr", "train", "synthetic", "-o", "run"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2
    assert "pip install 'deseptr[train]'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_scenarios_are_in_the_wheel(environment: Path, tmp_path: Path):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [environment / "deseptr", "firmware", "scenarios", "frozen", "--check"]
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=plain)
    assert result.stdout == "frozen: as expected\n"
