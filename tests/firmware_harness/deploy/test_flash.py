"""Flashing over a real sshd: update, bad releases, interrupted transfers, refusals, removal."""

import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from deseptr.cli.main import main
from deseptr.firmware_harness.deploy import FlashError, SshOptions, SshTarget
from deseptr.firmware_harness.deploy.flash import send_bundle
from deseptr.firmware_harness.deploy.signing import sign, trust_of
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget

from .conftest import BundleMaker, Sshd, fresh_prefix

TENTHS = range(10)
GOOD = "1.0-10"


class FlashedBoard:
    """Runs `deseptr firmware NAME …` on a prefix: exit code, stdout, stderr."""

    def __init__(self, sshd: Sshd, prefix: str) -> None:
        self.sshd = sshd
        self.prefix = Path(prefix)
        self._connected = sshd.board()

    def close(self) -> None:
        self._connected.__exit__(None, None, None)

    def ask(self, **request: Any) -> Any:
        return self._connected.call({**request, "prefix": str(self.prefix)})

    def run(self, name: str, *words: str | Path) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        arguments = ["firmware", name, *self.sshd.words, "--prefix", str(self.prefix), *map(str, words)]
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), out.getvalue(), err.getvalue()

    def flash(self, bundle: Path, *words: str | Path) -> tuple[int, str, str]:
        return self.run("flash", "--bundle", bundle, "--settle", "0.3", *words)

    def status(self) -> dict[str, Any]:
        return dict(self.ask(op="status"))

    def label(self) -> str:
        """The label that the service printed last."""
        return str(json.loads(self.ask(op="logs", lines=1)["text"])["label"])

    def assert_good_one_runs(self) -> None:
        found = self.status()
        assert (found["current"], found["good"], found["trial"]) == (GOOD, [GOOD], None)
        assert found["service"] == "active"
        assert self.label() == "1.0"


@pytest.fixture
def board(sshd: Sshd, prefix: str) -> Iterator[FlashedBoard]:
    with closing(FlashedBoard(sshd, prefix)) as made:
        yield made


@pytest.fixture(scope="module")
def flashed(sshd: Sshd, make_standin: BundleMaker) -> Iterator[FlashedBoard]:
    """A board that runs GOOD, and runs nothing else after any test that uses it."""
    with fresh_prefix(sshd) as prefix, closing(FlashedBoard(sshd, prefix)) as board:
        bundle = make_standin("1.0", 10)
        # Twice: the second time it is there already, and tried again.
        for _ in range(2):
            code, out, err = board.flash(bundle)
            assert (code, f"{GOOD} runs" in out) == (0, True), err
        yield board


def test_flash_update_rollback_and_uninstall(
    board: FlashedBoard, make_standin: BundleMaker, pip_wheel: Path, tmp_path: Path
):
    secret = tmp_path / "mqtt.env"
    secret.write_text("MQTT_PASSWORD=hunter2\n")
    code, out, err = board.flash(make_standin("1.0", 1, pip=pip_wheel), "--env-file", secret)
    assert (code, "1.0-1 runs" in out) == (0, True), err
    assert "hunter2" not in out + err
    kept = board.prefix / "current" / ".settings" / "service.env"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (secret.read_text(), 0o600)
    code, out, err = board.flash(make_standin("2.0", 2), "--json")
    assert code == 0, err
    assert json.loads(out)["release"] == "2.0-2"
    code, out, err = board.run("status", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["current"], found["releases"], found["service"]) == ("2.0-2", ["1.0-1", "2.0-2"], "active")
    code, out, err = board.run("status")
    assert "active (supervised)" in out
    code, out, err = board.run("logs", "-n", "1")
    assert (code, json.loads(out)["label"]) == (0, "2.0"), err
    code, out, err = board.run("rollback")
    assert (code, out) == (0, "1.0-1 runs in place of 2.0-2\n"), err
    assert board.status()["current"] == "1.0-1"
    code, out, err = board.run("uninstall")
    assert (code, out) == (0, "removed 1.0-1, 2.0-2\n"), err
    assert not board.prefix.exists()
    code, _, err = board.run("uninstall")
    assert (code, err.count("\n")) == (2, 1)


