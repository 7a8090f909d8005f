"""A part of a graph computes what the whole one does there."""

import numpy as np
import pytest

from deseptr.device import default_model
from deseptr.tflite import read_tflite, without_archive
from deseptr.tflite.extract import extract
from deseptr.tflite.graph import unpack
from deseptr.tflite.runtimes import choose_runtime

WHOLE = without_archive(read_tflite(default_model()).content)


def run(content, values):
    """Values of the outputs by the tensors' names."""
    made = choose_runtime("auto").interpreter()(model_content=content)
    made.allocate_tensors()
    for each in made.get_input_details():
        made.set_tensor(each["index"], values[each["name"]])
    made.invoke()
    return {each["name"]: made.get_tensor(each["index"]) for each in made.get_output_details()}


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_first_and_the_last_operations_are_together_the_whole(share):
    graph = unpack(WHOLE).subgraphs[0]
    count = len(graph.operators)
    middle = int(share * count)
    made = {int(i): number for number, each in enumerate(graph.operators) for i in each.outputs}
    read = [int(i) for each in graph.operators[middle:] for i in each.inputs]
    # Made before, and read or given behind.
    between = sorted({i for i in [*read, *map(int, graph.outputs)] if made.get(i, count) < middle})
    given = [int(i) for i in graph.inputs]
    first = extract(unpack(WHOLE), range(middle), given, between)
    last = extract(unpack(WHOLE), range(middle, count), [*between, *(set(given) & set(read))], list(graph.outputs))
    shape, name = graph.tensors[given[0]].shape, graph.tensors[given[0]].name.decode()
    values = {name: np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)}
    found = run(last, values | run(first, values))
    expected = run(WHOLE, values)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[each], expected[each]) for each in expected)
    assert len(first) < len(WHOLE)
    assert len(last) < len(WHOLE)
    assert len(unpack(last).subgraphs[0].tensors) < len(graph.tensors)
