import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ConversionError
from deseptr.convert.edgetpu import MAPPED, NO_COMPILER, compile_for_edgetpu, edgetpu_share, parse_report
from deseptr.tflite.graph import Graph, Node, Tensor

# The form that compiler 16 prints with --show_operations; the figures are made up.
LOG = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 312 ms.

Input model: m.tflite
Input size: 96.05KiB
Output model: m_edgetpu.tflite
Output size: 120.12KiB
On-chip memory used for caching model parameters: 60.50KiB
On-chip memory remaining for caching model parameters: 7.75MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 22
Operation log: m_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model will \
instead run on the CPU, which is slower. If possible, consider updating your model to use only operations supported by \
the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 17
Number of operations that will run on CPU: 5

Operator                       Count      Status

BATCH_MATMUL                   2          Operation not supported
CONV_2D                        15         Mapped to Edge TPU
CONV_2D                        2          More than one subgraph is not supported
SOFTMAX                        1          Operation is otherwise supported, but not mapped due to some unspecified \
limitation
TRANSPOSE                      2          Mapped to Edge TPU
Compilation child process completed within timeout period.
Compilation succeeded!
"""


@pytest.fixture
def path_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a script named edgetpu_compiler on a new PATH; None puts none."""

    def put(body: str | None) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        if body is not None:
            script = folder / "edgetpu_compiler"
            script.write_text(f"#!{sys.executable}\nimport pathlib, sys, time\n{body}\n")
            script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        model = tmp_path / "m.tflite"
        model.write_bytes(b"model")
        return model

    return put


def test_report_of_a_real_log():
    report = parse_report(LOG)
    assert report.version == "16.0.384591198"
    assert report.subgraphs == 1
    assert report.on_chip == 61952
    assert report.on_chip_left == round(7.75 * 2**20)
    assert report.off_chip == 0
    assert (report.mapped, report.operations) == (17, 22)
    assert [row.op for row in report.table] == ["BATCH_MATMUL", "CONV_2D", "CONV_2D", "SOFTMAX", "TRANSPOSE"]
    assert report.table[2].status == "More than one subgraph is not supported"
    plain = report.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["compiled"] is True


def test_sizes_in_every_unit_are_bytes():
    text = LOG.replace("60.50KiB", "0.50GiB").replace("0.00B", "17.00B")
    report = parse_report(text)
    assert (report.on_chip, report.on_chip_left, report.off_chip) == (536_870_912, 8_126_464, 17)


def test_compiler_runs_and_its_model_is_discarded(path_with):
    model = path_with(
        "assert sys.argv[1:3] == ['-s', '-o'], sys.argv\n"
        "assert pathlib.Path(sys.argv[4]).read_bytes() == b'model'\n"
        "(pathlib.Path(sys.argv[3]) / 'm_edgetpu.tflite').write_bytes(b'compiled')\n"
        f"print({LOG!r})"
    )
    report = compile_for_edgetpu(model)
    assert report == parse_report(LOG)
    assert [path.name for path in model.parent.glob("*.tflite")] == ["m.tflite"]


def test_nothing_is_claimed_without_a_compiler(path_with):
    assert compile_for_edgetpu(path_with(None)) is None
    assert "nothing was compiled" in NO_COMPILER
    assert "x86-64 Linux only" in NO_COMPILER


def test_rejected_model_is_named_with_the_compilers_message(path_with):
    model = path_with("print('Invalid model: m.tflite\\nModel not quantized', file=sys.stderr); sys.exit(1)")
    with pytest.raises(ConversionError, match=r"m\.tflite: found edgetpu_compiler: Model not quantized, expected"):
        compile_for_edgetpu(model)


def test_silent_failure_has_its_exit_code(path_with):
    with pytest.raises(ConversionError, match="exit code 3"):
        compile_for_edgetpu(path_with("sys.exit(3)"))


def test_compiler_that_hangs_is_stopped(path_with):
    with pytest.raises(ConversionError, match=r"nothing after 0\.5 s"):
        compile_for_edgetpu(path_with("time.sleep(60)"), timeout=0.5)


def test_compiler_that_cannot_start(path_with):
    model = path_with("")
    (model.parent / "bin" / "edgetpu_compiler").write_text("#!/nowhere/python\n")
    with pytest.raises(ConversionError, match="No such file"):
        compile_for_edgetpu(model)


@pytest.mark.parametrize("text", ["", "Edge TPU Compiler version 16.0\nInternal compiler error. Aborting!"])
def test_output_without_a_table_is_no_report(text: str):
    with pytest.raises(ConversionError, match="no output" if not text else "Internal compiler error"):
        parse_report(text)


rows = st.tuples(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True),
    st.integers(1, 999),
    st.sampled_from([MAPPED, "Operation not supported", "Operation is working on an unsupported data type"]),
)


