import numpy as np
import pytest

import deseptr
from deseptr.contract import DataError, Mounting
from deseptr.data import load_sample
from deseptr.device import MountingEvent, default_model
from deseptr.device.mounting.recordings import turned_back
from deseptr.device.personal import WearerFile
from deseptr.device.personal.recorded import Recorded
from deseptr.device.personal.wearer_file import model_hash
from deseptr.tflite import read_tflite


def test_a_model_is_personalised_saved_and_loaded(tmp_path):
    model = deseptr.load_model()
    eve = model.personalise("sample", "eve")
    eve.wearer.save(tmp_path / "eve.deseptr")
    again = deseptr.load_model(wearer=tmp_path / "eve.deseptr")
    windows = model.windows("sample").signals[:5]
    np.testing.assert_array_equal(eve.predict(windows), again.predict(windows))
    assert not np.allclose(eve.predict(windows), model.predict(windows))
    events = list(again.simulate("sample", seconds=4))
    assert events[0].event.wearer == "eve"
    stream = deseptr.stream(again)
    assert [each.wearer for each in stream.push(np.zeros((150, 6))) if hasattr(each, "probabilities")] == ["eve"]
    assert len(again.personalise("sample").wearer.sessions) == 2


def test_the_new_labels_of_a_wearer_come_last_in_the_contract_and_in_what_is_predicted():
    file = read_tflite(default_model())
    known, width = len(file.contract.labels), file.contract.embedding_width
    random, labels = np.random.default_rng(0), np.repeat([0, 1, known], 4)
    logits, embeddings = (random.normal(size=(12, size)).astype(np.float32) for size in (known, width))
    statistics = random.normal(size=(12, 9)).astype(np.float32)
    session = Recorded(logits, embeddings, labels, np.zeros(12, np.int64), np.arange(12) * 200, statistics)
    eve = WearerFile("eve", model_hash(file), file.contract.labels, ("cycling",), (session,))
    model = deseptr.load_model(wearer=eve)
    assert model.contract.labels == (*file.contract.labels, "cycling")
    assert model.predict(np.zeros((2, file.contract.input_length, 6), np.float32)).shape == (2, known + 1)
    assert deseptr.load_model().contract.labels == file.contract.labels


def test_recordings_of_a_turned_sensor_are_turned_back_and_a_stream_says_where_it_is_not():
    x90 = Mounting.named("x90")
    turned = turned_back(load_sample(), x90.inverse())
    model = deseptr.load_model()
    eve = model.personalise(turned, "eve", mounting="auto")
    plain = model.personalise("sample", "eve")
    np.testing.assert_array_equal(eve.wearer.recorded.logits, plain.wearer.recorded.logits)
    assert (eve.wearer.mountings, plain.wearer.mountings) == (("x90",), ("none",))
    samples = np.concatenate([each.signals for each in turned.recordings])
    for worn, warned in ((eve, False), (plain, True)):
        events = deseptr.stream(worn, mounting="auto").push(samples)
        (event,) = (each for each in events if isinstance(each, MountingEvent))
        assert event.applied == "x90"
        assert event.meaning.endswith("record again with --mounting x90") == warned
    with pytest.raises(DataError, match=r"leave open how the sensor is turned.*mounting=.x90"):
        model.personalise(turned.select(labels=("sitting",)), "eve", mounting="auto")
