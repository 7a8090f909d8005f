"""Loading TensorFlow without its greetings."""

from __future__ import annotations

import os


def load_quietly() -> None:
    """Import TensorFlow and Keras; their C++ side greets every process on stderr, which says nothing to a user.

    Raises:
        ModuleNotFoundError: if the training extra is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deseptr.device.quiet import native_stderr_held

    with native_stderr_held(drop=""):
        import keras  # noqa: F401
        import tensorflow as tf

        tf.zeros(1)
    # It warns of retracing when a second model predicts in one process, as here it must.
    tf.get_logger().setLevel("ERROR")
