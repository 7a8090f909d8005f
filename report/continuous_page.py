"""The page of a continuous evaluation: figures, timelines, errors, and the worst moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import ENOUGH_PEOPLE, figure

from . import continuous_tables as tables, html
from .html.blocks import Block, markup, unfolding
from .html.continuous_figures import detection_figure, errors_figure, moment_figure
from .html.timeline import legend, script, timeline

if TYPE_CHECKING:
    from deseptr.evaluate.continuous.measure import Continuous

_UNFOLDED = 12
# What timelines may take of a page that stays below 2 MB.
_TIMELINE_BYTES = 1_300_000


def continuous_answer(content: dict[str, Any]) -> html.Answer:
    """How often the label is right and how late it comes; against it what is never shown, and the worst class."""
    f1, delay, spurious = (content[name] for name in ("frame_f1", "delay_s", "spurious_changes_per_hour"))
    wearers, hours = len(content["wearers"]), content["hours"]
    of = f"{hours:.2f} hours of {counted(wearers, 'wearer')}"
    late = delay["p50"]["value"]
    shown = "" if late is None else f", shows an activity after {late:.2f} s at the median"
    rate = f"changes spuriously {figure(spurious['value'], '.0f')} times an hour"
    text = f"Over {of}, the label has a macro-F1 of {figure(f1['value'])}{shown} and {rate}."
    known = {label: value for label, value in content["per_class_f1"].items() if value is not None}
    worst = min(known, key=known.__getitem__, default=None)
    against = [
        *([_never_shown(delay["never"], delay["onsets"])] if delay["never"] else []),
        *([f"The worst class is {worst}, with an F1 of {known[worst]:.3f}."] if worst is not None else []),
        *_few(wearers),
    ]
    return html.Answer(text, against)


def _never_shown(never: int, activities: int) -> str:
    return f"{never} of {counted(activities, 'activity')} {'is' if never == 1 else 'are'} never shown."


def _few(wearers: int) -> list[str]:
    if wearers == 1:
        return ["There is only 1 wearer: others may be unlike this one."]
    return [f"There are only {wearers} wearers: others may be unlike all of them."] if wearers < ENOUGH_PEOPLE else []


def continuous_page(
    measured: Continuous, content: dict[str, Any], title: str, origin: html.Origin | None = None
) -> str:
    """The figures as a page that needs no network.

    Args:
        measured: the evaluation.
        content: its figures as JSON content.
        title: of the page.
        origin: what made the page.
    """
    labels = content["labels"]
    sections = [
        html.Section("Figures", list(_figures(content))),
        html.Section("Timelines", list(_timelines(measured, labels))),
        html.Section("Worst moments", list(_moments(measured, labels))),
        html.Section("Classes and wearers", list(_classes(measured, content))),
        html.Section("Kinds of errors", list(_errors(content))),
    ]
    line = tables.decision_line(content)
    note = f"{line[0].upper()}{line[1:]}."
    return html.render_page(title, continuous_answer(content), sections, note=note, origin=origin)


def _figures(content: dict[str, Any]) -> Iterator[Block]:
    yield html.table(*tables.figures_table({content["runtime"]: content}))
    yield html.paragraph(tables.delay_note(content))
    if "events" in content:
        yield html.table(*tables.events_table(content), "Alarms of the classes that are events.")


def fitting(parts: Sequence[str], room: int) -> Iterator[str]:
    """The parts that fit into a number of bytes, in their order; one that does not is left out.

    >>> list(fitting(["aaa", "bbbb", "cc"], room=5))
    ['aaa', 'cc']
    """
    for part in parts:
        if (size := len(part.encode())) <= room:
            room -= size
            yield part


def _timelines(measured: Continuous, labels: list[str]) -> Iterator[Block]:
    yield html.paragraph("Wheel or + and − zoom, dragging or the arrows move, a double click shows all of a recording.")
    yield markup(legend(labels))
    tracks = zip(measured.played, measured.tracks, strict=True)
    every = [timeline(played, track, labels, played.recording.title) for played, track in tracks]
    drawn = list(fitting(every, _TIMELINE_BYTES))
    yield markup("\n".join(drawn[:_UNFOLDED]), script())
    if folded := drawn[_UNFOLDED:]:
        yield unfolding(f"{len(folded)} more recordings", "\n".join(folded))
    if left_out := len(every) - len(drawn):
        yield html.paragraph(
            f"Not drawn, so that the page stays below 2 MB: {left_out} of {len(every)} recordings. "
            "An evaluation of fewer subjects draws theirs."
        )


def _moments(measured: Continuous, labels: list[str]) -> Iterator[Block]:
    from deseptr.evaluate.continuous.moments import worst_moments

    moments = worst_moments(measured.tracks)
    if not moments:
        yield html.paragraph("The label is never wrong.")
        return
    yield html.paragraph(
        "The longest stretches of a wrong label, shaded; above the signal the truth, and above it the label."
    )
    names = {-1: "unknown", **dict(enumerate(labels))}
    for moment in moments:
        played, track = measured.played[moment.track], measured.tracks[moment.track]
        seconds = (moment.stop - moment.start) / track.rate_hz
        what = f"{names[moment.truth]} shown as {names[moment.shown]} for {seconds:.1f} s"
        caption = f"{played.recording.title}, at {moment.start / track.rate_hz:.1f} s: {what}"
        yield html.figure(moment_figure(moment, played, track), caption)


def _classes(measured: Continuous, content: dict[str, Any]) -> Iterator[Block]:
    yield html.table(*tables.classes_table(content))
    yield html.table(*tables.wearers_table(content))
    caption = "Detection error: every threshold of a class's probability in single windows, before the decision."
    yield html.figure(detection_figure(measured.played, content["labels"]), caption)


def _errors(content: dict[str, Any]) -> Iterator[Block]:
    yield html.figure(errors_figure(content), "After Ward, Lukowicz and Gellersen (2011); a row adds up to all errors.")
    yield html.table(*tables.errors_table(content))
