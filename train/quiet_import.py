"""Loading Keras and its backend without the greetings of TensorFlow."""

from __future__ import annotations

import os


def load_quietly() -> None:
    """Import Keras and, where it is Keras' backend, TensorFlow.

    TensorFlow's C++ side greets every process on stderr, which says nothing to a user.

    Raises:
        ModuleNotFoundError: if the training extra is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deseptr.tflite.native_stderr import native_stderr_held

    with native_stderr_held(drop=""):
        import keras

        if keras.backend.backend() != "tensorflow":
            return
        import tensorflow as tf

        tf.zeros(1)
    # It warns of retracing when a second model predicts in one process, as here it must.
    tf.get_logger().setLevel("ERROR")
