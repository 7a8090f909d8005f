import dataclasses
import json

import numpy as np
import pytest

from deseptr.contract import DriftHistogram, DriftReference, EmbeddingReference, ModelContract, ModelError

CONFIDENCE = DriftHistogram(((0,) * 11 + (7,), (0,) * 11 + (3,)), (0.9, 0.5, 0.4))
EMBEDDING = EmbeddingReference.of([1.0, 0.5], np.array([[1.0, -2.0], [0.25, 0.0]]), [list(range(9))] * 2)
DISTANCE = DriftHistogram(((1,) * 10, (0,) * 10), (0.9, 0.5, 0.4), ((1.5, 1.0, 0.75), (0.9, 0.5, 0.4)))
REFERENCE = DriftReference(3, 10, 1.28, 9.8, CONFIDENCE, DISTANCE, None, EMBEDDING)
CONTRACT = ModelContract(("still", "walking"), embedding_width=2)


def test_a_contract_with_it_is_of_format_11_and_others_are_as_before():
    made = dataclasses.replace(CONTRACT, drift=REFERENCE)
    content = json.loads(made.to_json())
    assert (content["format"], content["known_windows"]) == (11, None)
    assert ModelContract.from_json(made.to_json()) == made
    assert "drift" not in CONTRACT.to_json()
    assert json.loads(CONTRACT.to_json())["format"] == 8


def test_a_contract_from_before_days_of_one_class_were_measured_is_read():
    plain = dataclasses.replace(REFERENCE, distance=DriftHistogram(DISTANCE.counts, DISTANCE.limits))
    content = json.loads(dataclasses.replace(CONTRACT, drift=plain).to_json())
    for name in ("confidence", "distance"):
        assert content["drift"][name].pop("alone") == []
    assert ModelContract.from_json(json.dumps(content)).drift == plain


def test_its_key_tells_references_apart():
    assert REFERENCE.key == dataclasses.replace(REFERENCE).key
    assert len(REFERENCE.key) == 8
    assert dataclasses.replace(REFERENCE, gravity=9.7).key != REFERENCE.key


def test_means_and_counts_are_read_as_they_were_written():
    assert REFERENCE.embedding.table.tolist() == [[1.0, -2.0], [0.25, 0.0]]
    assert REFERENCE.labels == (7, 3)
    assert list(REFERENCE.histograms) == ["confidence", "distance"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wearers": 1}, "drift.wearers: found 1"),
        ({"windows": 11}, "drift.windows: found 11, expected 10"),
        ({"hop_s": 0.0}, "drift.hop_s"),
        ({"gravity": 1000.0}, "drift.gravity"),
        ({"confidence": DriftHistogram(((0,) * 12, (0,) * 12), (1.0,) * 3)}, "drift.confidence"),
        ({"confidence": DriftHistogram(CONFIDENCE.counts, (1.0, 0.0, 1.0))}, "drift.confidence.limits"),
        ({"confidence": DriftHistogram(((1,) * 11,) * 2, (1.0,) * 3)}, "drift.confidence"),
        ({"confidence": DriftHistogram(CONFIDENCE.counts, (1.0,) * 3, ((1.0,) * 3,))}, "drift.confidence.alone"),
        ({"confidence": DriftHistogram(CONFIDENCE.counts, (1.0,) * 3, ((1.0,) * 2,) * 2)}, "drift.confidence.alone"),
        ({"distance": None}, "drift.embedding"),
        ({"score": DISTANCE, "distance": CONFIDENCE}, "drift.distance"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ModelError, match=message):
        dataclasses.replace(REFERENCE, **change)


def test_a_reference_of_other_classes_or_another_embedding_is_refused():
    with pytest.raises(ModelError, match=r"contract\.drift: found 2 values of an embedding"):
        dataclasses.replace(CONTRACT, drift=REFERENCE, embedding_width=3)
    three = DriftHistogram((*CONFIDENCE.counts, (0,) * 12), CONFIDENCE.limits)
    with pytest.raises(ModelError, match=r"contract\.drift: found 3 classes"):
        dataclasses.replace(CONTRACT, drift=DriftReference(3, 10, 1.28, None, three))


@pytest.mark.parametrize(
    "change",
    [
        {"wearers": 2.5},
        {"windows": True},
        {"gravity": "9.8"},
        {"confidence": None},
        {"confidence": {"counts": [[1.5]], "limits": [1, 1, 1], "alone": []}},
        {"confidence": {"counts": [[0] * 11 + [7], [0] * 11 + [3]], "limits": [1, 1, 1], "alone": None}},
        {"distance": {"counts": []}},
        {"embedding": {"scale": [1.0], "means": 3, "edges": []}},
        {"embedding": {"scale": [1.0], "means": "%%", "edges": [[0] * 9]}},
        {"further": 1},
    ],
)
def test_broken_json_is_refused_in_one_line(change):
    content = json.loads(dataclasses.replace(CONTRACT, drift=REFERENCE).to_json())
    content["drift"] |= change
    with pytest.raises(ModelError) as caught:
        ModelContract.from_json(json.dumps(content))
    assert "\n" not in str(caught.value)
