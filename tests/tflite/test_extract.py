"""A part of a graph computes what the whole one does there."""

import numpy as np

from deseptr.device import default_model
from deseptr.tflite import read_tflite, without_archive
from deseptr.tflite.extract import extract
from deseptr.tflite.graph import unpack
from deseptr.tflite.runtimes import choose_runtime

WHOLE = without_archive(read_tflite(default_model()).content)


def interpreter(content):
    made = choose_runtime("auto").interpreter()(model_content=content)
    made.allocate_tensors()
    return made


def run(made, values):
    (taken,), (given,) = made.get_input_details(), made.get_output_details()
    made.set_tensor(taken["index"], values)
    made.invoke()
    return made.get_tensor(given["index"])


def test_the_first_and_the_last_operations_are_together_the_whole():
    graph = unpack(WHOLE).subgraphs[0]
    count = len(graph.operators)
    # Where but one tensor that is no constant goes on.
    made = {int(i): number for number, each in enumerate(graph.operators) for i in each.outputs}
    middle = next(
        number
        for number in range(count // 2, count)
        if {int(i) for each in graph.operators[number:] for i in each.inputs if made.get(int(i), count) < number}
        == {int(graph.operators[number - 1].outputs[0])}
    )
    between = [int(graph.operators[middle - 1].outputs[0])]
    first = extract(unpack(WHOLE), range(middle), list(graph.inputs), between)
    last = extract(unpack(WHOLE), range(middle, count), between, list(graph.outputs))
    whole = interpreter(WHOLE)
    details = whole.get_input_details()[0]
    values = np.random.default_rng(0).integers(-128, 128, details["shape"]).astype(details["dtype"])
    expected = run(whole, values)
    assert np.array_equal(run(interpreter(last), run(interpreter(first), values)), expected)
    assert len(first) < len(WHOLE)
    assert len(last) < len(WHOLE)
    assert len(unpack(last).subgraphs[0].tensors) < len(graph.tensors)
