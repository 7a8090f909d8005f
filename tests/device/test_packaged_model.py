"""The packaged model is the one that was converted, with what calibration found in its contract."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from deseptr.contract import Mounting
from deseptr.data import load_sample
from deseptr.device import MountingCorrection, WindowEvent, default_model
from deseptr.tflite import embed_contract, load_engine, predict, read_tflite, streaming_inside, without_archive

FIGURES = Path(__file__).parents[2] / "benchmarks" / "motionsense"


@pytest.fixture(scope="module")
def packaged():
    return read_tflite(default_model())


def figures(name):
    return json.loads((FIGURES / name).read_text("utf-8"))


def uncalibrated(packaged):
    """The file as `deseptr convert` wrote it."""
    bare = replace(packaged.contract, logit_temperature=None, known_windows=None, mounting=None)
    return embed_contract(without_archive(packaged.content), bare, streaming_inside(packaged))


def test_its_graphs_are_those_that_were_converted_to_the_byte(packaged):
    assert hashlib.sha256(uncalibrated(packaged)).hexdigest() == figures("convert.json")["sha256"]


def test_its_contract_has_what_calibration_found(packaged):
    found, contract = figures("calibrate.json"), packaged.contract
    assert contract.logit_temperature == found["temperature"]
    assert (contract.known_windows.limit, contract.known_windows.share) == (
        found["known_windows"]["limit"],
        found["known_windows"]["share"],
    )
    assert dict(contract.mounting.worn) == found["mounting"]["worn"]
    assert [each.label for each in contract.mounting.classes] == found["mounting"]["classes"]
    tested = figures("evaluate_int8.json")["subjects"]
    learned = {*found["subjects"], *found["known_windows"]["subjects"], *found["mounting"]["subjects"]}
    assert not learned & set(tested)


def test_its_logits_are_divided_by_the_temperature_and_its_classes_stay(packaged, tmp_path):
    before = tmp_path / "before.tflite"
    before.write_bytes(uncalibrated(packaged))
    recording = load_sample().recordings[0]
    length = packaged.contract.input_length
    windows = recording.signals[None, :length].repeat(3, axis=0) * [[[0.5]], [[1.0]], [[2.0]]]
    plain, calibrated = predict(load_engine(before), windows), predict(load_engine(default_model()), windows)
    assert calibrated == pytest.approx(plain / packaged.contract.logit_temperature, rel=1e-5)
    assert (calibrated.argmax(1) == plain.argmax(1)).all()


def test_without_options_it_says_unknown_of_what_is_unlike_its_recordings():
    import deseptr

    upright = load_sample()
    turn = MountingCorrection(Mounting.named("x90"), upright.channels)
    turned = tuple(replace(each, signals=turn(each.signals)) for each in upright.recordings)
    other = replace(upright, recordings=turned)
    model = deseptr.load_model()

    def unfamiliar(dataset, **options):
        return [event.unknown for event in windows_of(model.simulate(dataset, **options))].count("unfamiliar")

    windows = len(windows_of(model.simulate(upright)))
    assert unfamiliar(upright) <= 0.02 * windows
    assert unfamiliar(other) >= 0.3 * windows
    assert unfamiliar(other, unknown=False) == 0


def windows_of(replayed):
    return [each.event for each in replayed if isinstance(each.event, WindowEvent)]
