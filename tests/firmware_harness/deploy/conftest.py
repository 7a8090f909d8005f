"""A real sshd on loopback, run by a user who is not root, and bundles small enough to install in a second."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import board
import pytest
from board import standin_bundle, standin_wheel

from deseptr.firmware_harness.deploy import SshOptions, SshTarget, fill_wheelhouse
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.target.probe import probe


@dataclass(frozen=True)
class Sshd:
    """A running sshd.

    Args:
        user: who runs it and logs in.
        port: of it.
        home: of the user.
        python: an interpreter that the user may run.
        keys: folder with the client's key `id` and its known hosts.
    """

    user: str
    port: int
    home: Path
    python: str
    keys: Path

    @property
    def destination(self) -> str:
        return f"{self.user}@127.0.0.1"

    @property
    def options(self) -> SshOptions:
        return SshOptions(port=self.port, identity=self.keys / "id", further=(self.known_hosts,))

    @property
    def known_hosts(self) -> str:
        return f"UserKnownHostsFile={self.keys / 'known_hosts'}"

    @property
    def words(self) -> list[str]:
        """Options of the commands."""
        connection = ["--port", str(self.port), "--identity", str(self.keys / "id"), "--ssh-option", self.known_hosts]
        return [self.destination, *connection, "--python", self.python, "--service", "supervised"]

    def board(self) -> SshTarget:
        return SshTarget(self.destination, self.options, self.python)


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    assert Path(program).exists(), "these tests need Debian's package openssh-server"
    folder = Path(tempfile.mkdtemp(prefix="deseptr-sshd-"))
    user, made = _login(folder)
    try:
        account = pwd.getpwnam(user)
        home, python = folder / "home", _python_of(account)
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        _write_keys(folder, port)
        (folder / "home").mkdir()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if made else {}
        command = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **as_user)
        try:
            _wait_for(port, process, folder / "log")
            yield Sshd(user, port, home, python, folder)
        finally:
            process.terminate()
            process.wait()
    finally:
        if made:
            _change_users("userdel", user)
        shutil.rmtree(folder)


def _login(folder: Path) -> tuple[str, bool]:
    """Whoever runs the tests; root makes someone for it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name, False
    folder.chmod(0o755)
    name = f"deseptr{os.getpid()}"
    # A password of `*` fits nothing, and unlike `!` does not lock the account against keys.
    words = ["--no-create-home", "--home-dir", str(folder / "home"), "--shell", "/bin/sh", "--password", "*", name]
    _change_users("useradd", *words)
    return name, True


def _change_users(*command: str) -> None:
    for _ in range(50):
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        if ended.returncode == 0:
            return
        # Another worker of the tests is at it.
        assert "lock" in ended.stderr, ended.stderr
        time.sleep(0.2)
    raise AssertionError(ended.stderr)


def _python_of(account: pwd.struct_passwd) -> str:
    """An interpreter that the user may run: root's own is often below /root."""
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    for candidate in (f"{sys.base_prefix}/bin/python3", "/usr/bin/python3"):
        check = [candidate, "-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(check, capture_output=True, cwd="/", check=False, **who).returncode == 0:
                return candidate
        except OSError:
            continue
    raise AssertionError("no Python 3.11 or newer that an ordinary user may run")


def _write_keys(folder: Path, port: int) -> None:
    for name in ("host", "id", "other"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True)
    shutil.copy(folder / "id.pub", folder / "authorized_keys")
    kind, key, _ = (folder / "host.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n"
        f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
        f"SetEnv HOME={folder}/home XDG_CONFIG_HOME={folder}/home/.config\n"
    )


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        with closing(socket.socket()) as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def here() -> BoardTarget:
    """This machine as a target, with the Python that the sshd's user will run."""
    facts = probe(Path("/"))
    return BoardTarget(facts["machine"], "{}.{}".format(*facts["python"]), facts["glibc"])


@pytest.fixture(scope="session")
def board_target(sshd: Sshd, here: BoardTarget) -> BoardTarget:
    result = subprocess.run(
        [sshd.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    return BoardTarget(here.machine, result.stdout.strip(), here.glibc)


@pytest.fixture(scope="session")
def quick_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return board.quick_pip(tmp_path_factory.mktemp("pip"))


@pytest.fixture(scope="session")
def pip_wheel(tmp_path_factory: pytest.TempPathFactory, board_target: BoardTarget) -> Path:
    folder = tmp_path_factory.mktemp("pip")
    house = folder / "house"
    house.mkdir()
    fill_wheelhouse(house, standin_wheel(folder, "0.0"), board_target)
    return next(house.glob("pip-*.whl"))


BundleMaker = Callable[..., Path]


@pytest.fixture(scope="session")
def make_standin(tmp_path_factory: pytest.TempPathFactory, quick_pip: Path, board_target: BoardTarget) -> BundleMaker:
    """Makes a bundle of a stand-in: its version, build number, conduct and signature, target and pip."""
    tmp_path = tmp_path_factory.mktemp("bundles")

    def make(
        version: str,
        build: int,
        conduct: str = "well",
        sign: Callable[[bytes], bytes] | None = None,
        target: BoardTarget = board_target,
        pip: Path = quick_pip,
        **spec: Any,
    ) -> Path:
        return standin_bundle(tmp_path, version, build, conduct, sign, target=target, pip=pip, **spec)

    return make


@pytest.fixture
def prefix(sshd: Sshd) -> Iterator[str]:
    """A folder on the board; whatever runs in it is stopped after the test."""
    with fresh_prefix(sshd) as name:
        yield name


@contextmanager
def fresh_prefix(sshd: Sshd) -> Iterator[str]:
    name = str(sshd.home / f"prefix-{uuid.uuid4().hex[:8]}")
    yield name
    if Path(name, "releases").exists():
        with sshd.board() as board:
            board.call({"op": "uninstall", "prefix": name})
