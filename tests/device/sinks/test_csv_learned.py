"""Columns of labels that wearers bring while the file is written: in a new file, and never at the cost of rows."""

from dataclasses import replace

import pytest
from csv_events import LABELS, make, rows
from hypothesis import given, strategies as st

from deseptr.device import WindowEvent


def learned(event, label):
    """The same window for a wearer whose file brings a label."""
    return replace(event, wearer="eve", probabilities={**event.probabilities, label: 0.125})


def test_a_label_that_is_learned_while_the_file_is_written_has_a_column_in_the_next_file(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    sink = make(path, warnings, wearer=True)
    for event in (window(0), learned(window(1), "cycling"), window(2), learned(window(3), "a, b")):
        sink.take(event)
    before = (path.with_name("run.csv.2").read_bytes(), path.with_name("run.csv.1").read_bytes())
    sink.take(learned(window(4), "cycling"))
    sink.close()
    files = [rows(path.with_name(name)) for name in ("run.csv.2", "run.csv.1", "run.csv")]
    assert [[row["sample"] for row in each] for each in files] == [["0"], ["64", "128"], ["192", "256"]]
    assert "p_cycling" not in files[0][0]
    assert [row["p_cycling"] for each in files[1:] for row in each] == ["0.125000", "", "", "0.125000"]
    assert [row["p_a, b"] for row in files[2]] == ["0.125000", ""]
    assert [row["wearer"] for each in files for row in each] == ["", "eve", "", "eve", "eve"]
    assert before == (path.with_name("run.csv.2").read_bytes(), path.with_name("run.csv.1").read_bytes())
    assert warnings == []


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_a_label_that_is_learned_never_costs_the_oldest_file(tmp_path, window, warnings, keep):
    path = tmp_path / "run.csv"
    sink = make(path, warnings, wearer=True, max_bytes=700, keep=keep)
    number = 0
    while not path.with_name(f"run.csv.{keep - 1}" if keep > 1 else "run.csv").exists() or number < 3:
        sink.take(window(number))
        number += 1
    before = {file.name: rows(file) for file in tmp_path.iterdir()}
    sink.take(learned(window(number), "cycling"))
    after = {file.name: rows(file) for file in tmp_path.iterdir()}
    assert {name: each[: len(before[name])] for name, each in after.items()} == before
    assert "p_cycling" not in after["run.csv"][-1]
    assert len(after["run.csv"]) == len(before["run.csv"]) + 1
    assert warnings == [f"{path}: no file is left for the column of cycling; it comes when this one is full"]
    for later in range(number + 1, number + 12):
        sink.take(learned(window(later), "cycling"))
    sink.close()
    assert {row["p_cycling"] for row in rows(path)} == {"0.125000"}
    assert len(warnings) == 1


def test_a_later_run_goes_on_in_a_file_with_the_column_of_a_label_that_nobody_has_now(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    for number, more in enumerate((("cycling",), (), ("cycling",))):
        sink = make(path, warnings, learned=more, wearer=True)
        sink.take(learned(window(number), "cycling") if more else window(number))
        sink.close()
    assert [file.name for file in tmp_path.iterdir()] == ["run.csv"]
    assert [row["p_cycling"] for row in rows(path)] == ["0.125000", "", "0.125000"]


def test_with_one_file_to_keep_a_later_run_keeps_its_rows_though_they_lack_a_column(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    for number, more in enumerate(((), ("cycling",))):
        sink = make(path, warnings, learned=more, wearer=True, keep=1)
        sink.take(window(number))
        sink.close()
    assert [row["sample"] for row in rows(path)] == ["0", "64"]


def test_where_no_new_file_can_be_begun_rows_go_on_without_the_column(tmp_path, window, warnings):
    path = tmp_path / "run.csv"
    sink = make(path, warnings, wearer=True)
    sink.take(window(0))
    path.with_name("run.csv.1").write_bytes(b"precious")
    for number in (1, 2):
        sink.take(learned(window(number), "cycling"))
    sink.close()
    assert [row["sample"] for row in rows(path)] == ["0", "64", "128"]
    assert path.with_name("run.csv.1").read_bytes() == b"precious"
    assert len(warnings) == 1
    assert warnings[0].endswith("no column for cycling until a new file can be begun")
    assert sink.losses.count == 0


def test_once_a_new_file_could_be_begun_the_next_label_has_its_column_at_once(tmp_path, window, warnings):
    path, earlier = tmp_path / "run.csv", tmp_path / "run.csv.1"
    sink = make(path, warnings, wearer=True, max_bytes=500)
    sink.take(window(0))
    earlier.write_bytes(b"precious")
    sink.take(learned(window(1), "cycling"))
    earlier.unlink()
    number = 2
    while not earlier.exists():
        sink.take(learned(window(number), "cycling"))
        number += 1
    assert len(warnings) == 1
    sink.take(learned(window(number), "rowing"))
    sink.close()
    assert [row["p_rowing"] for row in rows(path)] == ["0.125000"]
    assert len(warnings) == 1


@given(
    st.lists(
        st.sampled_from([(), ("cycling",), ("rowing",), ("cycling", "rowing"), ("p_a", 'say "b", c')]), max_size=8
    ),
    st.integers(1, 4),
    st.integers(300, 2000),
    st.booleans(),
)
def test_every_row_has_the_columns_of_its_header_and_only_full_files_cost_rows(
    tmp_path_factory, worn, keep, max_bytes, runs
):
    path = tmp_path_factory.mktemp("worn") / "run.csv"
    event = WindowEvent(1.28, "walking", 0.75, {"sitting": 0.25, "walking": 0.75}, 812.5, 0)
    sink = make(path, [].append, wearer=True, keep=keep, max_bytes=max_bytes)
    for number, labels in enumerate(worn):
        if runs and number % 3 == 2:
            sink.close()
            sink = make(path, [].append, learned=labels, wearer=True, keep=keep, max_bytes=max_bytes)
        more = dict.fromkeys(labels, 0.5)
        sink.take(replace(event, sample=number, probabilities=event.probabilities | more))
    sink.close()
    found = []
    for file in (path.with_name(f"run.csv.{number}") if number else path for number in range(keep - 1, -1, -1)):
        if file.exists():
            for row in rows(file):
                assert None not in row
                assert None not in row.values()
                given = worn[int(row["sample"])]
                columns = {name[2:] for name in row if name.startswith("p_")} - {*LABELS}
                assert {name for name in columns if row[f"p_{name}"]} == {*given} & columns
                found.append(int(row["sample"]))
    assert found == list(range(len(worn) - len(found), len(worn)))
    # A row of at most 200 bytes below a header of 200: what fits into one file is lost in none.
    if 200 + 200 * len(worn) <= max_bytes:
        assert len(found) == len(worn)
