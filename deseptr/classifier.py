"""What a run, its teacher and a ``.tflite`` have in common: windows in, logits out, scores on recordings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deseptr.contract.extras import needing_extra

from .arguments import dataset_of
from .results import ContinuousScores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deseptr.contract import DecisionConfig, EventRule, ModelContract, Scores
    from deseptr.data import Dataset, Windows
    from deseptr.evaluate.predictor import Predictor


class Classifier:
    """A trained model on disk, loaded when it is first needed.

    Args:
        path: a run folder, a ``.keras`` checkpoint with its contract beside it, or a ``.tflite`` file.
        threads: that the engine of a ``.tflite`` may use.
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        self._path, self._threads = Path(path), threads

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def contract(self) -> ModelContract:
        """Labels, rate, window, channels and ranges of the model."""
        return self._predictor.contract

    def windows(self, data: Dataset | str | Path) -> Windows:
        """Cut labelled windows of recordings as the model takes them.

        Args:
            data: recordings, or the name of a source of them.

        Returns:
            ``signals`` float32 ``[window, input_length, channels]`` in SI units, ``labels`` that index the contract's,
            ``subjects``.

        Raises:
            DataError: if recordings and model have no class in common, or no run of a label is as long as a window.
        """
        from deseptr.evaluate.predictor import windows_for

        return windows_for(self.contract, dataset_of(data))

    def predict(self, windows: Any) -> NDArray[np.float32]:
        """Classify windows.

        Args:
            windows: ``[window, input_length, channels]``, or one window ``[input_length, channels]``, in SI units;
                ``input_length`` is the contract's, a window and the history that views need.

        Returns:
            Logits float32 ``[window, class]``; classes in the order of ``contract.labels``.

        Raises:
            DataError: if the shape is another one.
        """
        import numpy as np

        from deseptr.contract import DataError

        shape = (self.contract.input_length, len(self.contract.channels))
        try:
            array = np.asarray(windows, np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(
                "windows",
                found=f"a {type(windows).__name__} that is no array of numbers",
                expected=f"[window, {shape[0]}, {shape[1]}]",
                next_step="pass windows(data).signals",
            ) from error
        array = array[None] if array.shape == shape else array
        if array.ndim != 3 or array.shape[1:] != shape:
            raise DataError(
                "windows",
                found=f"shape {array.shape}",
                expected=f"[window, {shape[0]}, {shape[1]}]",
                next_step="cut them with windows(data) and pass their signals",
            )
        return self._predictor.predict(array)

    def score(self, data: Dataset | str | Path) -> Scores:
        """Score the model on every labelled window of recordings.

        Args:
            data: recordings, or the name of a source of them. Choose the held-out subjects with :meth:`held_out`.

        Raises:
            DataError: as :meth:`windows`.
        """
        from deseptr.contract import score

        windows = self.windows(data)
        predicted = self._predictor.predict(windows.signals).argmax(axis=1)
        return score(windows.labels, predicted, self.contract.labels, windows.subjects)

    def continuous(
        self,
        data: Dataset | str | Path,
        *,
        decision: DecisionConfig | None = None,
        shortest_s: float = 5.0,
        onsets_of: Sequence[str] = (),
        events: Sequence[EventRule] | None = None,
    ) -> ContinuousScores:
        """Measure the label on whole recordings, as the device decides it, in virtual time.

        >>> import deseptr
        >>> deseptr.load_model().continuous("sample", decision=deseptr.DecisionConfig(hop_s=0.64)).hours
        0.03333333333333333

        Args:
            data: recordings, or the name of a source of them; stretches without a label are played as well.
            decision: how windows become a label that lasts, and how often they come; if None, as the model was tuned,
                else the defaults of ``deseptr device run``.
            shortest_s: activities that last less are not asked for their delay, s.
            onsets_of: classes that are asked for their delay; all by default.
            events: rules of the classes whose alarms are scored; if None, those that the model brings.

        Raises:
            DataError: if recordings and model have no class in common, or the recordings lack a channel.
            SetupError: if the decision's hop or a rule in ``events`` does not fit the model.
        """
        from deseptr.evaluate.continuous.measure import measure

        rules = self.contract.events or () if events is None else events
        measured = measure(
            self._predictor,
            dataset_of(data),
            decision,
            shortest_s=shortest_s,
            onsets_of=tuple(onsets_of),
            rules=tuple(rules),
        )
        return ContinuousScores(measured.to_dict())

    def held_out(self, data: Dataset | str | Path) -> Dataset:
        """The recordings of the people whom the model was not trained on, as it remembers them without their names.

        Args:
            data: recordings, or the name of a source of them. Of a model that remembers nobody, such as one of version
                0.1, those of the dataset's own test subjects, else all.

        Raises:
            DataError: if none of those whom the model remembers is among them.
        """
        from deseptr.evaluate.held_out_subjects import choose_subjects, remembered

        dataset = dataset_of(data)
        chosen = choose_subjects(dataset, None, [remembered(self._path, self.contract)])
        return dataset.select(subjects=chosen.subjects)

    @cached_property
    def _predictor(self) -> Predictor:
        from deseptr.evaluate.predictor import load_predictor

        with needing_extra(f"{type(self).__name__} {self._path}"):
            return load_predictor(self._path, self._threads)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"
