"""From a checkpoint to the static graph that is quantised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from deseptr.contract import ConversionError, ModelContract
from deseptr.train.models import DeSepTr

from .lower_deseptr import lower_deseptr
from .lower_front_end import lower_front_end

_LOWERINGS: dict[type, Callable[[Any, str, tf.Tensor], tf.Tensor]] = {DeSepTr: lower_deseptr}


class InferenceGraph(tf.Module):
    """A checkpoint as one static function of a window that has been divided by the contract's input range.

    Args:
        classifier: the loaded checkpoint.
        contract: its contract.

    Raises:
        ConversionError: if there is no lowering for its network.
    """

    def __init__(self, classifier: Any, contract: ModelContract) -> None:
        super().__init__()
        self._lower = _LOWERINGS.get(type(classifier.network))
        if self._lower is None:
            raise ConversionError(
                type(classifier.network).__name__,
                found="a network without a lowering",
                expected=" or ".join(kind.__name__ for kind in _LOWERINGS),
                next_step="convert the student of a run",
            )
        self._classifier = classifier
        self._range = np.asarray(contract.input_range, np.float32)
        shape = (1, contract.window_length, len(contract.channels))
        self.function = tf.function(
            self._logits, input_signature=[tf.TensorSpec(shape, tf.float32, name="window")], autograph=False
        ).get_concrete_function()

    def _logits(self, window: tf.Tensor) -> tf.Tensor:
        spectrogram = lower_front_end(self._classifier.front_end, window)
        assert self._lower is not None
        return self._lower(self._classifier.network, self._classifier.prediction, spectrogram)

    def encode(self, windows: Any) -> Any:
        """Raw windows in SI units as the graph takes them: over the input range, saturated at ±1."""
        return np.clip(windows / self._range, -1.0, 1.0).astype(np.float32)

    def predict(self, windows: Any) -> Any:
        """Float logits ``[window, classes]`` of raw windows."""
        return np.concatenate([self.function(window[None]).numpy() for window in self.encode(windows)])
