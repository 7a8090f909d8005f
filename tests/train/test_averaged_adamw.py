import keras
import numpy as np
import pytest

from deseptr.train.averaged_adamw import AveragedAdamW


def steps(averaging: float, count: int) -> tuple[AveragedAdamW, list[float]]:
    """An optimizer after some steps, and what its one weight was after each."""
    weight = keras.Variable(5.0)
    optimizer = AveragedAdamW(0.1, averaging)
    seen = []
    for _ in range(count):
        optimizer.apply([keras.ops.convert_to_tensor(1.0)], [weight])
        seen.append(float(np.array(weight)))
    return optimizer, seen


@pytest.mark.parametrize("averaging", [0.25, 0.5])
def test_average_is_that_of_polynomial_decay(averaging: float):
    """Shamir and Zhang's recursion, with η = 1/α - 1 and their steps counted from 1."""
    optimizer, seen = steps(averaging, 20)
    eta, expected = 1 / averaging - 1, 0.0
    for t, value in enumerate(seen, start=1):
        share = (eta + 1) / (t + eta)
        expected = (1 - share) * expected + share * value
    assert optimizer.averages[0] == pytest.approx(expected, rel=1e-5)


def test_no_averaging_keeps_the_last_weights():
    optimizer, seen = steps(0.0, 5)
    assert optimizer.averages[0] == pytest.approx(seen[-1])


@pytest.mark.parametrize("count", [8, 80])
def test_average_lags_by_the_same_share_at_any_time(count: int):
    """On a straight path a mean over weights t³ lies 1/5 of the way behind its end."""
    optimizer, seen = steps(0.25, count)
    lag = (float(optimizer.averages[0]) - seen[-1]) / (seen[0] - seen[-1])
    assert lag == pytest.approx(0.2, abs=0.03)


class Counted(keras.optimizers.schedules.LearningRateSchedule):
    """A falling learning rate that counts how often it is put into the graph."""

    def __init__(self) -> None:
        self.evaluations = 0

    def __call__(self, step):
        self.evaluations += 1
        return 0.1 / (1.0 + keras.ops.cast(step, "float32"))


def test_weight_decay_is_keras_own_with_one_evaluation_of_the_schedule():
    """In float32 the same bits; Keras evaluates the schedule for every variable, which cost a fifth of a short run."""
    rng = np.random.default_rng(0)
    start = [rng.normal(size=(3, 4)).astype(np.float32) for _ in range(5)]
    gradients = [[rng.normal(size=(3, 4)).astype(np.float32) for _ in start] for _ in range(4)]
    ends, counts = [], []
    for kind, more in ((AveragedAdamW, {"averaging": 0.25}), (keras.optimizers.AdamW, {})):
        schedule, weights = Counted(), [keras.Variable(value) for value in start]
        optimizer = kind(schedule, weight_decay=0.3, clipnorm=1.0, **more)
        for step in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in step], weights)
        ends.append([np.array(weight) for weight in weights])
        counts.append(schedule.evaluations / len(gradients))
    np.testing.assert_array_equal(*ends)
    assert counts[0] <= 2 < counts[1]
