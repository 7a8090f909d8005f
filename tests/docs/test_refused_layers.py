"""The table of refused layers in the documents is what the converter says."""

from pathlib import Path

from deseptr.convert.lowering.keras_layers.refused import LAYERS, OPERATIONS, Refusal

PAGE = Path(__file__).parents[2] / "docs" / "converting.md"


def rows(refusals: dict[str, Refusal]) -> list[str]:
    """One row of the table for all layers with the same reason."""
    names: dict[Refusal, list[str]] = {}
    for name, refusal in refusals.items():
        names.setdefault(refusal, []).append(f"`{name}`")
    return [f"| {', '.join(alike)} | {refusal.reason} | {refusal.instead} |" for refusal, alike in names.items()]


def test_table_has_a_row_for_every_refusal_and_no_other():
    lines = PAGE.read_text().splitlines()
    start = lines.index("| Layer or operation | Why | Instead |") + 2
    assert lines[start : lines.index("", start)] == rows(LAYERS) + rows(OPERATIONS)
