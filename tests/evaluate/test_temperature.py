import numpy as np
import pytest

from deseptr.contract import DataError, ModelContract, reliability, softmax
from deseptr.data import Dataset, Recording, load_dataset
from deseptr.device import default_model
from deseptr.evaluate.predictor import windows_for
from deseptr.evaluate.temperature import calibrate
from deseptr.tflite import load_engine, predict


@pytest.fixture(scope="module")
def packaged():
    return default_model()


@pytest.fixture(scope="module")
def dataset():
    return load_dataset("synthetic:subjects=3,seconds=20")


def test_wearers_after_are_measured_with_the_temperature_of_the_others(packaged, dataset):
    engine = load_engine(packaged)
    fitted = calibrate(engine, dataset)
    assert fitted.subjects == ("1", "2", "3")
    own = windows_for(engine.contract, dataset.select(subjects=("2",)))
    others = calibrate(engine, dataset.select(subjects=("1", "3"))).temperature
    logits = predict(engine, own.signals) * engine.contract.logit_temperature
    with_theirs = reliability(softmax(logits / others), own.labels)
    alone = calibrate(engine, dataset.select(subjects=("2",)))
    assert alone.windows == len(own)
    assert fitted.windows == fitted.before.counts.sum() == fitted.after.counts.sum()
    # Accuracy of all three together does not depend on any temperature.
    assert np.nansum(fitted.after.counts * fitted.after.accuracy) == pytest.approx(
        np.nansum(fitted.before.counts * fitted.before.accuracy)
    )
    assert alone.temperature != others
    assert with_theirs.counts.sum() == len(own)


def test_a_wearer_alone_is_measured_with_the_own_temperature(packaged, dataset):
    engine, alone = load_engine(packaged), dataset.select(subjects=("2",))
    fitted, own = calibrate(engine, alone), windows_for(engine.contract, alone)
    # The packaged model is calibrated; the fit leaves its temperature out of account.
    logits = predict(engine, own.signals) * (engine.contract.logit_temperature or 1.0)
    assert fitted.before.ece == pytest.approx(reliability(softmax(logits), own.labels).ece)
    assert fitted.after.ece == pytest.approx(reliability(softmax(logits / fitted.temperature), own.labels).ece)


def test_it_is_better_on_people_who_were_fitted_on_and_keeps_the_classes(packaged, dataset):
    engine = load_engine(packaged)
    windows = windows_for(engine.contract, dataset)
    logits = predict(engine, windows.signals) * engine.contract.logit_temperature
    temperature = calibrate(engine, dataset).temperature

    def loss(divisor):
        return -np.log(softmax(logits / divisor)[np.arange(len(windows)), windows.labels]).mean()

    assert loss(temperature) < loss(1.0)
    assert loss(temperature) < min(loss(temperature * 1.05), loss(temperature / 1.05))


def test_a_single_class_is_refused(packaged, dataset):
    with pytest.raises(DataError, match="windows of one of the model's classes"):
        calibrate(load_engine(packaged), dataset.select(labels=(dataset.label_names[0],)))


class FirstSampleEngine:
    """Logits are the first two values of a window's first sample."""

    name, threads, embedding = "first sample", 1, None
    contract = ModelContract(labels=("still", "walking"))

    def invoke(self, window):
        return window[0, :2]


def windows_of(logits, labels):
    """A dataset in which each of these logits is a recording of one window."""
    length = FirstSampleEngine.contract.window_length
    recordings = []
    for row, label in zip(logits, labels, strict=True):
        signals = np.zeros((length, 6), np.float32)
        signals[:, :2] = row
        recordings.append(Recording(signals, 50.0, "1", np.full(length, label, np.int16)))
    return Dataset(tuple(recordings), FirstSampleEngine.contract.labels, "drawn")


@pytest.mark.parametrize(("times", "sure", "hotter"), [(1.0, False, None), (4.0, True, True), (0.25, True, False)])
def test_a_temperature_is_sure_if_the_windows_tell_it_from_one(times, sure, hotter):
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (300, 2))
    labels = (random.random(300) < softmax(logits)[:, 1]).astype(int)
    fitted = calibrate(FirstSampleEngine(), windows_of(times * logits, labels))
    assert fitted.sure is sure
    if sure:
        assert (fitted.temperature > 1) is hotter
    assert fitted.to_dict()["sure"] is sure


def test_few_windows_are_never_sure():
    """Five windows that are all right ask for the coldest temperature, and prove nothing."""
    logits, labels = [[4.0, 0.0], [0.0, 4.0]] * 2 + [[4.0, 0.0]], [0, 1, 0, 1, 0]
    assert not calibrate(FirstSampleEngine(), windows_of(logits, labels)).sure
    assert calibrate(FirstSampleEngine(), windows_of(logits * 2, labels * 2)).sure
