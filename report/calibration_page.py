"""The page of a calibration: reliability before and after."""

from __future__ import annotations

from typing import Any

from deseptr.contract.counts import counted
from deseptr.data.recording import subject_list
from deseptr.evaluate.markdown import ENOUGH_PEOPLE, markdown_table

from . import html

Table = tuple[list[str], list[list[str]]]
STEPS = ("before", "after")


def calibration_table(content: dict[str, Any]) -> Table:
    """Calibration errors before and after."""
    head = ["", "expected calibration error", "largest error of a bin"]
    return head, [[step, *(f"{content[step][name]:.4f}" for name in ("ece", "mce"))] for step in STEPS]


def calibration_markdown(content: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [f"# {_title(content)}", "", _lead(content), "", *markdown_table(*calibration_table(content))]
    lines += [line for each in _references(content) for line in ("", each)]
    return "\n".join(lines) + "\n"


def calibration_answer(content: dict[str, Any]) -> html.Answer:
    """By how much the error of the probabilities changed, and whether the figure is of the wearers of the fit."""
    before, after = (content[step]["ece"] for step in STEPS)
    verb = "lower" if after < before else "raise" if after > before else "leave"
    error = f"from {before:.4f} to {after:.4f}" if after != before else f"at {after:.4f}"
    subjects = content["subjects"]
    against = [] if len(subjects) > 1 else [f"The error after is that of subject {subjects[0]}, who was fitted on."]
    if 1 < len(subjects) < ENOUGH_PEOPLE:
        against.append(f"There are only {len(subjects)} wearers: others may be unlike all of them.")
    temperature, of = f"{content['temperature']:.3f}", f"the expected calibration error {error}"
    if content["sure"]:
        return html.Answer(f"A temperature of {temperature} {verb}s {of}.", against)
    text = f"No temperature was written, since the windows do not tell {temperature} from 1; it would {verb} {of}."
    return html.Answer(text, against)


def calibration_page(content: dict[str, Any], origin: html.Origin | None = None) -> str:
    """The result as a page that needs no network."""
    figures = [_reliability(step, content[step]) for step in STEPS]
    heading = html.heading("Reliability: accuracy against confidence, grey: share of the windows")
    table = html.table(*calibration_table(content))
    sections = [html.Section("Calibration", [table, heading, *figures])]
    references = [html.paragraph(each) for each in _references(content)]
    if references:
        sections.append(html.Section("Known windows, mounting and drift", references))
    answer = calibration_answer(content)
    return html.render_page(_title(content), answer, sections, note=_lead(content), origin=origin)


def _reliability(step: str, figures: dict[str, Any]) -> html.Block:
    names = ["windows", "confidence", "accuracy"]
    filled = [[str(each[name]) for name in names] for each in figures["bins"] if each["windows"]]
    return html.figure(html.reliability_figure(figures["bins"]), f"{step}: ECE {figures['ece']:.4f}", (names, filled))


def _title(content: dict[str, Any]) -> str:
    return f"{content['model']}, calibrated"


def _lead(content: dict[str, Any]) -> str:
    subjects = content["subjects"]
    of = "each wearer by the temperature of the others" if len(subjects) > 1 else "on the wearer that it was fitted on"
    return (
        f"Temperature {content['temperature']:.3f}, fitted on {counted(content['windows'], 'window')} of "
        f"{subject_list(subjects)}; after: {of}."
        + ("" if content["sure"] else " The windows do not tell it from 1, so that it is not in the contract.")
    )


def _references(content: dict[str, Any]) -> list[str]:
    """What else went into the contract, a sentence each."""
    found = []
    if known := content.get("known_windows"):
        found.append(
            f"Known windows: {counted(known['prototypes'], 'prototype')} of {counted(known['windows'], 'window')} of "
            f"{subject_list(known['subjects'])}, which know {known['share']:.1%} of other wearers' windows."
        )
    if mounting := content.get("mounting"):
        worn = ", ".join(f"{name} by {share:.0%}" for name, share in mounting["worn"].items())
        found.append(
            f"Mounting: {counted(len(mounting['classes']), 'class')} in {counted(mounting['windows'], 'window')} of "
            f"{subject_list(mounting['subjects'])}; worn {worn}."
        )
    if drift := content.get("drift"):
        limits = ", ".join(f"{name} {each[1]:.2f}" for name, each in drift["limits"].items())
        found.append(
            f"Drift: {counted(drift['windows'], 'window')} of {subject_list(drift['subjects'])}; a day of "
            f"{drift['sizes'][1]} windows differs above an index of {limits}."
        )
    return found