def test_address_of_a_page_is_told_and_who_tells_it_is_trusted_with_no_other_file(
    board: FlashedBoard, make_standin: BundleMaker
):
    state = board.sshd.home / ".local" / "state" / "deseptr"
    state.mkdir(parents=True, exist_ok=True)
    token = state / "web-token"
    token.write_text("s" * 32 + "\n")
    os.chown(token, state.parents[2].stat().st_uid, -1)
    bundle = make_standin("1.0", 3, run=("--web", "127.0.0.1:9123"), listen="127.0.0.1:9123")
    code, out, err = board.flash(bundle)
    assert code == 0, err
    address = f"page: http://127.0.0.1:9123/{'s' * 32}/"
    tunnel = f"it is the board's own: first `ssh -L 9123:127.0.0.1:9123 {board.sshd.destination}`"
    assert out.splitlines()[1:3] == [address, tunnel]
    assert board.run("status")[1].splitlines()[-2:] == [address, tunnel]
    assert json.loads(board.run("status", "--json")[1])["page"] == address.removeprefix("page: ")
    kept = state / "kept"
    token.rename(kept)
    token.symlink_to(kept)
    assert board.status()["page"] == "http://127.0.0.1:9123/"
    token.unlink()
    board.run("uninstall")


def test_installed_release_runs_from_its_final_place(flashed: FlashedBoard):
    release = (flashed.prefix / "current").resolve()
    command = [release / "bin" / "deseptr", "device", "run", "--seconds", "1"]
    result = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(result.stdout)["label"] == "1.0"
    assert not any(b"incoming/staged" in path.read_bytes() for path in (release / "venv" / "bin").iterdir())


@pytest.mark.parametrize(
    ("conduct", "line"),
    [
        ("sick", "release 3.0-11: device doctor: found WHO_AM_I: no chip answers, .*; 1.0-10 runs again"),
        ("dies", "release 3.0-11: service: found no label from it .*the sensor is gone"),
        ("unmet", "installing from the bundle's wheels: found No matching distribution found for no-such-thing-at-all"),
    ],
)
def test_bad_release_leaves_the_good_one_running(
    flashed: FlashedBoard, make_standin: BundleMaker, pip_wheel: Path, conduct: str, line: str
):
    code, out, err = flashed.flash(make_standin("3.0", 11, conduct, pip=pip_wheel))
    assert (code, out) == (2, "")
    assert re.search(line, err), err
    flashed.assert_good_one_runs()


def test_first_bad_release_leaves_nothing_running(board: FlashedBoard, make_standin: BundleMaker):
    code, _, err = board.flash(make_standin("1.0", 1, "dumb"))
    assert code == 2
    assert "device run: found 0 labels, exit code 3 (no sample for 10 s)" in err
    assert "nothing runs, as before" in err
    found = board.status()
    assert (found["current"], found["service"], found["service_kind"]) == (None, "none", None)


def test_lower_build_is_refused(flashed: FlashedBoard, make_standin: BundleMaker):
    code, _, err = flashed.flash(make_standin("0.9", 9))
    assert code == 2
    assert "bundle 0.9-9: found build 9, expected at least the running build, 10" in err
    flashed.assert_good_one_runs()


def test_other_content_under_the_running_build_is_refused(flashed: FlashedBoard, make_standin: BundleMaker):
    code, _, err = flashed.flash(make_standin("1.0", 10, "sick"))
    assert code == 2
    assert "found other content under the same build number" in err
    flashed.assert_good_one_runs()


def test_damaged_bundle_is_refused_by_the_board_itself(flashed: FlashedBoard, make_standin: BundleMaker):
    bundle = make_standin("2.0", 12)
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    code, _, err = flashed.flash(bundle)
    assert (code, "sent" in err) == (2, False)  # seen here, before anything is sent
    prefix = str(flashed.prefix)
    with flashed.sshd.board() as connected:
        sha256 = send_bundle(connected, prefix, bundle, lambda done, size: None)
        with pytest.raises(FlashError, match="bundle: found another SHA-256 of "):
            connected.call({"op": "install", "prefix": prefix, "sha256": sha256, "settings": {"service": "supervised"}})
    flashed.assert_good_one_runs()
    assert not (flashed.prefix / "incoming" / sha256).exists()


def test_bundle_for_another_board_is_refused(flashed: FlashedBoard, make_standin: BundleMaker):
    bundle = make_standin("2.0", 13, target=BoardTarget("armv7l", "3.11", "2.36"))
    code, _, err = flashed.flash(bundle)
    assert code == 2
    assert "found wheels for armv7l, Python 3.11, glibc 2.36, expected " in err
    flashed.assert_good_one_runs()


