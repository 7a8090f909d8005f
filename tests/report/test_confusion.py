"""The confusion matrix of a page, cell by cell, and the windows behind its cells."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from deseptr.contract import CHANNELS, channels_of
from deseptr.data.label_page.colours import AXES
from deseptr.evaluate.confused_windows import CROWDED, RULE, Confused, ConfusedPair, ConfusedWindow
from deseptr.report.html.confusion import Matrix, hint_text, matrix_block, share_text

LABELS = ("sit", "walk", "fly")
COUNTS = [[41, 2, 0], [0, 1200, 1], [0, 0, 0]]
STILL = np.zeros((4, 6), np.float32)


def window(subject: str = "ada", signals: np.ndarray | None = None) -> ConfusedWindow:
    return ConfusedWindow(subject, 0.912, 0.051, "5", 12.8, signals)


def confused(*pairs: ConfusedPair, channels: tuple[str, ...] = CHANNELS) -> Confused:
    return Confused(pairs, 2.56, channels)


PAIRS = confused(
    ConfusedPair(0, 1, 2, 1, (window(signals=STILL),)),
    ConfusedPair(1, 2, 1, 1, (window("eve", STILL),)),
)


class Parsed(HTMLParser):
    """A page's cells by rows, its links, and the texts of its groups of windows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.spoken: dict[str, str] = {}
        self._cell = self._group = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = tag
        if tag == "a" and self._cell:
            self.links[given["href"] or ""] = given["aria-label"] or ""
        if given.get("class") == "confused":
            self._group = given["id"] or ""
            self.groups[self._group] = ""
            self.spoken[self._group] = given["aria-label"] or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = ""

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data
        if self._group:
            self.groups[self._group] += data


def parsed(matrix: Matrix) -> Parsed:
    return Parsed(matrix_block(matrix).content)


def test_cells_have_counts_and_shares_of_the_true_class():
    assert parsed(Matrix("m", LABELS, COUNTS, PAIRS)).rows == [
        ["true ↓ given →", "sit", "walk", "fly", "windows"],
        ["sit", "41 95 %", "2 4.7 %", "0", "43"],
        ["walk", "0", "1,200 >99 %", "1 <0.1 %", "1,201"],
        ["fly", "0", "0", "0", "0"],
    ]


def test_cells_are_coloured_by_their_share_and_right_ones_differ():
    page = matrix_block(Matrix("m", LABELS, COUNTS, PAIRS)).content
    assert re.findall(r'<td class="(right|wrong)" style="--share:([\d.]+)"', page) == [
        ("right", "0.953"),
        ("wrong", "0.047"),
        ("right", "0.999"),
        ("wrong", "0.001"),
    ]


def test_a_confused_cell_leads_to_its_windows_with_a_name_that_is_spoken():
    found = parsed(Matrix("m", LABELS, COUNTS, PAIRS))
    assert found.links == {
        "#m-0-1": "2 of 43 windows of sit taken for walk, 4.7 %",
        "#m-1-2": "1 of 1,201 windows of walk taken for fly, <0.1 %",
    }
    assert list(found.groups) == ["m-0-1", "m-1-2"]
    assert found.spoken["m-0-1"] == "2 of 43 windows of sit taken for walk, 4.7 %"
    assert found.groups["m-0-1"].split("\n")[1:] == [
        "2 of 43 windows of sit taken for walk, 4.7 %. All are of wearer ada; 1 is shown. Back to the matrix",
        "wearer adatrial 5, 12.80 to 15.36 swalk 0.91, sit 0.05±1 m/s², ±1 rad/s",
        "",
        "",
    ]


def test_windows_of_known_places_have_their_time_without_a_picture():
    alone = ConfusedWindow("ada", 0.9, 0.05, "5", 12.8)
    matrix = Matrix("m", LABELS, COUNTS, Confused((ConfusedPair(0, 1, 2, 1, (alone,)),), 2.56))
    page = matrix_block(matrix).content
    assert "<li><span>wearer ada</span><span>trial 5, 12.80 to 15.36 s</span><span>walk 0.90, sit 0.05</span>" in page
    assert "<svg" not in page
    assert hint_text(matrix).endswith("Their signals are not shown, since the recordings were not at hand.")


def test_windows_without_recordings_have_no_picture_and_no_time():
    alone = ConfusedWindow("ada", 0.9, float("nan"))
    matrix = Matrix("m", LABELS, COUNTS, Confused((ConfusedPair(0, 1, 2, 2, (alone, alone)),)))
    page = matrix_block(matrix).content
    assert "<svg" not in page
    assert "<li><span>wearer ada</span><span>walk 0.90, sit –</span></li>" in page
    assert "They are of 2 wearers. " in page
    assert hint_text(matrix) == (
        "2 windows were taken for another class; an orange cell leads to examples, 2 in all. "
        f"{RULE} Their signals and times are not shown, since the recordings were not at hand."
    )


