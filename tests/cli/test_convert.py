import json
from pathlib import Path

from click.testing import CliRunner

from deseptr.cli.convert import convert


def run(*arguments: object):
    return CliRunner().invoke(convert, list(map(str, arguments)))


def test_summary_tells_size_ops_and_agreement(tiny_run: Path, tmp_path: Path):
    result = run(tiny_run, "-o", tmp_path / "m.tflite")
    assert result.exit_code == 0, result.output
    assert "full int8, contract inside" in result.stdout
    assert "17 CONV_2D" in result.stdout
    assert "same class as float on" in result.stdout


def test_json_has_the_keys_of_every_report(tiny_run: Path, tmp_path: Path):
    result = run(tiny_run, "-o", tmp_path / "m.tflite", "--json")
    figures = json.loads(result.stdout)
    assert figures["bytes"] == (tmp_path / "m.tflite").stat().st_size
    assert figures["non_int8_ops"] == []
    assert {"ops", "agreement", "float_macro_f1", "int8_macro_f1"} <= figures.keys()


def test_output_may_not_be_the_input(tiny_run: Path):
    before = (tiny_run / "model.keras").read_bytes()
    assert run(tiny_run / "model.keras", "-o", tiny_run / "model.keras").exit_code == 2
    assert (tiny_run / "model.keras").read_bytes() == before
