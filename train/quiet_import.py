"""Importing Keras and its backend without TensorFlow's start-up messages."""

from __future__ import annotations

import os


def load_quietly() -> None:
    """Import Keras and, if it is Keras' backend, TensorFlow.

    TensorFlow's C++ library prints start-up messages to stderr in every process.

    Raises:
        ModuleNotFoundError: if the training extra is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deseptr.tflite.native_stderr import hold_native_stderr

    with hold_native_stderr(drop=""):
        import keras

        if keras.backend.backend() != "tensorflow":
            return
        import tensorflow as tf

        tf.zeros(1)
    # TensorFlow warns of retracing when a second model predicts in one process, which is intended here.
    tf.get_logger().setLevel("ERROR")