def test_the_hint_names_what_a_picture_has():
    pairs = (ConfusedPair(0, 1, 1, 1, (window(signals=STILL),)), ConfusedPair(1, 0, 1, 1, ()))
    assert hint_text(Matrix("m", LABELS, COUNTS, Confused(pairs[:1], 2.56, CHANNELS))) == (
        f"1 window was taken for another class; an orange cell leads to examples, 1 in all. {RULE} "
        "A picture has acceleration above angular rate: x is blue, y orange and z green, and the limits of its height "
        "stand below it."
    )
    alone = hint_text(Matrix("m", LABELS, COUNTS, Confused(pairs, 2.56, channels_of(["acc"]), crowded=True)))
    assert alone.startswith(
        "2 windows were taken for another class; 1 of the orange cells lead to examples, 1 in all. "
    )
    assert f"{RULE} {CROWDED} A picture has acceleration: x is" in alone


def test_a_pair_without_room_for_examples_is_no_link():
    found = parsed(Matrix("m", LABELS, COUNTS, confused(ConfusedPair(0, 1, 2, 1, ()))))
    assert (found.links, found.groups) == ({}, {})


def test_a_matrix_without_windows_has_no_links_and_no_hint():
    page = matrix_block(Matrix("m", LABELS, COUNTS)).content
    assert "<a " not in page
    assert "hint" not in page
    assert hint_text(Matrix("m", LABELS, COUNTS, Confused(()))) == "No window was taken for another class."


def test_one_class_and_one_window():
    assert parsed(Matrix("m", ("sit",), [[7]], Confused(()))).rows[1] == ["sit", "7 100 %", "7"]
    only = Matrix("m", ("sit", "fly"), [[0, 1], [0, 0]], confused(ConfusedPair(0, 1, 1, 1, (window(),))))
    assert parsed(only).links == {"#m-0-1": "the only window of sit taken for fly, 100 %"}
    assert "It is of wearer ada. " in parsed(only).groups["m-0-1"]


def test_markup_in_names_is_text():
    labels = ('<b onclick="x">', "a&b")
    evil = ConfusedWindow('<i id="w">', 0.5, 0.25, "<u>", 0.0)
    page = matrix_block(
        Matrix("m", labels, [[0, 2], [0, 1]], confused(ConfusedPair(0, 1, 2, 1, (evil,))), "<caption>")
    ).content
    assert not re.search(r"<(b on|i id|u>|caption>:)", page)
    assert "&lt;caption&gt;: windows, and their share of the true class" in page
    found = parsed(Matrix("m", labels, [[0, 2], [0, 1]], confused(ConfusedPair(0, 1, 2, 1, (evil,)))))
    assert found.rows[0] == ["true ↓ given →", *labels, "windows"]
    assert found.links == {"#m-0-1": '2 of 2 windows of <b onclick="x"> taken for a&b, 100 %'}
    assert 'wearer <i id="w">trial <u>, 0.00 to 2.56 s' in found.groups["m-0-1"]


@pytest.mark.parametrize(("classes", "upright"), [(6, False), (7, True)])
def test_names_of_many_classes_stand_upright(classes: int, upright: bool):
    page = matrix_block(
        Matrix("m", [f"class {i}" for i in range(classes)], np.eye(classes, dtype=int).tolist())
    ).content
    assert ('<table class="many">' in page) is upright


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (0, 0, "–"),
        (0, 9, "0.0 %"),
        (1, 30, "3.3 %"),
        (99, 1000, "9.9 %"),
        (996, 10000, "10 %"),
        (10, 100, "10 %"),
        (99, 100, "99 %"),
        (995, 1000, ">99 %"),
        (1000, 1000, "100 %"),
        (1, 1000, "0.1 %"),
        (1, 1001, "<0.1 %"),
    ],
)
def test_shares(count: int, total: int, text: str):
    assert share_text(count, total) == text


def test_axes_have_the_colours_of_the_labelling_page():
    style = matrix_block(Matrix("m", LABELS, COUNTS, PAIRS)).style
    found = re.findall(r"\.confused \.([xyz]) \{ stroke: (#\w+); \}", style)
    assert found == [*zip("xyz", AXES["light"], strict=True), *zip("xyz", AXES["dark"], strict=True)]


def test_nineteen_classes_that_are_all_confused_stay_small():
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(128, 6)).astype(np.float32)
    pairs = [
        ConfusedPair(true, given, 5, 1, (window(signals=signals),))
        for true in range(19)
        for given in range(19)
        if true != given
    ][:300]
    matrix = Matrix("m", [f"a long name of class {i}" for i in range(19)], [[5] * 19] * 19, confused(*pairs))
    assert len(matrix_block(matrix).content.encode()) < 1_000_000
