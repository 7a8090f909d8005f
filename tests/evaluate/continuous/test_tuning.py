import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import DataError, DecisionConfig, ModelError, SetupError
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import default_model
from deseptr.evaluate.continuous.learned_chain import LearnedChain, learn_chain
from deseptr.evaluate.continuous.playing import Played
from deseptr.evaluate.continuous.target import Target, Trial
from deseptr.evaluate.continuous.track import NONE
from deseptr.evaluate.continuous.tuned_model import (
    check_output,
    check_truth,
    parse_hops,
    tuning_subjects,
    write_decision,
)
from deseptr.evaluate.continuous.tuning import try_decision, tune
from deseptr.tflite import load_engine, read_tflite, streaming_inside

LABELS = ("sit", "walk")
BEFORE = DecisionConfig(hop_s=0.5)


def noisy(seed: int = 0, wrong: float = 0.2) -> Played:
    """Three minutes of two activities of 20 s in turn; one in five windows is wrong."""
    rng = np.random.default_rng(seed)
    truth = np.tile(np.repeat([0, 1], 1000), 5).astype(np.int16)
    t = np.arange(100, len(truth), 25) / 50
    said = np.where(rng.random(len(t)) < wrong, 1 - truth[(t * 50).astype(int)], truth[(t * 50).astype(int)])
    sure = rng.uniform(0.55, 0.95, len(t))
    probabilities = np.where(said[:, None] == [0, 1], sure[:, None], 1 - sure[:, None]).astype(np.float32)
    recording = Recording(np.zeros((len(truth), 6)), 50.0, "ada", truth)
    return Played(0, recording, truth, t, probabilities, (None,) * len(t), LABELS, 0.5)


LEARNED = LearnedChain((20.0, 20.0), np.array([[0, 9], [9, 0]]))


def test_tuning_betters_the_defaults_and_keeps_the_bound():
    target = Target.parse("delay=2.0")
    found = tune({0.5: [noisy()]}, target, BEFORE, tries=40)
    assert found.reached
    assert found.trial.delay_s <= 2.0
    assert found.trial == try_decision([noisy()], found.chosen, None)
    # None that was tried and keeps the bound has fewer spurious changes.
    assert found.trial.spurious == min(trial.spurious for _, trial in found.tried if trial.delay_s <= 2.0)
    assert found.before == (BEFORE, try_decision([noisy()], BEFORE, None))


def test_a_target_that_nothing_reaches_is_said_and_approached():
    found = tune({0.5: [noisy()]}, Target("false-alarms", 0.0), BEFORE, tries=5)
    assert found.reached == (found.trial.spurious == 0)
    nowhere = tune({0.5: [noisy(wrong=0.5)]}, Target("delay", -1.0), BEFORE, tries=5)
    assert not nowhere.reached
    assert nowhere.trial.delay_s == min(trial.delay_s for _, trial in nowhere.tried)


def test_chain_is_tried_if_it_was_learned_and_wins_where_durations_say_much():
    target = Target("delay", 2.5)
    without = tune({0.5: [noisy()]}, target, BEFORE, tries=30)
    assert all(config.smoothing != "markov" for config, _ in without.tried)
    found = tune({0.5: [noisy()]}, target, BEFORE, tries=30, learned=LEARNED)
    assert any(config.smoothing == "markov" for config, _ in found.tried)
    assert target.order(found.trial) <= target.order(without.trial)


def test_front_is_of_those_that_nothing_betters():
    found = tune({0.5: [noisy()]}, Target("f1"), BEFORE, tries=40)
    front = [trial for _, trial in found.front()]
    assert front
    for trial in front:
        assert not [t for _, t in found.tried if t.delay_s < trial.delay_s and t.spurious < trial.spurious]
    assert [t.spurious for t in front] == sorted((t.spurious for t in front), reverse=True)


def test_same_seed_gives_the_same_choice():
    first, second = (tune({0.5: [noisy()]}, Target("f1"), BEFORE, tries=10, seed=3).to_dict() for _ in range(2))
    assert first == second


def test_durations_and_order_are_those_of_the_labels():
    truth = np.repeat([0, NONE, 1, 0, 1], [100, 50, 200, 300, 400])
    recording = Recording(np.zeros((len(truth), 6)), 50.0, "ada", truth)
    learned = learn_chain([recording], [truth], LABELS)
    assert learned.durations_s == (4.0, 6.0)
    assert learned.successions.tolist() == [[0, 2], [1, 0]]
    with pytest.raises(DataError, match="no recording of run"):
        learn_chain([recording], [truth], (*LABELS, "run"))


def test_surprise_spreads_over_all_other_classes():
    learned = LearnedChain((1.0, 1.0, 1.0), np.array([[0, 4, 0], [0, 0, 0], [1, 1, 0]]))
    chain = learned.chain(surprise=0.5, stages=1, weight=0.3, floor=0.01)
    # What was never seen is equally probable.
    assert chain.following == ((0.0, 0.75, 0.25), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))


def test_targets_order_trials():
    slow, fast = Trial(3.0, 5.0, 10.0, 20.0, 0.8), Trial(1.0, 2.0, 90.0, 99.0, 0.9)
    assert min([slow, fast], key=Target("delay", 1.5).order) is fast
    assert min([slow, fast], key=Target("delay", 4.0).order) is slow
    assert min([slow, fast], key=Target("false-alarms", 50.0).order) is slow
    assert min([slow, fast], key=Target("f1").order) is fast


