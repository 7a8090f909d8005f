"""Real folds in other processes and on a real Ray cluster of two workers."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deseptr.contract import SetupError
from deseptr.data import load_dataset, make_protocol
from deseptr.evaluate import executors
from deseptr.evaluate.crossval import make_jobs
from deseptr.evaluate.executors import Executor, local_executor, ray_executor
from deseptr.evaluate.fold_job import FoldJob, FoldResult
from deseptr.train import TrainConfig

DATASET = load_dataset("synthetic:subjects=4,seconds=12")


@pytest.fixture
def jobs(tiny_config: TrainConfig, tmp_path: Path) -> list[FoldJob]:
    return make_jobs(DATASET, make_protocol("arena", DATASET), tiny_config, tmp_path, True)[:2]


def folds_run(executor: Executor, jobs: list[FoldJob]) -> list[str]:
    """Run the folds and check that each has left everything, int8 included; their names."""
    outcomes = list(executor(DATASET, jobs))
    assert all(isinstance(outcome, FoldResult) for outcome in outcomes), outcomes
    for job in jobs:
        figures = json.loads(job.result.read_text())
        assert figures["int8"]["agreement"] > 0.6  # far above chance; two epochs leave most windows near ties
        assert "student 2/2  loss" in job.log.read_text()
    assert not np.array_equal(*(outcome.predictions.logits for outcome in outcomes))
    return sorted(outcome.job.fold.name for outcome in outcomes)


@pytest.mark.slow
def test_folds_run_in_two_processes(jobs: list[FoldJob]):
    assert folds_run(local_executor(2), jobs) == ["0", "1"]


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 9)
    monkeypatch.setattr(executors, "_work", lambda dataset, job, threads: (job, threads))
    jobs: Any = ["a", "b", "c"]
    assert sorted(local_executor(2)(DATASET, jobs)) == [("a", 4), ("b", 4), ("c", 4)]


@pytest.fixture
def cluster() -> Iterator[str]:
    """Address of a Ray cluster of two nodes with one CPU each on this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


@pytest.mark.slow
def test_folds_run_on_a_ray_cluster_of_two_workers(jobs: list[FoldJob], cluster: str):
    assert folds_run(ray_executor(cluster), jobs) == ["0", "1"]


def test_ray_cluster_that_is_not_there_is_named(jobs: list[FoldJob]):
    pytest.importorskip("ray")
    with pytest.raises(
        SetupError, match=r"--ray 127\.0\.0\.1:1: found no cluster .*refused.*; start one with `ray start --head`"
    ):
        list(ray_executor("127.0.0.1:1")(DATASET, jobs))


def test_nothing_to_run_starts_no_cluster():
    assert list(ray_executor("127.0.0.1:1")(DATASET, [])) == []


@pytest.mark.parametrize("executor", [local_executor(1), local_executor(2)])
def test_nothing_to_run_is_no_error(executor: Executor):
    assert list(executor(DATASET, [])) == []
