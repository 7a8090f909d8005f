"""Releases: wherever power is cut, what is current is complete, and after recovery it is the last good one."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.firmware_harness.deploy.target.manifest import MANIFEST, MODEL, BoardTarget, Entry, Manifest
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.releases import Releases

from .fake_systemd import PowerCut, cut_after

TARGET = BoardTarget("aarch64", "3.13", "2.41")


def add(releases: Releases, build: int) -> str:
    manifest = Manifest(version="1.0", build=build, target=TARGET, files={MODEL: Entry(0, "0" * 64)})
    staged = releases.incoming / f"staged-{build}"
    staged.mkdir()
    (staged / MANIFEST).write_bytes(manifest.to_bytes())
    releases.adopt(staged, manifest.release)
    return manifest.release


def deploy(releases: Releases, build: int, well: bool) -> None:
    """What an installation does of its trial."""
    releases.recover()
    name = add(releases, build)
    releases.begin(name)
    if well:
        releases.confirm()
    else:
        releases.recover("unwell")
    releases.prune(2)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    made = Releases(tmp_path / "prefix")
    made.make()
    return made


def test_trial_and_confirmation(releases: Releases):
    deploy(releases, 1, well=True)
    deploy(releases, 2, well=True)
    assert (releases.current(), releases.state().good) == ("1.0-2", ["1.0-1", "1.0-2"])
    deploy(releases, 3, well=False)
    assert (releases.current(), releases.state().bad) == ("1.0-2", {"1.0-3": "unwell"})
    assert releases.names() == ["1.0-1", "1.0-2"]


def test_first_trial_that_fails_leaves_nothing_current(releases: Releases):
    deploy(releases, 1, well=False)
    assert releases.current() is None


def test_good_release_on_trial_again_stays_if_it_is_the_only_one(releases: Releases):
    deploy(releases, 1, well=True)
    releases.begin("1.0-1")
    assert releases.recover() == "1.0-1"
    assert (releases.current(), releases.state().good) == ("1.0-1", ["1.0-1"])


def test_roll_back(releases: Releases):
    deploy(releases, 1, well=True)
    with pytest.raises(RefusedError, match="no earlier good release"):
        releases.roll_back()
    deploy(releases, 2, well=True)
    assert releases.roll_back() == ("1.0-2", "1.0-1")
    assert releases.current() == "1.0-1"


def test_one_deployment_at_a_time(releases: Releases):
    with releases.lock():
        assert releases.locked()
        with pytest.raises(RefusedError, match="another deployment"), Releases(releases.prefix).lock():
            pass
    assert not releases.locked()


def test_lower_build_number_is_refused(releases: Releases):
    deploy(releases, 5, well=True)
    older = Manifest(version="9.0", build=4, target=TARGET)
    with pytest.raises(RefusedError, match="found build 4, expected at least the running build, 5"):
        releases.check_build(older, allow_downgrade=False)
    releases.check_build(older, allow_downgrade=True)
    releases.check_build(Manifest(version="1.0", build=5, target=TARGET), allow_downgrade=False)


def test_damaged_state_keeps_the_current_release(releases: Releases):
    deploy(releases, 1, well=True)
    (releases.prefix / "state.json").write_text('{"good": ["1.0-')
    releases.recover()
    assert releases.current() == "1.0-1"


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["good", "bad", "back"]), st.integers(0, 9)), min_size=1, max_size=6))
def test_after_any_interruption_a_release_works(actions: list[tuple[str, int]]):
    folder = Path(tempfile.mkdtemp(prefix="deseptr-test-"))
    try:
        calm = Releases(folder)
        calm.make()
        deploy(calm, 1, well=True)
        known_good = {"1.0-1"}
        for build, (action, steps) in enumerate(actions, 2):
            cut = Releases(folder, before=cut_after(steps))
            try:
                if action == "back":
                    cut.roll_back()
                else:
                    deploy(cut, build, well=action == "good")
            except (PowerCut, RefusedError):
                pass
            # At once: what would start is complete.
            assert (folder / "current" / MANIFEST).is_file()
            # After the next boot's recovery: it is one that passed its trial, and nothing is on trial.
            calm.recover()
            if action == "good":
                known_good.add(f"1.0-{build}")
            state = calm.state()
            assert calm.current() in known_good
            assert (calm.current(), state.trial) == (state.good[-1], None)
            shutil.rmtree(calm.incoming)
            calm.make()
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("action", ["good", "bad", "back", "again"])
def test_every_interruption_of_one_action(tmp_path: Path, action: str):
    """The power is cut before each step in turn, until the action gets through."""
    for steps in range(20):
        calm = Releases(tmp_path / str(steps))
        calm.make()
        deploy(calm, 1, well=True)
        deploy(calm, 2, well=True)
        cut = Releases(calm.prefix, before=cut_after(steps))
        through = False
        try:
            if action == "back":
                cut.roll_back()
            elif action == "again":
                cut.begin("1.0-2")
                cut.recover("unwell")
            else:
                deploy(cut, 3, well=action == "good")
            through = True
        except PowerCut:
            pass
        assert (calm.prefix / "current" / MANIFEST).is_file()
        calm.recover()
        assert calm.current() == calm.state().good[-1]
        assert calm.current() in {"1.0-1", "1.0-2"} | ({"1.0-3"} if action == "good" else set())
        assert calm.state().trial is None
        if through:
            break
    assert through
    assert steps > 1
    expected = {"good": "1.0-3", "bad": "1.0-2", "back": "1.0-1", "again": "1.0-2"}
    assert calm.current() == expected[action]


@pytest.mark.parametrize("well", [True, False])
def test_every_interruption_of_the_first_deployment(tmp_path: Path, well: bool):
    for steps in range(20):
        calm = Releases(tmp_path / str(steps))
        calm.make()
        through = False
        try:
            deploy(Releases(calm.prefix, before=cut_after(steps)), 1, well)
            through = True
        except PowerCut:
            pass
        calm.recover()
        # Nothing stays current that has not passed its trial.
        assert calm.current() == (calm.state().good[-1] if calm.state().good else None)
        if through:
            break
    assert through
    assert calm.current() == ("1.0-1" if well else None)
