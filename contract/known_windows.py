"""Which windows a model knows: prototypes of their statistics, and the distance from which on one is unfamiliar."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .channels import sensors_of
from .errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEPS = 256
"""Steps of a prototype's values in one standard deviation."""
MOST_PROTOTYPES = 4096


@dataclass(frozen=True)
class KnownWindows:
    """Prototypes of the windows that a model knows, and the distance from which on a window is unfamiliar.

    Args:
        scale: standard deviation of each statistic of :func:`window_statistics` within a class.
        prototypes: of the statistics over ``scale``, int16 little-endian in steps of 1/256, one prototype after the
            other, in base64.
        limit: distance from the nearest prototype that ``share`` of the windows keep of people who are not among the
            prototypes.
        share: of such windows.

    Raises:
        ModelError: if a value is out of its range, or the prototypes are not whole.

    >>> import numpy as np
    >>> known = KnownWindows.of((1.0,), np.array([[0.5], [2.0]]), limit=2.0, share=0.95)
    >>> known.table.tolist()
    [[0.5], [2.0]]
    """

    scale: tuple[float, ...]
    prototypes: str
    limit: float
    share: float

    def __post_init__(self) -> None:
        right = bool(self.scale) and all(1e-6 < each < 1e6 for each in self.scale)
        _require(right, "scale", self.scale, "positive standard deviations")
        _require(1e-6 < self.limit < 1e6, "limit", self.limit, "a positive distance")
        _require(0 < self.share < 1, "share", self.share, "a share between 0 and 1")
        try:
            size = len(base64.b64decode(self.prototypes, validate=True))
        except (ValueError, binascii.Error):
            size = -1
        row = 2 * len(self.scale)
        whole = size > 0 and size % row == 0 and size // row <= MOST_PROTOTYPES
        _require(whole, "prototypes", f"{size} bytes", f"1 to {MOST_PROTOTYPES} prototypes of {row} bytes in base64")

    @classmethod
    def of(
        cls, scale: Sequence[float], prototypes: NDArray[np.floating[Any]], limit: float, share: float
    ) -> KnownWindows:
        """Known windows with prototypes ``[prototype, statistic]`` over ``scale``, rounded to steps and saturated."""
        import numpy as np

        steps = np.clip(np.rint(np.asarray(prototypes) * STEPS), -(2**15), 2**15 - 1).astype("<i2")
        return cls(tuple(map(float, scale)), base64.b64encode(steps.tobytes()).decode(), float(limit), float(share))

    @classmethod
    def from_dict(cls, content: Any) -> KnownWindows:
        """Known windows from plain JSON values, all fields by name.

        Raises:
            ValueError: if a field is missing, unknown, or of another type.
            ModelError: if a value is out of its range.
        """
        if not isinstance(content, dict) or sorted(content) != ["limit", "prototypes", "scale", "share"]:
            raise ValueError("known_windows are scale, prototypes, limit and share")
        scale, numbers = content["scale"], [content["limit"], content["share"]]
        if not isinstance(scale, list) or not isinstance(content["prototypes"], str):
            raise ValueError("known_windows: scale is a list, prototypes are text")
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in [*scale, *numbers]):
            raise ValueError("known_windows: a value is no number")
        return cls(tuple(map(float, scale)), content["prototypes"], *map(float, numbers))

    @property
    def table(self) -> NDArray[np.float32]:
        """Prototypes float32 ``[prototype, statistic]`` over ``scale``."""
        import numpy as np

        steps = np.frombuffer(base64.b64decode(self.prototypes), "<i2").reshape(-1, len(self.scale))
        return steps.astype(np.float32) / np.float32(STEPS)


def statistics_count(channels: Sequence[str]) -> int:
    """Number of statistics of a window with these channels; 0 if it has neither accelerometer nor gyroscope."""
    sensors = sensors_of(channels)
    return 6 * ("acc" in sensors) + 3 * ("gyro" in sensors)


def _require(condition: bool, name: str, found: object, expected: str) -> None:
    if not condition:
        raise ModelError(
            f"contract.known_windows.{name}", found=found, expected=expected, next_step="run `deseptr calibrate` again"
        )
