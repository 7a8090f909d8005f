"""A refused or interrupted flash changes nothing: service, environment, trusted keys and release go together."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deseptr.firmware_harness.deploy.signing import sign, trust_of
from deseptr.firmware_harness.deploy.target.board_status import status
from deseptr.firmware_harness.deploy.target.deployment import uninstall
from deseptr.firmware_harness.deploy.target.installed_service import InstalledServices
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.target.recovery import recover, restore
from deseptr.firmware_harness.deploy.target.refusal import RefusedError
from deseptr.firmware_harness.deploy.target.release_settings import read_settings

from .fake_systemd import FakeBoard, PowerCut, Running, cut_after, never

OLD = Running("user", "1.0-1", (("A", "old"),))
NEW = Running("system", "1.0-2", (("A", "new"),))
MOST_STEPS = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return folder


@pytest.fixture
def board(tmp_path: Path) -> FakeBoard:
    return FakeBoard(tmp_path)


def with_old_release(folder: Path) -> FakeBoard:
    folder.mkdir(exist_ok=True)
    board = FakeBoard(folder)
    board.install(board.bundle(1), "user", environment="A=old\n")
    assert board.the_running() == OLD
    board.asked.clear()
    return board


def by(key: Path) -> Callable[[bytes], bytes]:
    return lambda content: sign(content, key)


def assert_consistent(board: FakeBoard) -> None:
    """One service, of the current release, and nothing on trial."""
    running = board.the_running()
    found = status(board.calm, board.make)
    assert (found["trial"], found["interrupted"]) == (None, False)
    assert InstalledServices(board.calm, board.make).is_settled()
    if running is None:
        assert (found["current"], found["service_kind"], board.units()) == (None, None, set())
    else:
        assert (found["current"], found["service_kind"]) == (running.release, running.kind)
        assert found["current"] == found["good"][-1]
        assert board.units() == board.enabled == {running.kind}


def test_settings_follow_the_release(board: FakeBoard, keys: Path):
    board.install(board.bundle(1), "user", environment="A=old\n")
    board.install(board.bundle(2, sign=by(keys / "mine")), environment="A=new\n", trust=trust_of(keys / "mine.pub"))
    assert board.the_running() == NEW
    assert_consistent(board)
    assert status(board.calm, board.make)["signed_only"]
    # What is not given is taken over.
    board.install(board.bundle(3, sign=by(keys / "mine")))
    assert board.the_running() == Running("system", "1.0-3", NEW.environment)
    assert status(board.calm, board.make)["signed_only"]
    board.roll_back()
    board.roll_back()
    assert board.the_running() == OLD
    assert_consistent(board)
    assert not status(board.calm, board.make)["signed_only"]


REFUSALS = {
    "unsigned": "expected a signature by a key that this board trusts",
    "damaged": "bundle: found",
    "another board": "found wheels for armv7l",
    "lower build": "expected at least the running build, 1",
    "other content": "other content under the same build number",
    "environment": "line 1 of another form",
}


@pytest.mark.parametrize("why", REFUSALS)
def test_refused_bundle_changes_nothing(tmp_path: Path, keys: Path, why: str):
    board = with_old_release(tmp_path)
    changes = {"there": False, "target": BoardTarget("armv7l", "3.11", "2.36")} if why == "another board" else {}
    build = {"lower build": 0, "other content": 1}.get(why, 2)
    bundle = board.bundle(build, **changes, **({"network": True} if why == "other content" else {}))
    if why == "damaged":
        bundle.write_bytes(bundle.read_bytes()[:-700])
    before = board.files()
    trust = trust_of(keys / "mine.pub") if why == "unsigned" else None
    environment = "no variable" if why == "environment" else "A=new\n"
    with pytest.raises(RefusedError, match=REFUSALS[why]):
        board.install(bundle, "system", environment=environment, trust=trust)
    assert board.files() == before
    assert (board.the_running(), board.asked) == (OLD, [])
    assert not list(board.calm.incoming.iterdir())


@pytest.mark.parametrize("signer", [None, "other"])
def test_refused_bundle_locks_a_fresh_board_to_no_key(board: FakeBoard, keys: Path, signer: str | None):
    signature = by(keys / signer) if signer else None
    with pytest.raises(RefusedError, match="a signature by a key that this board trusts"):
        board.install(board.bundle(1, sign=signature), trust=trust_of(keys / "mine.pub"))
    assert not status(board.calm, board.make)["signed_only"]
    board.install(board.bundle(1))
    assert board.the_running() == Running("system", "1.0-1", ())


@pytest.mark.parametrize("conduct", ["dumb", "dies"])
def test_failed_trial_locks_a_board_to_no_key_and_leaves_no_settings(tmp_path: Path, keys: Path, conduct: str):
    board = with_old_release(tmp_path)
    bundle = board.bundle(2, conduct, by(keys / "mine"))
    with pytest.raises(RefusedError, match=r"release 1\.0-2: .*1\.0-1 runs again"):
        board.install(bundle, "system", environment="A=new\n", trust=trust_of(keys / "mine.pub"))
    assert board.the_running() == OLD
    assert_consistent(board)
    assert not status(board.calm, board.make)["signed_only"]
    assert not any(b"A=new" in content for content in board.files().values() if isinstance(content, bytes))


def test_failed_first_trial_leaves_nothing(board: FakeBoard):
    with pytest.raises(RefusedError, match="nothing runs, as before"):
        board.install(board.bundle(1, "dies"), environment="A=new\n")
    assert board.the_running() is None
    assert_consistent(board)


def test_release_flashed_again_with_bad_settings_runs_with_those_of_before(tmp_path: Path):
    board = with_old_release(tmp_path)
    board.install(board.bundle(2), "user")
    run = board.prefix / "releases" / "1.0-2" / "run"
    run.write_text('#!/bin/sh\n[ "$A" = bad ] && exit 2\n' + run.read_text())
    with pytest.raises(RefusedError, match=r"1\.0-2 runs again"):
        board.install(board.bundle(2), "user", environment="A=bad\n")
    assert board.the_running() == Running("user", "1.0-2", OLD.environment)
    assert board.calm.state().good == ["1.0-1", "1.0-2"]
    assert_consistent(board)
    board.install(board.bundle(2), "user", environment="A=better\n")
    assert board.the_running() == Running("user", "1.0-2", (("A", "better"),))


ACTIONS: dict[str, tuple[Callable[[FakeBoard], object], set[Running | None]]] = {
    "good": (lambda board: board.install(board.bundle(2), "system", environment="A=new\n"), {OLD, NEW}),
    "same kind": (
        lambda board: board.install(board.bundle(2), "user", environment="A=old\n"),
        {OLD, Running("user", "1.0-2", OLD.environment)},
    ),
    "dies": (lambda board: board.install(board.bundle(2, "dies"), "system", environment="A=new\n"), {OLD}),
    "again": (
        lambda board: board.install(board.bundle(1), "system", environment="A=new\n"),
        {OLD, Running("system", "1.0-1", NEW.environment)},
    ),
}


def interrupted(folder: Path, action: str, steps: int, first: bool) -> tuple[FakeBoard, bool]:
    """A board whose flash ended before a step; and whether it got through."""
    folder.mkdir()
    board = FakeBoard(folder) if first else with_old_release(folder)
    board.before = cut_after(steps)
    try:
        ACTIONS[action][0](board)
    except PowerCut:
        return board, False
    except RefusedError:
        pass
    return board, True


@pytest.mark.parametrize("ended_by", ["power cut", "kill"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("action", ["good", "same kind", "dies", "again"])
def test_interruption_at_every_step_leaves_the_old_or_the_new_release_running(
    tmp_path: Path, action: str, first: bool, ended_by: str
):
    allowed = {None if found == OLD else found for found in ACTIONS[action][1]} if first else ACTIONS[action][1]
    seen = set()
    for steps in range(MOST_STEPS):
        board, through = interrupted(tmp_path / str(steps), action, steps, first)
        board.before = never
        if ended_by == "power cut":
            board.cut_power()
            if board.the_running() is None:
                # Nothing started by itself; what is left of a first trial ends with the next command.
                recover(board.calm, board.make)
        else:
            restore(board.calm, board.make)
        running = board.the_running()
        assert running in allowed, steps
        assert_consistent(board)
        seen.add(running)
        shutil.rmtree(tmp_path / str(steps))
        if through:
            break
    assert through
    assert seen == allowed
    assert steps > 10


@pytest.mark.parametrize("ended_by", ["power cut", "kill"])
def test_interruption_of_a_rollback_at_every_step(tmp_path: Path, ended_by: str):
    seen = set()
    for steps in range(MOST_STEPS):
        board = with_old_release(tmp_path / str(steps))
        ACTIONS["good"][0](board)
        board.before = cut_after(steps)
        through = True
        try:
            board.roll_back()
        except PowerCut:
            through = False
        board.before = never
        board.cut_power() if ended_by == "power cut" else restore(board.calm, board.make)
        assert board.the_running() in {OLD, NEW}, steps
        assert_consistent(board)
        seen.add(board.the_running())
        if through:
            break
    assert through
    assert seen == {OLD, NEW}


def test_recovery_does_nothing_while_a_deployment_holds_the_lock(tmp_path: Path):
    board = with_old_release(tmp_path)
    board.bundle(2)
    with board.calm.lock():
        board.calm.begin("1.0-2")
        before = board.files()
        assert recover(board.calm, board.make) is None
        assert board.files() == before
        assert (board.calm.current(), board.calm.state().trial) == ("1.0-2", "1.0-2")
    assert recover(board.calm, board.make) == "1.0-2"
    assert (board.calm.current(), board.calm.state().trial) == ("1.0-1", None)


def test_guard_waits_for_another_deployment(tmp_path: Path):
    board = with_old_release(tmp_path)
    board.running.clear()
    waited = []
    with board.calm.lock():

        def give_up(seconds: float) -> None:
            waited.append(seconds)
            assert board.the_running() is None

        restore(board.calm, board.make, sleep=give_up)
    assert waited
    restore(board.calm, board.make)
    assert board.the_running() == OLD


def test_pruning_keeps_the_last_good_releases_with_their_settings(tmp_path: Path):
    board = with_old_release(tmp_path)
    for build in (2, 3):
        board.install(board.bundle(build), "user", keep=2)
    # A removal that was cut off once does not prevent the next.
    (board.calm.incoming / "gone-1.0-2" / "left").mkdir(parents=True)
    removed = board.install(board.bundle(4), "user", keep=2)["removed"]
    assert removed == ["1.0-2"]
    assert board.calm.names() == board.calm.state().good == ["1.0-3", "1.0-4"]
    for _ in range(3):
        board.install(board.bundle(4), "user", keep=2)
    assert len(list((board.prefix / "releases" / "1.0-4").glob(".settings-[0-9]*"))) == 1
    board.roll_back()
    assert board.the_running() == Running("user", "1.0-3", OLD.environment)
    # The current one stays, whatever the number.
    assert board.calm.prune(0) == ["1.0-4"]
    assert board.calm.names() == ["1.0-3"]


def test_releases_whose_making_or_removal_was_cut_off_go_with_the_next_flash(tmp_path: Path):
    board = with_old_release(tmp_path)
    for name in ("gone-0.9-0", "staged-x"):
        (board.calm.incoming / name / "venv").mkdir(parents=True)
    board.install(board.bundle(2), "user")
    assert not list(board.calm.incoming.iterdir())


def test_board_of_version_0_1_keeps_its_settings(tmp_path: Path):
    board = FakeBoard(tmp_path)
    board.install_as_version_0_1()
    assert board.the_running() == OLD
    assert status(board.calm, board.make)["service_kind"] == "user"
    with pytest.raises(RefusedError, match=r"1\.0-1 runs again"):
        board.install(board.bundle(2, "dies"), environment="A=new\n")
    assert board.the_running() == OLD
    board.install(board.bundle(3), environment="A=new\n")
    assert board.the_running() == Running("system", "1.0-3", NEW.environment)
    assert not (board.prefix / "etc").exists()
    board.roll_back()
    assert board.the_running() == OLD
    assert_consistent(board)


@pytest.mark.parametrize("ended_by", ["power cut", "kill"])
def test_interruption_on_a_board_of_version_0_1_at_every_step(tmp_path: Path, ended_by: str):
    seen = set()
    for steps in range(MOST_STEPS):
        (tmp_path / str(steps)).mkdir()
        board = FakeBoard(tmp_path / str(steps))
        board.install_as_version_0_1()
        board.before = cut_after(steps)
        through = True
        try:
            ACTIONS["good"][0](board)
        except PowerCut:
            through = False
        board.before = never
        board.cut_power() if ended_by == "power cut" else restore(board.calm, board.make)
        assert board.the_running() in {OLD, NEW}, steps
        seen.add(board.the_running())
        if through:
            break
    assert through
    assert seen == {OLD, NEW}
    assert_consistent(board)


def test_trial_that_version_0_1_left_is_ended_by_the_next_flash(tmp_path: Path):
    board = FakeBoard(tmp_path)
    board.install_as_version_0_1()
    board.bundle(2)
    board.calm.begin("1.0-2")
    board.running.clear()
    with pytest.raises(RefusedError, match="expected at least the running build, 1"):
        board.install(board.bundle(0))
    assert board.the_running() == OLD
    assert_consistent(board)


def test_refused_flash_after_a_killed_one_has_the_release_run_again(tmp_path: Path):
    """Installer and guard were killed, and nothing was started since: before every step in turn."""
    for steps in range(MOST_STEPS):
        board, through = interrupted(tmp_path / str(steps), "good", steps, False)
        if through:
            break
        board.before = never
        with pytest.raises(RefusedError, match="found wheels for armv7l"):
            board.install(board.bundle(9, there=False, target=BoardTarget("armv7l", "3.11", "2.36")), "user")
        assert board.the_running() in {OLD, NEW}, steps
    assert through


def test_flash_of_a_board_in_order_speaks_of_no_interruption(tmp_path: Path):
    board = with_old_release(tmp_path)
    board.said.clear()
    board.install(board.bundle(2), "user")
    assert board.said[0] == "verifying the bundle"


def test_guard_leaves_a_service_that_runs(tmp_path: Path):
    board = with_old_release(tmp_path)
    restore(board.calm, board.make)
    assert not {"user start", "user stop"} & set(board.asked)


def test_secrets_are_readable_for_their_owner_only(tmp_path: Path):
    board = with_old_release(tmp_path)
    found = list(board.prefix.rglob("service.env"))
    assert found
    for path in found:
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_uninstall_removes_all_of_it(tmp_path: Path):
    board = with_old_release(tmp_path)
    assert uninstall(board.calm, board.make) == {"removed": ["1.0-1"]}
    assert (board.the_running(), board.units(), board.prefix.exists()) == (None, set(), False)
    with pytest.raises(RefusedError, match="no installation"):
        uninstall(board.calm, board.make)


def test_unit_is_replaced_as_a_whole(tmp_path: Path):
    board = with_old_release(tmp_path)
    (unit,) = (tmp_path / "units").rglob("deseptr.service")
    unit.write_bytes(b"\xff\x00 torn")
    InstalledServices(board.calm, board.make).settle()
    assert unit.read_text().startswith("[Unit]\n")
    assert [path.name for path in unit.parent.iterdir()] == [unit.name]


@pytest.mark.parametrize("damage", ["", "[]", "null", '{"service": 3', '{"good": []}', "[" * 100_000])
def test_damaged_records_do_not_end_in_a_traceback(tmp_path: Path, damage: str):
    board = with_old_release(tmp_path)
    (board.prefix / "settings.json").write_text(damage)
    recover(board.calm, board.make)
    assert json.loads((board.prefix / "settings.json").read_text())["service"] == "user"
    settings = read_settings(board.prefix / "current")
    assert settings is not None
    assert settings.environment == "A=old\n"
    (board.prefix / "state.json").write_text(damage)
    recover(board.calm, board.make)
    assert board.calm.current() == "1.0-1"
