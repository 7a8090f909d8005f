"""On JAX an epoch is one dispatch, and folds trained together share one compilation; in a process of its own."""

from pathlib import Path

import pytest
from jax_process import on_jax

pytest.importorskip("jax")

_COUNT = """
import jax
counts = {"compiled": 0, "dispatched": 0}
jit = jax.jit

def counting(function, **options):
    program = jit(function, **options)
    def call(*arguments):
        before = program._cache_size()
        result = program(*arguments)
        counts["dispatched"] += 1
        counts["compiled"] += program._cache_size() - before
        return result
    return call

jax.jit = counting
"""
_SETTINGS = """
from deseptr.train import TrainConfig
config = TrainConfig(model="cnn-har", views=True, validation=0, student_epochs=3, batch_size=16, shift_samples=4,
                     mixup=0.5, time_warp=0.1, class_weights="sqrt")
"""
_EPOCHS = (
    """
import keras, numpy as np
from deseptr.data import load_dataset
from deseptr.train.log_file import LogFile
from pathlib import Path
"""
    + _SETTINGS
    + _COUNT
    + """
import deseptr.train.training_loop as loop
from deseptr.train.pipeline import prepare_run
from deseptr.train.stages import new_network, seed_stage, student_stage, supervised_objective
from deseptr.train.classifier import WindowClassifier
from deseptr.train.view_encoder import ViewEncoder
from deseptr.train.epoch_order import epoch_order, steps_of
from deseptr.train.jax_epochs import JaxEpochs
run = prepare_run(load_dataset("synthetic:subjects=4,seconds=12"), Path("run"), config, LogFile(Path("log")))
classifier = WindowClassifier(ViewEncoder(run.contract.input_range), new_network("cnn-har", run.classes, config))
objective = supervised_objective(run, classifier)
stage = student_stage(config)
objective.compile(optimizer=stage.optimizer(len(run.data.margined)))
loop.build_objective(objective, run.data.margined)
epochs = JaxEpochs(objective, run.data.margined)
order = [epoch_order(run.data.margined, stage, e, steps_of(len(run.data.margined), 16)) for e in range(3)]
losses = [epochs.run(of_epoch) for of_epoch in order]
assert np.isfinite(losses).all() and np.mean(losses[2]) < np.mean(losses[0])
print(counts["dispatched"], counts["compiled"], len(losses[0]) > 3)
"""
)
_FOLDS = (
    "import deseptr.train.together\n"
    + _SETTINGS
    + _COUNT
    + """
from pathlib import Path
from deseptr.data import load_dataset, make_protocol
from deseptr.evaluate.crossval import make_jobs
from deseptr.evaluate.fold_job import train_folds_together
dataset = load_dataset("synthetic:subjects=4,seconds=12")
jobs = make_jobs(dataset, make_protocol("loso", dataset), config, Path("out"), None)[:3]
for job in jobs:
    job.folder.mkdir(parents=True)
train_folds_together(dataset, jobs, print)
print(counts["dispatched"], counts["compiled"])
import numpy as np
states = [np.load(job.run / "state" / "student" / "state-3.npz") for job in jobs]
assert all((job.run / "model.keras").exists() for job in jobs)
same = [np.array_equal(states[0][name], states[1][name]) for name in states[0]]
assert not all(same)
from deseptr.train.log_file import LogFile
from deseptr.train.pipeline import prepare_run
from deseptr.train.together import train_together
again = [prepare_run(dataset, j.run, j.config, LogFile(j.log), j.fold.test_subjects) for j in jobs]
train_together(again, print)
print(counts["dispatched"])
"""
)

_FEW_LABELS = (
    """
import deseptr.train.together
from dataclasses import replace
from pathlib import Path
import numpy as np
from deseptr.data import load_dataset, make_protocol
from deseptr.evaluate.crossval import make_jobs
from deseptr.evaluate.fold_job import run_fold, train_folds_together
from deseptr.train import TrainConfig
config = TrainConfig(model="deseptr", members=("cnn-har",), views=True, validation=0, teacher_epochs=1,
                     student_epochs=2, batch_size=16, shift_samples=4, labelled_subjects=2, dim=8)
"""
    + _COUNT
    + """
dataset = load_dataset("synthetic:subjects=5,seconds=12")
protocol = make_protocol("loso", dataset)
jobs = make_jobs(dataset, protocol, config, Path("out"), False)[:2]
train_folds_together(dataset, jobs, lambda text: None)
print(counts["dispatched"], counts["compiled"])
for job in jobs:
    figures = run_fold(dataset, job).figures
    assert figures["windows"]["unlabelled"] == 96, figures["windows"]
    chosen = set(figures["subjects"]["labelled"])
    assert len(chosen) == 2 and not chosen & {*figures["subjects"]["unlabelled"], *figures["subjects"]["test"]}
# Labels of who is neither learned from nor tested in any of the folds are not read.
fold = jobs[0]
kept = {*run_fold(dataset, fold).figures["subjects"]["labelled"], *fold.fold.test_subjects}
recordings = [replace(r, labels=(r.labels + 1) % 6) if r.subject not in kept else r
              for r in dataset.recordings]
other = replace(fold, folder=Path("other").resolve())
train_folds_together(replace(dataset, recordings=tuple(recordings)), [other, replace(jobs[1], folder=Path("second"))],
                     lambda text: None)
logits = [run_fold(dataset, job).predictions.logits for job in (fold, other)]
assert np.array_equal(*logits)
"""
)


@pytest.mark.slow
def test_an_epoch_is_one_dispatch_of_one_program(tmp_path: Path):
    assert on_jax(_EPOCHS, tmp_path).split()[-3:] == ["3", "1", "True"]


@pytest.mark.slow
def test_folds_share_one_compilation(tmp_path: Path):
    lines = on_jax(_FOLDS, tmp_path).strip().splitlines()
    assert lines[0].startswith("student: 3 epochs of 3 folds in")
    assert lines[1].split() == ["3", "1"]
    assert lines[2:] == ["student: finished before in 3 folds", "3"]


@pytest.mark.slow
def test_folds_together_learn_from_unlabelled_wearers_and_not_from_their_labels(tmp_path: Path):
    lines = on_jax(_FEW_LABELS, tmp_path).strip().splitlines()
    assert lines[0].split() == ["3", "2"]
