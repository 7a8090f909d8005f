import json
import re
from pathlib import Path

from click.testing import CliRunner

from deseptr.cli.convert import _names, convert


def run(*arguments: object):
    """Convert a run so short that the gate's own limits would not let it pass."""
    limits = ("--agreement", 0, "--loss", 100)
    return CliRunner().invoke(convert, [str(argument) for argument in (*arguments, *limits)])


def test_summary_tells_size_ops_and_agreement(tiny_run: Path, tmp_path: Path):
    result = run(tiny_run, "-o", tmp_path / "m.tflite")
    assert result.exit_code == 0, result.output
    assert "full int8, contract inside" in result.stdout
    assert re.search(r"operations for pi: \d+ CONV_2D, ", result.stdout)
    assert "same class as the checkpoint on" in result.stdout


def test_json_has_the_keys_of_every_report(tiny_run: Path, tmp_path: Path):
    result = run(tiny_run, "-o", tmp_path / "m.tflite", "--json")
    figures = json.loads(result.stdout)
    assert figures["bytes"] == (tmp_path / "m.tflite").stat().st_size
    assert figures["lint"]["non_int8"] == []
    assert {"passed", "recipe", "agreement", "float", "converted", "sha256", "worst_layers"} <= figures.keys()
    assert figures == json.loads((tmp_path / "m.json").read_text())


def test_output_may_not_be_the_input(tiny_run: Path):
    before = (tiny_run / "model.keras").read_bytes()
    assert run(tiny_run / "model.keras", "-o", tiny_run / "model.keras").exit_code == 2
    assert (tiny_run / "model.keras").read_bytes() == before


def test_folds_of_several_cross_validations_have_names_of_their_own():
    runs = [Path(f"runs/{name}/fold-{fold}/run") for name in ("a", "b") for fold in (0, 1)] + [Path("runs/x")]
    assert _names(runs) == ["a-fold-0-run", "a-fold-1-run", "b-fold-0-run", "b-fold-1-run", "x"]
