"""Fixtures of the campaign are never older than the sources that make them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fixtures import MAKERS, ROOT, digest_of, keep_current


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    room = tmp_path / "room"
    (room / "inner").mkdir(parents=True)
    (room / "a.py").write_text("A = 1\n")
    (room / "inner" / "b.py").write_text("B = 2\n")
    return room


def test_made_anew_only_when_a_source_changes(tmp_path: Path, sources: Path):
    folder, made = tmp_path / "made", []

    def current() -> None:
        def make() -> None:
            assert not list(folder.iterdir())
            (folder / f"run-{len(made)}").touch()
            made.append(1)

        keep_current(folder, digest_of([sources]), make)

    current()
    current()
    assert len(made) == 1
    (sources / "inner" / "b.py").write_text("B = 3\n")
    current()
    current()
    assert len(made) == 2
    assert (folder / "run-1").exists()
    assert not (folder / "run-0").exists()


def test_half_made_is_made_anew(tmp_path: Path):
    folder, made = tmp_path / "made", []

    def fail() -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep_current(folder, "digest", fail)
    # As a process leaves it that is killed meanwhile.
    folder.mkdir()
    (folder / "half").touch()
    keep_current(folder, "digest", lambda: made.append(1))
    assert made == [1]
    assert not (folder / "half").exists()


def test_a_digest_is_of_names_and_contents(sources: Path):
    unchanged = digest_of([sources])
    (sources / "notes.txt").write_text("no source")
    assert digest_of([sources]) == unchanged
    (sources / "a.py").rename(sources / "c.py")
    renamed = digest_of([sources])
    assert renamed != unchanged
    (sources / "c.py").write_text("A = 10\n")
    assert digest_of([sources]) not in (unchanged, renamed)


def test_what_makes_the_fixtures_exists():
    assert not [each for each in MAKERS if not (ROOT / each).exists()]
