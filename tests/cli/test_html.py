import re
from xml.etree import ElementTree

import numpy as np

from deseptr.cli.html import (
    Section,
    confusion_figure,
    curves_figure,
    figure,
    histogram_figure,
    paragraph,
    render_page,
    table,
)

HISTORY = [
    {"stage": stage, "epoch": epoch, "loss": 1 / epoch, "val_macro_f1": 1 - 1 / epoch}
    for stage in ("teacher", "student")
    for epoch in range(1, 5)
]


def test_figures_are_svg_with_their_figures_in_them():
    confusion = confusion_figure(["sit", "walk"], [[41, 2], [3, 57]], "int8")
    curves = curves_figure(HISTORY)
    histogram = histogram_figure(np.random.default_rng(0).gamma(9, 20, 500), "µs")
    for svg in (confusion, curves, histogram):
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert all(f">{word}<" in confusion for word in ("sit", "walk", "41", "57", "int8"))
    assert "teacher, macro-F1" in curves
    assert "p99" in histogram


def test_same_figures_give_the_same_picture():
    assert curves_figure(HISTORY) == curves_figure(HISTORY)


def test_page_is_self_contained_and_escapes_text():
    svg = confusion_figure(["a<b", "c"], [[1, 0], [0, 1]], "m")
    page = render_page(
        "A & B", "lead", [Section("One", [paragraph("<script>"), table(["", "x"], [["y<z", "1"]]), figure(svg, "c")])]
    )
    assert "A &amp; B" in page
    assert "&lt;script&gt;" in page
    assert "<svg" in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
