"""Progress of long calls: nothing, bars, or a callback of the caller's that may cancel; and a log in any case."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deseptr.contract import CancelledError

if TYPE_CHECKING:
    from deseptr.evaluate.executors import Outcome
    from deseptr.evaluate.fold_job import FoldJob
    from deseptr.train.training_loop import Reporter

log = logging.getLogger("deseptr")

FEW_STEPS = 100
"""Fewer steps of training are warned of: 100 windows give 20 steps in 20 epochs of the default batch size."""

_TOLD = ("loss", "val_macro_f1")


@dataclass(frozen=True)
class Progress:
    """A step of a long call.

    Args:
        stage: what is being done: ``"teacher"``, ``"student"``, ``"folds"``, or a step of a conversion in words.
        done: epochs or folds finished in this stage.
        total: of how many; 0 where that is not known.
        share: of the stage, from 0 to 1, parts of an epoch included.
        figures: of the epoch or fold that has just ended, as in ``history.csv`` or ``result.json``; empty otherwise.
    """

    stage: str
    done: int = 0
    total: int = 0
    share: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        counted = f" {self.done} of {self.total}, {self.share:.0%}" if self.total else ""
        numbers = {name: value for name, value in self.figures.items() if name in _TOLD and value is not None}
        return self.stage + counted + "".join(f"  {name} {value:.3f}" for name, value in numbers.items())


Callback = Callable[[Progress], Any]
"""Takes each :class:`Progress`; the call is cancelled if it returns ``False``."""


def check(callback: Callback, progress: Progress, what: object, next_step: str) -> None:
    """Call a callback.

    Raises:
        CancelledError: if it returns ``False``.
    """
    if callback(progress) is False:
        done = f", {progress.done} of {progress.total} done" if progress.total else ""
        raise CancelledError(
            what,
            found=f"False from the progress callback in {progress.stage}{done}",
            expected="any other value to go on",
            next_step=next_step,
        )


@contextmanager
def training_reporter(progress: bool | Callback, what: object, batch_size: int | None) -> Iterator[Reporter]:
    """A reporter of ``deseptr.train`` for a value of ``progress``.

    Args:
        progress: as :func:`deseptr.fit` takes it.
        what: the run, as messages name it.
        batch_size: windows in a step of training; None of a model that is trained in one go.
    """
    if progress is True:
        from deseptr.cli.train.progress import TrainingProgress

        with TrainingProgress() as bars:
            yield _Logged(bars, batch_size)
    else:
        yield _Logged(_Called(progress or _nothing, what), batch_size)


@contextmanager
def fold_reporter(progress: bool | Callback, what: object) -> Iterator[Any]:
    """A reporter of ``deseptr.evaluate.crossval`` for a value of ``progress``."""
    if progress is True:
        from deseptr.cli.evaluate.crossval import FoldProgress

        with FoldProgress() as lines:
            yield lines
    else:
        yield _Folds(progress or _nothing, what)


@contextmanager
def round_counter(progress: bool | Callback, rounds: int) -> Iterator[Callable[[int], None]]:
    """Takes the number of timed rounds of a comparison so far, for a value of ``progress``."""
    if progress is True:
        from rich.progress import Progress as Bars

        with Bars() as bars:
            task = bars.add_task("timing", total=rounds)
            yield lambda done: bars.update(task, completed=done)
    else:
        callback = progress or _nothing

        def step(done: int) -> None:
            check(callback, Progress("timing", done, rounds, done / rounds), "deseptr.compare", "compare again")

        yield step


def conversion_steps(progress: bool | Callback, what: object) -> Callable[[str], None]:
    """Takes the steps of a conversion, for a value of ``progress``."""

    def step(text: str) -> None:
        log.info("%s: %s", what, text)
        if progress is True:
            from rich.console import Console

            Console(stderr=True).print(f"{what}: {text}", highlight=False, markup=False)
        elif progress:
            check(progress, Progress(text), what, "convert again; nothing was written")

    return step


def _nothing(progress: Progress) -> None:
    return


class _Called:
    """Turns what a training reports into calls."""

    def __init__(self, callback: Callback, what: object) -> None:
        self._callback, self._what = callback, what
        self._stage, self._epochs, self._done, self._windows, self._seen = "", 0, 0, 1, 0

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        self._stage, self._epochs, self._done, self._windows, self._seen = name, epochs, done, max(1, windows), 0
        self._call({})

    def batch(self, windows: int) -> None:
        self._seen += windows
        self._call({})

    def epoch(self, row: dict[str, Any]) -> None:
        self._done, self._seen = int(row["epoch"]), 0
        self._call(row)

    def stopped(self, epochs: int) -> None:
        self._done = self._epochs = epochs
        self._call({})

    def _call(self, figures: Mapping[str, Any]) -> None:
        part = min(1.0, self._seen / self._windows)
        share = min(1.0, (self._done + part) / max(1, self._epochs))
        progress = Progress(self._stage, self._done, self._epochs, share, figures)
        check(self._callback, progress, self._what, 'go on with if_exists="resume"')


class _Logged:
    """Passes all on, and logs stages, epochs and whether a stage is too short to learn much."""

    def __init__(self, inner: Reporter, batch_size: int | None) -> None:
        self._inner, self._batch_size = inner, batch_size

    def stage(self, name: str, epochs: int, done: int, windows: int) -> None:
        log.info("%s: %d epochs of %d windows, %d done before", name, epochs, windows, done)
        steps = FEW_STEPS if self._batch_size is None else epochs * math.ceil(windows / self._batch_size)
        if steps < FEW_STEPS:
            log.warning(
                "%s: training steps: found %d (epochs: %d, windows: %d, batch_size: %d), expected %d or more to learn "
                "from; pass a smaller batch_size or more epochs",
                *(name, steps, epochs, windows, self._batch_size, FEW_STEPS),
            )
        self._inner.stage(name, epochs, done, windows)

    def batch(self, windows: int) -> None:
        self._inner.batch(windows)

    def epoch(self, row: dict[str, Any]) -> None:
        from deseptr.train.history import epoch_line

        log.info("%s, epoch %d: %s", row["stage"], row["epoch"], epoch_line(row))
        self._inner.epoch(row)

    def stopped(self, epochs: int) -> None:
        log.info("stopped after %d epochs", epochs)
        self._inner.stopped(epochs)


class _Folds:
    """Turns what a cross-validation reports into calls and a log."""

    def __init__(self, callback: Callback, what: object) -> None:
        self._callback, self._what = callback, what
        self._total = self._done = 0

    def begin(self, waiting: Sequence[FoldJob], kept: int) -> None:
        self._total, self._done = len(waiting) + kept, kept
        self._call({})

    def fold(self, outcome: Outcome) -> None:
        from deseptr.evaluate.fold_job import FoldResult

        self._done += 1
        figures = outcome.figures if isinstance(outcome, FoldResult) else {"error": str(outcome.error)}
        log.info("fold %s ended, %d of %d", outcome.job.fold.name, self._done, self._total)
        self._call(figures)

    def _call(self, figures: Mapping[str, Any]) -> None:
        progress = Progress("folds", self._done, self._total, self._done / max(1, self._total), figures)
        check(self._callback, progress, self._what, "the same call goes on: finished folds are kept")
