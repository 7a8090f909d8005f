"""Tables as they are printed, by the character."""

import io

from rich.console import Console
from rich.table import Table

from deseptr.cli.common.tables import print_confusion, print_missed, print_rows, print_scores, print_table


def printed(show, *arguments, **options):
    console = Console(file=io.StringIO(), width=60)
    show(*arguments, console=console, **options)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def scores(**more):
    return {
        "accuracy": 0.91256,
        "macro_f1": 0.5,
        "labels": ["sit", "run"],
        "per_class_f1": {"sit": 1.0, "run": None},
    } | more


def test_rows_have_figures_at_the_right_below_a_header_that_breaks_at_spaces():
    assert printed(print_rows, ["run", "macro F1"], [["first", "0.9"], ["2", "0.95"]], left=1) == [
        "       macro",
        "run       F1",
        "first    0.9",
        "2       0.95",
    ]
    assert printed(print_rows, ["a", "b"], [["x", "left"], ["yy", "l"]], left=2) == ["a   b", "x   left", "yy  l"]


def test_columns_of_a_wide_table_stand_closer_and_no_name_is_cut_short():
    figures = ["12.60 (12.60)"] * 3
    assert printed(print_rows, ["day", "a", "b", "c"], [["2026-11-27/11-28", *figures]], left=1) == [
        "day                          a             b             c",
        "2026-11-27/11-28 12.60 (12.60) 12.60 (12.60) 12.60 (12.60)",
    ]
    wide = printed(print_rows, ["day", "a", "b", "c", "d"], [["2026-11-27", "1", *figures]], left=1)
    assert "".join(line.split()[0] for line in wide[1:]) == "2026-11-27"


def test_a_row_is_bold_if_it_is_said_to_be():
    console = Console(file=io.StringIO(), width=60, force_terminal=True)
    print_rows(["a"], [["plain"], ["fat"]], left=1, bold=lambda row: row[0] == "fat", console=console)
    lines = console.file.getvalue().splitlines()
    assert [("\x1b[1m" in line, name in line) for line, name in zip(lines[1:], ("plain", "fat"), strict=True)] == [
        (False, True),
        (True, True),
    ]


def test_scores_have_a_column_for_each_model_and_parameters_if_all_have_them():
    assert printed(print_scores, {"float": scores(), "int8": scores(accuracy=0.9)}) == [
        "          float   int8",
        "accuracy  0.913  0.900",
        "macro-F1  0.500  0.500",
        "  F1 sit  1.000  1.000",
        "  F1 run      –      –",
    ]
    assert printed(print_scores, {"one": scores(parameters=12345)})[-1] == "parameters  12,345"
    assert len(printed(print_scores, {"one": scores(parameters=12345), "two": scores()})) == 5


def test_a_confusion_matrix_has_a_row_for_each_true_class():
    *title, head, sit, run = printed(print_confusion, ["sit", "run"], [[12, 0], [3, 4]])
    assert " ".join(title) == "true (rows) × predicted"
    assert [head, sit, run] == ["     sit  run", "sit   12    0", "run    3    4"]


def test_columns_of_many_classes_have_numbers():
    labels = [f"a_long_name_{number}" for number in range(1, 6)]
    _, head, *rows = printed(print_confusion, labels, [[7] * 5] * 5)
    assert head.split() == ["1", "2", "3", "4", "5"]
    assert [row.split()[:2] for row in rows] == [[str(number), name] for number, name in enumerate(labels, 1)]


def test_names_in_brackets_are_no_markup():
    labels = ["walk [slow]", "x [/red]"]
    shown = printed(print_confusion, labels, [[1, 2], [3, 4]])
    shown += printed(
        print_scores, {"[one]": {**scores(), "labels": labels, "per_class_f1": dict.fromkeys(labels, 0.5)}}
    )
    shown += printed(print_rows, ["[head]"], [[label] for label in labels], left=1)
    text = "\n".join(shown)
    assert text.count("walk [slow]") == 4
    assert text.count("x [/red]") == 4
    assert "[one]" in text
    assert "[head]" in text


def test_a_class_that_is_never_recognised_is_noted_on_stderr(capsys):
    print_missed(
        {"per_class_f1": {"sit": 0.9, "ru\x1bn": 0.0}, "labels": ["sit", "ru\x1bn"], "confusion": [[9, 1], [5, 0]]}
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("note: ")
    assert "\x1b" not in err


def test_no_line_of_a_table_ends_in_a_blank():
    written = io.StringIO()
    table = Table(title="Labels", box=None)
    table.add_column("a")
    table.add_column("b")
    table.add_row("walking", "██", style="bold")
    table.add_row("still", "")
    print_table(table, Console(file=written, width=40))
    lines = written.getvalue().splitlines()
    assert "walking" in written.getvalue()
    assert lines == [line.rstrip() for line in lines]


def test_styles_of_a_table_are_kept():
    written = io.StringIO()
    table = Table("a", box=None)
    table.add_row("walking", style="bold")
    print_table(table, Console(file=written, force_terminal=True, width=40))
    assert "\x1b[1mwalking\x1b[0m" in written.getvalue()
