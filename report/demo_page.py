"""The page of the demo: a held-out wearer classified three ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import html
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block

if TYPE_CHECKING:
    from deseptr.contract import Scores
    from deseptr.convert import Conversion
    from deseptr.device import Profiler

_STAGES = ("student", "teacher")
_SIMULATED = "The sensor is simulated: the read is this machine simulating a bus, not a wire."


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Args:
        scores: of the held-out wearer, by the way of classifying; the last is over the bus.
        profiler: durations over the bus.
        runtime: that ran the model.
        conversion: the int8 model.
        metrics: of the training.
        history: of the training, a row for each epoch of each stage.
    """

    scores: Mapping[str, Scores]
    profiler: Profiler
    runtime: str
    conversion: Conversion
    metrics: Mapping[str, Any]
    history: Sequence[dict[str, Any]]


def demo_answer(scores: Mapping[str, Scores]) -> html.Answer:
    """Macro-F1 over the bus beside that of the float network; against it that the wearers are made up."""
    *_, bus = scores.values()
    first, reference = next(iter(scores.items()))
    return html.Answer(
        f"Over a simulated bus, the int8 model reaches a macro-F1 of {bus.macro_f1:.3f} on {bus.windows:,} windows of "
        f"a wearer that it was not trained on; the {first} network reaches {reference.macro_f1:.3f}.",
        [
            "The wearers are synthetic: this shows that the path works, not how well a real wearable would do.",
            "It is one wearer and one training: others would give other figures.",
            _SIMULATED,
        ],
    )


def demo_page(demo: Demo, origin: html.Origin | None = None) -> str:
    """The page as one self-contained HTML file."""
    sections = [
        html.Section("A held-out wearer, three ways", list(_scores(demo))),
        html.Section("Confusion", list(_confusions(demo))),
        html.Section("Training", [html.figure(html.curves_figure(demo.history), "One seed", _epochs(demo.history))]),
        html.Section("Latency on the machine that made this page", list(_latency(demo.profiler))),
    ]
    title = "deseptr: the whole path on a synthetic wearer"
    return html.render_page(title, demo_answer(demo.scores), sections, origin=origin)


def _scores(demo: Demo) -> Iterator[Block]:
    scores, conversion, metrics = demo.scores, demo.conversion, demo.metrics
    rows = [
        ["accuracy", *(f"{each.accuracy:.3f}" for each in scores.values())],
        ["macro-F1", *(f"{each.macro_f1:.3f}" for each in scores.values())],
    ]
    yield html.table(["", *scores], rows)
    yield html.facts(
        [
            ["model", conversion.contract.model],
            ["parameters, student and teacher", " and ".join(f"{metrics[m]['parameters']:,}" for m in _STAGES)],
            ["size of the .tflite", f"{len(conversion.content) / 1024:.1f} KB"],
            ["operations", str(len(conversion.graph.nodes))],
            [
                "same class as float, all held-out wearers",
                f"{conversion.kept.deciding.agreement:.2%} of {metrics['windows']['test']}",
            ],
            ["training", f"{metrics['minutes']} minutes on {metrics['machine']['platform']}"],
            ["runtime", demo.runtime],
        ]
    )


def _confusions(demo: Demo) -> Iterator[Block]:
    for number, (name, each) in enumerate(demo.scores.items()):
        yield matrix_block(Matrix(f"confusion-{number}", each.labels, each.confusion.tolist(), caption=name))


def _epochs(history: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    head = ["stage", "epoch", "loss", "val_macro_f1"]
    return head, [[str(row.get(name, "")) for name in head] for row in history]


def _latency(profiler: Profiler) -> Iterator[Block]:
    svg = html.histogram_figure(profiler.durations_us("end_to_end"), "read of the last sample to label, µs")
    yield html.figure(svg, _SIMULATED)
    rows = [
        [stage, *(f"{us:,.0f}" for us in (each["p50_us"], each["p95_us"], each["p99_us"], each["max_us"]))]
        for stage, each in profiler.stages().items()
    ]
    yield html.table(["stage", "p50 µs", "p95 µs", "p99 µs", "max µs"], rows, "Latency of a window")