@given(table=st.lists(rows, max_size=12), kib=st.integers(0, 9000), subgraphs=st.integers(0, 3))
def test_any_table_is_read_as_printed(table: list[tuple[str, int, str]], kib: int, subgraphs: int):
    printed = "\n".join(f"{op:<30} {count:<10} {status}" for op, count, status in table)
    report = parse_report(
        "Edge TPU Compiler version 16.0.1\n"
        f"On-chip memory used for caching model parameters: {kib}.00KiB\n"
        f"Number of Edge TPU subgraphs: {subgraphs}\n\nOperator    Count      Status\n\n{printed}\n"
    )
    assert [(row.op, row.count, row.status) for row in report.table] == table
    assert (report.on_chip, report.subgraphs) == (kib * 1024, subgraphs)
    assert report.mapped == sum(count for _, count, status in table if status == MAPPED)


def tensor(shape: tuple[int, ...], type_: str = "INT8", constant: list[int] | None = None) -> Tensor:
    data = None if constant is None else np.asarray(constant, np.int32).tobytes()
    return Tensor(0, "a/b;c", type_, shape, data, np.empty(0, np.float32), np.empty(0, np.int64))


def node(op: str, *shapes: tuple[int, ...], type_: str = "INT8", constants: tuple[list[int], ...] = ()) -> Node:
    x, *others, y = [tensor(shape, type_) for shape in shapes] * (2 if len(shapes) == 1 else 1)
    return Node(op, 1, (x, *others, *(tensor((len(c),), "INT32", c) for c in constants)), (y,))


def conv() -> Node:
    x, w, y = tensor((1, 4, 4, 2)), tensor((8, 1, 1, 2), constant=[0] * 4), tensor((1, 4, 4, 8))
    return Node("CONV_2D", 3, (x, w), (y,))


def graph(*nodes: Node) -> Graph:
    return Graph(nodes, (), ())


def test_share_before_and_after_the_first_unlisted_op():
    product = node("BATCH_MATMUL", (1, 4, 4), (1, 4, 4), (1, 4, 4))
    share = edgetpu_share(graph(conv(), product, conv(), conv()))
    assert share["compiled"] is False
    assert (share["nodes"], share["listed_nodes"], share["leading_nodes"]) == (4, 3, 1)
    assert (share["macs"], share["listed_macs"], share["leading_macs"]) == (3 * 256 + 64, 768, 256)
    assert share["listed_share"] == 768 / 832
    assert share["leading_share"] == 256 / 832
    assert share["first_unlisted"] == {"op": "BATCH_MATMUL", "layer": "a/b", "reason": "not on the list"}
    assert share["unlisted"] == {"BATCH_MATMUL": 1}


def test_empty_graph_has_no_share():
    share = edgetpu_share(graph())
    assert share["first_unlisted"] is None
    assert share["leading_share"] == 0


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (node("RELU", (1, 4), type_="FLOAT32"), "activations of FLOAT32"),
        (node("RELU", (1, -1)), "a dynamic shape"),
        (node("RELU", (2, 3, 4, 5)), "more than three dimensions above 1"),
        (node("SOFTMAX", (1, 7, 7)), "softmax of more than one row"),
        (node("SOFTMAX", (1, 16_001)), "softmax of more than one row"),
        (node("STRIDED_SLICE", (1, 8), (1, 4), constants=([0, 0], [1, 8], [1, 2])), "strides other than 1"),
        (node("MEAN", (4, 8), (1, 8), constants=([0],)), "reduction over the batch"),
        (node("SUM", (4, 8), (1, 8), constants=([-2],)), "reduction over the batch"),
        (node("MEAN", (1, 4, 6), (1, 4, 1), constants=([2],)), "mean over channels"),
    ],
)
def test_documented_limitations(refused: Node, reason: str):
    assert reason in edgetpu_share(graph(refused))["first_unlisted"]["reason"]


@pytest.mark.parametrize(
    "taken",
    [
        conv(),
        node("RELU", (1, 3, 4, 5)),
        node("SOFTMAX", (1, 1, 6)),
        node("STRIDED_SLICE", (1, 8), (1, 4), constants=([0, 0], [1, 4], [1, 1])),
        node("MEAN", (1, 4, 6), (1, 1, 6), constants=([1],)),
        node("MEAN", (1, 4, 8), (1, 4, 1), constants=([-1],)),
    ],
)
def test_what_the_documentation_takes(taken: Node):
    assert edgetpu_share(graph(taken))["first_unlisted"] is None


@given(ops=st.lists(st.sampled_from(["RELU", "GELU", "CONV_2D"]), max_size=10))
def test_leading_part_is_within_the_listed_part(ops: list[str]):
    share = edgetpu_share(graph(*(conv() if op == "CONV_2D" else node(op, (1, 4)) for op in ops)))
    assert share["leading_nodes"] <= share["listed_nodes"] == len(ops) - ops.count("GELU")
    assert 0 <= share["leading_share"] <= share["listed_share"] <= 1
    assert share["leading_nodes"] == (ops.index("GELU") if "GELU" in ops else len(ops))
