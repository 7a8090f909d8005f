"""Does mixed precision pay? A training step and a forward pass of the teacher, float32 against bfloat16, interleaved.

    python benchmarks/precision.py --width 32

Prints JSON: the median time of each, in milliseconds a batch, and their ratio.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np

from deseptr.train.models import ResNet18

POLICIES = ("float32", "mixed_bfloat16")
BATCH, PICTURE, CLASSES = 128, (17, 25, 12), 6
WARM_UP = 3


@click.command()
@click.option("--width", type=click.IntRange(1), default=32, show_default=True, help="Of the teacher.")
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True)
def main(width: int, rounds: int) -> None:
    """Time both precisions in turn."""
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(BATCH, *PICTURE)).astype(np.float32)
    targets = np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, BATCH)]
    models = [compiled(policy, width) for policy in POLICIES]
    training = [lambda model=model: model.train_on_batch(pictures, targets) for model in models]
    forward = [lambda model=model: model.predict_on_batch(pictures) for model in models]
    result = {
        "width": width,
        "batch": BATCH,
        "rounds": rounds,
        "training_step": compared(training, rounds),
        "forward_pass": compared(forward, rounds),
        "machine": {"platform": platform.platform(), "processors": os.cpu_count(), "keras": keras.__version__},
    }
    click.echo(json.dumps(result, indent=2))


def compiled(policy: str, width: int) -> keras.Model:
    """A teacher whose layers compute in a precision."""
    keras.config.set_dtype_policy(policy)
    model = ResNet18(CLASSES, width)
    model.build((None, *PICTURE))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss=loss, jit_compile=False)
    return model


def compared(steps: list[Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median time of each precision's step, and how much faster the second is."""
    times = np.array([list(durations_ms(steps)) for _ in range(WARM_UP + rounds)])[WARM_UP:]
    medians = np.median(times, axis=0)
    figures = {f"{policy}_ms": round(float(value), 2) for policy, value in zip(POLICIES, medians, strict=True)}
    return {**figures, "float32_over_bfloat16": round(float(medians[0] / medians[1]), 2)}


def durations_ms(steps: list[Callable[[], object]]) -> Iterator[float]:
    """Time of each step, one after the other."""
    for step in steps:
        began = time.perf_counter()
        step()
        yield 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
