"""What was done to the times of recordings: one line each while they are few, one for all of a kind otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST = 3


@dataclass
class TimeNotes:
    """Remarks of all recordings of a dataset, each list with one line a case."""

    moved: list[tuple[str, float]] = field(default_factory=list)
    singles: list[str] = field(default_factory=list)
    set_back: list[str] = field(default_factory=list)
    spread: list[str] = field(default_factory=list)
    slower: list[str] = field(default_factory=list)
    lost: int = 0
    filled: list[float] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """All of it."""
        yield from _few(self.set_back, "clocks were set back: a recording ends there and another begins")
        yield from _few(self.spread, "recordings were stamped by packets: their samples were spread evenly")
        yield from _few(
            self.slower, "recordings have a sensor that is slower than another, or stamped apart: it was interpolated"
        )
        if self.lost:
            yield f"{_counted(self.lost, 'row')} with an empty cell {'were' if self.lost > 1 else 'was'} left out"
        if self.filled:
            gaps = f"{_counted(len(self.filled), 'gap')} of up to {max(self.filled):.3g} s"
            yield f"{gaps} {'were' if len(self.filled) > 1 else 'was'} interpolated, as allowed"
        yield from _few(self.singles, "single samples between gaps were left out")
        off = max((each for _, each in self.moved), default=0.0)
        yield from _few(
            [text for text, _ in self.moved],
            f"stretches have irregular steps, up to {off:.2f} of a period off a regular rate, and were interpolated",
        )


def _few(lines: list[str], summary: str) -> Iterator[str]:
    if len(lines) <= _MOST:
        yield from lines
    else:
        yield f"{len(lines):,} {summary}; the first: {lines[0]}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
