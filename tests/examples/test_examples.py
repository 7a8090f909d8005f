"""Every example runs as it is, in an empty folder, with few epochs where it takes a number of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ARGUMENTS = {
    "own_csv.py": ["mine.csv", "1"],
    "compare_models.py": ["1"],
    "live_from_any_source.py": [],
    "alarms.py": [],
}


def run(folder: Path, example: str, *arguments: str) -> str:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-P", str(EXAMPLES / example), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here():
    assert {path.name for path in EXAMPLES.iterdir()} == {
        *ARGUMENTS,
        "quickstart.py",
        "notebook.ipynb",
        "export_pytorch.py",
    }


def test_live_from_any_source(tmp_path: Path):
    lines = run(tmp_path, "live_from_any_source.py").splitlines()
    assert sum("gap: source, 13 samples" in line for line in lines) == 1
    assert sum("%" in line for line in lines) >= 3
    assert any("→" in line for line in lines)


def test_alarms(tmp_path: Path):
    sitting, walking = run(tmp_path, "alarms.py").split("walking")
    assert "jogging raised" in sitting
    assert "call somebody" in sitting
    assert "jogging cancelled (motion)" in walking
    assert "raised" not in walking


@pytest.mark.slow
def test_export_pytorch(tmp_path: Path):
    pytest.importorskip("torch")
    from deseptr.train import load_run

    run(tmp_path, "export_pytorch.py")
    model, contract = load_run(tmp_path / "net.pt2")
    assert model.output_shape == (1, len(contract.labels))


@pytest.mark.slow
def test_own_csv(tmp_path: Path):
    text = run(tmp_path, "own_csv.py", "mine.csv", "1")
    assert "Dataset('mine', 4 subjects" in text
    assert "Scores(macro_f1=" in text
    assert "F1 by class: {" in text


@pytest.mark.slow
def test_compare_models(tmp_path: Path):
    text = run(tmp_path, "compare_models.py", "1")
    assert text.count("macro-F1") == 3
    assert "Comparison(" in text


@pytest.mark.slow
def test_quickstart_trains_once_and_prints_a_score(tmp_path: Path):
    text = run(tmp_path, "quickstart.py")
    (line,) = [line for line in text.splitlines() if line.startswith("int8 macro-F1 on held-out subjects: ")]
    assert 0.5 < float(line.split()[-1]) <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "quickstart.tflite", "quickstart.json"}
    assert text.count("Run('runs/quickstart'") == 1


@pytest.mark.slow
def test_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("EPOCHS", "2")
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert "Scores(macro_f1=" in outputs[-1]["data"]["text/plain"]
