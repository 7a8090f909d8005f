"""Single operations by the formulas in PyTorch's documentation."""

from typing import Any

import numpy as np
import pytest

from deseptr.contract import ModelError
from deseptr.train.torch_program.axes import OPERATIONS as AXES
from deseptr.train.torch_program.elementwise import OPERATIONS
from deseptr.train.torch_program.held import Held
from deseptr.train.torch_program.program import Layer
from deseptr.train.torch_program.site import Site

X = np.linspace(-5, 5, 24, dtype=np.float32).reshape(1, 2, 12)


def run(operation: str, *given: Any, **settings: Any) -> Any:
    made = {**OPERATIONS, **AXES}[operation]
    return np.asarray(made(Site(Layer("a", "A"), operation, set()), Held.of(X), *given, **settings).plain())


@pytest.mark.parametrize(
    ("operation", "settings", "expected"),
    [
        ("leaky_relu", {}, np.where(X < 0, 0.01 * X, X)),
        ("leaky_relu", {"negative_slope": 0.3}, np.where(X < 0, 0.3 * X, X)),
        ("elu", {"alpha": 0.5}, np.where(X < 0, 0.5 * np.expm1(X), X)),
        ("celu", {"alpha": 2.0}, np.where(X < 0, 2 * np.expm1(X / 2), X)),
        ("softplus", {}, np.log1p(np.exp(X))),
        ("clamp", {"min": 0.0}, np.maximum(X, 0)),
        ("clamp", {"min": 0.0, "max": 2.0}, X.clip(0, 2)),
        ("clamp", {"min": -1.0}, np.maximum(X, -1)),
        ("clamp", {"max": 3.0}, np.minimum(X, 3)),
        ("clamp", {"min": -1.0, "max": 3.0}, X.clip(-1, 3)),
        ("hardtanh", {}, X.clip(-1, 1)),
        ("hardtanh", {"min_val": -2.0, "max_val": 0.5}, X.clip(-2, 0.5)),
        ("pad", {"pad": [1, 2]}, np.pad(X, ((0, 0), (0, 0), (1, 2)))),
        ("pad", {"pad": [0, 1, 2, 3]}, np.pad(X, ((0, 0), (2, 3), (0, 1)))),
        ("flip", {"dims": [1, 2]}, X[:, ::-1, ::-1]),
    ],
)
def test_an_operation_is_that_of_its_formula(operation: str, settings: dict[str, Any], expected: Any):
    np.testing.assert_allclose(run(operation, **settings), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("operation", "settings"),
    [
        ("elu", {"scale": 2.0}),
        ("softplus", {"beta": 2.0}),
        ("softplus", {"threshold": 1.0}),
        ("pad", {"pad": [1, 1], "mode": "reflect"}),
        ("pad", {"pad": [1, 1], "value": 3.0}),
    ],
)
def test_what_would_change_the_result_is_refused(operation: str, settings: dict[str, Any]):
    with pytest.raises(ModelError, match=rf"layer 'a' \(A\): found {operation} with "):
        run(operation, **settings)
