from xml.etree import ElementTree

import numpy as np

from deseptr.report.html import (
    Bar,
    Point,
    bars_figure,
    cumulative_figure,
    curves_figure,
    histogram_figure,
    latencies_figure,
    learning_figure,
    pairs_figure,
    reliability_figure,
    scatter_figure,
    sqnr_figure,
    subjects_figure,
)

HISTORY = [
    {"stage": stage, "epoch": epoch, "loss": 1 / epoch, "val_macro_f1": 1 - 1 / epoch}
    for stage in ("teacher", "student")
    for epoch in range(1, 5)
]


def test_figures_are_svg_with_their_figures_in_them():
    curves = curves_figure(HISTORY)
    histogram = histogram_figure(np.random.default_rng(0).gamma(9, 20, 500), "µs")
    for svg in (curves, histogram):
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "teacher, macro-F1" in curves
    assert "p99" in histogram


def test_comparing_figures_are_svg_with_their_labels():
    points = [Point(name, cost, 0.9, (0.8, 0.95)) for name, cost in (("one", 1e4), ("two", 1e4), ("three", 2e7))]
    bins = [{"windows": 0, "confidence": None, "accuracy": None}, {"windows": 9, "confidence": 0.8, "accuracy": 0.7}]
    scatter = scatter_figure([*points, Point("four", 5e5, 0.7, None, teacher=True)], "parameters")
    subjects = subjects_figure({"ada": 0.9, "eve": None, "bob": 0.4})
    taught, alone = learning_figure([HISTORY, HISTORY]), learning_figure([HISTORY[4:]])
    for svg in (scatter, subjects, taught, alone, reliability_figure(bins)):
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert all(f">{word}<" in scatter for word in ("one", "two", "three", "four", "parameters", "10 k"))
    assert ">ada<" in subjects
    assert ">eve<" not in subjects
    assert taught.count(">teacher<") == taught.count(">student<") == 1
    assert ">model<" in alone


def test_latencies_are_a_line_for_each_with_its_median():
    percentiles = {name: [scale * (100 + i) for i in range(101)] for name, scale in (("float", 1.0), ("int8", 3.0))}
    svg = latencies_figure(percentiles, "µs")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert ">float: 150 µs<" in svg
    assert ">int8: 450 µs<" in svg


def test_figures_of_a_conversion_have_their_names_and_stand_gaps():
    bars = bars_figure([Bar("CONV_2D", 0.8, "80 %"), Bar("ADD", 0.0, "0 %")], "share")
    pairs = pairs_figure({"float": {"10": 0.9, "5": 0.8}, "int8": {"10": 0.9, "5": 0.7}}, "subject", "macro-F1")
    cumulative = cumulative_figure([1.0, None, 3.0], [1.0, None, 2.0], {2: "SOFTMAX"})
    noise = sqnr_figure([np.inf, 31.0, 150.0], [np.inf, None, 20.0], [1])
    for svg in (bars, pairs, cumulative, noise, bars_figure([Bar("ADD", 0.0, "0")], "share")):
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert all(f">{word}<" in bars for word in ("CONV_2D", "80 %", "ADD", "share"))
    assert pairs.index(">5<") < pairs.index(">10<")
    assert ">SOFTMAX<" in cumulative
    assert ">accumulated<" in noise


def test_same_figures_give_the_same_picture():
    assert curves_figure(HISTORY) == curves_figure(HISTORY)
