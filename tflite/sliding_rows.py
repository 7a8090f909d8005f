"""The last rows of a sequence, by their numbers, any run of which is one block of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rows are moved to the front once in so many capacities, and are not written twice.
_ROOM = 8


class SlidingRows:
    """Numbered rows in one block of memory, the last ``capacity`` of which are kept.

    >>> rows = SlidingRows(capacity=3, shape=(1,), dtype=np.dtype(np.int8))
    >>> rows.push(0, np.array([[1], [2], [3]], np.int8))
    >>> rows.push(3, np.array([[4]], np.int8))
    >>> rows.rows(2, 2).tolist(), rows.end
    ([[3], [4]], 4)

    Args:
        capacity: rows that are kept.
        shape: of a row.
        dtype: element type.
    """

    def __init__(self, capacity: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.capacity = capacity
        self.end = 0
        self._rows = np.zeros((_ROOM * capacity, *shape), dtype)
        # Place of row 0, which may lie before the block.
        self._zero = 0

    def clear(self) -> None:
        """Forget all rows and begin with number 0."""
        self.end = self._zero = 0

    def push(self, first: int, rows: NDArray[Any]) -> None:
        """Take rows ``[n, …]`` with the numbers from ``first`` on, as :meth:`place`."""
        # The values may come in a wider type, within the range of this one.
        np.copyto(self.place(first, len(rows)), rows, casting="unsafe")

    def place(self, first: int, count: int) -> NDArray[Any]:
        """View ``[count, …]`` in which to write the rows from ``first`` on, at most ``capacity`` of them.

        They are then the last ones. If they do not follow those before, these are forgotten.
        """
        end = first + count
        if first != self.end:
            self._zero = -first
        elif self._zero + end > len(self._rows):
            kept = self.capacity - count
            begin = self._zero + first - kept
            self._rows[:kept] = self._rows[begin : begin + kept]
            self._zero = kept - first
        self.end = end
        return self._rows[self._zero + first : self._zero + end]

    def rows(self, first: int, count: int) -> NDArray[Any]:
        """View ``[count, …]`` of the rows from ``first`` on, valid until the next row is written."""
        return self._rows[self._zero + first : self._zero + first + count]
