"""The page in a browser: what a person does to labels is in the file afterwards, at these samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st
from label_person import Person, saved

# Where the names of segments are.
BAND = 13


def test_drag_name_undo_redo_save_reload(person: Person, tmp_path: Path):
    person.label(20, 60, "walking")
    person.label(100, 150, "<b>sitting</b>")
    assert person.segments() == [("walking", "0:00.40 – 0:01.20"), ("<b>sitting</b>", "0:02.00 – 0:03.00")]
    assert person.text("#state") == "● Unsaved changes"
    person.press("Control+z")
    assert person.segments() == [("walking", "0:00.40 – 0:01.20")]
    person.press("Control+Shift+z")
    # At once, before the page has kept the change.
    assert person.save().startswith("Saved ")
    assert person.text("#state").endswith(", 2 segments, 6.2 s unlabelled")
    assert saved(tmp_path) == [(20, 60, "walking"), (100, 150, "<b>sitting</b>")]
    person.load()
    assert person.segments() == [("walking", "0:00.40 – 0:01.20"), ("<b>sitting</b>", "0:02.00 – 0:03.00")]
    assert person.page.locator("#mark").is_hidden()


def test_edges_are_dragged_snap_and_stop_at_neighbours(person: Person, tmp_path: Path):
    person.label(20, 60, "a")
    # The end of a drag near an edge is that edge.
    person.label(59.4, 100, "b")
    assert [each[0] for each in person.segments()] == ["a", "b"]
    # An edge that two segments share moves for both.
    person.drag(60, 70, BAND)
    # One that has a free neighbour stops there.
    person.label(150, 180, "c")
    person.drag(150, 90, BAND)
    person.drag(20, 10, BAND)
    person.save()
    assert saved(tmp_path) == [(10, 70, "a"), (70, 100, "b"), (100, 180, "c")]


OPERATIONS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["a", "b", None])).map(
        lambda each: (min(each[:2]), max(each[:2]), each[2])
    ),
    max_size=12,
)
DO_ALL = """argument.map((each) => {
  const { paint, split, moveEdge } = module;
  const lists = [[]];
  for (const [start, stop, name] of each) lists.push(paint(lists.at(-1), start, stop, name));
  const last = lists.at(-1);
  const cut = split(last, 30);
  const moved = cut.map((_, index) => ["start", "stop"].map((side) =>
    [5, 40].map((to) => moveEdge(cut, index, side, to, 60))));
  return [last, cut, ...moved.flat(2)];
})"""


def test_lists_of_segments_are_labels_of_samples(person: Person):
    """Whatever is painted, the list says the same as an array of labels, and never overlaps after any change."""

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
    @given(st.lists(OPERATIONS, min_size=10, max_size=10))
    def holds(cases: list[list[tuple[int, int, str | None]]]) -> None:
        for operations, (painted, cut, *moved) in zip(cases, person.module("segments", DO_ALL, cases), strict=True):
            wanted: list[str | None] = [None] * 60
            for start, stop, name in operations:
                wanted[start:stop] = [name] * (stop - start)
            assert samples(painted) == wanted
            assert samples(cut) == wanted
            assert len(cut) - len(painted) in (0, 1)
            for each in (painted, cut, *moved):
                edges = [edge for segment in each for edge in (segment["start"], segment["stop"])]
                assert edges == sorted(edges)
                assert all(segment["start"] < segment["stop"] for segment in each)
                assert not edges or (edges[0] >= 0 and edges[-1] <= 60)
            assert all([s["name"] for s in each] == [s["name"] for s in cut] for each in moved)

    holds()


def samples(segments: list[dict[str, Any]]) -> list[str | None]:
    found: list[str | None] = [None] * 60
    for segment in segments:
        found[segment["start"] : segment["stop"]] = [segment["name"]] * (segment["stop"] - segment["start"])
    return found


WALK = """argument.map((moves) => {
  const history = new module.History([[], []]);
  const states = [[]], seen = [];
  let at = 0, mark = 0;
  for (const [move, recording, list] of moves) {
    if (move === "change" && history.change([[recording, list]], "x")) {
      states.splice(at + 1); at += 1; mark = mark >= at ? -1 : mark;
    } else if (move === "undo" && history.undo()) at -= 1;
    else if (move === "redo" && history.redo()) at += 1;
    else if (move === "save") { history.markSaved(); mark = at; }
    const now = JSON.stringify(history.lists);
    if (at === states.length) states.push(now);
    if (at > 0 && states[at] !== now) return `state ${at} is ${now}, was ${states[at]}`;
    if (at === 0 && now !== "[[],[]]") return `the beginning is ${now}`;
    if (history.changed !== (mark !== at)) return `changed is ${history.changed} at ${at}, saved at ${mark}`;
    if ((history.undoable === null) !== (at === 0)) return `undoable is ${history.undoable} at ${at}`;
  }
  return "";
})"""
MOVE = st.tuples(
    st.sampled_from(["change", "change", "undo", "redo", "save"]),
    st.integers(0, 1),
    st.lists(st.integers(1, 4), max_size=4).map(
        lambda lengths: [
            {"start": int(stop) - length, "stop": int(stop), "name": "ab"[length % 2]}
            for length, stop in zip(lengths, np.cumsum(lengths), strict=True)
        ]
    ),
)


def test_history_leads_back_and_forth_through_the_same_states(person: Person):
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
    @given(st.lists(st.lists(MOVE, max_size=15), min_size=10, max_size=10))
    def holds(walks: list[list[Any]]) -> None:
        assert set(person.module("history", WALK, walks)) <= {""}

    holds()


def test_no_peak_is_lost_at_any_zoom(person: Person):
    """Smallest and largest values are exact, wherever a column of the screen begins and ends."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=5000).astype(np.float32)
    bounds = np.sort(rng.integers(0, 5001, (400, 2)), axis=1)
    bounds = bounds[bounds[:, 0] < bounds[:, 1]]
    code = """(() => {
      const pyramid = new module.Pyramid(Float32Array.from(argument.values));
      return argument.bounds.map(([from, to]) => pyramid.range(from, to));
    })()"""
    found = person.module("pyramid", code, {"values": values.tolist(), "bounds": bounds.tolist()})
    wanted = [[values[start:stop].min(), values[start:stop].max()] for start, stop in bounds]
    np.testing.assert_array_equal(np.float32(found), np.array(wanted))
