"""The complete classifier: raw window in, logits out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .precision import POLICIES, dtype_policy

PACKAGE = "deseptr"
PREDICTIONS = ("class", "distillation", "mean")


@keras.saving.register_keras_serializable(PACKAGE)
class WindowClassifier(keras.Model):
    """Front end and network as one model; this is what a checkpoint contains.

    Args:
        front_end: layer from raw windows to the network's input: spectrograms or scaled windows.
        network: model from that input to logits, or to the logits of a class head and a distillation head.
        prediction: output used of two heads: ``"class"``, ``"distillation"`` or the ``"mean"`` of their logits.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: ``[batch, classes]``, logits.

    Example:
        >>> from deseptr.train.models import CnnHar
        >>> from deseptr.train.window_front_end import WindowScale
        >>> classifier = WindowClassifier(WindowScale([40.0] * 3 + [10.0] * 3), CnnHar(classes=5))
        >>> tuple(classifier(keras.ops.zeros((8, 100, 6))).shape)
        (8, 5)
    """

    def __init__(
        self, front_end: keras.layers.Layer, network: keras.Model, prediction: str = "mean", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if prediction not in PREDICTIONS:
            raise ValueError(f"`prediction` must be one of {PREDICTIONS}. Received: prediction={prediction}")
        self.front_end = front_end
        self.network = network
        self.prediction = prediction

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build front end and network."""
        if not self.front_end.built:
            self.front_end.build(input_shape)
        if not self.network.built:
            # Some layers are created only here and must compute in the precision of the network that contains them.
            with dtype_policy(self.network.dtype_policy):
                self.network.build(self.front_end.compute_output_shape(input_shape))
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logits of raw windows."""
        return self.chosen(self.logits(self.front_end(windows), training=training))

    def logits(self, features: Any, training: bool | None = None) -> Any:
        """Logits of the front end's output, or of both heads; float32, whatever precision the network computes in."""
        return keras.tree.map_structure(
            lambda logits: ops.cast(logits, "float32"), self.network(features, training=training)
        )

    def chosen(self, logits: Any) -> Any:
        """Logits of the classifier from the network's output: those of its only head, or of the selected heads."""
        if not isinstance(logits, list | tuple):
            return logits
        of_class, of_distillation = logits
        if self.prediction == "mean":
            return 0.5 * (of_class + of_distillation)
        return of_class if self.prediction == "class" else of_distillation

    def in_precision(self, precision: str) -> WindowClassifier:
        """This classifier if its network computes in ``precision``, else a copy with the same weights that does.

        The classifier must be built. All layers of a copy are trainable, even if they are frozen here.
        """
        policy = POLICIES[precision]
        if self.network.dtype_policy.name == policy:
            return self
        config = {name: value for name, value in self.network.get_config().items() if name != "dtype"}
        with dtype_policy(policy):
            network = type(self.network).from_config(config)
        copy = WindowClassifier(self.front_end, network, self.prediction, name=self.name)
        copy.build_from_config(self.get_build_config())
        copy.set_weights(self.get_weights())
        return copy

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for serialisation."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "front_end": serialize(self.front_end),
            "network": serialize(self.network),
            "prediction": self.prediction,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WindowClassifier:
        """Rebuild from :meth:`get_config`."""
        parts = {name: keras.saving.deserialize_keras_object(config.pop(name)) for name in ("front_end", "network")}
        return cls(**parts, **config)
