"""Mixed precision: Keras' dtype policy during the creation of a network.

A network that computes in bfloat16 still has float32 variables. Front end, augmentation, loss, moving average and
optimizer are never created under such a policy: they are float32 in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


@contextmanager
def dtype_policy(policy: Any) -> Iterator[None]:
    """Create layers under a Keras policy, or the name of one, in the block; the previous policy is always restored."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
