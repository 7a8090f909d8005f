"""Tables of a page: their markup literally, columns of numbers, folding, turning and the CSV."""

import csv
import io
import re
from html import unescape
from urllib.parse import unquote

import pytest
from hypothesis import given, strategies as st

from deseptr.report.html import facts, table
from deseptr.report.html.csv_link import csv_text
from deseptr.report.html.number_columns import paddings

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


def saved(content: str) -> list[list[str]]:
    """Cells of the CSV file of a table."""
    (address,) = re.findall(r'<a class="csv" download="[^"]*" href="data:text/csv;charset=utf-8,([^"]*)"', content)
    return list(csv.reader(io.StringIO(unquote(unescape(address)), newline="")))


def test_text_is_left_and_numbers_are_right_with_room_to_the_decimal_point():
    made = table(["model", "", "µs", "why"], [["a<b", "x", "1.25", "2 & 3"], ["c", "", "10", ""]], "Times & costs")
    assert made.content == (
        '<div class="table">\n'
        '<div class="scroll" role="region" tabindex="0" aria-label="Times &amp; costs">\n'
        "<table>\n<caption>Times &amp; costs</caption>\n"
        '<thead><tr><th scope="col">model</th><td></td><th scope="col" class="n">µs</th><th scope="col">why</th></tr>'
        "</thead>\n<tbody>\n"
        '<tr><th scope="row">a&lt;b</th><td>x</td><td class="n">1.25</td><td>2 &amp; 3</td></tr>\n'
        '<tr><th scope="row">c</th><td></td><td class="n" data-pad=".00">10</td><td></td></tr>\n'
        "</tbody>\n</table>\n</div>\n"
        '<a class="csv" download="times-costs.csv" href="data:text/csv;charset=utf-8,'
        'model,,%C2%B5s,why%0D%0Aa%3Cb,x,1.25,2%20%26%203%0D%0Ac,,10,%0D%0A"'
        ' aria-label="Save times-costs.csv">CSV</a>\n'
        "</div>"
    )
    assert made.script == ""


def test_facts_are_names_and_values():
    assert facts([["a&b", "1"], ["c", "<d>"]]).content == (
        '<div class="table facts">\n<table>\n<tbody>\n<tr><th scope="row">a&amp;b</th><td>1</td></tr>\n'
        '<tr><th scope="row">c</th><td>&lt;d&gt;</td></tr>\n</tbody>\n</table>\n</div>'
    )


@pytest.mark.parametrize(
    ("column", "padded"),
    [
        (["1", "12.5", "–"], [".0", "", ".0"]),
        (["1.25", "1.5"], ["", "0"]),
        (["99.80%", "100%"], ["", ".00"]),
        (["4.70 M", "12 k"], ["", ".00"]),
        (["0.912 ± 0.003", "0.9 ± 0.003"], ["", "00"]),
        (["0.85–0.95 †", "0.85–0.95", ""], ["", " †", ".00–0.95 †"]),
        (["-0.50", "+1,234.00", "exact"], ["", "", ".00"]),
        (["2 of 9", "10 of 9"], ["", ""]),
        (["★ 0.9", "0.85"], ["0", ""]),
        (["52 °C", "–"], ["", " °C"]),
        (["walking", "2"], None),
        (["1500, 600 MHz", "the 3"], None),
        (["2 (more than cores)", "1"], None),
        (["–", ""], None),
        (["-0.50 to +0.1", "-1.25 to -0.50", "10 to 2"], ["", "", ".00"]),
        (["1.0-2", "1.0-3"], None),
        (["3.11, 2.4"], None),
        (["3 km/h", "10.5 m/s²"], None),
        (["3.98e-07", "0.76"], ["", "e-07"]),
        (["3 m/s", "10.5 m/s"], [".0", ""]),
        ([], None),
    ],
)
def test_room_behind_numbers(column: list[str], padded: list[str] | None):
    assert paddings(column) == padded