def test_board_that_trusts_a_key_refuses_other_bundles(board: FlashedBoard, make_standin: BundleMaker):
    keys = board.sshd.keys
    by = {name: lambda content, name=name: sign(content, keys / name) for name in ("id", "other")}
    assert board.flash(make_standin("1.0", 1, sign=by["id"]), "--trust", keys / "id.pub")[0] == 0
    for build, signer in ((2, None), (3, by["other"])):
        code, _, err = board.flash(make_standin("2.0", build, sign=signer), "--trust", keys / "other.pub")
        assert (code, board.status()["current"]) == (2, "1.0-1")
        assert "expected a signature by a key that this board trusts" in err
    assert board.status()["signed_only"]
    # The old key hands over to the new one.
    assert board.flash(make_standin("2.0", 4, sign=by["id"]), "--trust", keys / "other.pub")[0] == 0
    assert board.flash(make_standin("2.0", 5, sign=by["id"]))[0] == 2
    assert board.flash(make_standin("2.0", 6, sign=by["other"]))[0] == 0


class CutError(Exception):
    """The connection breaks."""


def test_interrupted_transfer_leaves_the_release_running_and_resumes(flashed: FlashedBoard, make_standin: BundleMaker):
    bundle = make_standin("0.9", 8)
    size = bundle.stat().st_size
    begins = []
    for tenth in TENTHS:
        sizes = []

        def cut(done: int, size: int, tenth: int = tenth, sizes: list[int] = sizes) -> None:
            sizes.append(done)
            if done >= tenth * size / 10:
                raise CutError

        with flashed.sshd.board() as connected, pytest.raises(CutError):
            send_bundle(connected, str(flashed.prefix), bundle, cut)
        begins.append(sizes[0])
        assert (flashed.prefix / "current").readlink().name == GOOD
    flashed.assert_good_one_runs()
    assert begins == sorted(begins)
    assert 0 < begins[-1] < size  # each try went on where the one before ended
    code, _, err = flashed.flash(bundle)
    assert (code, "was sent by an earlier attempt" in err, "found build 8" in err) == (2, True, True)  # whole, and read
    flashed.assert_good_one_runs()


def test_trial_ends_also_without_the_workstation(board: FlashedBoard, make_standin: BundleMaker):
    prefix = str(board.prefix)
    with board.sshd.board() as connected:
        sha256 = send_bundle(connected, prefix, make_standin("2.0", 2), lambda done, size: None)

        def leave(line: str) -> None:
            if "starting" in line:
                raise CutError

        order = {"op": "install", "prefix": prefix, "sha256": sha256}
        with pytest.raises(CutError):
            connected.call({**order, "settings": {"service": "supervised", "settle": 0.5}}, report=leave)
    while board.status()["trial"]:
        pass
    assert board.status()["good"] == ["2.0-2"]


def test_measuring_sends_files_and_starts_the_service_again(flashed: FlashedBoard):
    commands = {
        "profile": ["device", "profile", "@model.tflite", "--json"],
        "other": ["device", "evaluate", "@d.csv", "x"],
    }
    files = [["model.tflite", 5], ["d.csv", 3]]
    order = {"op": "measure", "prefix": str(flashed.prefix), "files": files, "commands": commands}
    with flashed.sshd.board() as connected:
        done = connected.call(order, payload=[b"mo", b"delabc"])
        assert (done["release"], done["results"]["profile"]["size"], done["results"]["other"]["size"]) == (GOOD, 5, 3)
        with pytest.raises(FlashError, match="expected a plain file name"):
            connected.call({**order, "files": [["../x", 1]]}, payload=[b"x"])
        with pytest.raises(FlashError, match="found its end, expected 3 more bytes"):
            connected.call(order, payload=[b"model"])
        failing = {"doctor": ["device", "doctor"]}
        assert connected.call({**order, "commands": {}}, payload=[b"modelabc"])["results"] == {}
        with pytest.raises(FlashError, match="deseptr device doctor: found "):
            connected.call({**order, "commands": failing}, payload=[b"modelabc"])
    flashed.assert_good_one_runs()


def test_finishing_flash_leaves_the_uploads_of_others(board: FlashedBoard, make_standin: BundleMaker):
    prefix = str(board.prefix)
    settings = {"service": "supervised", "settle": 0.0}
    with board.sshd.board() as one, board.sshd.board() as other:
        first, second = (
            send_bundle(who, prefix, make_standin(version, build), lambda done, size: None)
            for who, version, build in ((one, "1.0", 1), (other, "2.0", 2))
        )
        for who, sha256, release in ((one, first, "1.0-1"), (other, second, "2.0-2")):
            done = who.call({"op": "install", "prefix": prefix, "sha256": sha256, "settings": settings})
            assert done["release"] == release
    assert not list((board.prefix / "incoming").iterdir())


def test_invalid_secret_is_not_repeated(flashed: FlashedBoard, make_standin: BundleMaker, tmp_path: Path):
    secret = tmp_path / "mqtt.env"
    secret.write_text("MQTT_PASSWORD hunter2\n")
    code, out, err = flashed.flash(make_standin("1.1", 15), "--env-file", secret)
    assert code == 2
    assert "hunter2" not in out + err
    assert "line 1 of another form" in err
    flashed.assert_good_one_runs()


