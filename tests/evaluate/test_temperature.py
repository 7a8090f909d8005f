import numpy as np
import pytest

from deseptr.contract import DataError, reliability, softmax
from deseptr.data import load_dataset
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
    with_theirs = reliability(softmax(predict(engine, own.signals) / others), own.labels)
    alone = calibrate(engine, dataset.select(subjects=("2",)))
    assert alone.windows == len(own)
    assert fitted.windows == fitted.before.counts.sum() == fitted.after.counts.sum()
    # Accuracy of all three together does not depend on any temperature.
    assert np.nansum(fitted.after.counts * fitted.after.accuracy) == pytest.approx(
        np.nansum(fitted.before.counts * fitted.before.accuracy)
    )
    assert alone.temperature != others
    assert with_theirs.counts.sum() == len(own)


def test_it_is_better_on_people_who_were_fitted_on_and_keeps_the_classes(packaged, dataset):
    engine = load_engine(packaged)
    windows = windows_for(engine.contract, dataset)
    logits = predict(engine, windows.signals)
    temperature = calibrate(engine, dataset).temperature

    def loss(divisor):
        return -np.log(softmax(logits / divisor)[np.arange(len(windows)), windows.labels]).mean()

    assert loss(temperature) < loss(1.0)
    assert loss(temperature) < min(loss(temperature * 1.05), loss(temperature / 1.05))


def test_a_single_class_is_refused(packaged, dataset):
    with pytest.raises(DataError, match="windows of one of the model's classes"):
        calibrate(load_engine(packaged), dataset.select(labels=(dataset.label_names[0],)))
