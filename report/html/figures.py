"""Figures of the reports, drawn by matplotlib as SVG text."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .colours import ACCENT, SECOND, line_colour

Draw = Callable[[Any], None]
TEACHER_COLOUR, STUDENT_COLOUR = SECOND, ACCENT
# A 99th percentile of more than this many medians is drawn on a logarithmic axis, with all that is beyond it.
_LONG_TAIL = 4
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "deseptr",
    # A name with dollar signs is a name.
    "text.parse_math": False,
}


def confusion_png(labels: Sequence[str], confusion: ArrayLike, title: str) -> bytes:
    """A confusion matrix as a PNG file: rows are true classes, shaded by the share of the true class."""
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Any) -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.6 else "#1c2733"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
        axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(labels)), labels)
        axes.set(xlabel="predicted", ylabel="true", title=title)
        axes.spines[:].set_visible(False)

    size = 1.3 + 0.3 * len(labels)
    return _picture(draw, (size + 0.2, size), format="png", dpi=150)


def curves_figure(history: Sequence[dict[str, Any]]) -> str:
    """Loss and validation macro-F1 of teacher and student over the epochs."""
    stages = [
        (name, colour, [row for row in history if row["stage"] == name])
        for name, colour in (("teacher", TEACHER_COLOUR), ("student", STUDENT_COLOUR))
    ]

    def draw(axes: Any) -> None:
        loss = axes.twinx()
        for name, colour, rows in stages:
            epochs = [row["epoch"] for row in rows]
            scores = [row.get("val_macro_f1", np.nan) for row in rows]
            axes.plot(epochs, scores, color=colour, label=f"{name}, macro-F1")
            loss.plot(epochs, [row["loss"] for row in rows], color=colour, ls=":", label=f"{name}, loss")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="epoch", ylabel="macro-F1 on the validation subjects", ylim=(None, 1))
        loss.set(ylabel="training loss (dotted)", ylim=(0, None))
        loss.spines["right"].set_visible(True)
        axes.legend(loc="center right", frameon=False)

    return draw_svg(draw, (6.4, 3.4))


def histogram_figure(durations_us: ArrayLike, xlabel: str) -> str:
    """A histogram of latencies, with median and 99th percentile marked.

    It ends at the 99.5th percentile; if the tail is long, its axis is logarithmic and has all latencies, and so is
    that of the counts.
    """
    durations = np.asarray(durations_us)
    p50, p99, top = np.percentile(durations, (50, 99, 99.5))
    long = durations.min() > 0 and p99 > _LONG_TAIL * p50

    def draw(axes: Any) -> None:
        from matplotlib.ticker import LogLocator, NullFormatter

        bins = np.geomspace(durations.min(), durations.max(), 41) if long else 40
        axes.hist(durations if long else durations[durations <= top], bins=bins, color=ACCENT, alpha=0.8)
        for value, name, height in ((p50, "p50", 0.97), (p99, "p99", 0.87)):
            axes.axvline(value, color="#1c2733", lw=1, ls="--")
            beside: dict[str, Any] = {"xytext": (3, 0), "textcoords": "offset points", "va": "top"}
            axes.annotate(f"{name} {value:.0f} µs", (value, height), xycoords=("data", "axes fraction"), **beside)
        axes.set(xlabel=xlabel, ylabel="windows")
        if long:
            axes.set(xscale="log", yscale="log", ylim=(0.5, None), xlabel=f"{xlabel}; logarithmic axes")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter("{x:,g}")
                axis.set_minor_formatter(NullFormatter())

    return draw_svg(draw, (6.4, 2.8))


def latencies_figure(percentiles_us: Mapping[str, Sequence[float]], xlabel: str) -> str:
    """Cumulative distributions of latencies up to their 99th percentile, one line per name, on a logarithmic axis.

    Args:
        percentiles_us: percentiles 0 to 100, by name.
        xlabel: meaning of the latencies.
    """

    def draw(axes: Any) -> None:
        from matplotlib.ticker import LogLocator, NullFormatter

        lines = {}
        for number, (name, percentiles) in enumerate(percentiles_us.items()):
            colour, label = line_colour(number), f"{name}: {percentiles[50]:.0f} µs"
            (lines[label],) = axes.plot(percentiles[:100], range(100), lw=1.5, color=colour)
            axes.plot(percentiles[50], 50, "o", ms=4, color=colour)
        axes.set(xscale="log", xlabel=xlabel, ylabel="% of the calls", ylim=(0, 100))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.25, lw=0.5)
        named_legend(axes, lines, title="median", loc="upper left", bbox_to_anchor=(1, 1))

    return draw_svg(draw, (8.2, 3.4))


def named_legend(axes: Any, drawn: Mapping[str, Any], **settings: Any) -> None:
    """A legend of what is drawn, by name.

    Names that others gave do not go through labels: matplotlib leaves out those that begin with an underscore.

    Args:
        axes: the axes.
        drawn: the artist that stands for each name.
        settings: further ones of ``Axes.legend``.
    """
    made = axes.legend(list(drawn.values()), [" "] * len(drawn), frameon=False, **settings)
    for text, name in zip(made.get_texts(), drawn, strict=True):
        text.set_text(name)


def draw_svg(draw: Draw, size: tuple[float, float], columns: int = 1) -> str:
    """Draw with ``draw`` on axes, or on an array of axes for several columns, and return SVG text."""
    text = _picture(draw, size, columns, format="svg", metadata={"Date": None}).decode()
    return text[text.index("<svg") :]


def _picture(draw: Draw, size: tuple[float, float], columns: int = 1, **settings: Any) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        picture = Figure(figsize=size, layout="constrained")
        draw(picture.subplots(ncols=columns))
        buffer = io.BytesIO()
        picture.savefig(buffer, **settings)
    return buffer.getvalue()
