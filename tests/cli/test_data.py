from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deseptr.cli.data import data
from deseptr.contract import DataError, SetupError
from deseptr.data import load_dataset

SMALL = "synthetic:subjects=3,seconds=8"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


def test_info_shows_labels_channels_and_subjects() -> None:
    result = _run("info", SMALL)
    assert result.exit_code == 0, result.exception
    assert "18 recordings of 3 subjects at 50 Hz (7,200 samples)" in result.output
    for word in ("downstairs", "jogging", "gyro_z", "rad/s", "Gaps: 0", "Oddities: none", "██", "3*"):
        assert word in result.output


@pytest.mark.parametrize(("seconds", "said"), [(4, "24.0 s in 6"), (30, "3.0 min in 6"), (600, "1.00 h in 6")])
def test_info_says_the_length_in_a_unit_that_fits(seconds: int, said: str) -> None:
    assert (
        f": {said} recordings of 1 subject" in _run("info", f"synthetic:subjects=1,seconds={seconds},rate_hz=10").output
    )


def test_titles_of_narrow_tables_stay_on_a_line() -> None:
    assert "Subjects by labels" in _run("info", SMALL).output


def test_a_path_that_is_not_there_is_a_short_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "walk.csv")
    assert str(caught.value).endswith(
        "walk.csv: found no such file, expected a file or folder of recordings, `sample` or `synthetic`; check the path"
    )


def test_info_aligns_names_left_and_figures_right() -> None:
    lines = [line.rstrip() for line in _run("info", SMALL).output.splitlines()]
    labels = lines.index(" #   label        minutes   windows")
    assert lines[labels + 2] == " 1   downstairs       0.4        15   ████████████████████████"
    channels = lines.index(" channel   unit    in the file   smallest   largest    mean   deviation")
    assert lines[channels + 4] == " acc_z     m/s^2   m/s^2           -15.38     18.15   -0.65        4.93"
    assert "   1   ██   ██   ██   ██   ██   ██   0.8" in lines


def test_info_counts_windows_of_the_chosen_length() -> None:
    assert "Labels, and windows of 2.56 s" in _run("info", SMALL).output
    # Each of three people has 8 s of each label.
    for length, windows in ((2.56, 3 * 5), (4.0, 3 * 3), (8.0, 3)):
        content = json.loads(_run("info", SMALL, "--json", "--window-s", length).output)
        assert content["label_windows"]["walking"] == windows
    assert "--window-s 8 puts at least half of their time into windows" in _run("info", SMALL, "--window-s", 9).output


