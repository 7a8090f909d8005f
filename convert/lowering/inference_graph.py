"""From a checkpoint to the static graph that is quantised."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from deseptr.contract import INPUT_STEPS, ConversionError, ModelContract
from deseptr.convert.user_layers import layers_by_name
from deseptr.train.classifier import WindowClassifier
from deseptr.train.front_end import DftSpectrogram, quantise
from deseptr.train.models import (
    Cnn2d,
    CnnHar,
    DeitSepTr,
    DeitViT,
    DeSepTr,
    ResNet18,
    SepTr,
    TinierHar,
    ViT,
    Wave1d,
    WaveformDeSepTr,
)

from .blocks import Lowered, LoweringOptions, Norm, constant, stream_norm
from .keras_layers.affine import Affine
from .keras_layers.network import layers_of, lower_network
from .keras_layers.softmax_head import softmax_head
from .lower_convolutions import lower_cnn2d, lower_resnet18
from .lower_front_end import lower_front_end
from .lower_transformers import lower_separable, lower_vit
from .lower_views import lower_wave1d, lower_waveform_deseptr
from .lower_windows import lower_cnn_har, lower_tinierhar

Lowering = Callable[[Any, LoweringOptions, Any], Lowered]

LOWERINGS: dict[type, Lowering] = {
    ViT: lower_vit,
    DeitViT: lower_vit,
    SepTr: lower_separable,
    DeitSepTr: lower_separable,
    DeSepTr: lower_separable,
    Cnn2d: lower_cnn2d,
    ResNet18: lower_resnet18,
    CnnHar: lower_cnn_har,
    TinierHar: lower_tinierhar,
    WaveformDeSepTr: lower_waveform_deseptr,
    Wave1d: lower_wave1d,
}


class InferenceGraph(tf.Module):
    """A checkpoint as one static function of a window.

    A plain Keras model is rewritten layer by layer, with the input range in its first weights; a softmax at its end is
    left out. The lint then checks whether all of it is int8.

    Args:
        classifier: the loaded checkpoint.
        contract: its contract.
        raw: whether the function takes windows in SI units, as float graphs do; by default it takes windows divided by
            the contract's input range, as quantised graphs do. Without meaning for a contract with views.
        norm: how transformers norm the tokens of the residual stream.
        embedding: whether the function's second output is what the heads read, ``[1, embedding_width]``, where that is
            one tensor of the graph.

    Attributes:
        embedding_width: its width; 0 without.
        layers: class of each layer of a plain Keras model by its name in the graph.

    Raises:
        ConversionError: if the model is not a network, or has a layer that cannot be rewritten.
    """

    def __init__(
        self,
        classifier: Any,
        contract: ModelContract,
        *,
        raw: bool = False,
        norm: Norm = stream_norm,
        embedding: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(classifier, keras.Model):
            raise ConversionError(
                type(classifier).__name__,
                found="a model that is not a network",
                expected="a checkpoint of a network",
                next_step="train another --model; `deseptr evaluate` measures this one",
            )
        self._classifier = classifier
        self._range = np.asarray(contract.input_range, np.float32)
        self._raw = raw
        self._norm = norm
        self._contract = contract
        self._embedding = embedding
        plain = not isinstance(classifier, WindowClassifier)
        self.layers: dict[str, str] = layers_by_name(list(layers_of(classifier))) if plain else {}
        shape = (1, contract.window_length, contract.graph_channels)
        function = tf.function(
            self._outputs, input_signature=[tf.TensorSpec(shape, tf.float32, name="window")], autograph=False
        ).get_concrete_function()
        # Parts that were not lowered read their weights from variables, which a calibrated graph cannot contain.
        self.function = convert_variables_to_constants_v2(function)
        self.embedding_width: int = function.outputs[1].shape[-1] if len(function.outputs) > 1 else 0

    def _outputs(self, window: tf.Tensor) -> list[tf.Tensor]:
        logits, embedding = self._lowered(window)
        return [logits, embedding] if self._embedding and embedding is not None else [logits]

    def _lowered(self, window: tf.Tensor) -> Lowered:
        classifier = self._classifier
        if not isinstance(classifier, WindowClassifier):
            factor = np.ones_like(self._range) if self._raw else self._range
            return lower_network(classifier, Affine.of(window, factor), head=softmax_head(classifier))
        if self._raw and self._contract.views is None:
            window = _rounded(window, self._range)
        spectral = isinstance(classifier.front_end, DftSpectrogram)
        x = partial(lower_front_end, classifier.front_end, window) if spectral else window
        lower = LOWERINGS.get(type(classifier.network))
        if lower is not None:
            return lower(classifier.network, LoweringOptions(classifier.prediction, self._norm), x)
        picture = tf.transpose(x(), (0, 2, 1, 3)) if spectral else x
        return Lowered(classifier.chosen(classifier.network(picture, training=False)))

    def encode(self, windows: Any) -> Any:
        """Input of the graph for raw windows in SI units: divided by the input range, saturated, in int8 steps.

        A graph on views gets the views of a window with its history, over 127.5, whether it is quantised or not.
        """
        views = self._contract.views
        if views is not None:
            return views.encode(windows, self._contract.input_range) / np.float32(INPUT_STEPS)
        return np.asarray(windows if self._raw else quantise(windows / self._range), np.float32)

    def predict(self, windows: Any) -> Any:
        """Float logits ``[window, classes]`` of raw windows."""
        return np.concatenate([self.function(tf.constant(window[None]))[0] for window in self.encode(windows)])


def _rounded(window: tf.Tensor, input_range: NDArray[np.float32]) -> tf.Tensor:
    """Round a window to the steps of an int8 input, as in training. Not every runtime has ROUND."""
    steps = tf.floor(window / constant(input_range) * INPUT_STEPS + 0.5)
    return tf.minimum(tf.maximum(steps, -128.0), 127.0) * (1.0 / INPUT_STEPS)
