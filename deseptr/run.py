"""A finished run of training and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.contract import ModelContract
from deseptr.contract.extras import needing_extra

from .arguments import check_progress, dataset_of
from .classifier import Classifier
from .progress import Callback, conversion_steps
from .wording import in_python_words

if TYPE_CHECKING:
    from deseptr.data import Dataset
    from deseptr.train.history import History
    from deseptr.train.run_folder import RunFolder

    from .model import Model


class Teacher(Classifier):
    """The teacher of a run."""


class Run(Classifier):
    """A run folder, as :func:`deseptr.fit` and ``deseptr train`` leave it.

    >>> import deseptr, tempfile
    >>> data = deseptr.load("synthetic:subjects=4,seconds=12")
    >>> tiny = dict(teacher_epochs=1, student_epochs=1, teacher_width=4, dim=8)
    >>> run = deseptr.fit(data, tempfile.mkdtemp() + "/tiny", **tiny)
    >>> run.test_subjects
    ('4',)
    >>> run.history[-1]["stage"]
    'student'

    Args:
        path: the folder.
    """

    @property
    def contract(self) -> ModelContract:
        """Labels, rate, window, channels and ranges of the model."""
        return ModelContract.load(self._folder.contract)

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of ``metrics.json``: figures of student and teacher on the held-out subjects, minutes, versions.

        Raises:
            ModelError: if the run is not finished.
        """
        from deseptr.train.run_folder import read_metrics

        return read_metrics(self._folder)

    @property
    def macro_f1(self) -> float:
        """Macro-F1 of the run's model, in float, on its held-out subjects."""
        return float(self.metrics["student"]["macro_f1"])

    @property
    def test_subjects(self) -> tuple[str, ...]:
        """Subjects that were held out."""
        return tuple(self.metrics["subjects"]["test"])

    @property
    def history(self) -> History:
        """A row for each epoch of each stage, as in ``history.csv``."""
        from deseptr.train.history import read_history

        return read_history(self._folder.history)

    @property
    def config(self) -> dict[str, Any]:
        """The settings, as in ``config.json``."""
        from dataclasses import asdict

        from deseptr.train.config import TrainConfig

        return asdict(TrainConfig.load(self._folder.config))

    @property
    def teacher(self) -> Teacher | None:
        """The teacher that this run trained; None if it had none, or took another run's."""
        path = self._folder.teacher
        return Teacher(path) if path.exists() else None

    def convert(
        self,
        output: str | Path | None = None,
        *,
        mode: str = "int8",
        io: str = "",
        target: str = "pi",
        data: Dataset | str | Path | None = None,
        test_subjects: Sequence[str] | None = None,
        agreement: float = 99.0,
        loss: float = 0.5,
        force: bool = False,
        streaming: bool = True,
        embedding: bool = True,
        page: bool = False,
        progress: bool | Callback = False,
    ) -> Model:
        """Make a ``.tflite`` of the run's model, contract inside, and prove that it is the same model.

        Args:
            output: file to write, and ``.json`` of the same name beside it; the run's name + ``.tflite`` by default.
            mode: ``"int8"``, ``"int16x8"``, ``"float16"``, ``"dynamic"`` or ``"float32"``.
            io: element type of window and logits; the mode's own by default.
            target: ``"pi"``, ``"micro"`` or ``"coral"``.
            data: recordings to calibrate and judge on; those of the training by default.
            test_subjects: of ``data``, on whom to judge.
            agreement: least share of windows of the checkpoint's class, %.
            loss: largest loss of accuracy and of macro-F1, points.
            force: also write a model that fails the gate.
            streaming: add the graphs that share columns between windows, if they give the same bits.
            embedding: add what the model's heads read as a second output, where that is one tensor.
            page: also write an HTML page beside it.
            progress: ``True`` for lines on stderr, or a callback.

        Returns:
            The model; its ``conversion`` has the figures.

        Raises:
            ConversionError: if the network has no lowering, breaks a rule of the target, or is not the same model.
            SetupError: if ``output`` cannot be written, or a package is missing.
        """
        from deseptr.data.recording import names_of

        from .model import Model

        path = Path(output) if output is not None else Path(f"{self._path.resolve().stem}.tflite")
        check_progress(progress)
        step = conversion_steps(progress, self._path)
        with in_python_words(), needing_extra("Run.convert"):
            from deseptr.contract import atomic_write
            from deseptr.convert import Gate, Recipe, convert_run
            from deseptr.evaluate.predictor import calibration_for

            held_out = names_of(test_subjects, "test_subjects")
            conversion = convert_run(
                self._path,
                path,
                Recipe(mode, io, target, embedding=embedding),
                calibration=None if data is None else calibration_for(self.contract, dataset_of(data), held_out),
                gate=Gate(agreement / 100, loss / 100),
                force=force,
                streaming=streaming,
                report=step,
            )
            if page:
                from deseptr.report.conversion_page import convert_page

                atomic_write(path.with_suffix(".html"), convert_page(conversion))
        return Model(path, conversion=conversion)

    @cached_property
    def _folder(self) -> RunFolder:
        from deseptr.train.run_folder import RunFolder

        return RunFolder(self._path)

    def __repr__(self) -> str:
        if not self._folder.metrics.exists():
            return f"Run({str(self._path)!r}, unfinished)"
        return (
            f"Run({str(self._path)!r}, {self.contract.model}, macro_f1 {self.macro_f1:.4f} on held-out subjects "
            f"{', '.join(self.test_subjects)})"
        )
