"""The tables of a campaign: by room, kind and file, with every survivor."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mutate
from draw import ROOT, Drawn

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def results(drawn: Iterable[Drawn], verdicts: dict[str, dict[str, Any]], seed: int) -> dict[str, Any]:
    """Counts of what was drawn and has a verdict for its function as it is; those argued to be equivalent apart."""
    drawn = list(drawn)
    arguments = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    argued = {(each["path"], each["code"], each["text"]): each["why"] for each in arguments}
    rows = []
    for each in drawn:
        if verdict := verdicts.get(each.key):
            source = (ROOT / each.path).read_text("utf-8")
            # The function may have moved since.
            line = mutate.mutant(source, each.kind, each.number).line
            code = source.splitlines()[line - 1].strip()
            why = argued.get((each.path, code, verdict["text"])) if verdict["verdict"] == "survived" else None
            changed = {"verdict": "equivalent", "why": why} if why else {}
            rows.append({**each._asdict(), **verdict, "line": line, **changed})
    return {
        "seed": seed,
        "drawn": len(drawn),
        "tried": len(rows),
        "commits": dict(Counter(row["commit"] for row in rows)),
        "processor_s": round(sum(row.get("seconds", 0) for row in rows)),
        "total": _table(rows, lambda _: "all")["all"] if rows else {},
        "rooms": _table(rows, lambda row: row["path"].split("/")[0]),
        "kinds": _table(rows, lambda row: row["kind"]),
        "files": _table(rows, lambda row: row["path"]),
        "survivors": [_brief(row) for row in rows if row["verdict"] == "survived"],
        "equivalent": [_brief(row) for row in rows if row["verdict"] == "equivalent"],
    }


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("path", "line", "kind", "text", "why")}


def _table(rows: list[dict[str, Any]], name: Callable[[dict[str, Any]], str]) -> dict[str, dict[str, Any]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[name(row)][row["verdict"]] += 1
    table = {}
    for each, count in sorted(counts.items()):
        judged = count["killed"] + count["survived"]
        table[each] = {verdict: count[verdict] for verdict in ("killed", "survived", "equivalent")}
        table[each]["killed_share"] = round(count["killed"] / judged, 4) if judged else None
    return table


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    for table in ("rooms", "kinds", "files"):
        print(f"\n{table:44} killed survived equivalent  share")
        for name, row in found[table].items():
            share = "" if row["killed_share"] is None else f"{row['killed_share']:.0%}"
            print(f"{name:44} {row['killed']:6} {row['survived']:8} {row['equivalent']:10} {share:>6}")
    for row in found["survivors"]:
        print(f"survived: {row['path']}:{row['line']} {row['kind']}: {row['text']} ({row['why']})")
    if total := found["total"]:
        judged = total["killed"] + total["survived"]
        print(
            f"\n{found['tried']} of {found['drawn']} tried, {total['killed'] / max(1, judged):.1%} of {judged} killed"
        )
