"""The page of a comparison of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deseptr.evaluate.confused_windows import Confused

from . import html
from .comparison_tables import EXPLANATION, caveats, costs_table, facts_table, ops_table, scores_table
from .html.blocks import Block
from .html.confusion import Matrix, matrix_block


def compare_answer(content: dict[str, Any]) -> html.Answer:
    """The fastest model, and the one of the highest macro-F1; against it the caveats and intervals that overlap."""
    models = content["models"]
    fastest = min(models, key=lambda model: model["latency"]["median_us"])
    told = [f"{fastest['name']} {_speed(fastest, models)}", *_scored(models)]
    return html.Answer(f"{'; '.join(told)}.", [*_doubts(models, fastest), *caveats(content)])


def compare_page(
    content: dict[str, Any], origin: html.Origin | None = None, confused: Mapping[str, Confused] | None = None
) -> str:
    """The comparison as one self-contained HTML file.

    Args:
        content: the comparison.
        origin: what made the page.
        confused: the windows that a model confused, by its name.
    """
    percentiles = {model["name"]: model["latency"]["percentiles_us"] for model in content["models"]}
    distribution = html.latencies_figure(percentiles, "latency of an invocation, µs")
    shares = [[str(share), *(f"{each[share]:.1f}" for each in percentiles.values())] for share in range(100)]
    below = "Share of the calls that took no longer, up to p99."
    sides = [html.table(*made) for made in (costs_table(content), scores_table(content)) if made[1]]
    _, conditions = facts_table(content)
    sections = [
        html.Section("Side by side", [*sides, html.paragraph(EXPLANATION)]),
        html.Section("Latency", [html.figure(distribution, below, (["% of the calls", *percentiles], shares))]),
        html.Section("How it was measured", [html.facts(conditions)]),
    ]
    if matrices := list(_matrices(content, confused or {})):
        sections.insert(1, html.Section("Confusion", matrices))
    head, rows = ops_table(content)
    if rows:
        sections.append(html.Section("Operations in the files", [html.table(head, rows, fold=False)]))
    return html.render_page("deseptr: models compared", compare_answer(content), sections, origin=origin)


def _matrices(content: dict[str, Any], confused: Mapping[str, Confused]) -> Iterator[Block]:
    for number, model in enumerate(content["models"]):
        if scores := model["scores"]:
            known, name = confused.get(model["name"]), model["name"]
            yield matrix_block(Matrix(f"confusion-{number}", scores["labels"], scores["confusion"], known, name))


def _speed(fastest: dict[str, Any], models: list[dict[str, Any]]) -> str:
    median = f"{fastest['latency']['median_us']:,.1f} µs at the median"
    if len(models) == 1:
        return f"takes {median}"
    first, ratio = models[0], fastest["latency"]["ratio"]
    of_first = "" if fastest is first else f", {ratio:.2f} of the time of {first['name']}"
    return f"is the fastest of {len(models)} models with {median}{of_first}"


def _scored(models: list[dict[str, Any]]) -> list[str]:
    scored = [model for model in models if model["scores"]]
    if not scored:
        return []
    best = _best(scored)
    names, f1 = " and ".join(model["name"] for model in best), f"{best[0]['scores']['macro_f1']:.3f}"
    return [f"the highest macro-F1 is that of {names}, {f1}" if len(scored) > 1 else f"macro-F1 of {names} is {f1}"]


def _best(scored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The models whose macro-F1 is the highest that is shown."""
    f1 = [f"{model['scores']['macro_f1']:.3f}" for model in scored]
    return [model for model, own in zip(scored, f1, strict=True) if own == max(f1)]


def _doubts(models: list[dict[str, Any]], fastest: dict[str, Any]) -> Iterator[str]:
    """Differences that chance may have made."""
    interval = fastest["latency"]["interval"]
    if interval and interval["low"] <= 1 <= interval["high"]:
        yield f"{fastest['name']} may be as fast as {models[0]['name']}: the ratio's interval has 1 in it."
    ranked = sorted((m for m in models if m["scores"]), key=lambda model: -model["scores"]["macro_f1"])
    bounds = [model["scores"]["macro_f1_interval"] for model in ranked[:2]]
    if len(bounds) == 2 and len(_best(ranked)) == 1 and all(bounds) and bounds[1]["high"] >= bounds[0]["low"]:
        yield f"Intervals of macro-F1 of {ranked[0]['name']} and {ranked[1]['name']} overlap."
