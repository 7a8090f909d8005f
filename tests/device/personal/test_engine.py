from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import ActivityChain, ClassMotion, DecisionConfig, EventRule, ModelContract, MountingReference
from deseptr.contract.known_windows import KnownWindows, statistics_count
from deseptr.data import load_sample
from deseptr.device import (
    AlarmEvent,
    EventWatch,
    LabelEvent,
    LabelTracker,
    PushStream,
    UnknownJudge,
    WindowEvent,
    default_model,
)
from deseptr.device.label.unknown import UNFAMILIAR
from deseptr.device.latency import WindowTimes
from deseptr.device.personal import PersonalEngine, personal_contract, personalise
from deseptr.device.stream.windows import Window
from deseptr.device.window_classifier import WindowClassifier
from deseptr.tflite import TfliteEngine, at_hop, load_engine, predict


@pytest.fixture(scope="module")
def engine():
    return load_engine(default_model())


@pytest.fixture(scope="module")
def file(engine):
    """Of a wearer whose model lacked nothing but a name for jogging, which gets another."""
    sample = load_sample()
    names = tuple("running" if name == "jogging" else name for name in sample.label_names)
    made = personalise(engine, engine.model, replace(sample, label_names=names), "eve", new_labels=["running"])
    assert made.check.new[0] > 0.5
    return made.file


def test_the_new_label_is_the_last(engine, file):
    personal = PersonalEngine(engine, file)
    assert personal.contract.labels == (*engine.contract.labels, "running")
    window = np.zeros((engine.contract.input_length, 6), np.float32)
    assert predict(personal, window[None]).shape == (1, 7)


def test_a_stream_by_columns_is_corrected_like_whole_windows(engine, file):
    """At a hop that shares columns, the correction gets the columns' logits and embedding."""
    signals = load_sample().recordings[0].signals[:600]
    stream = PushStream(PersonalEngine(at_hop(engine, 0.64), file))
    events = [event for event in stream.push(signals) if isinstance(event, WindowEvent)]
    assert {event.wearer for event in events} == {"eve"}
    assert events[0].to_dict()["wearer"] == "eve"
    whole = PushStream(PersonalEngine(_Whole(at_hop(engine, 0.64)), file))
    plain = [event for event in whole.push(signals) if isinstance(event, WindowEvent)]
    assert len(events) == len(plain) > 5
    assert [event.probabilities for event in events] == [event.probabilities for event in plain]


def test_labels_and_alarms_name_the_wearer_too(engine, file):
    personal = PersonalEngine(engine, file)
    walk = next(each for each in load_sample().select(labels=["walking"]).recordings if (each.labels == 0).all())
    for made, wearer in ((personal, "eve"), (engine, None)):
        tracker = LabelTracker(made.contract.labels, DecisionConfig(), made.contract.hop_s)
        watch = EventWatch(made.contract, [EventRule("walking")])
        stream = PushStream(made, tracker=tracker, watch=watch)
        events = stream.push(walk.signals)
        assert {type(event) for event in events} == {WindowEvent, LabelEvent, AlarmEvent}
        assert {event.to_dict().get("wearer") for event in events} == {wearer}


@pytest.mark.parametrize("by_columns", [True, False])
def test_drift_is_told_what_the_model_itself_found(engine, file, by_columns):
    """But nothing of a label that is the wearer's alone."""
    inner = at_hop(engine, 0.64) if by_columns else _Whole(at_hop(engine, 0.64))
    known = 0
    for recording in load_sample().recordings:
        corrected, plain = (
            [event for event in PushStream(each).push(recording.signals[:400]) if isinstance(event, WindowEvent)]
            for each in (PersonalEngine(inner, file), inner)
        )
        for event, own in zip(corrected, plain, strict=True):
            new = event.label == "running"
            known += not new
            assert event.uncorrected == (None if new else (own.label, own.confidence))
            assert own.uncorrected is None
    assert 0 < known < 9 * len(load_sample().recordings)


