import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from self_contained import check_page

from deseptr.cli.convert import print_conversion
from deseptr.contract import InputViews, Scores
from deseptr.convert import Conversion, Recipe
from deseptr.convert.edgetpu import EdgeTpuReport, OperatorStatus, edgetpu_share
from deseptr.convert.micro.source import Arena
from deseptr.report.attention_form import attention_form
from deseptr.report.conversion_page import convert_answer, convert_page, page_of
from deseptr.report.conversion_tables import short
from deseptr.tflite.graph import Graph, Node, Tensor
from deseptr.tflite.op_times import OpTime, OpTimes

MACHINE = {
    "cpu": "Cortex-A76",
    "board": "Raspberry Pi 5",
    "platform": "Linux",
    "processors": 4,
    "load_average": 0.2,
    "emulated": False,
}


@pytest.fixture(scope="module")
def result(tiny_conversion: Conversion) -> Conversion:
    return tiny_conversion


@pytest.fixture(scope="module")
def page(result: Conversion) -> str:
    return convert_page(result)


def times_of(result: Conversion, *skipped: str) -> OpTimes:
    """A microsecond for every operation."""
    nodes = [OpTime(node.op, node.name, i + 1.0, 1.0, 1.0) for i, node in enumerate(result.graph.nodes)]
    return OpTimes(tuple(nodes), float(len(nodes)), "fake 1", "default", 1, 9, skipped)


def drawn(result: Conversion, *skipped: str, **machine: Any) -> str:
    return page_of(result, times_of(result, *skipped), {**MACHINE, **machine})


def changed(result: Conversion, recipe: Recipe | None = None, **attempt: Any) -> Conversion:
    """The conversion with changes to the attempt that was kept."""
    kept = replace(result.kept, recipe=recipe or result.kept.recipe, **attempt)
    return replace(result, attempts=(*result.attempts[:-1], kept))


def section(page: str, title: str) -> str:
    """The text of a section without its pictures; nothing where it is not there."""
    _, found, rest = page.partition(f"<h2>{title}</h2>")
    return re.sub(r"<svg.*?</svg>", "", rest.partition("</section>")[0], flags=re.DOTALL) if found else ""


def test_page_is_self_contained(page: str):
    check_page(page)


def answer(page: str) -> str:
    return page[page.index("<header>") : page.index("</header>")]


def test_result_shows_that_it_passed(page: str, result: Conversion):
    same = f"names the class of the checkpoint on {result.kept.deciding.agreement:.2%} of"
    size = f"takes {len(result.content) / 1024:.1f} KB"
    assert f"The full int8 model {same} " in answer(page)
    assert f" held-out windows and {size}; it passed the gate.</p>" in answer(page)
    # The tiny model has learned next to nothing.
    for label, f1 in result.kept.deciding.scores.per_class_f1.items():
        assert (f"<li>F1 of {label} is 0: " in answer(page)) is (f1 == 0)
    told = section(page, "Result")
    assert f"({len(result.content):,} bytes)" in told
    assert all(f"F1 {label}" in told for label in result.contract.labels)


def test_failed_gate_and_every_attempt_are_reported_once(result: Conversion):
    failure = "agreement with the reference: found 80.00%, expected at least 99.00%"
    failed = changed(result, failures=(failure,))
    earlier = replace(result.kept, failures=("macro-F1: found 3.00 points below",))
    forced = f"failed the gate, written by force: {failure}"
    failed = replace(failed, attempts=(earlier, failed.kept), warnings=("clipped", forced))
    page = drawn(failed)
    assert answer(page).count(f'<p class="answer">Failed the gate, written by force: {failure}.</p>') == 1
    assert "passed" not in answer(page)
    assert "<li>Warning: clipped</li>" in answer(page)
    assert "Warning: failed" not in answer(page)
    told = section(page, "Result")
    assert "macro-F1: found 3.00 points below" in told


def test_parity_has_a_row_for_every_engine(page: str, result: Conversion):
    told = section(page, "Parity")
    for parity in result.kept.parities:
        assert told.count(f'<th scope="row">{parity.candidate}</th>') == 1
    assert "LSB of" in told
    assert "Not run: other: no kernel" in section(drawn(changed(result, not_run={"other": "no kernel"})), "Parity")


def test_confusion_of_both_is_there_and_every_subject(page: str, result: Conversion):
    told = section(page, "Classes and subjects")
    for name in ("Float checkpoint", f"Converted, {result.kept.deciding.candidate}"):
        assert f"<caption>{name}: windows, and their share of the true class</caption>" in told
    for label in result.contract.labels:
        assert told.count(f'<th scope="row">{label}</th>') == 2
    assert "Macro-F1 of each subject" in page or len(result.kept.deciding.scores.per_subject_f1) == 1


