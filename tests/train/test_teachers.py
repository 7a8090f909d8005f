from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.convert import Gate, convert_run
from deseptr.data import load_dataset
from deseptr.train import RunFolder, TrainConfig
from deseptr.train.checkpoint import load_run
from deseptr.train.classifier import WindowClassifier
from deseptr.train.models import CnnHar, Wave1d
from deseptr.train.pipeline import train
from deseptr.train.teachers import TeacherEnsemble, joined
from deseptr.train.view_encoder import ViewEncoder

DATA = "synthetic:subjects=4,seconds=12"
TINY = TrainConfig(
    model="deseptr",
    members=("wave1d", "cnn-har"),
    teacher_epochs=1,
    student_epochs=1,
    dim=8,
    batch_size=16,
    shift_samples=4,
)


def classifiers(input_range: float = 20.0) -> list[tuple[str, WindowClassifier]]:
    made = []
    for name, network in (("wave1d", Wave1d(3, width=4)), ("cnn_har_views", CnnHar(3, (4, 3, 2), 8, views=2))):
        made.append((name, WindowClassifier(ViewEncoder([input_range] * 6), network)))
        made[-1][1].build((None, 31 + 64, 6))
    return made


def test_probabilities_are_averaged(rng: np.random.Generator):
    windows = rng.normal(size=(5, 31 + 64, 6)).astype(np.float32) * 8
    named = classifiers()
    ensemble = joined(named)
    each = [np.asarray(classifier(windows)) for _, classifier in named]
    expected = np.mean([np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in each], axis=0)
    np.testing.assert_allclose(np.exp(np.asarray(ensemble(windows))), expected, rtol=1e-4)


def test_one_teacher_stays_itself():
    named = classifiers()[:1]
    assert joined(named) is named[0][1]


def test_teachers_of_different_input_are_refused():
    with pytest.raises(ModelError, match="teacher cnn_har_views: found another input range"):
        joined([classifiers()[0], classifiers(10.0)[1]])


def test_precision_of_all_members():
    ensemble = joined(classifiers())
    assert ensemble.in_precision("float32") is ensemble
    low = ensemble.in_precision("bfloat16")
    assert isinstance(low, TeacherEnsemble)
    assert {member.network.dtype_policy.name for member in low.members} == {"mixed_bfloat16"}


def test_two_teachers_from_recordings_to_student(tmp_path: Path, reporter):
    run = tmp_path / "run"
    metrics = train(load_dataset(DATA), run, TINY, reporter=reporter)
    folder = RunFolder(run)
    assert [stage[0] for stage in reporter.stages] == ["teacher", "teacher", "student"]
    assert metrics["epochs"] == {"teacher": 2, "student": 1}
    assert metrics["teacher"]["model"] == "wave1d_w64+cnn_har_views"
    assert [member["model"] for member in metrics["teacher"]["members"]] == ["wave1d_w64", "cnn_har_views"]
    assert {path.name for path in folder.lent_teachers().values()} == {"teacher-wave1d.keras", "teacher-cnn-har.keras"}
    classifier, contract = load_run(run)
    assert (contract.history, contract.stft.frame_length) == (31, 32)
    gain = np.asarray(classifier.network.spectrogram.gain)
    assert gain.std() > 0
    conversion = convert_run(run, tmp_path / "m.tflite", gate=Gate(0.0, 1.0, -99.0))
    float_graph, int8_graph = conversion.kept.parities[:2]
    assert (float_graph.agreement, float_graph.error.maximum < 1e-3) == (1.0, True)
    assert int8_graph.agreement > 0.9
    assert conversion.graph.inputs[0].shape == (1, 128, 12)
    # Another run is taught by both of these, without training any.
    config = replace(TINY, distillation="hard", seed=TINY.seed)
    again = train(load_dataset(DATA), tmp_path / "again", config, reporter=reporter, teacher_run=[run, run])
    assert again["epochs"]["teacher"] == 0
    assert len(again["teacher"]["members"]) == 4


@pytest.mark.usefixtures("eager")
def test_a_lone_network_is_lent_as_teacher(tmp_path: Path, reporter):
    config = replace(TINY, model="cnn-har")
    train(load_dataset(DATA), tmp_path / "cnn", config, reporter=reporter)
    metrics = train(load_dataset(DATA), tmp_path / "run", TINY, reporter=reporter, teacher_run=tmp_path / "cnn")
    assert metrics["teacher"]["model"] == "cnn_har_views"
    assert not list((tmp_path / "run").glob("teacher*.keras"))
