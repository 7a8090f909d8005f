"""A whole classifier: raw window in, logits out."""

from __future__ import annotations

from typing import Any

import keras

PACKAGE = "deseptr"
PREDICTIONS = ("class", "distillation", "mean")


@keras.saving.register_keras_serializable(PACKAGE)
class WindowClassifier(keras.Model):
    """Front end and network in one model, which is what a checkpoint holds.

    Args:
        front_end: layer from raw windows to what the network takes, spectrograms or scaled windows.
        network: model from these to logits, or to the logits of a class and a distillation head.
        prediction: for two heads, which one speaks: ``"class"``, ``"distillation"`` or the ``"mean"`` of their logits.

    Input shape: ``[batch, window_length, channels]`` in SI units.
    Output shape: ``[batch, classes]``, logits.
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
        if not self.network.built:
            self.network.build(self.front_end.compute_output_shape(input_shape))
        self.built = True

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Logits of raw windows."""
        return self.chosen(self.network(self.front_end(windows), training=training))

    def chosen(self, logits: Any) -> Any:
        """The logits that speak, of what the network gave: its only ones, or those of one head or both."""
        if not isinstance(logits, list | tuple):
            return logits
        of_class, of_distillation = logits
        if self.prediction == "mean":
            return 0.5 * (of_class + of_distillation)
        return of_class if self.prediction == "class" else of_distillation

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
