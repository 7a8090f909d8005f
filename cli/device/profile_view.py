"""Print a profile on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from deseptr.cli.common.tables import print_rows
from deseptr.contract.counts import counted
from deseptr.report import profile_tables as tables

BAR_WIDTH = 40
_SLOWEST = 12


def show_profile(content: dict[str, Any], console: Console | None = None) -> None:
    """Print a profile, its caveats first.

    Args:
        content: the profile as JSON content.
        console: output; stdout by default.
    """
    console = console or Console(highlight=False)
    for caveat in content["caveats"]:
        console.print(Text(f"! {caveat}", "bold red" if content["emulated"] else "yellow"), soft_wrap=True)
    windows = content["deadlines"]["windows"]
    console.print(Text(f"\n{tables.duration_word(content)} of a window, {counted(windows, 'window')}", "bold"))
    print_rows(*tables.stages_table(content), left=2, console=console)
    console.print(Text(f"\nend_to_end, {tables.unit(content)}", "bold"))
    for line in histogram_lines(content["histogram"]["end_to_end"]):
        console.print(line)
    console.print()
    for name, text in (*tables.facts_rows(content), *tables.machine_rows(content)):
        console.print(f"{name}: {text}", soft_wrap=True)
    for title, (head, rows), left in (
        ("board", tables.board_table(content), 3),
        (f"by columns and whole: {tables.duration_word(content)}", tables.streaming_table(content), 1),
        (f"an inference by threads: {tables.duration_word(content)}", tables.threads_table(content), 1),
        (f"operations: {tables.duration_word(content)}", _slowest(*tables.ops_table(content)), 3),
    ):
        if rows:
            console.print(Text(f"\n{title}", "bold"))
            print_rows(head, rows, left=left, console=console)


def histogram_lines(histogram: dict[str, Any]) -> list[str]:
    """Lines of a histogram without its empty bins; the last line counts the values beyond the last bin."""
    counts = histogram["counts"]
    tallest = max(counts, default=0) or 1
    lines = [
        f"{low:12,.1f}  {'█' * -(-count * BAR_WIDTH // tallest)} {count}"
        for low, count in zip(histogram["edges_us"], counts, strict=False)
        if count
    ]
    return [*lines, f"{'beyond':>12}  {histogram['above']}"] if histogram["above"] else lines


def _slowest(head: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The rows of the slowest operations, in order of execution."""
    own = {row[0]: float(row[3].replace(",", "")) for row in rows if row[3] != "–"}
    longest = set(sorted(own, key=lambda number: -own[number])[:_SLOWEST])
    return head, [row for row in rows if row[0] in longest]
