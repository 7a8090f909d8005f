"""Training and prediction without graphs, which take longer to make for a tiny model than all its steps."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def op_by_op() -> Iterator[None]:
    """Let TensorFlow run every function of the block op by op."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