def test_dry_run_changes_nothing(board: FlashedBoard, make_standin: BundleMaker):
    code, out, err = board.flash(make_standin("1.0", 1), "--dry-run")
    assert (code, err) == (0, "")
    assert "runs now   nothing" in out
    assert out.endswith("nothing was changed\n")
    assert not board.prefix.exists()


def test_unknown_host_key_is_refused(sshd: Sshd, tmp_path: Path):
    none = (f"UserKnownHostsFile={tmp_path / 'none'}", "GlobalKnownHostsFile=/dev/null")
    options = SshOptions(port=sshd.port, identity=sshd.keys / "id", further=(*none, "StrictHostKeyChecking=no"))
    with (
        SshTarget(sshd.destination, options, sshd.python) as board,
        pytest.raises(FlashError, match=r"Host key verification failed.*--accept-new-host-key"),
    ):
        board.call({"op": "probe", "prefix": "/"})
    assert not (tmp_path / "none").exists()
    accepting = SshOptions(port=sshd.port, identity=sshd.keys / "id", further=none, accept_new_host_key=True)
    with SshTarget(sshd.destination, accepting, sshd.python) as board:
        assert board.call({"op": "probe", "prefix": "/"})["python"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"identity": "other"}, "Permission denied.*ssh-copy-id"),
        ({"port": 1}, "Connection refused"),
        ({"python": "python-nowhere"}, "not found.*install python3 there"),
    ],
)
def test_each_connection_error_is_one_line(sshd: Sshd, changes: dict[str, Any], line: str):
    identity = sshd.keys / str(changes.get("identity", "id"))
    options = SshOptions(port=changes.get("port", sshd.port), identity=identity, further=(sshd.known_hosts,))
    with (
        SshTarget(sshd.destination, options, changes.get("python", sshd.python)) as board,
        pytest.raises(FlashError, match=line),
    ):
        board.call({"op": "probe", "prefix": "/"})


def test_several_boards_beside_each_other(flashed: FlashedBoard, tmp_path: Path):
    page = tmp_path / "boards.html"
    nobody = f"nobody-{flashed.sshd.destination}"
    code, out, err = flashed.run("status", nobody, "--html", page)
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[1].split()[:4] == [flashed.sshd.destination, "active", "(supervised)", "1.0"]
    assert lines[2].split()[0] == nobody
    assert "Permission denied" in lines[2]
    assert lines[-1] == f"1 of 2 boards run; no answer from {nobody}."
    shown = page.read_text()
    assert "1 of 2 boards run." in shown
    assert f"No answer from {nobody}." in shown
    code, out, _ = flashed.run("status", nobody, "--json")
    running, silent = json.loads(out)["boards"]
    assert (code, running["status"]["current"], silent["destination"]) == (2, GOOD, nobody)
    foreign = tmp_path / "mine.html"
    foreign.write_text("<p>my own page</p>")
    code, _, err = flashed.run("status", "--html", foreign)
    assert (code, foreign.read_text()) == (2, "<p>my own page</p>"), err


def test_destination_cannot_be_an_option():
    with pytest.raises(FlashError, match="expected user@host"):
        SshTarget("-oProxyCommand=touch /tmp/never")


def test_system_unit_without_systemd_is_refused(sshd: Sshd, capsys: pytest.CaptureFixture[str]):
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd runs here")
    words = [word if word != "supervised" else "system" for word in sshd.words]
    with pytest.raises(SystemExit):
        main(["firmware", "status", *words])
    line = "found no systemd running, expected systemd, for a system unit; use --service supervised"
    assert line in capsys.readouterr().err


def test_socket_of_the_connection_is_private(sshd: Sshd, monkeypatch: pytest.MonkeyPatch):
    # Not below tmp_path, which is long: a socket's path has 107 bytes at most.
    with tempfile.TemporaryDirectory() as parent:
        monkeypatch.setattr(tempfile, "tempdir", parent)
        with sshd.board() as board:
            board.call({"op": "probe", "prefix": "/"})
            (folder,) = Path(parent).iterdir()
            assert folder.stat().st_mode & 0o077 == 0
            assert list(folder.iterdir())
        assert not folder.exists()


def test_trust_requires_a_public_key(sshd: Sshd):
    assert trust_of(sshd.keys / "id.pub").startswith('deseptr namespaces="deseptr-bundle" ssh-ed25519 ')
    with pytest.raises(Exception, match="expected a public ssh key"):
        trust_of(sshd.keys / "id")
