"""Who is measured when nobody says it: those whom the model was not trained on, by what it remembers."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st

from deseptr.cli.evaluate.evaluate import evaluate
from deseptr.contract import DataError, HeldOut, ModelContract
from deseptr.data import Dataset, synthetic_dataset
from deseptr.evaluate.held_out_subjects import choose_subjects, remembered
from deseptr.tflite import read_tflite
from deseptr.train import RunFolder

DATA = "synthetic:subjects=4,seconds=12"
SALT = bytes(16)


def people(*names: str, test_subjects: tuple[str, ...] = ()) -> Dataset:
    dataset = synthetic_dataset(subjects=len(names), seconds=4)
    named = tuple(dataclasses.replace(r, subject=names[int(r.subject) - 1]) for r in dataset.recordings)
    return dataclasses.replace(dataset, recordings=named, name="walks", test_subjects=test_subjects)


EVERYBODY = ("ada", "ben", "cem")
WALKS = people(*EVERYBODY, test_subjects=("cem",))


def test_wanted_before_remembered_before_the_datasets_own_before_all():
    memory = HeldOut.of(["ben", "zoe"], SALT)
    assert choose_subjects(WALKS, ("ada",), [memory]) == (("ada",), "as chosen")
    assert choose_subjects(WALKS, ("all",), [memory]) == (EVERYBODY, "as chosen")
    assert choose_subjects(WALKS, None, [memory]) == (("ben",), "held out when it was trained (1 of 2)")
    assert choose_subjects(WALKS, None, [HeldOut.of(["ben"], SALT)]) == (("ben",), "held out when it was trained")
    assert choose_subjects(WALKS, None, [None]) == (("cem",), "the dataset's own test subjects")
    assert choose_subjects(people(*EVERYBODY), None, [None])[0] == EVERYBODY


def test_of_a_model_that_does_not_remember_it_says_so():
    two = [HeldOut.of(["ben"], SALT), HeldOut.of(["ben", "cem"], SALT)]
    assert choose_subjects(WALKS, None, two) == (("ben",), "held out when they were trained")
    assert choose_subjects(WALKS, None, [two[0], None]) == (
        ("ben",),
        "held out when some of the models were trained; the others do not remember whom they were trained on",
    )


@settings(max_examples=15)
@given(st.lists(st.sets(st.sampled_from(EVERYBODY), min_size=1), min_size=1, max_size=2))
def test_of_several_models_all_must_have_held_them_out(held_out: list[set[str]]):
    memories = [HeldOut.of(sorted(names), SALT) for names in held_out]
    common = set.intersection(*held_out)
    if common:
        assert set(choose_subjects(WALKS, None, [None, *memories]).subjects) == common
    else:
        with pytest.raises(DataError, match="none of those that every model held out"):
            choose_subjects(WALKS, None, memories)


def test_data_without_any_of_them_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="found none of the 1 that the model held out of its training") as refused:
        choose_subjects(WALKS, None, [HeldOut.of(["zoe"], SALT)])
    assert "--test-subjects all" in str(refused.value)


def test_a_run_remembers_in_its_contract_and_an_earlier_one_in_its_metrics(tiny_run: Path, tmp_path: Path):
    contract = ModelContract.load(RunFolder(tiny_run).contract)
    assert contract.held_out is not None
    earlier = dataclasses.replace(contract, held_out=None)
    for known in (contract, earlier):
        memory = remembered(tiny_run, known)
        assert memory is not None
        assert memory.among(("1", "2", "3", "4")) == ("4",)
    # What the contract says holds, and a .tflite knows only what its own says.
    other = remembered(tiny_run, dataclasses.replace(contract, held_out=HeldOut.of(["2"], SALT)))
    assert other is not None
    assert other.among(("1", "2", "3", "4")) == ("2",)
    assert remembered(tiny_run / "model.tflite", earlier) is None
    folder = RunFolder(tmp_path / "unfinished")
    shutil.copytree(tiny_run, folder.path)
    folder.metrics.unlink()
    assert remembered(folder.path, earlier) is None
    assert remembered(tmp_path / "model.tflite", earlier) is None


def test_evaluate_measures_the_held_out_person_and_says_so(tiny_run: Path, tiny_tflite: Path):
    assert '"4"' not in json.dumps(json.loads(read_tflite(tiny_tflite).contract.to_json())["held_out"])
    result = CliRunner().invoke(evaluate, [str(tiny_tflite), DATA])
    assert result.exit_code == 0, result.output
    assert "on subject 4 of synthetic, held out when it was trained: " in result.stdout
    told = json.loads(CliRunner().invoke(evaluate, [str(tiny_tflite), DATA, "--json"]).stdout)
    assert (told["subjects"], told["subjects_are"]) == (["4"], "held out when it was trained")
    refused = CliRunner().invoke(evaluate, [str(tiny_tflite), "synthetic:subjects=3,seconds=12"])
    assert "synthetic: subjects 1, 2, 3: found none of the 1 that the model held out" in str(refused.exception)