def test_every_layer_is_named_once_in_the_noise_section_and_the_worst_are_marked(page: str, result: Conversion):
    told = section(page, "Noise by layer")
    for number, layer in enumerate(result.kept.layers, 1):
        assert told.count(f'<th scope="row">{number} {layer.op} {short(layer.layer)}</th>') == 1
    assert told.count('<td class="n">★') == len(result.kept.worst) == 5


def test_sizes_of_the_layers_can_be_saved(page: str, result: Conversion):
    told = section(page, "Size by layer")
    assert 'download="constants-that-each-operation-reads-in-bytes.csv"' in told
    sizes = [each["bytes"] for each in result.to_dict()["layer_sizes"] if each["bytes"]]
    assert f",{max(sizes)}%0D%0A" in told


def test_infinite_ratio_is_exact(result: Conversion):
    layers = tuple(replace(layer, sqnr_db=np.inf, own_sqnr_db=None) for layer in result.kept.layers)
    assert section(drawn(changed(result, layers=layers)), "Noise by layer").count("<td>exact</td>") == len(layers)


def test_float_model_has_no_noise_section_and_no_count_of_int8(result: Conversion):
    page = drawn(changed(result, Recipe("float32"), layers=()))
    assert section(page, "Noise by layer") == ""
    assert "not int8" not in page
    assert "operations that are not int8" in drawn(result)


def test_time_is_labelled_with_its_machine(page: str, result: Conversion):
    told = section(drawn(result), "Time by operation")
    for said in ("Cortex-A76", "Raspberry Pi 5", "load 0.2", "fake 1", "1 thread", "9 interleaved rounds"):
        assert said in told
    for op, count in result.graph.ops.items():
        assert f'<th scope="row">{op}</th><td class="n">{count}</td>' in section(page, "Time by operation")


def test_emulated_machine_and_skipped_operations_are_reported(result: Conversion):
    page = drawn(result, "MUL mul: no kernel", emulated=True, load_average=None)
    assert "EMULATED processor" in page
    assert "Not timed, and counted with the next: MUL mul: no kernel" in page
    assert "EMULATED" not in drawn(result)


def test_micro_and_edge_tpu_only_where_they_apply(page: str, result: Conversion):
    assert not section(page, "TensorFlow Lite Micro")
    assert not section(page, "Edge TPU")
    micro = changed(result, Recipe(target="micro"))
    told = drawn(replace(micro, arena=Arena(20_000, 16_000, 4_000, {"variables": 64}), firmware=(Path("m/model.cc"),)))
    told = section(told, "TensorFlow Lite Micro")
    assert all(said in told for said in ("20,000 bytes", "16,000 bytes", "variables", "model.cc", "AddConv2D"))
    lint = replace(result.kept.lint, edgetpu=edgetpu_share(result.graph))
    coral = changed(result, Recipe(target="coral"), lint=lint)
    assert '<th scope="row">compiled</th><td>no</td>' in section(drawn(coral), "Edge TPU")
    report = EdgeTpuReport("16.0", 1, 1024, 2048, 0, (OperatorStatus("CONV_2D", 3, "Mapped to Edge TPU"),))
    told = section(drawn(replace(coral, edgetpu=report)), "Edge TPU")
    assert '<th scope="row">compiled</th><td>yes</td>' in told
    assert "3 of 3 operations" in told


def viewed(result: Conversion) -> Conversion:
    """The conversion as if its graph took views."""
    contract = replace(result.contract, views=InputViews())
    quantized = replace(result.kept.quantized, contract=contract)
    return replace(changed(result, quantized=quantized), contract=contract)


def test_page_names_the_encoder_of_views(result: Conversion, capsys: pytest.CaptureFixture[str]):
    assert "encoded by" not in drawn(result)
    made = viewed(result)
    told = section(drawn(made), "Result")
    assert (
        '<th scope="row">input</th><td>two views of each channel, of the window and the 31 samples before it</td>'
        in told
    )
    assert '<th scope="row">encoded by</th><td>the CPU, before the graph</td>' in told
    assert '<th scope="row">views</th><td>history 31, 127 thresholds from 123 to 1,020,130</td>' in section(
        drawn(made), "Contract"
    )
    lint = replace(result.kept.lint, edgetpu=edgetpu_share(result.graph))
    coral = changed(made, Recipe(target="coral"), lint=lint)
    assert '<th scope="row">encoded by</th><td>the CPU, before the Edge TPU</td>' in section(drawn(coral), "Edge TPU")
    assert coral.to_dict()["contract"]["views"]["history"] == 31
    print_conversion(coral)
    assert "encoded by: the CPU, before the Edge TPU\n" in capsys.readouterr().out


