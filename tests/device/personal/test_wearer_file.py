import json
from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import DataError
from deseptr.device import default_model
from deseptr.device.personal import WearerFile
from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.wearer_file import model_hash
from deseptr.tflite import embed_contract, read_tflite, streaming_inside, without_archive


def session(labels=(0, 1, 2), width=2, seed=0):
    random = np.random.default_rng(seed)
    count = len(labels)
    return Recorded(
        random.normal(size=(count, 2)).astype(np.float32),
        random.normal(size=(count, width)).astype(np.float32),
        np.array(labels),
        np.zeros(count, np.int64),
        np.arange(count) * 64,
        random.normal(size=(count, 9)).astype(np.float32),
    )


@pytest.fixture
def eve():
    return WearerFile("eve", "0" * 64, ("lying", "upright"), ("spinning",), (session(),))


def test_comes_back_as_it_was_written(eve, tmp_path):
    eve.save(tmp_path / "eve.deseptr")
    again = WearerFile.load(tmp_path / "eve.deseptr")
    assert again.to_json() == eve.to_json()
    for name in ("logits", "embeddings", "labels", "places", "statistics"):
        np.testing.assert_array_equal(getattr(again.recorded, name), getattr(eve.recorded, name))
    assert again.counts() == {"lying": 1, "upright": 1, "spinning": 1}


def test_keeps_the_mounting_of_each_session(eve, tmp_path):
    turned, unknown = replace(session(), mounting="x90"), session()
    mine = replace(eve, sessions=(turned, unknown, replace(session(), mounting="none"), turned))
    mine.save(tmp_path / "eve.deseptr")
    again = WearerFile.load(tmp_path / "eve.deseptr")
    assert [each.mounting for each in again.sessions] == ["x90", None, "none", "x90"]
    assert again.mountings == ("x90", "none")
    assert again.recorded.mounting is None
    assert replace(again, sessions=(turned, turned)).recorded.mounting == "x90"
    assert turned.take(np.array([0])).mounting == "x90"


def test_files_from_before_the_mounting_was_kept_are_read(eve, tmp_path):
    content = json.loads(eve.to_json())
    for each in content["sessions"]:
        del each["mounting"]
    path = tmp_path / "eve.deseptr"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="something else"):
        WearerFile.load(path)
    path.write_text(json.dumps({**content, "format": "deseptr wearer 2"}))
    assert WearerFile.load(path).to_json() == eve.to_json()
    assert WearerFile.load(path).mountings == ()


@pytest.mark.parametrize("mounting", ["x45", 90, ["x90"]])
def test_refuses_a_mounting_that_is_none(eve, tmp_path, mounting):
    content = json.loads(eve.to_json())
    content["sessions"][0]["mounting"] = mounting
    path = tmp_path / "eve.deseptr"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="mounting"):
        WearerFile.load(path)


def test_a_session_is_added_and_undone(eve):
    later = replace(eve, new_labels=("cycling", "spinning"), sessions=(session((2, 3, 0), seed=1),))
    both = eve.with_session(later)
    assert both.new_labels == ("spinning", "cycling")
    assert both.sessions[1].labels.tolist() == [3, 2, 0]
    assert both.recorded.stretches.tolist() == [0, 0, 0, 1, 1, 1]
    back = both.undone()
    assert back.to_json() == eve.to_json()
    assert back.undone() is None


@pytest.mark.parametrize(("field", "value"), [("wearer", "bob"), ("model", "1" * 64)])
def test_takes_no_session_of_another(eve, field, value):
    with pytest.raises(DataError, match="same wearer and model"):
        eve.with_session(replace(eve, **{field: value}))


def test_embeddings_and_statistics_are_as_many_as_the_models(tmp_path):
    model = read_tflite(default_model())
    width = model.contract.embedding_width
    right = session(width=width)
    mine = WearerFile("eve", model_hash(model), model.contract.labels, (), (right,))
    mine.check_model(model, "eve.deseptr")
    for wrong in (session(width=width - 1), replace(right, statistics=right.statistics[:, 1:])):
        with pytest.raises(DataError, match="record again"):
            replace(mine, sessions=(wrong,)).check_model(model, "eve.deseptr")


def test_belongs_to_a_graph_whatever_its_contract_says_about_decisions(tmp_path):
    model = read_tflite(default_model())
    mine = WearerFile(
        "eve", model_hash(model), model.contract.labels, (), (session(width=model.contract.embedding_width),)
    )
    tuned = tmp_path / "tuned.tflite"
    contract = replace(model.contract, logit_temperature=2.0)
    tuned.write_bytes(embed_contract(without_archive(model.content), contract, streaming_inside(model)))
    mine.check_model(read_tflite(tuned), "eve.deseptr")
    with pytest.raises(DataError, match=r"eve\.deseptr: found what eve recorded for the model 000"):
        replace(mine, model="0" * 64).check_model(model, "eve.deseptr")


def edited(eve, **changes):
    return json.dumps(json.loads(eve.to_json()) | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "deseptr wearer 1"},
        {"wearer": "\x1b[2J"},
        {"wearer": ""},
        {"model": "zz"},
        {"labels": ["lying", "lying"]},
        {"new_labels": ["lying"]},
        {"embedding_width": 10**12},
        {"embedding_width": True},
        {"embedding_width": 3},
        {"sessions": []},
        {"sessions": [{}]},
        {"sessions": None},
        {"more": 1},
    ],
)
def test_refuses_what_is_none(eve, tmp_path, changes):
    path = tmp_path / "eve.deseptr"
    path.write_text(edited(eve, **changes))
    with pytest.raises(DataError, match="expected the file of a wearer"):
        WearerFile.load(path)


@pytest.mark.parametrize(
    ("name", "value"), [("labels", 3), ("labels", -1), ("logits", np.nan), ("embeddings", np.inf), ("places", -5)]
)
def test_refuses_values_out_of_range(eve, tmp_path, name, value):
    of = session()
    array = np.array(getattr(of, name))
    array.flat[0] = value
    path = tmp_path / "eve.deseptr"
    replace(eve, sessions=(replace(of, **{name: array}),)).save(path)
    with pytest.raises(DataError, match="expected the file of a wearer"):
        WearerFile.load(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_refuses_a_truncated_file(eve, tmp_path, share):
    path = tmp_path / "eve.deseptr"
    text = eve.to_json()
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(DataError, match="expected the file of a wearer"):
        WearerFile.load(path)


def test_a_wearer_who_is_named_instead_of_the_file_is_told_the_file(eve, tmp_path):
    eve.save(tmp_path / "eve.deseptr")
    with pytest.raises(DataError, match=r"eve: found No such file .*; name it by its file, .*eve\.deseptr$"):
        WearerFile.load(tmp_path / "eve")


def test_says_which_file_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"none\.deseptr: found No such file"):
        WearerFile.load(tmp_path / "none.deseptr")
