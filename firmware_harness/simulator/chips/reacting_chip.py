"""A chip with one register memory, which acts as soon as a register changes, whoever changes it."""

from __future__ import annotations

from abc import abstractmethod

from .chip import Chip


class ReactingChip(Chip):
    """What chips have in common whose registers have effects of their own; arguments as in :class:`Chip`."""

    _memory: bytearray

    def upset(self, register: int, bit: int, at_ns: int | None = None) -> None:
        """Flip a bit of the register memory, with the effects of its new value."""
        before = self._memory[register]
        super().upset(register, bit, at_ns)
        self._react(register, before, self._clock.now_ns() if at_ns is None else at_ns)

    def _flip(self, register: int, bit: int) -> None:
        self._memory[register] ^= 1 << bit

    @abstractmethod
    def _react(self, register: int, before: int, now_ns: int) -> None:
        """Do what a register's new value means; ``before`` is its old one."""
