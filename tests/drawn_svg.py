"""What a figure of matplotlib shows: its SVG text read back, in fractions of the axes' frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_USED = "{http://www.w3.org/1999/xlink}href"
Shape = list[tuple[float, float]]


class DrawnSvg:
    """Lines, markers, bars and texts of one axes of a figure.

    Args:
        svg: the figure.
        number: of the axes, from 1.
    """

    def __init__(self, svg: str, number: int = 1) -> None:
        root = ElementTree.fromstring(svg)
        self.size = tuple(float(root.get(name, "").removesuffix("pt")) for name in ("width", "height"))
        self._axes = next(each for each in root.iter(f"{_SVG}g") if each.get("id") == f"axes_{number}")
        background = next(self._axes.iter(f"{_SVG}path"))
        corners = _numbers(background.get("d", ""))
        (self._left, self._right), (self._top, self._bottom) = (
            (min(axis), max(axis)) for axis in zip(*corners, strict=True)
        )

    def paths(self, colour: str) -> list[Shape]:
        """Corners of the lines and areas of a colour, in the order in which they are drawn."""
        drawn = (each for each in self._axes.iter(f"{_SVG}path") if colour in each.get("style", ""))
        return [
            [self._fraction(*point) for point in _numbers(each.get("d", ""))] for each in drawn if each.get("clip-path")
        ]

    def bars(self, colour: str) -> list[tuple[float, float, float, float]]:
        """Left, right, bottom and top of each bar of a colour."""
        boxes = []
        for shape in self.paths(colour):
            if len(shape) == 4:
                xs, ys = zip(*shape, strict=True)
                boxes.append((min(xs), max(xs), min(ys), max(ys)))
        return boxes

    def markers(self, colour: str) -> Shape:
        """Places of the points of a colour within the frame."""
        return [
            self._fraction(float(each.get("x", "nan")), float(each.get("y", "nan")))
            for group in self._axes.iter(f"{_SVG}g")
            if group.get("clip-path")
            for each in group.iter(f"{_SVG}use")
            if colour in each.get("style", "") and each.get(_USED)
        ]

    def texts(self) -> dict[str, tuple[float, float]]:
        """Every text and its place."""
        return {
            each.text or "": self._fraction(float(each.get("x", "nan")), float(each.get("y", "nan")))
            for each in self._axes.iter(f"{_SVG}text")
            if each.get("x")
        }

    def points_apart(self, one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
        """From one place to another in typographic points, to the right and up."""
        return (other[0] - one[0]) * (self._right - self._left), (other[1] - one[1]) * (self._bottom - self._top)

    def _fraction(self, x: float, y: float) -> tuple[float, float]:
        across, up = (x - self._left) / (self._right - self._left), (self._bottom - y) / (self._bottom - self._top)
        return round(across, 3), round(up, 3)


def _numbers(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)]
