import pytest

from deseptr.convert.name_outputs import with_named_outputs
from deseptr.tflite import without_archive
from deseptr.tflite.graph import pack, read_graph, unpack


def as_converted(content: bytes, names: tuple[str, str]) -> bytes:
    """A graph of logits and embedding as the converter leaves it: names of its own, and a signature."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    model = unpack(content)
    graph, signature = model.subgraphs[0], schema.SignatureDefT()
    signature.inputs, signature.outputs = [], []
    for name, index in zip(names, graph.outputs, strict=True):
        graph.tensors[index].name = f"PartitionedCall:{name[-1]}"
        output = schema.TensorMapT()
        output.name, output.tensorIndex = name, index
        signature.outputs.append(output)
    signature.signatureKey, model.signatureDefs = "serving_default", [signature]
    return pack(model)


@pytest.mark.parametrize("first", ["logits", "embedding"])
def test_outputs_are_named_by_the_signature_whatever_their_order(make_embedded, first):
    content = without_archive(make_embedded(first=first).read_bytes())
    names = ("output_0", "output_1") if first == "logits" else ("output_1", "output_0")
    named = with_named_outputs(as_converted(content, names))
    graph = read_graph(named)
    (written,) = (node for node in graph.nodes if node.op == "RELU")
    assert graph.outputs == (graph.logits, graph.embedding)
    assert (graph.embedding.name, graph.embedding.index) == ("embedding", written.outputs[0].index)
    assert [output.name for output in unpack(named).signatureDefs[0].outputs] in (
        [b"logits", b"embedding"],
        [b"embedding", b"logits"],
    )
    assert with_named_outputs(named) == named


@pytest.mark.parametrize("first", ["logits", "embedding"])
def test_without_a_signature_the_outputs_are_named_by_the_frozen_functions_tensors(make_embedded, first):
    model = unpack(without_archive(make_embedded(first=first).read_bytes()))
    graph, names = model.subgraphs[0], ("Identity", "Identity_1") if first == "logits" else ("Identity_1", "Identity")
    for name, index in zip(names, graph.outputs, strict=True):
        graph.tensors[index].name = name
    model.signatureDefs = None
    named = with_named_outputs(pack(model))
    read = read_graph(named)
    (written,) = (node for node in read.nodes if node.op == "RELU")
    assert read.outputs == (read.logits, read.embedding)
    assert (read.embedding.name, read.embedding.index) == ("embedding", written.outputs[0].index)
    assert with_named_outputs(named) == named


def test_a_graph_of_one_output_keeps_its_bytes(int8_model):
    content = without_archive(int8_model.read_bytes())
    assert with_named_outputs(content) == content
