"""Tables of a continuous evaluation, for terminal, Markdown and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deseptr.contract.counts import counted
from deseptr.evaluate.markdown import FEW_PEOPLE, NONE, figure, interval_of_people, markdown_table

Table = tuple[list[str], list[list[str]]]
_FIGURES = {
    "frame_f1": ("frame-wise macro-F1", ".3f"),
    "delay p50": ("delay of the label, median, s", ".2f"),
    "delay p90": ("delay of the label, 90 %, s", ".2f"),
    "never": ("activities never shown, share", ".3f"),
    "true_changes_per_hour": ("true changes an hour", ".0f"),
    "changes_per_hour": ("changes of the label an hour", ".0f"),
    "spurious_changes_per_hour": ("of these spurious", ".0f"),
}


def figures_table(contents: Mapping[str, dict[str, Any]]) -> Table:
    """The figures with their intervals over wearers, a column for each evaluation by name."""
    head = ["", *(name for each in contents for name in (each, "95 % over wearers"))]
    rows = []
    for key, (title, form) in _FIGURES.items():
        cells = []
        for content in contents.values():
            value = _value(content, key)
            bounds = NONE if value["low"] is None else f"{value['low']:{form}} to {value['high']:{form}}"
            cells += [figure(value["value"], form), interval_of_people(bounds, len(content["wearers"]))]
        rows.append([title, *cells])
    return head, rows


def classes_table(content: dict[str, Any]) -> Table:
    """F1 of the frames and delays of each class."""
    head = ["class", "F1", "onsets", "p50, s", "p90, s", "never"]
    rows = []
    for label in content["labels"]:
        delay = content["delay_s_by_class"][label]
        f1 = figure(content["per_class_f1"][label])
        p50, p90 = (figure(delay[name], ".2f") for name in ("p50", "p90"))
        rows.append([label, f1, str(delay["onsets"]), p50, p90, str(delay["never"])])
    return head, rows


def errors_table(content: dict[str, Any]) -> Table:
    """Kinds of errors: their share of the labelled time, and their number an hour."""
    errors = content["segment_errors"]
    by_truth, by_label = errors["frames_by_truth"], errors["frames_by_label"]
    labelled = sum(by_truth.values()) - by_truth["unlabelled"]
    rows = [
        [kind.replace("_", " "), f"{frames / labelled:.2%}", f"{errors['stretches'][kind] / content['hours']:.1f}"]
        for kind, frames in {**by_truth, **by_label}.items()
        if kind in errors["stretches"]
    ]
    return ["kind of error", "share of the time", "an hour"], rows


def events_table(content: dict[str, Any]) -> Table:
    """Alarms of the classes that are events."""
    head = ["event", "detected", "missed", "false alarms", "an hour", "95 %, exact", "a day", "delay p50, s", "p90, s"]
    rows = []
    for label, each in content["events"].items():
        hourly, daily = each["false_alarms_per_hour"], each["false_alarms_per_day"]
        counts = [str(each[key]) for key in ("detected", "missed", "false_alarms")]
        rates = [f"{hourly['value']:.2f}", f"{hourly['low']:.2f} to {hourly['high']:.2f}", f"{daily['value']:.1f}"]
        delays = [figure(each["delay_s"][key], ".2f") for key in ("p50", "p90")]
        rows.append([label, *counts, *rates, *delays])
    return head, rows


def wearers_table(content: dict[str, Any]) -> Table:
    """The figures of each wearer."""
    head = ["wearer", "hours", "F1", "delay p50, s", "never", "changes an hour", "spurious"]
    rows = []
    for name, each in content["wearers"].items():
        rates = (f"{each[key]:.0f}" for key in ("changes_per_hour", "spurious_changes_per_hour"))
        shown = [figure(each["frame_f1"]), figure(each["delay_p50_s"], ".2f"), f"{each['never']} of {each['onsets']}"]
        rows.append([name, f"{each['hours']:.2f}", *shown, *rates])
    return head, rows


def decision_line(content: dict[str, Any]) -> str:
    """The decision in words: ``a window of 2.56 s every 1.28 s; exponential over 2.5 s, …``."""
    decision = content["decision"]
    averaged = decision["smoothing"] in ("exponential", "majority")
    horizon = f" over {decision['horizon_s']:g} s" if averaged else ""
    own = ", ".join(f"{name} {value:g}" for name, value in decision["thresholds"].items())
    parts = (
        f"a window of {content['window_s']:g} s every {decision['hop_s']:g} s; "
        f"smoothing {decision['smoothing']}{horizon}",
        f"threshold {decision['threshold']:g}" + (f" ({own})" if own else ""),
        f"margin {decision['margin']:g}",
        f"dwell {decision['dwell_s']:g} s",
    )
    return ", ".join(parts)


def delay_note(content: dict[str, Any]) -> str:
    """Which activities the delay is of."""
    if not content["delay_s"]["onsets"]:
        return (
            f"Delay: none was measured, since no activity of {content['shortest_s']:g} s or more begins after the "
            "beginning of its recording."
        )
    activities = counted(content["delay_s"]["onsets"], "activity")
    return (
        f"Delay: of the {activities} of {content['shortest_s']:g} s or more after the beginning of a recording, from "
        f"the true beginning until the label first shows it; {counted(content['delay_s']['never'], 'is', 'are')} never "
        "shown."
    )


def markdown(contents: Mapping[str, dict[str, Any]], title: str) -> str:
    """The report as Markdown.

    Args:
        contents: evaluations by the name of their way, the first with all tables.
        title: of the page.
    """
    content = next(iter(contents.values()))
    few = [FEW_PEOPLE, ""] if len(content["wearers"]) < 5 else []
    parts: list[Sequence[str]] = [
        [f"# {title}", "", decision_line(content), ""],
        [*markdown_table(*figures_table(contents)), "", delay_note(content), "", *few],
        *([["## Events", "", *markdown_table(*events_table(content)), ""]] if "events" in content else []),
        ["## Classes", "", *markdown_table(*classes_table(content)), ""],
        ["## Kinds of errors", "", *markdown_table(*errors_table(content)), ""],
        ["## Wearers", "", *markdown_table(*wearers_table(content))],
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _value(content: dict[str, Any], key: str) -> dict[str, Any]:
    delays = {"delay p50": "p50", "delay p90": "p90", "never": "never_share"}
    found: dict[str, Any] = content["delay_s"][delays[key]] if key in delays else content[key]
    return found
