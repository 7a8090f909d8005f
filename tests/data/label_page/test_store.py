"""Labels are kept in a file of their own, gone on with, and never written over anything else."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deseptr.contract import DataError, SetupError
from deseptr.data import Dataset, Recording, load_dataset, save_dataset
from deseptr.data.label_page import Labelling, LabelStore, labelled_path
from deseptr.data.label_page.store import ChangedElsewhereError
from deseptr.data.recording import Segment


def labels(*rows: list[tuple[int, int, int]], names: tuple[str, ...] = ("a", "b")) -> Labelling:
    return Labelling(names, tuple(tuple(Segment(*row) for row in each) for each in rows))


SOME = labels([(10, 50, 0), (50, 61, 1)], [(199, 200, 1)])


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_saved_labels_are_read_at_their_exact_samples(data: Dataset, tmp_path: Path, suffix: str):
    out = tmp_path / f"walk.labelled{suffix}"
    LabelStore(data, out).save(SOME)
    first, second = load_dataset(out).recordings
    assert [tuple(s) for s in first.segments()] == [(0, 10, -1), (10, 50, 0), (50, 61, 1), (61, 200, -1)]
    assert [tuple(s) for s in second.segments()] == [(0, 199, -1), (199, 200, 1)]
    np.testing.assert_allclose(first.signals, data.recordings[0].signals, atol=2e-3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.lists(st.integers(-1, 1), min_size=200, max_size=200), min_size=2, max_size=2))
def test_a_later_start_goes_on_with_what_was_saved(data: Dataset, tmp_path: Path, content: list[list[int]]):
    out = tmp_path / "walk.labelled.npz"
    out.unlink(missing_ok=True)
    recordings = tuple(replace(r, labels=np.array(c)) for r, c in zip(data.recordings, content, strict=True))
    wanted = Labelling.of(replace(data, recordings=recordings, label_names=("a", "b")))
    LabelStore(data, out).save(wanted)
    again = LabelStore(data, out)
    assert again.continues
    assert [r.labels.tolist() for r in again.labelling.apply(data).recordings] == [
        r.labels.tolist() for r in wanted.apply(data).recordings
    ]


def test_unsaved_labels_are_there_at_the_next_start_and_gone_once_saved(data: Dataset, tmp_path: Path):
    out = tmp_path / "walk.labelled.npz"
    store = LabelStore(data, out)
    store.keep(SOME)
    assert not out.exists()
    again = LabelStore(data, out)
    assert again.unsaved == SOME
    assert again.labelling == Labelling.of(data)
    again.save(SOME)
    assert [each.name for each in tmp_path.iterdir()] == ["walk.labelled.npz"]
    assert LabelStore(data, out).unsaved is None


def test_what_was_saved_is_counted(data: Dataset, tmp_path: Path):
    store = LabelStore(data, tmp_path / "walk.labelled.npz")
    assert store.saved is None
    # Two halves of one name that touch are one segment in the file.
    store.save(labels([(0, 50, 0), (50, 100, 0)], [(0, 200, 1)]))
    assert store.saved is not None
    assert (store.saved.segments, store.saved.unlabelled_s) == (2, 2.0)


def test_the_recordings_that_were_opened_are_not_changed(data: Dataset, tmp_path: Path):
    source = tmp_path / "walk.csv"
    save_dataset(data, source)
    before = source.read_bytes()
    LabelStore(load_dataset(source), labelled_path(source)).save(SOME)
    assert source.read_bytes() == before


def test_they_are_if_the_output_is_named_to_be_the_same(data: Dataset, tmp_path: Path):
    source = tmp_path / "walk.npz"
    save_dataset(data, source)
    LabelStore(load_dataset(source), source).save(SOME)
    assert load_dataset(source).label_names == ("a", "b")


@pytest.mark.parametrize(
    ("source", "out"),
    [("walk.csv", "walk.labelled.npz"), ("a.b.npz", "a.b.labelled.npz"), ("w.labelled.npz", "w.labelled.npz")],
)
def test_the_output_is_beside_the_source(source: str, out: str, tmp_path: Path):
    assert labelled_path(tmp_path / source) == tmp_path / out


def test_the_output_of_a_folder_is_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "v1.2").mkdir()
    assert labelled_path(tmp_path / "v1.2") == tmp_path / "v1.2.labelled.npz"
    monkeypatch.chdir(tmp_path / "v1.2")
    assert labelled_path(".") == tmp_path / "v1.2.labelled.npz"


def test_a_file_that_another_program_wrote_meanwhile_is_kept(data: Dataset, tmp_path: Path):
    out = tmp_path / "walk.labelled.npz"
    store = LabelStore(data, out)
    store.save(SOME)
    LabelStore(data, out).save(labels([(0, 1, 0)], []))
    other = out.read_bytes()
    with pytest.raises(ChangedElsewhereError, match="another program"):
        store.save(SOME)
    assert out.read_bytes() == other


def test_unsaved_labels_of_another_command_are_kept(data: Dataset, tmp_path: Path):
    one, other = (LabelStore(data, tmp_path / "walk.labelled.npz") for _ in range(2))
    one.keep(SOME)
    for act in (other.forget, lambda: other.keep(labels([(0, 1, 0)], []))):
        with pytest.raises(ChangedElsewhereError, match="another program"):
            act()
    one.keep(SOME)
    assert LabelStore(data, tmp_path / "walk.labelled.npz").unsaved == SOME


def test_something_else_at_the_output_is_refused_at_once(data: Dataset, tmp_path: Path):
    out = tmp_path / "walk.labelled.npz"
    out.write_bytes(b"PK, but no recordings")
    with pytest.raises(SetupError, match="would be lost"):
        LabelStore(data, out)
    assert out.read_bytes() == b"PK, but no recordings"


def test_something_else_in_the_place_of_unsaved_labels_is_kept(data: Dataset, tmp_path: Path):
    other = tmp_path / "walk.labelled.npz.unsaved.json"
    other.write_text('{"mine": 1}')
    with pytest.raises(SetupError, match="would be lost"):
        LabelStore(data, tmp_path / "walk.labelled.npz")
    other.unlink()
    store = LabelStore(data, tmp_path / "walk.labelled.npz")
    other.write_text('{"mine": 1}')
    for act in (store.forget, lambda: store.keep(SOME)):
        with pytest.raises(SetupError, match="would be lost"):
            act()
    assert other.read_text() == '{"mine": 1}'


def _other(data: Dataset, change: str) -> Dataset:
    first, *rest = data.recordings
    changed = {
        "fewer": [],
        "subject": [replace(first, subject="eve")],
        "trial": [replace(first, name="9")],
        "length": [Recording(first.signals[1:], first.rate_hz, first.subject, first.labels[1:], first.name)],
        "signals": [replace(first, signals=first.signals + np.float32(0.1))],
    }[change]
    return replace(data, recordings=(*changed, *rest))


@pytest.mark.parametrize("change", ["fewer", "subject", "trial", "length", "signals"])
def test_labels_of_other_recordings_are_not_gone_on_with(data: Dataset, tmp_path: Path, change: str):
    out = tmp_path / "walk.labelled.npz"
    LabelStore(data, out).save(SOME)
    with pytest.raises(DataError, match="found other recordings"):
        LabelStore(_other(data, change), out)
    out.unlink()
    LabelStore(data, out).keep(labels([(0, 1, 0)], []))
    with pytest.raises(DataError, match=r"unsaved\.json: found"):
        LabelStore(_other(data, change), out)


def test_unsaved_labels_with_absurd_numbers_are_of_other_recordings(data: Dataset, tmp_path: Path):
    store = LabelStore(data, tmp_path / "walk.labelled.npz")
    store.keep(SOME)
    content = json.loads(store.unsaved_path.read_text())
    content["recordings"][0][3][0] = 10**400
    store.unsaved_path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="unsaved labels of other recordings"):
        LabelStore(data, store.out)


@pytest.mark.parametrize("tail", ["", ", ", ', "names": [], "segments": 3}', ', "names": [], "segments": [[], []]}'])
def test_broken_unsaved_labels_are_one_line_of_error(data: Dataset, tmp_path: Path, tail: str):
    path = tmp_path / "walk.labelled.npz.unsaved.json"
    path.write_text('{"deseptr_unsaved_labels": 1' + tail)
    with pytest.raises(DataError, match="remove it, or choose another -o"):
        LabelStore(data, tmp_path / "walk.labelled.npz")
    assert path.exists()


def test_names_that_a_file_had_and_are_not_used_are_left_out(whole: Dataset, tmp_path: Path):
    store = LabelStore(whole, tmp_path / "walk.labelled.npz")
    erased = replace(store.labelling, segments=(store.labelling.segments[0], *((),) * 5))
    store.save(erased)
    assert load_dataset(store.out).label_names == (whole.label_names[whole.recordings[0].labels[0]],)


def test_an_output_that_cannot_be_written_keeps_what_was_saved(data: Dataset, tmp_path: Path):
    out = tmp_path / "folder" / "walk.labelled.npz"
    store = LabelStore(data, out)
    store.keep(SOME)
    (tmp_path / "folder").rename(tmp_path / "away")
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(SetupError):
        store.save(SOME)
    assert json.loads((tmp_path / "away" / "walk.labelled.npz.unsaved.json").read_text())["names"] == ["a", "b"]