@given(st.lists(st.decimals(-9999, 9999, places=2), min_size=1), st.data())
def test_decimal_points_are_below_each_other(numbers, data):
    column = [f"{number:,.{data.draw(st.integers(0, 4))}f}" for number in numbers]
    pads = paddings(column)
    assert pads is not None
    behind = {len((cell + pad).partition(".")[2]) for cell, pad in zip(column, pads, strict=True)}
    points = {"." in cell + pad for cell, pad in zip(column, pads, strict=True)}
    assert (len(behind), len(points)) == (1, 1)


def test_many_alike_columns_become_rows_and_are_saved_as_they_were():
    labels = [f"class {number}" for number in range(9)]
    head, rows = ["float", *labels], [["ours", *["0.9"] * 9], ["theirs", *["0.85"] * 9]]
    turned = table(head, rows, turn=True).content
    assert (
        '<th scope="col">float</th><th scope="col" class="n">ours</th><th scope="col" class="n">theirs</th>' in turned
    )
    assert '<tr><th scope="row">class 8</th><td class="n">0.9</td><td class="n">0.85</td></tr>' in turned
    assert saved(turned) == [head, *rows]
    for kept in (
        table(head, rows).content,
        table(head[:-1], [row[:-1] for row in rows], turn=True).content,
        table(head, rows * 5, turn=True).content,
        # As many rows as columns beside the first: turned, it would be no shorter.
        table(head, [["ours", *["0.9"] * 9]] * 9, turn=True).content,
    ):
        assert '<th scope="row">ours</th>' in kept
    assert '<th scope="row">class 8</th>' in table(head, [rows[0]] * 8, turn=True).content


def test_a_wide_table_is_dense():
    assert 'class="scroll dense"' in table([str(n) for n in range(11)], [["1"] * 11]).content
    assert 'class="scroll"' in table([str(n) for n in range(10)], [["1"] * 10]).content


def test_a_long_table_is_folded_and_its_page_unfolds_it_to_be_printed():
    rows = [[str(number)] for number in range(25)]
    folded = table(["n"], rows, "All <of> them")
    assert folded.content.startswith("<details><summary>All &lt;of&gt; them: 25 rows</summary>\n<div")
    assert folded.content.endswith("</a>\n</details>")
    assert 'addEventListener("beforeprint"' in folded.script
    assert "details" not in table(["n"], rows[:24]).content
    assert "details" not in table(["n"], rows, fold=False).content
    assert "<summary>n, m: 25 rows</summary>" in table(["", "n", "m"], [["", "1", "2"]] * 25).content


def test_a_table_without_rows_has_its_header():
    made = table(["a", "b"], []).content
    assert '<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>\n<tbody>\n\n</tbody>' in made


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+cmd", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-0.50", "-0.50"),
        ("+1,234.5", "+1,234.5"),
        ("-3.2e-05", "-3.2e-05"),
        ("-1.50%", "-1.50%"),
        ("–", "–"),
        ('say "a", b', 'say "a", b'),
    ],
)
def test_no_cell_is_a_formula_to_a_spreadsheet(cell: str, written: str):
    assert list(csv.reader(io.StringIO(csv_text(["h"], [[cell]]), newline=""))) == [["h"], [written]]


def test_csv_is_that_of_rfc_4180():
    assert csv_text(["a", "b"], [['x "y", z', "line\nline"]]) == 'a,b\r\n"x ""y"", z","line\nline"\r\n'


@given(st.lists(TEXT, min_size=2, max_size=5), st.data())
def test_what_is_saved_are_the_cells(head, data):
    width = len(head)
    rows = data.draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), max_size=4))
    read = saved(table(head, rows).content)
    assert len(read) == 1 + len(rows)
    for found, row in zip(read, [head, *rows], strict=True):
        assert [
            cell.removeprefix("'") if cell[1:] == own else cell for cell, own in zip(found, row, strict=True)
        ] == row
        assert not any(cell.startswith(("=", "@", "\t", "\r", "\n")) for cell in found)
