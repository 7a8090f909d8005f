import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from self_contained import check_page

from deseptr.cli.evaluate.compare import compare
from deseptr.cli.evaluate.evaluate import evaluate
from deseptr.cli.main import main
from deseptr.contract import ModelContract
from deseptr.data import load_dataset
from deseptr.evaluate.contestant import Engines, distinct_names, load_contestants
from deseptr.evaluate.predictor import load_predictor, windows_for
from deseptr.report.comparison_page import compare_answer
from deseptr.report.comparison_tables import caveats, costs_table, facts_table, markdown, ops_table, scores_table
from deseptr.tflite import read_tflite

DATA = "synthetic:subjects=4,seconds=12"
ROUNDS = 12


def invoke(command: Any, *arguments: object) -> Any:
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result


def compared(*arguments: object) -> dict[str, Any]:
    return dict(json.loads(invoke(compare, *arguments, "--rounds", ROUNDS, "--json").stdout))


@pytest.fixture(scope="module")
def bare(tiny_tflite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny int8 model without its contract."""
    from deseptr.tflite.graph import pack, unpack

    path = tmp_path_factory.mktemp("bare") / "bare.tflite"
    path.write_bytes(pack(unpack(tiny_tflite.read_bytes())))
    return path


@pytest.fixture(scope="module")
def tiny_float(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run's student as a float flatbuffer of a window over the contract's input range, contract outside."""
    import tensorflow as tf

    from deseptr.convert.lowering.inference_graph import InferenceGraph
    from deseptr.train import load_run

    graph = InferenceGraph(*load_run(tiny_run))
    path = tmp_path_factory.mktemp("float") / "float.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([graph.function], graph).convert())
    return path


@pytest.fixture(scope="module")
def content(tiny_tflite: Path, bare: Path) -> dict[str, Any]:
    return compared(tiny_tflite, bare, "--data", DATA)


def test_every_model_has_its_figures(content: dict[str, Any], tiny_tflite: Path, bare: Path):
    first, second = content["models"]
    assert [first["name"], second["name"]] == ["tiny", "bare"]
    assert [first["bytes"], second["bytes"]] == [path.stat().st_size for path in (tiny_tflite, bare)]
    assert first["ops"] == second["ops"]
    assert first["macs"] == second["macs"] > 0
    assert (first["latency"]["ratio"], first["latency"]["interval"]) == (1.0, None)
    low, ratio, high = (
        second["latency"]["interval"]["low"],
        second["latency"]["ratio"],
        second["latency"]["interval"]["high"],
    )
    assert 0 < low <= ratio <= high
    for model in content["models"]:
        latency = model["latency"]
        assert len(latency["percentiles_us"]) == 101
        assert latency["percentiles_us"] == sorted(latency["percentiles_us"])
        assert 0 < latency["p5_us"] <= latency["median_us"] <= latency["p99_us"]
        assert 10_000 < model["arena_bytes"] < 200_000
    assert (content["rounds"], content["threads"], content["kernels"]) == (ROUNDS, 1, "default")
    assert {"cpu", "platform", "emulated", "load_average"} <= content["machine"].keys()


def test_scores_are_those_of_evaluate(content: dict[str, Any], tiny_tflite: Path):
    evaluated = json.loads(invoke(evaluate, tiny_tflite, DATA, "--json").stdout)
    scores = content["models"][0]["scores"]
    assert {name: value for name, value in evaluated.items() if name in scores} == {
        name: value for name, value in scores.items() if name not in ("macro_f1_interval", "agreement")
    }
    chosen = {name: evaluated[name] for name in ("subjects", "subjects_are")}
    assert content["data"] == {"source": DATA, **chosen}
    assert scores["agreement"] is None


def test_model_without_contract_is_timed_on_noise_and_not_scored(content: dict[str, Any]):
    assert [model["input"] for model in content["models"]] == ["windows", "noise"]
    assert content["models"][1]["scores"] is None
    assert dict(facts_table(content)[1])["timed on"] == "real windows; noise for bare, without a contract"


@pytest.mark.parametrize("beside", [True, False])
def test_contract_may_come_from_beside_or_from_another_model(
    bare: Path, tiny_tflite: Path, tmp_path: Path, beside: bool
):
    given = tmp_path / "contract.json" if beside else tiny_tflite
    if beside:
        read_tflite(tiny_tflite).contract.save(given)
    first, second = compared(tiny_tflite, bare, "--data", DATA, "--test-subjects", "1-4", "--contract", given)["models"]
    assert second["scores"]["agreement"] == 1.0
    assert second["scores"]["confusion"] == first["scores"]["confusion"]
    interval = first["scores"]["macro_f1_interval"]
    assert interval["low"] <= first["scores"]["macro_f1"] <= interval["high"]


def test_reference_kernels_are_used_for_the_scores_too(tiny_tflite: Path):
    (contestant,) = load_contestants([tiny_tflite], Engines(kernels="reference"))
    predictor = contestant.predictor(Engines(kernels="reference"))
    assert predictor is not None
    assert predictor.runtime.endswith("reference kernels")


def test_float_model_and_its_onnx_are_the_same_model(tiny_float: Path, tiny_tflite: Path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    settings = ("--contract", tiny_tflite, "--float-input", "scaled", "--onnx")
    content = compared(tiny_float, tiny_tflite, "--data", DATA, *settings)
    in_float, in_onnx, in_int8 = content["models"]
    assert [model["name"] for model in content["models"]] == ["float", "float (ONNX)", "tiny"]
    assert in_onnx["runtime"].startswith("onnxruntime ")
    assert (in_onnx["macs"], in_onnx["ops"]) == (None, None)
    assert in_onnx["scores"]["agreement"] == 1.0
    assert in_onnx["scores"]["confusion"] == in_float["scores"]["confusion"]
    assert in_int8["scores"]["agreement"] > 0.5


def test_scaled_float_input_is_what_training_and_int8_have(tiny_float: Path, tiny_tflite: Path, tiny_run: Path):
    contract = read_tflite(tiny_tflite).contract
    windows = windows_for(contract, load_dataset(DATA)).signals
    (contestant,) = load_contestants([tiny_float], Engines(), contract=tiny_tflite, scaled=True)
    predictor = contestant.predictor(Engines())
    assert predictor is not None
    # A sample half-way between two steps may go to either.
    np.testing.assert_allclose(predictor.predict(windows), load_predictor(tiny_run).predict(windows), atol=0.02)
    fed = contestant.feed(windows[0] * 100)[0]
    assert (fed.min(), fed.max()) == pytest.approx((-128 / 127.5, 127 / 127.5))


def test_float_input_in_si_is_the_window_itself(tiny_float: Path, tiny_tflite: Path):
    (contestant,) = load_contestants([tiny_float], Engines(), contract=tiny_tflite)
    window = np.full(contestant.model.inputs[0].shape[1:], 77.7, np.float32)
    np.testing.assert_array_equal(contestant.feed(window)[0][0], window)


def test_page_json_and_markdown_have_the_same_figures(tiny_tflite: Path, bare: Path, tmp_path: Path):
    page = tmp_path / "out" / "page.html"
    result = invoke(compare, tiny_tflite, bare, "--data", DATA, "--rounds", ROUNDS, "-o", page)
    assert f"report: {page}" in result.stdout
    content = json.loads(page.with_suffix(".json").read_text())
    text, html = page.with_suffix(".md").read_text(), page.read_text()
    assert text == markdown(content)
    assert compare_answer(content).text in html
    assert "<h2>Confusion</h2>" in html
    for head, rows in (costs_table(content), scores_table(content), facts_table(content), ops_table(content)):
        for row in (head, *rows):
            assert "| " + " | ".join(row) + " |" in text
            assert all(f">{cell}</t" in html for cell in row)
    assert all(line in text for line in caveats(content))
    assert "of this machine" in result.stdout
    assert "agreement" in result.stdout
    pictures = html.count("</svg><span>wearer")
    assert html.count("<svg") == 1 + pictures
    assert pictures > 0
    assert html.count('class="confusion"') == 1
    check_page(html)


def test_columns_that_no_model_has_are_left_out(content: dict[str, Any]):
    models = [{**model, "scores": None, "ops": None, "macs": None} for model in content["models"]]
    plain = {**content, "models": models, "data": None}
    assert scores_table(plain)[1] == []
    assert ops_table(plain)[1] == []
    unmeasured = {**plain, "models": [{**model, "arena_bytes": None} for model in models]}
    assert "arena KB" not in costs_table(unmeasured)[0]
    assert "## Scores" not in markdown(plain)
    measured = {**plain, "models": [{**models[0], "arena_bytes": 2048}, {**models[1], "arena_bytes": None}]}
    head, rows = costs_table(measured)
    assert [row[head.index("arena KB")] for row in rows] == ["2.0", "–"]


def test_emulated_and_busy_machines_are_marked(content: dict[str, Any]):
    machine = {**content["machine"], "emulated": True, "load_average": 3.0}
    lines = caveats({**content, "machine": machine, "threads": 2})
    assert any("EMULATED" in line for line in lines)
    assert any("Other work was running (load 3.0" in line for line in lines)
    assert any("several threads" in line for line in lines)
    assert "EMULATED" in dict(facts_table({**content, "machine": machine})[1])["processor"]
    quiet = {**content["machine"], "emulated": False, "load_average": 0.1}
    # Of latency in any case; of the interval, since fewer than five people were measured.
    assert len(caveats({**content, "machine": quiet})) == 2


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/m.tflite", "n.tflite"], ["m", "n"]),
        (["m.tflite", "m.onnx"], ["m.tflite", "m.onnx"]),
        (["a/m.tflite", "b/m.tflite"], ["a/m.tflite", "b/m.tflite"]),
        (["x/a/m.tflite", "y/a/m.tflite", "n.tflite"], ["x/a/m.tflite", "y/a/m.tflite", "here/n.tflite"]),
        (["m.tflite", "m.tflite", "n.tflite", "m.tflite"], ["m", "m (2)", "n", "m (3)"]),
        (["a/m.tflite", "b/m.tflite", "a/m.tflite"], ["a/m.tflite", "b/m.tflite", "a/m.tflite (2)"]),
    ],
)
def test_models_of_the_same_name_are_distinguished(
    paths: list[str], names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "in" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "in" / "here")
    found = distinct_names([Path(path) for path in paths])
    assert [name.removeprefix("in/") for name in found] == names


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "deseptr: missing argument"),
        (["none.tflite"], "deseptr: none.tflite: found No such file or directory, expected a .tflite file"),
        (["none.onnx"], "deseptr: none.onnx: found No such file or directory, expected an .onnx file"),
        (["cut.tflite"], "deseptr: cut.tflite: found a flatbuffer that cannot be parsed"),
        (["text.tflite"], "deseptr: text.tflite: found 4 bytes without the TFL3 mark"),
        (["custom.tflite"], "deseptr: custom.tflite: found a graph that "),
        (["bare.tflite", "--data", DATA], "deseptr: --data: found no model with a contract"),
        (["bare.tflite", "--contract", "other.json", "--data", DATA], "deseptr: bare.tflite input: found shape [1, "),
        (["bare.tflite", "--contract", "none.json"], "deseptr: none.json: found No such file"),
        (["bare.tflite", "--onnx"], "deseptr: --onnx: found no float .tflite among the models"),
        (["bare.tflite", "--test-subjects", "1"], "deseptr: --test-subjects goes with --data"),
        (["bare.tflite", "-o", "page.txt"], "deseptr: -o page.txt must end in .html"),
        (
            ["bare.tflite", "-o", "other.html"],
            "deseptr: other.json: found another file, expected no file, or an earlier report",
        ),
    ],
)
def test_wrong_use_gives_one_line(
    arguments: list[str],
    line: str,
    bare: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    whole = bare.read_bytes()
    files = {
        "bare.tflite": whole,
        "cut.tflite": whole[: len(whole) // 2],
        "text.tflite": b"text",
        "custom.tflite": _with_custom_op(whole),
        "other.json": ModelContract(labels=("a", "b"), window_length=77).to_json().encode(),
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["compare", *arguments])
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.strip().splitlines()[-1].startswith(line)
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert {path.name for path in tmp_path.iterdir()} == files.keys()


def test_missing_onnxruntime_names_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "m.onnx").touch()
    with pytest.raises(SystemExit) as stop:
        main(["compare", str(tmp_path / "m.onnx")])
    assert stop.value.code == 2
    assert "pip install 'deseptr[onnx]'" in capsys.readouterr().err


def test_help_and_timing_load_no_more_than_they_need(bare: Path):
    code = (
        "import sys\nfrom deseptr.cli.main import main\n"
        "try: main(sys.argv[2:])\n"
        "except SystemExit as stop: assert not stop.code\n"
        "assert not set(sys.argv[1].split()) & set(sys.modules), set(sys.argv[1].split()) & set(sys.modules)"
    )
    engines = "tensorflow keras onnxruntime tf2onnx matplotlib"
    for unwanted, arguments in (
        (f"{engines} ai_edge_litert tflite_runtime deseptr.device deseptr.data deseptr.train rich", ["--help"]),
        (engines, [str(bare), "--rounds", "1"]),
    ):
        command = [sys.executable, "-c", code, unwanted, "compare", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


def _with_custom_op(content: bytes) -> bytes:
    """The flatbuffer with an operation that no runtime knows."""
    from deseptr.tflite.graph import pack, unpack

    model = unpack(content)
    code = model.operatorCodes[model.subgraphs[0].operators[-1].opcodeIndex]
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, b"Unheard"
    return pack(model)
