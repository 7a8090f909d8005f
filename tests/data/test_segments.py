"""Labels from a table of stretches, beside recordings that have none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from app_files import phyphox_table, unpacked
from hypothesis import given, settings, strategies as st

from deseptr.contract import DataError
from deseptr.data import Dataset, ReadOptions, import_dataset, load_dataset
from deseptr.data.even_grid import Trial
from deseptr.data.segments import label_trials

EPOCH_MS = 1_700_000_000_000
SECONDS = 10


def _recordings(folder: Path, *people: str, begin_ms: int = EPOCH_MS) -> Path:
    """A file for each person, one after another, without labels: 50 Hz, in milliseconds."""
    folder.mkdir(exist_ok=True)
    for number, person in enumerate(people):
        rows = [f"{begin_ms + 1000 * SECONDS * number + 20 * at},0.1,{at % 7},9.8" for at in range(50 * SECONDS)]
        (folder / f"{person}.csv").write_text("\n".join(["t_ms,acc_x,acc_y,acc_z", *rows]) + "\n")
    return folder


def _labelled(folder: Path, table: str) -> Dataset:
    path = folder.parent / "labels.csv"
    path.write_text(table)
    return load_dataset(folder, ReadOptions.of({"segments": str(path)}))


def _seconds(dataset: Dataset) -> dict[tuple[str, str], float]:
    """Seconds of each label by person, the unlabelled left out."""
    found: dict[tuple[str, str], float] = {}
    for recording in dataset.recordings:
        for number, name in enumerate(dataset.label_names):
            if count := int((recording.labels == number).sum()):
                found[recording.subject, name] = count / recording.rate_hz
    return found


WANTED = {("ada", "sitting"): 4.0, ("ada", "walking"): 6.0, ("ben", "walking"): 2.0}


@pytest.mark.parametrize(
    "table",
    [
        f"start_ms,end_ms,label\n{EPOCH_MS},{EPOCH_MS + 6000},walking\n{EPOCH_MS + 6000},{EPOCH_MS + 10_000},sitting\n"
        f"{EPOCH_MS + 13_000},{EPOCH_MS + 15_000},walking\n",
        "Participant;Begin [s];Duration [s];Activity;Comment\nada;1700000000,0;6,0;walking;-\n"
        "ada;1700000006,0;4;sitting;\nben;1700000013,0;2;walking;\n",
        "from,until,activity\n2023-11-14T22:13:20,2023-11-14T22:13:26,walking\n"
        "2023-11-14T22:13:26,2023-11-14T22:13:30,sitting\n"
        "2023-11-14T23:13:33+01:00,2023-11-14T23:13:35+01:00,walking\n",
        # Neither a unit nor a clock is said: what fits.
        f"start,end,label\n{EPOCH_MS},{EPOCH_MS + 6000},walking\n{EPOCH_MS + 6000},{EPOCH_MS + 10_000},sitting\n"
        f"{EPOCH_MS + 13_000},{EPOCH_MS + 15_000},walking\n",
        "start,end,label,subject\n0,6,walking,ada\n6,10,sitting,ada\n3,5,walking,ben\n",
        # Of two stretches that overlap, the later line counts; an empty label takes it away.
        "start,end,label,subject\n0,10,sitting,ada\n0,6,walking,ada\n0,9,walking,ben\n0,3,,ben\n5,9,,ben\n",
    ],
)
def test_stretches_are_labelled_however_their_table_is_written(tmp_path: Path, table: str) -> None:
    assert _seconds(_labelled(_recordings(tmp_path / "wrist", "ada", "ben"), table)) == WANTED


def test_what_was_found_out_is_noted(tmp_path: Path) -> None:
    folder = _recordings(tmp_path / "wrist", "ada", "ben")
    notes = _labelled(folder, "start,end,label,subject\n0,6,walking,ada\n11,12,walking,ada\n").oddities
    assert "the times of labels.csv were taken to count from the start of each recording" in notes
    assert "1 of 2 stretches of labels.csv is in no recording" in notes
    notes = _labelled(folder, f"start,end,label\n{EPOCH_MS},{EPOCH_MS + 6000},walking\n").oddities
    assert "the times of labels.csv were taken for ms, in which they fit; a column start_s has seconds" in notes


@pytest.mark.parametrize(
    ("header", "end"),
    [
        ("start_ms,end", EPOCH_MS + 6000),
        ("start,end_ms", EPOCH_MS + 6000),
        ("start_ms,duration", 6000),
        ("start,duration_ms", 6000),
        ("start_ms,duration_s", 6),
    ],
)
def test_a_time_without_a_unit_is_in_that_of_the_other(tmp_path: Path, header: str, end: int) -> None:
    table = f"{header},label\n{EPOCH_MS},{end},walking\n"
    assert _seconds(_labelled(_recordings(tmp_path / "wrist", "ada"), table)) == {("ada", "walking"): 6.0}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("start,end,label\n0,6,walking\n", r"line 2: found a stretch in several .*trial 1\), .*; add a column subject"),
        (
            "start,end,label,subject\n0,6,walking,eve\n",
            "no stretch in a recording: 0 to 6 of eve, expected stretches wi",
        ),
        (
            "start,end,label,subject,trial\n0,6,walking,ada,2\n",
            "0 to 6 of ada trial 2, expected stretches within .* of ada trial 1, ben trial 1; name subjects and trials",
        ),
        (
            "start,label\n0,walking\n",
            r"the columns start, label, expected a table start,end,label.*or duration for end",
        ),
        ("start,end,label\n6,0,walking\n", "line 2: found '6,0,walking', .* with an end after the start"),
        ("start,end,label\n0,1e999,walking\n", "line 2: found '0,1e999,walking'"),
        ("start,end,label\n0,nan,walking\n", "line 2: found '0,nan,walking'"),
        ("start,end,label\n0\n", "line 2: found '0'"),
        ("start,end,label\n", "found no row"),
        ("", "found an empty file"),
        ("start,end,label\n0,1,\udcff\n", "labels.csv: found .*can't decode"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, table: str, message: str) -> None:
    folder = _recordings(tmp_path / "wrist", "ada", "ben")
    (tmp_path / "labels.csv").write_bytes(table.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(folder, ReadOptions.of({"segments": str(tmp_path / "labels.csv")}))
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nope.csv: found No such file .*; correct --segments"):
        load_dataset(_recordings(tmp_path / "wrist", "ada"), ReadOptions.of({"segments": str(tmp_path / "nope.csv")}))


def test_a_stretch_goes_on_behind_a_gap_and_labels_of_the_file_stay_elsewhere(tmp_path: Path) -> None:
    rows = [f"{at / 50},0.1,{at % 7},9.8,other" for at in range(500) if not 200 <= at < 300]
    (tmp_path / "ada.csv").write_text("\n".join(["t,acc_x,acc_y,acc_z,label", *rows]) + "\n")
    (tmp_path / "labels.txt").write_text("start_s,end_s,label\n2,8,walking\n")
    dataset = load_dataset(tmp_path / "ada.csv", ReadOptions.of({"segments": str(tmp_path / "labels.txt")}))
    assert len(dataset.recordings) == 2
    assert _seconds(dataset)["ada", "walking"] == 2.0
    assert [[dataset.label_names[label] for label in r.labels[[0, -1]]] for r in dataset.recordings] == [
        ["other", "walking"],
        ["walking", "other"],
    ]


def test_recordings_of_an_app_are_labelled_alike(tmp_path: Path) -> None:
    t, turn = np.arange(50) / 50, np.tile([0.5, -1.0, 2.0], (50, 1))
    unpacked(
        tmp_path / "walk",
        {
            "Accelerometer.csv": phyphox_table(
                ["Time (s)", *(f"Acceleration {a} (m/s^2)" for a in "xyz")], np.column_stack([t, turn + 9])
            ),
            "Gyroscope.csv": phyphox_table(
                ["Time (s)", *(f"Gyroscope {a} (rad/s)" for a in "xyz")], np.column_stack([t, turn])
            ),
            "meta/device.csv": '"property","value"\n"version","1.1.12"\n',
        },
    )
    dataset = _labelled(tmp_path / "walk", "start,end,label\n0,0.5,walking\n")
    assert list(_seconds(dataset).values()) == [0.5]


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text('start,end;label\n0123.:-eT\0"', max_size=80).map(str.encode)),
    st.booleans(),
)
def test_anything_is_a_table_or_refused(tmp_path_factory, content: bytes, with_header: bool) -> None:
    path = tmp_path_factory.mktemp("table") / "labels.csv"
    path.write_bytes(b"start,end,label\n" * with_header + content)
    with suppress(DataError):
        trials, _ = label_trials([Trial("ada", "1", np.arange(9.0), np.zeros((9, 3)), [""] * 9, "ada.csv")], str(path))
        assert [len(trial.labels) for trial in trials] == [9]


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "/", "~"])
def test_what_is_no_path_of_a_table_is_one_line(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataError):
        load_dataset(_recordings(tmp_path / "wrist", "ada"), ReadOptions.of({"segments": path}))


def test_import_keeps_the_table_and_the_folder_may_be_moved(tmp_path: Path, monkeypatch) -> None:
    folder = _recordings(tmp_path / "wrist", "ada")
    (folder / "labels.csv").write_text("start,end,label\n0,6,walking\n")
    monkeypatch.chdir(tmp_path)
    import_dataset("wrist", ReadOptions.of({"segments": "wrist/labels.csv"}))
    assert 'segments = "labels.csv"' in (folder / "recordings.toml").read_text()
    dataset = load_dataset(folder.rename(tmp_path / "moved"))
    assert _seconds(dataset) == {("ada", "walking"): 6.0}
    # The table is not called one that was passed over.
    assert "passed over" not in " ".join(dataset.oddities)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50), st.sampled_from("abc")), min_size=1, max_size=6),
    st.floats(0, 2e9),
    st.booleans(),
)
def test_every_sample_has_the_label_of_the_last_line_that_covers_it(tmp_path_factory, lines, begin, relative) -> None:
    path = tmp_path_factory.mktemp("table") / "labels.csv"
    begin = 0.0 if relative else round(begin, 3)
    # Half a sample beside them, so that rounding decides nothing.
    stretches = [(0.1 * first - 0.05, 0.1 * (first + length) - 0.05, name) for first, length, name in lines]
    rows = [f"{begin + start:.4f},{begin + end:.4f},{name}" for start, end, name in stretches]
    path.write_text("\n".join(["start_s,end_s,label", *rows]) + "\n")
    t = 0.1 * np.arange(100)
    trial = Trial("ada", "1", t + begin, np.zeros((100, 3)), ["z"] * 100, "ada.csv")
    ((labelled,), _) = label_trials([trial], str(path))
    expected = ["z"] * 100
    for start, end, name in stretches:
        expected = [name if start <= at < end else old for at, old in zip(t, expected, strict=True)]
    assert labelled.labels == expected


def test_empty_lines_are_passed_over(tmp_path: Path):
    table = f"\n \n\nstart_ms;end_ms;label\n\n{EPOCH_MS};{EPOCH_MS + 4000};sitting\n;;\n"
    assert _seconds(_labelled(_recordings(tmp_path / "data", "ada"), table)) == {("ada", "sitting"): 4.0}


def test_a_quote_without_its_end_makes_no_label_of_the_lines_behind_it(tmp_path: Path):
    lines = [f'{EPOCH_MS},{EPOCH_MS + 2000},"sitting', f"{EPOCH_MS + 3000},{EPOCH_MS + 5000},walking"]
    with pytest.raises(DataError, match="found unexpected end of data, expected a table start,end,label"):
        _labelled(_recordings(tmp_path / "data", "ada"), "\n".join(["start_ms,end_ms,label", *lines, ""]))


@pytest.mark.parametrize("zone", ["", "Z", "+00:00"])
def test_dates_without_a_zone_are_said_to_be_taken_for_utc(zone: str, tmp_path: Path):
    table = f"start,end,label\n2023-11-14T22:13:20{zone},2023-11-14 22:13:24{zone},sitting\n"
    labelled = _labelled(_recordings(tmp_path / "data", "ada"), table)
    assert _seconds(labelled) == {("ada", "sitting"): 4.0}
    said = "dates of labels.csv without a zone were taken for UTC"
    assert (said in labelled.oddities) == (not zone)