@pytest.mark.parametrize("text", ["", "delay", "delay=", "delay=1.2.3", "false-alarms=x/h", "delay=1e9", "speed=3"])
def test_other_targets_are_refused(text: str):
    with pytest.raises(SetupError, match="--target: found"):
        Target.parse(text)


def test_decision_is_written_into_the_model_and_nothing_else_changes(tmp_path: Path):
    model = tmp_path / "m.tflite"
    model.write_bytes(default_model().read_bytes())
    labels = read_tflite(model).contract.labels
    learned = LearnedChain((5.0,) * len(labels), np.zeros((len(labels), len(labels)), int))
    decision = DecisionConfig("markov", hop_s=0.32, chain=learned.chain(0.1, 2, 0.3, 0.01))
    window = np.zeros((read_tflite(model).contract.input_length, 6), np.float32)
    before, logits = read_tflite(model).contract, load_engine(model).invoke(window).copy()
    assert write_decision(model, None, decision) == model
    after = read_tflite(model).contract
    assert (after.decision, before.differences(after)) == (decision, ("decision",))
    assert (load_engine(model).invoke(window) == logits).all()
    columns = streaming_inside(read_tflite(default_model()))
    assert columns is not None
    assert streaming_inside(read_tflite(model)) == columns
    # Once more: a decision replaces another.
    write_decision(model, tmp_path / "other.tflite", DecisionConfig())
    assert read_tflite(tmp_path / "other.tflite").contract.decision == DecisionConfig()
    assert read_tflite(model).contract.decision == decision


def test_decision_of_a_run_goes_into_its_contract(tmp_path: Path):
    read_tflite(default_model()).contract.save(tmp_path / "contract.json")
    assert write_decision(tmp_path, None, BEFORE) == tmp_path / "contract.json"
    assert '"decision"' in (tmp_path / "contract.json").read_text()


def test_whom_to_tune_on(tmp_path: Path):
    data = load_dataset("synthetic:subjects=4,seconds=4")
    assert tuning_subjects(Path("m.tflite"), None, ("2",), data) == ("2",)
    with pytest.raises(DataError, match="subject 9"):
        tuning_subjects(Path("m.tflite"), None, ("9",), data)
    with pytest.raises(DataError, match="wearers to tune on: found none that are known"):
        tuning_subjects(Path("m.tflite"), None, None, data)
    (tmp_path / "metrics.json").write_text('{"subjects": {"validation": [3]}}')
    assert tuning_subjects(Path("m.tflite"), tmp_path, None, data) == ("3",)
    (tmp_path / "metrics.json").write_text('{"subjects": {"validation": []}}')
    with pytest.raises(DataError, match="a run without validation subjects"):
        tuning_subjects(tmp_path, None, None, data)


def test_hops_and_outputs_are_checked_before_the_search(tmp_path: Path):
    contract = read_tflite(default_model()).contract
    assert parse_hops(None, contract, replace(BEFORE, hop_s=1.28)) == (1.28, 0.64, 0.32)
    assert parse_hops("0.16,0.32", contract, replace(BEFORE, hop_s=1.28)) == (1.28, 0.16, 0.32)
    with pytest.raises(SetupError, match="--hops: found fast"):
        parse_hops("fast", contract, BEFORE)
    # The option of `tune` is another than that of `device run`.
    with pytest.raises(SetupError, match=r"hop: found 9 s.*; choose another hop$"):
        parse_hops("9", contract, BEFORE)
    with pytest.raises(SetupError, match="-o: found a file for a run folder"):
        check_output(tmp_path, tmp_path / "m.tflite")
    with pytest.raises(ModelError, match=r"expected a run folder or a \.tflite file"):
        check_output(tmp_path / "model.keras", None)


def test_recordings_of_the_first_label_alone_can_be_tuned_on_and_unlabelled_ones_cannot():
    contract = read_tflite(default_model()).contract
    recording = Recording(np.zeros((400, 6), np.float32), 50.0, "ada", np.zeros(400, np.int16))
    check_truth(Dataset((recording,), (contract.labels[0],), "one"), contract)
    unlabelled = replace(recording, labels=np.full(400, -1, np.int16))
    for names, each in (((contract.labels[0],), unlabelled), (("juggling",), recording)):
        with pytest.raises(DataError, match="found no sample with a label that the model has"):
            check_truth(Dataset((each,), names, "one"), contract)
    short = replace(recording, signals=recording.signals[:100], labels=recording.labels[:100])
    with pytest.raises(DataError, match=r"found 2\.00 s at most, expected recordings of 2\.56 s or more"):
        check_truth(Dataset((short,), (contract.labels[0],), "one"), contract)


def test_the_search_leaves_no_wide_gap_between_horizons():
    tried = tune({0.5: [noisy()]}, Target("f1"), BEFORE, tries=200, rounds=1).tried
    horizons = sorted({config.horizon_s for config, _ in tried if config.smoothing == "exponential"})
    assert (horizons[0], horizons[-1]) == (0.3, 4.0)
    assert max(later / earlier for earlier, later in itertools.pairwise(horizons)) < 1.7