def test_nothing_is_measured_for_a_drift_that_nobody_counts(engine, file):
    window = Window(0, load_sample().recordings[0].signals[: engine.contract.input_length], 0, engine.contract.history)
    for drift in (True, False):
        stream = WindowClassifier(PersonalEngine(engine, file), None, lambda: 0, drift=drift)
        (event,) = stream.classify(window, 2.56, 0, WindowTimes())
        assert (event.gravity is not None) is drift
        assert (event.uncorrected is not None) is drift


class _Whole:
    """An engine that is not seen to have columns."""

    def __init__(self, engine):
        self.engine, self.contract = engine.engine, engine.contract
        assert isinstance(self.engine, TfliteEngine)

    def invoke(self, window):
        return self.engine.invoke(window)

    @property
    def embedding(self):
        return self.engine.embedding


def test_the_embedding_is_used_where_there_is_one(make_embedded, file):
    inner = load_engine(make_embedded())
    labels = inner.contract.labels
    random = np.random.default_rng(0)
    own = replace(
        file,
        labels=labels,
        new_labels=(),
        sessions=tuple(
            replace(
                each,
                logits=random.normal(size=(len(each), 3)).astype(np.float32),
                embeddings=random.normal(size=(len(each), 3)).astype(np.float32),
                labels=each.labels % 3,
            )
            for each in file.sessions
        ),
    )
    personal = PersonalEngine(inner, own)
    window = random.normal(size=(inner.contract.input_length, 6)).astype(np.float32)
    corrected = personal.invoke(window).copy()
    logits, embedding = inner.invoke(window).copy(), inner.embedding.copy()
    np.testing.assert_array_equal(corrected, personal.correct(logits, embedding, window))
    assert not np.allclose(corrected, personal.correct(logits, logits, window))


def test_a_chain_of_the_models_classes_is_left_out_with_a_new_label(engine, file):
    count = len(engine.contract.labels)
    even = (np.ones((count, count)) - np.eye(count)) / (count - 1)
    chain = ActivityChain((20.0,) * count, tuple(map(tuple, even.tolist())))
    tuned = replace(engine.contract, decision=DecisionConfig(smoothing="markov", chain=chain, dwell_s=3.0))
    made = personal_contract(tuned, file).decision
    assert (made.chain, made.smoothing, made.dwell_s) == (None, DecisionConfig().smoothing, 3.0)
    assert personal_contract(tuned, replace(file, new_labels=())).decision == tuned.decision


def test_known_windows_have_nothing_of_a_new_activity_and_are_left_out(engine, file):
    known = KnownWindows.of([1.0] * 9, np.zeros((1, 9)), limit=1.0, share=0.9)
    contract = replace(engine.contract, known_windows=known)
    assert personal_contract(contract, file).known_windows is None
    assert personal_contract(contract, replace(file, new_labels=())).known_windows == known


def test_how_the_sensor_was_worn_in_training_is_kept_with_a_new_label(engine, file):
    motion = ClassMotion(engine.contract.labels[0], (0.0,) * 26, (1.0,) * 26)
    contract = replace(engine.contract, mounting=MountingReference((motion,)))
    made = personal_contract(contract, file)
    assert (made.mounting, made.labels[-1]) == (contract.mounting, file.new_labels[-1])
    assert ModelContract.from_json(made.to_json()) == made


def test_a_new_label_is_not_unfamiliar_to_the_wearer_who_recorded_it(engine, file):
    """Of a model to which every window is unfamiliar, the wearer's own label alone stays."""
    count = statistics_count(engine.contract.channels)
    none = KnownWindows.of([1e-3] * count, np.full((1, count), 100.0), limit=0.001, share=0.9)
    contract = replace(engine.contract, known_windows=none)
    sample = load_sample()
    running = sample.label_names.index("jogging")
    found = {}
    for recording in sample.recordings:
        stream = PushStream(PersonalEngine(engine, file), unknown=UnknownJudge(contract))
        events = [each for each in stream.push(recording.signals) if isinstance(each, WindowEvent)]
        for event in events:
            found.setdefault(bool((recording.labels == running).all()), []).append((event.label, event.unknown))
    assert ("running", None) in found[True]
    assert {why for label, why in found[True] + found[False] if label != "running"} == {UNFAMILIAR}