def test_names_that_are_alike_become_one(tmp_path: Path) -> None:
    rows = [f"{i / 50},0,9.8,0,0,0,{i % 5},{'Walking' if i % 2 else 'walking'},ada" for i in range(300)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label,subject", *rows]))
    assert "the labels Walking, walking are alike: --merge-alike makes them one" in _run("info", path).output
    merged = json.loads(_run("info", path, "--json", "--merge-alike").output)
    assert merged["labels"] == ["walking"]
    assert not [each for each in merged["oddities"] if "alike" in each or "no run of" in each]


def test_info_json_has_the_same_figures() -> None:
    content = json.loads(_run("info", SMALL, "--json").output)
    assert content["subjects"] == ["1", "2", "3"]
    assert content["label_minutes"]["walking"] == pytest.approx(0.4)
    assert content["rates_hz"] == [50.0]


def test_info_lists_gaps_and_oddities(tmp_path: Path) -> None:
    rows = [f"{t},0,1,0,0,0,0" for t in (*(i / 50 for i in range(60)), *(9 + i / 50 for i in range(60)))]
    (tmp_path / "a.csv").write_text("t,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n" + "\n".join(rows))
    output = _run("info", tmp_path / "a.csv").output
    assert "Gaps: 1, 7.80 s together" in output
    assert "subject a, trial 1: 7.80 s at 1.20 s" in output
    assert "if the values are in g" in output
    assert "no sample is labelled" in output


def test_info_plots(tmp_path: Path) -> None:
    result = _run("info", SMALL, "--plot", tmp_path / "x.png")
    assert f"picture: {tmp_path / 'x.png'}" in result.output
    assert (tmp_path / "x.png").stat().st_size > 10000


def test_converted_file_loads_again(tmp_path: Path) -> None:
    result = _run("convert", SMALL, tmp_path / "x.npz", "--subjects", "2-3")
    assert result.exit_code == 0, result.exception
    assert "12 recordings of 2 subjects" in result.output
    assert result.stderr.splitlines()[-1] == f"next: deseptr train {tmp_path / 'x.npz'} -o runs/x"
    _run("convert", tmp_path / "x.npz", tmp_path / "x.csv")
    assert load_dataset(tmp_path / "x.csv").subjects == ("2", "3")


def test_converted_with_other_labels_a_share_and_another_rate(tmp_path: Path) -> None:
    edits = ("--merge", "stairs=upstairs+1", "--rename", "jogging=running", "--drop-labels", "sitting,standing")
    result = _run("convert", SMALL, tmp_path / "x.npz", *edits, "--fraction", 0.25, "--rate", 25)
    assert result.exit_code == 0, result.exception
    dataset = load_dataset(tmp_path / "x.npz")
    assert dataset.label_names == ("stairs", "walking", "running")
    assert {r.rate_hz for r in dataset.recordings} == {25.0}
    # A quarter of 8 s of each label of three people, six without and three with a name of which two are one.
    assert dataset.samples == 3 * 6 * 2 * 25
    assert _run("convert", SMALL, tmp_path / "y.npz", "--seed", 3).exit_code == 2


def test_a_label_that_is_not_there_is_named_and_nothing_written(tmp_path: Path) -> None:
    result = _run("convert", SMALL, tmp_path / "x.npz", "--merge", "still=sitting+lying")
    assert "the entry 'lying'" in str(result.exception)
    assert not any(tmp_path.iterdir())


def test_converted_to_the_layouts_of_others(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab12\n")
    exported = _run("convert", SMALL, tmp_path / "bids", "--to", "motion-bids")
    assert exported.exit_code == 0
    assert "next:" not in exported.stderr
    options = ("--to", "edge-impulse", "--hmac-key-file", tmp_path / "key")
    assert _run("convert", tmp_path / "bids", tmp_path / "samples", *options).exit_code == 0
    back = load_dataset(tmp_path / "samples")
    assert (back.subjects, back.samples) == (("1", "2", "3"), 7200)
    again = _run("convert", SMALL, tmp_path / "samples", "--to", "edge-impulse")
    assert isinstance(again.exception, SetupError)
    assert load_dataset(tmp_path / "samples").samples == 7200


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for content, reason in ((b"\n", "nothing in it"), (b"\xff", "utf-8"), (b"a" * 5000, "more than 4,096 bytes")):
        (tmp_path / "key").write_bytes(content)
        options = ("--to", "edge-impulse", "--hmac-key-file", tmp_path / "key")
        assert reason in str(_run("convert", SMALL, tmp_path / "out", *options).exception)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("name", ["x.npz", "x.csv"])
def test_convert_replaces_recordings_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for subjects in ("1-3", "2"):
        assert _run("convert", SMALL, path, "--subjects", subjects).exit_code == 0
    assert load_dataset(path).subjects == ("2",)
    for content in (b"PK\x03\x04" + bytes(26) + b"word/document.xml", b"a,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(SetupError, match="found something else, which would be lost"):
            CliRunner().invoke(data, ["convert", SMALL, str(path)], catch_exceptions=False)
        assert path.read_bytes() == content


@pytest.mark.parametrize("arguments", [("info", "no.npz"), ("convert", SMALL, "x.mat"), ("convert", "no.npz", "x.npz")])
def test_errors_are_caught_at_the_top(arguments: tuple[str, ...], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = _run(*arguments)
    assert isinstance(result.exception, DataError)
    assert list(tmp_path.iterdir()) == []


def test_import_reads_a_folder_as_it_is_and_keeps_how(tmp_path: Path) -> None:
    header = "time,ax,ay,az,gx,gy,gz,activity"
    for subject in ("s01", "s02"):
        (tmp_path / subject).mkdir()
        rows = [f"{20 * i},0.1,0,1,0,{i % 7},0,walking" for i in range(60)]
        (tmp_path / subject / "walk.csv").write_text("\n".join([header, *rows]))
    out = tmp_path / "mine.npz"
    result = _run("import", tmp_path, "-o", out, "--subject-from", r"s(\d+)", "--units", "g,dps")
    assert result.exit_code == 0, result.exception
    for part in ("time as t", "taken for ms", "recordings.toml: how they are read", "2 recordings of 2 subjects"):
        assert part in result.output
    dataset = load_dataset(out)
    assert (dataset.subjects, dataset.label_names) == (("01", "02"), ("walking",))
    assert dataset.recordings[0].rate_hz == 50
    assert dataset.recordings[0].signals[0, 2] == pytest.approx(9.80665, rel=1e-3)
    # Every command now reads it so without an option, and an option wins.
    again = _run("info", tmp_path)
    assert "recordings.toml beside the data says how it is read" in again.output
    assert "taken for" not in again.output
    assert json.loads(_run("info", tmp_path, "--json", "--label", "strolling").stdout)["labels"] == ["strolling"]
    assert load_dataset(tmp_path).subjects == ("01", "02")


def test_import_of_what_needs_none_is_refused(tmp_path: Path) -> None:
    assert _run("convert", SMALL, tmp_path / "x.npz").exit_code == 0
    result = _run("import", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert "use `deseptr data convert`" in str(result.exception)
    assert not (tmp_path / "recordings.toml").exists()


@pytest.mark.parametrize("command", ["info", "convert", "import"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: deseptr data {command}" in _run(command, "--help").output


def test_importing_the_command_loads_click_alone() -> None:
    code = "import deseptr.cli.data, sys; assert not {'numpy', 'rich', 'deseptr.data', 'matplotlib'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_the_room_loads_neither_tensorflow_nor_matplotlib() -> None:
    code = "import deseptr.data, sys; assert not {'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
