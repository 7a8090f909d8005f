"""What a graph is fed for a window, from scales written here by hand."""

from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import ModelContract
from deseptr.tflite.graph_input import GraphTensor, QuantisedInput


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        # Half steps go to the even neighbour, and the zero point is added before the ends of the type.
        ("int8", [-128, -128, -1, 1, 3, 127, 127]),
        ("int16", [-399, -129, -1, 1, 3, 127, 401]),
    ],
)
def test_steps_are_rounded_half_to_even_and_saturate(tiny_contract: ModelContract, dtype: str, expected: list[int]):
    contract = replace(tiny_contract, input_range=(8.0, 8.0, 8.0, 8.0, 8.0, 4.0))
    made = QuantisedInput(contract, np.dtype(dtype), 0.125, 1)
    window = np.zeros((32, 6), np.float32)
    # A step of these channels is 8 * 0.125, of the last one half of it.
    window[:7, 0] = [-400, -130, -2.5, 0.5, 1.5, 126, 400]
    window[:7, 5] = window[:7, 0] / 2
    values = made.values(window)
    assert values[:7, 0].tolist() == values[:7, 5].tolist() == expected
    assert (values[7:] == 1).all()


@pytest.mark.parametrize(
    ("dtype", "temperature", "expected"),
    [
        ("int8", None, [-2.0, 0.0, 1.0]),
        ("int8", 2.0, [-1.0, 0.0, 0.5]),
        ("float32", None, [-3, 5, 9]),
        ("float32", 2.0, [-1.5, 2.5, 4.5]),
    ],
)
def test_logits_are_real_numbers_divided_by_the_temperature(
    dtype: str, temperature: float | None, expected: list[float]
):
    values = np.array([-3, 5, 9], np.float32)
    GraphTensor(0, np.dtype(dtype), 0.25, 5).to_real(values, temperature)
    assert values.tolist() == expected
