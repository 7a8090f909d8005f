"""The page of a tuning: the choice, and every decision that was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deseptr.data.recording import subject_list
from deseptr.evaluate.markdown import NONE, figure, markdown_table

from . import html
from .html.figures import STUDENT_COLOUR, TEACHER_COLOUR, draw_svg

if TYPE_CHECKING:
    from deseptr.evaluate.continuous.tuning import Tuning

Table = tuple[list[str], list[list[str]]]
_GREY, _RED = "#b6bec8", "#b3261e"


def trials_table(content: dict[str, Any]) -> Table:
    """The decision before and the one chosen, with what they give on the wearers that were tuned on."""
    head = ["", "decision", "delay p50, s", "p90, s", "spurious an hour", "changes an hour", "F1"]
    return head, [_row("before", content["before"]), _row("chosen", content)]


def front_table(content: dict[str, Any]) -> Table:
    """The decisions of the front."""
    head, _ = trials_table(content)
    return head[1:], [_row("", each)[1:] for each in content["front"]]


def tuning_markdown(content: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        f"# {content['model']}, tuned for {content['target']}",
        "",
        f"On {subject_list(content['subjects'])}; {content['tried']} decisions were tried.",
        "",
        *markdown_table(*trials_table(content)),
        "",
        "## Front",
        "",
        *markdown_table(*front_table(content)),
    ]
    return "\n".join(lines) + "\n"


def tuning_answer(content: dict[str, Any]) -> html.Answer:
    """Delay and spurious changes before and after; against it a target that is missed, and wearers tuned on."""
    before, chosen = content["before"]["figures"], content["figures"]
    delays = f"{figure(chosen['delay_s'], '.2f')} s instead of {figure(before['delay_s'], '.2f')} s"
    changes = f"{chosen['spurious']:.0f} instead of {before['spurious']:.0f} times an hour"
    text = f"The chosen decision shows an activity after {delays} at the median, and changes spuriously {changes}."
    missed = [] if content["reached"] else [f"The target {content['target']} is not reached."]
    own = f"These figures are of the wearers that it was tuned on: {', '.join(content['subjects'])}."
    return html.Answer(text, [*missed, own])


def tuning_page(content: dict[str, Any], result: Tuning, origin: html.Origin | None = None) -> str:
    """The result as a page that needs no network."""
    caption = "Every decision that was tried; the line joins those of which none is better in both."
    sections = [
        html.Section("Choice", [html.table(*trials_table(content)), html.figure(front_figure(result), caption)]),
        html.Section("Front", [html.table(*front_table(content))]),
    ]
    note = f"Target {content['target']}; {content['tried']} decisions were tried."
    title = f"{content['model']}, tuned for {content['target']}"
    return html.render_page(title, tuning_answer(content), sections, note=note, origin=origin)


def front_figure(result: Tuning) -> str:
    """Delay against spurious changes of every decision tried, the front and the choice."""

    def draw(axes: Any) -> None:
        for markov, colour, name in ((False, _GREY, "tried"), (True, "#8fb8de", "tried, markov")):
            some = [t for config, t in result.tried if (config.smoothing == "markov") == markov]
            if some:
                axes.plot([t.delay_s for t in some], [t.spurious for t in some], ".", ms=4, color=colour, label=name)
        front = [trial for _, trial in result.front()]
        axes.plot([t.delay_s for t in front], [t.spurious for t in front], "-", lw=1.3, color=STUDENT_COLOUR)
        marks = ((result.before[1], "s", TEACHER_COLOUR, "before"), (result.trial, "o", _RED, "chosen"))
        for trial, mark, colour, name in marks:
            axes.plot(trial.delay_s, trial.spurious, mark, ms=8, color=colour, mec="white", label=name)
        if result.target.kind != "f1":
            line = axes.axvline if result.target.kind == "delay" else axes.axhline
            line(result.target.bound, color=_RED, lw=0.8, ls="--")
        axes.set(xlabel="median delay of the label, s", ylabel="spurious changes an hour", ylim=(0, None))
        axes.set_xlim(0, 1.05 * max(3.0, *(t.delay_s for t in front), result.before[1].delay_s))
        axes.grid(alpha=0.25, lw=0.5)
        axes.legend(frameon=False)

    return draw_svg(draw, (8.2, 4.2))


def _row(name: str, each: dict[str, Any]) -> list[str]:
    figures = each["figures"]
    delays = (figure(figures[key], ".2f") for key in ("delay_s", "slow_s"))
    rates = (f"{figures[key]:.0f}" for key in ("spurious", "changes"))
    return [name, _in_words(each["decision"]), *delays, *rates, figure(figures["frame_f1"])]


def _in_words(decision: dict[str, Any]) -> str:
    averaged = decision["smoothing"] in ("exponential", "majority")
    chain = decision["chain"] if decision["smoothing"] == "markov" else None
    own = ", ".join(f"{name} {value:g}" for name, value in decision["thresholds"].items())
    parts = [
        f"hop {decision['hop_s']:g} s",
        decision["smoothing"] + (f" {decision['horizon_s']:g} s" if averaged else ""),
        *([f"{chain['stages']} stages, weight {chain['weight']:g}, floor {chain['floor']:g}"] if chain else []),
        f"threshold {decision['threshold']:g}" + (f" ({own})" if own else ""),
        f"margin {decision['margin']:g}",
        f"dwell {decision['dwell_s']:g} s",
    ]
    return ", ".join(parts) or NONE
