"""Colours of the page can be told apart by people who see colours differently, and are those of the reports."""

import itertools
import re
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from deseptr.data import label_page
from deseptr.data.label_page.colours import AXES, LABELS
from deseptr.data.plot import AXIS_COLOURS
from deseptr.report import html

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
# sRGB to XYZ (IEC 61966-2-1), and the white of D65.
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
WHITE = [0.95047, 1.0, 1.08883]
# Ten times a difference that is just noticed.
APART = 15.0


def linear(colour: str) -> NDArray[np.float64]:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> NDArray[np.float64]:
    """A colour as it is seen, in CIE L*a*b*."""
    seen = np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1)
    ratio = np.array(XYZ) @ seen / WHITE
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", [LABELS, *AXES.values()], ids=["labels", *AXES])
def test_colours_differ(colours: tuple[str, ...], sight: str):
    apart = [np.linalg.norm(lab(a, sight) - lab(b, sight)) for a, b in itertools.combinations(colours, 2)]
    assert min(apart) >= APART


def test_axes_are_those_of_the_picture_of_a_dataset():
    assert AXES["light"] is AXIS_COLOURS


def test_ink_and_greys_are_those_of_the_reports():
    style = files(html).joinpath("style.css").read_text()
    page = files(label_page).joinpath("page", "page.css").read_text()
    light = dict(re.findall(r"--([\w-]+): (#\w+);", page[: page.index("prefers-color-scheme")]))
    for name in ("ink", "grey", "grid", "edge", "bad", "bad-soft"):
        assert light[name] in style, name


def contrast(one: str, other: str) -> float:
    """Of two colours, after WCAG 2."""
    low, high = sorted(float(np.array(XYZ)[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_text_can_be_read(ground: str):
    page = files(label_page).joinpath("page", "page.css").read_text()
    cut = page.index("prefers-color-scheme")
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", page[:cut] if ground == "light" else page[cut:]))
    for text in ("ink", "grey", "accent", "bad"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for axis in AXES[ground]:
        assert contrast(axis, colours["paper"]) >= 3
