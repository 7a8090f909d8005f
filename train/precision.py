"""Mixed precision: the Keras policies under which a network is made.

A network that computes in bfloat16 has float32 variables all the same. The front end, the augmentation, the loss, the
moving average and the optimizer are never made under these policies: they are float32 in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


@contextmanager
def dtype_policy(policy: Any) -> Iterator[None]:
    """Make layers under a Keras policy, or the name of one, in the block; Keras' own is back after it, error or not."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