def test_origins_and_contract_are_there(page: str, result: Conversion):
    facts = result.to_dict()
    made = section(page, "What made it")
    assert all(each in made for each in (facts["sha256"], facts["checkpoint_sha256"], facts["versions"]["numpy"]))
    contract = section(page, "Contract")
    assert ", ".join(result.contract.labels) in contract
    assert '<th scope="row">window length</th><td>128</td>' in contract


def tensor(index: int, kind: str = "INT8", zero_point: int = 0) -> Tensor:
    return Tensor(index, f"t{index}", kind, (1, 2, 4, 8), None, np.ones(1, np.float32), np.array([zero_point]))


def attending(keys_from: str, kind: str = "INT8", zero_point: int = 0) -> Graph:
    """Attention whose keys come from an operation, with a norm before it."""
    t = {index: tensor(index, kind, zero_point if index == 5 else 0) for index in range(9)}
    nodes = [
        Node("RSQRT", 1, (t[0],), (t[1],)),
        Node(keys_from, 1, (t[1],), (t[2],)),
        Node("TRANSPOSE", 1, (t[2],), (t[3],)),
        Node("BATCH_MATMUL", 1, (t[1], t[3]), (t[4],)),
        Node("CONV_2D", 1, (t[1],), (t[5],)),
        Node("SOFTMAX", 1, (t[4],), (t[6],)),
        Node("BATCH_MATMUL", 1, (t[6], t[5]), (t[7],)),
    ]
    return Graph(tuple(nodes), (t[0],), (t[7],))


@pytest.mark.parametrize(
    ("graph", "said", "not_said"),
    [
        (attending("MUL"), ["folded away", "zero point 0", "x·rsqrt(Σx²)"], ["Several heads"]),
        (attending("CONV_2D"), ["Several heads", "zero point 0"], ["folded away"]),
        (attending("MUL", zero_point=3), ["folded away"], ["zero point"]),
        (attending("MUL", "FLOAT32"), ["folded away"], ["zero point"]),
    ],
)
def test_form_of_attention_is_read_off_the_graph(graph: Graph, said: list[str], not_said: list[str]):
    text = " ".join(attention_form(graph))
    assert all(each in text for each in said)
    assert not any(each in text for each in not_said)


def test_form_counts_the_norms_of_each_kind():
    norm = Node("L2_NORMALIZATION", 1, (tensor(0),), (tensor(1),))
    both = attending("MUL")
    one_of_each = Graph((norm, *both.nodes), both.inputs, both.outputs)
    assert attention_form(one_of_each)[-1].startswith(
        "Norms of the residual stream are x·rsqrt(Σx²) where tokens are many (1 of them), "
    )
    assert "the other 1 are L2_NORMALIZATION" in attention_form(one_of_each)[-1]
    single = Graph((norm, norm, *both.nodes[1:]), both.inputs, both.outputs)
    assert attention_form(single)[-1].startswith("All 2 norms are L2_NORMALIZATION: tokens are few")


def test_graph_without_attention_has_no_form_of_it(result: Conversion, page: str):
    assert attention_form(Graph((Node("MUL", 1, (tensor(0),), (tensor(1),)),), (tensor(0),), (tensor(1),))) == []
    assert "Several heads" in section(page, "Form of attention")


@pytest.mark.parametrize("resampled", ["subjects", "windows"])
def test_against_a_conversion_speaks_the_class_that_lost_most(result: Conversion, resampled: str):
    def scored(*confusion: list[int]) -> Scores:
        return Scores(("sit", "walk", "run"), np.array(confusion), {})

    def against(scores: Scores) -> list[str]:
        parity = replace(result.kept.deciding, reference=exact, scores=scores, resampled=resampled)
        first, _, *others = result.kept.parities
        return list(convert_answer(changed(result, parities=(first, parity, *others))).against)

    # Nobody runs: before the conversion, running has no F1.
    exact = scored([10, 0, 0], [0, 10, 0], [0, 0, 0])
    of_one = "The held-out windows are of one person: the intervals do not extend to others."
    lost = against(scored([9, 1, 0], [0, 9, 1], [0, 0, 0]))
    assert lost[0] == "F1 of walk fell by 10.00 points, the most of all classes."
    assert (of_one in lost) == (resampled == "windows")
    assert not [line for line in against(exact) if line.startswith("F1 of")]
