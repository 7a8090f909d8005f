"""Tables as other programs write them; each has the same samples as a plain one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import DataError
from deseptr.data import ReadOptions, load_dataset

HEADER = "t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label,subject"
COUNT = 60


def values(row: int) -> list[float]:
    return [0.25 * row, 9.75, -0.5, 0.125, 0.0625 * row, -1.5]


def text(header: str = HEADER, step: float = 0.02, start: float = 0.0, rows: int = COUNT) -> str:
    times = [round(start + step * row, 6) for row in range(rows)]
    lines = [",".join([repr(t), *map(str, values(row)), "walking", "ada"]) for row, t in enumerate(times)]
    return "\n".join([header, *lines]) + "\n"


def check(path: Path, options: ReadOptions | None = None) -> tuple[str, ...]:
    """The samples at 50 Hz, label and subject are those of :func:`text`; returns the notes."""
    dataset = load_dataset(path, options)
    (recording,) = dataset.recordings
    assert recording.rate_hz == pytest.approx(50.0, rel=1e-6)
    assert (recording.subject, dataset.label_names) == ("ada", ("walking",))
    np.testing.assert_array_equal(recording.signals, np.array([values(row) for row in range(COUNT)], np.float32))
    return tuple(note for note in dataset.oddities if "median acceleration" not in note)


def write(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def test_a_plain_file_has_no_note(tmp_path: Path) -> None:
    assert check(write(tmp_path / "a.csv", text())) == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    notes = check(write(tmp_path / "a.csv", text(), encoding))
    assert ("read as text with UTF-" in " ".join(notes)) == (encoding != "utf-8-sig")


@pytest.mark.parametrize(
    ("mark", "words"), [("\t", "tabs between columns"), (";", "semicolons"), ("|", "bars"), (" ", "blanks")]
)
def test_delimiters(tmp_path: Path, mark: str, words: str) -> None:
    (note,) = check(write(tmp_path / "a.csv", text().replace(",", mark)))
    assert words in note


def test_decimal_commas_and_the_line_of_a_spreadsheet(tmp_path: Path) -> None:
    content = "sep=;\n" + text().replace(",", ";").replace(".", ",")
    (note,) = check(write(tmp_path / "a.csv", content))
    assert note == "read as text with semicolons between columns, decimal commas"
    with pytest.raises(DataError, match=r"line 63, column acc_y: found 'x'"):
        load_dataset(write(tmp_path / "a.csv", content + content.splitlines()[-1].replace("9,75", "x") + "\n"))


@pytest.mark.parametrize(
    ("step", "start", "unit"),
    [(20, 0, "ms"), (20, 1_700_000_000_000, "ms"), (20_000, 0, "us"), (20_000_000, 1_700_000_000_000_000_000, "ns")],
)
def test_the_unit_of_the_time_is_what_gives_a_rate(tmp_path: Path, step: float, start: float, unit: str) -> None:
    (note,) = check(write(tmp_path / "a.csv", text(step=step, start=start)))
    assert f"taken for {unit}" in note
    assert check(tmp_path / "a.csv", ReadOptions(time_unit=unit)) == ()


@pytest.mark.parametrize("step", [1, 0.5])
def test_an_ambiguous_unit_is_seconds(tmp_path: Path, step: float) -> None:
    (recording,) = load_dataset(write(tmp_path / "a.csv", text(step=step))).recordings
    assert recording.rate_hz == pytest.approx(1 / step)


@pytest.mark.parametrize("zone", ["", "Z", "+00:00"])
def test_dates(tmp_path: Path, zone: str) -> None:
    header, *rows = text().splitlines()
    dated = [f"2023-11-14T22:13:{float(t):06.3f}{zone},{rest}" for t, _, rest in (row.partition(",") for row in rows)]
    notes = check(write(tmp_path / "a.csv", "\n".join([header.replace("t,", "timestamp,", 1), *dated])))
    assert notes == ("columns were taken by what their names mean: timestamp as t; --columns says otherwise",)
    with pytest.raises(DataError, match=r"line 3, column timestamp: found 'soon', expected a date and time"):
        load_dataset(
            write(tmp_path / "a.csv", "\n".join(["timestamp" + header[1:], dated[0], "soon,0,0,0,0,0,0,a,b\n"]))
        )


@pytest.mark.parametrize(
    "header",
    [
        HEADER.upper(),
        "time,x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,activity,user",
        "Timestamp,Accel X (m/s²),Accel Y (m/s²),Accel Z (m/s²),Gyro X rad/s,Gyro Y rad/s,Gyro Z rad/s,Class,Person",
        "Time (s),ax,ay,az,gx,gy,gz,labels,participant",
        "ts,AccelerometerX,AccelerometerY,AccelerometerZ,GyroscopeX,GyroscopeY,GyroscopeZ,Label,Subjects",
    ],
)
def test_names_that_can_mean_one_thing(tmp_path: Path, header: str) -> None:
    (note,) = check(write(tmp_path / "a.csv", text(header)))
    assert f"{header.split(',')[1]} as acc_x" in note


def test_units_in_foreign_names_count(tmp_path: Path) -> None:
    header = "time [ms],acc x [g],acc y [g],acc z [g],gyro x [°/s],gyro y [deg/s],gyro z [dps],label,subject"
    dataset = load_dataset(write(tmp_path / "a.csv", text(header, step=20)))
    assert dataset.original_units == ("g",) * 3 + ("dps",) * 3
    first = dataset.recordings[0].signals[0]
    np.testing.assert_allclose(first[[1, 5]], [9.75 * 9.80665, -1.5 * np.pi / 180], rtol=1e-6)


def test_acceleration_without_gravity_is_not_taken_for_acceleration(tmp_path: Path) -> None:
    header = HEADER.replace("acc_", "user_acc_")
    with pytest.raises(
        DataError, match=r"no column acc_x, acc_y, acc_z .*--columns THEIRS=OURS,… as user_acc_x=acc_x;"
    ):
        load_dataset(write(tmp_path / "a.csv", text(header)))
    options = ReadOptions.of({"columns": "user_acc_x=acc_x,user_acc_y=acc_y,user_acc_z=acc_z"})
    assert check(tmp_path / "a.csv", options) == ()


def test_two_columns_that_may_be_one_are_asked_about(tmp_path: Path) -> None:
    content = text("time,ax,ay,az,gx,gy,gz,accel_x,subject").replace("walking", "1")
    with pytest.raises(DataError, match=r"columns ax, accel_x more than once.*say with --columns which one is acc_x"):
        load_dataset(write(tmp_path / "a.csv", content))
    assert load_dataset(tmp_path / "a.csv", ReadOptions(columns=(("ax", "acc_x"),))).samples == COUNT


def test_a_column_that_is_nowhere_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", text())
    with pytest.raises(DataError, match="column actvity: found no such column"):
        load_dataset(tmp_path, ReadOptions(columns=(("actvity", "label"),)))


def test_units_of_names_without_one(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path / "a.csv", text()), ReadOptions(units=("g", "dps")))
    first = dataset.recordings[0].signals[0]
    np.testing.assert_allclose(first[[1, 5]], [9.75 * 9.80665, -1.5 * np.pi / 180], rtol=1e-6)


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text().replace("ada", "Zoë"), "cp1252")
    with pytest.raises(DataError, match="--encoding, as cp1252"):
        load_dataset(path)
    assert load_dataset(path, ReadOptions(encoding="cp1252")).subjects == ("Zoë",)


def test_a_folder_with_subfolders_and_a_table_of_something_else(tmp_path: Path) -> None:
    plain = text("t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label,note")
    for name in ("s1/walk_1.csv", "s2/walk_1.csv", "s10/walk_2.TSV"):
        (tmp_path / name).parent.mkdir()
        write(tmp_path / name, plain.replace(",", "\t") if name.endswith("V") else plain)
    write(tmp_path / "people.csv", "id,age\n1,30\n")
    dataset = load_dataset(tmp_path)
    # Files of one name in two folders are not of one person.
    assert dataset.subjects == ("s1/walk_1", "s2/walk_1", "s10/walk_2")
    assert "passed over, without a column of any channel: people.csv" in dataset.oddities
    options = ReadOptions(subject_from=r"s(\d+)/", recording_from=r"_(\d)", label_from="walk")
    dataset = load_dataset(tmp_path, options)
    assert [(r.subject, r.name) for r in dataset.recordings] == [("1", "1"), ("2", "1"), ("10", "2")]
    assert dataset.label_names == ("walk",)
    assert load_dataset(tmp_path / "s1", ReadOptions(label="strolling")).label_names == ("strolling",)
    with pytest.raises(DataError, match=r"nothing in its path that x\(\\d\) describes.*correct --subject-from"):
        load_dataset(tmp_path, ReadOptions(subject_from=r"x(\d)"))


def test_a_folder_without_any_recording_says_so(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,age\n1,30\n")
    with pytest.raises(DataError, match=r"people\.csv: found no column t"):
        load_dataset(tmp_path)


def test_choices_for_what_is_no_text_are_refused() -> None:
    with pytest.raises(DataError, match="found choices for reading text: label"):
        load_dataset("synthetic:subjects=1,seconds=4", ReadOptions(label="walking"))


@given(
    st.lists(st.lists(st.floats(-50, 50, width=32), min_size=6, max_size=6), min_size=20, max_size=30),
    st.sampled_from([(",", "."), (";", ","), ("\t", "."), ("|", ",")]),
    st.sampled_from(["utf-8", "utf-16", "utf-16-be"]),
    st.sampled_from([("s", 0.02), ("ms", 20.0), ("us", 20000.0)]),
    st.permutations(range(8)),
)
@settings(max_examples=40, deadline=None)
def test_the_same_samples_in_whatever_spelling(tmp_path_factory, rows, marks, encoding, time, order) -> None:
    delimiter, decimal = marks
    unit, step = time
    names = HEADER.split(",")[:8]
    table = [[f"{step * i:.6f}", *(f"{value:.9g}" for value in row), "walking"] for i, row in enumerate(rows)]
    cells = [names, *([cell.replace(".", decimal) for cell in row[:7]] + row[7:] for row in table)]
    content = "\n".join(delimiter.join(row[column] for column in order) for row in cells) + "\n"
    path = write(tmp_path_factory.mktemp("p") / "a.csv", content, encoding)
    (recording,) = load_dataset(path, ReadOptions(time_unit=unit)).recordings
    assert recording.rate_hz == pytest.approx(50)
    np.testing.assert_array_equal(recording.signals, np.array(rows, np.float32))


def test_dates_between_runs_of_spaces(tmp_path: Path) -> None:
    rows = [f"2026-01-31T12:00:{count // 50:02d}.{count % 50 * 20:03d}  0 0   9.8 0 0  0" for count in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["t  acc_x acc_y   acc_z gyro_x gyro_y gyro_z", *rows]))
    (recording,) = load_dataset(tmp_path / "a.csv").recordings
    assert (len(recording), recording.rate_hz) == (100, pytest.approx(50))
