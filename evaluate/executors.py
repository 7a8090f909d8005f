"""Running folds in this process, in several processes of this machine, or on a Ray cluster.

An executor takes the recordings and the jobs and yields an outcome as each fold ends. If a fold fails with an expected
error (:class:`DeseptrError`), the error is its outcome and the other folds continue.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deseptr.contract import DeseptrError, SetupError
from deseptr.data import Dataset

from .fold_job import FoldJob, FoldResult, run_fold, train_folds_together


@dataclass(frozen=True)
class FoldFailure:
    """A fold that ended with an expected error."""

    job: FoldJob
    error: DeseptrError


Outcome = FoldResult | FoldFailure
Executor = Callable[[Dataset, Sequence[FoldJob]], Iterator[Outcome]]


def local_executor(processes: int = 1) -> Executor:
    """Run up to ``processes`` folds at once; with 1, run them in this process one after another."""
    return _here if processes == 1 else partial(_in_processes, processes)


def ray_executor(address: str, at_once: int | None = None) -> Executor:
    """Run folds as Ray tasks.

    Every machine of the cluster needs this package and the output folder under the same path. CPUs and GPUs are divided
    evenly among the folds that run at once.

    Args:
        address: address of the cluster's head, ``auto`` for the cluster of this machine, or ``local`` for a new one.
        at_once: maximal number of folds at once; by default the number of folds or CPUs, whichever is smaller.
    """
    return partial(_on_ray, address, at_once)


def together_executor(report: Callable[[str], None] = lambda text: None) -> Executor:
    """Train all folds at once in this process, on JAX, then measure them one after another.

    Args:
        report: called with a line of text after each stage.
    """
    return partial(_together, report)


def attempt_fold(dataset: Dataset, job: FoldJob) -> Outcome:
    """Run a fold; an expected error is an outcome."""
    try:
        return run_fold(dataset, job)
    except DeseptrError as error:
        return FoldFailure(job, error)


def _here(dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    for job in jobs:
        yield attempt_fold(dataset, job)


def _together(report: Callable[[str], None], dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    train_folds_together(dataset, jobs, report)
    yield from _here(dataset, jobs)


def _work(dataset: Dataset, job: FoldJob, threads: int) -> Outcome:
    """Run a fold in a separate process, with a number of threads; all output goes to the fold's log."""
    # TensorFlow reads these when it starts, which in a new process is after this line.
    os.environ.update(TF_NUM_INTRAOP_THREADS=str(threads), TF_NUM_INTEROP_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
    # A conversion starts a process from here, to which loky's start method would be unknown.
    multiprocessing.set_start_method("spawn", force=True)
    with _output_into(job.log):
        return attempt_fold(dataset, job)


def _in_processes(processes: int, dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    threads = max(1, joblib.cpu_count() // processes)
    with joblib.parallel_config("loky", n_jobs=processes, inner_max_num_threads=threads, max_nbytes=None):
        parallel = joblib.Parallel(return_as="generator_unordered")
        try:
            yield from parallel(joblib.delayed(_work)(dataset, job, threads) for job in jobs)
        except TerminatedWorkerError as error:
            raise _died("fewer --jobs need less memory") from error


def _on_ray(address: str, at_once: int | None, dataset: Dataset, jobs: Sequence[FoldJob]) -> Iterator[Outcome]:
    if not jobs:
        return
    # Without this, Ray sends usage statistics.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    try:
        _probe_port(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise SetupError(
            f"--ray {address}",
            found=f"no cluster ({str(error).splitlines()[0]})",
            expected="the address of a running cluster, host:port, auto, or local",
            next_step="start one with `ray start --head`",
        ) from error
    try:
        yield from _ray_outcomes(ray, dataset, jobs, at_once)
    finally:
        ray.shutdown()


def _probe_port(address: str) -> None:
    """Raise an OSError if nothing listens at the address; Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=10).close()


def _ray_outcomes(ray: Any, dataset: Dataset, jobs: Sequence[FoldJob], at_once: int | None) -> Iterator[Outcome]:
    have = ray.cluster_resources()
    running = max(1, min(at_once or len(jobs), len(jobs), int(have.get("CPU", 1))))
    threads = max(1, int(have.get("CPU", 1)) // running)
    gpus = int(1e4 * min(1.0, have.get("GPU", 0) / running)) / 1e4
    task = ray.remote(_work).options(num_cpus=threads, num_gpus=gpus, max_retries=1)
    recordings = ray.put(dataset)
    waiting: list[FoldJob] = list(jobs)
    pending: dict[Any, FoldJob] = {}
    while waiting or pending:
        while waiting and len(pending) < running:
            job = waiting.pop(0)
            pending[task.remote(recordings, job, threads)] = job
        (done, *_), _ = ray.wait(list(pending))
        yield _ray_outcome(ray, done, pending.pop(done))


def _ray_outcome(ray: Any, reference: Any, job: FoldJob) -> Outcome:
    try:
        outcome: Outcome = ray.get(reference)
    except ray.exceptions.RayTaskError:
        raise
    except ray.exceptions.RayError as error:
        raise _died(f"see {job.log}") from error
    if isinstance(outcome, FoldResult) and not job.result.exists():
        raise SetupError(
            job.result,
            found="no file, although a machine of the cluster has written it",
            expected="an output folder that all machines share",
            next_step="choose -o on a shared file system",
        )
    return outcome


def _died(hint: str) -> SetupError:
    return SetupError(
        "cross-validation",
        found="a fold's process that died",
        expected="memory for all folds at once",
        next_step=f"{hint}; the same command continues where this one stopped",
    )


@contextmanager
def _output_into(path: Path) -> Iterator[None]:
    """Append everything that this process writes to stdout and stderr, native libraries included, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = [os.dup(1), os.dup(2)]
    try:
        with path.open("ab") as file:
            _point_output(file.fileno(), file.fileno())
        yield
    finally:
        _point_output(*before)
        for descriptor in before:
            os.close(descriptor)


def _point_output(out: int, err: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(out, 1)
    os.dup2(err, 2)
