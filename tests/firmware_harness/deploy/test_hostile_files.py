"""Files that an operator may name by mistake: what is no regular file, no text, no wheel, and torn files of a board."""

import os
import zipfile
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.device import default_model
from deseptr.device.drivers.bmi270_config import ENVIRONMENT as BMI270, read_config
from deseptr.firmware_harness.deploy import BundleRequest, inspect_bundle, make_bundle
from deseptr.firmware_harness.deploy.boot_files import write_boot_files
from deseptr.firmware_harness.deploy.first_boot import FirstBoot
from deseptr.firmware_harness.deploy.signing import check_key, trust_of
from deseptr.firmware_harness.deploy.target.environment import read_environment
from deseptr.firmware_harness.deploy.target.installed_service import InstalledServices
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.target.release_settings import ENVIRONMENT, LINK, SIGNERS, read_settings
from deseptr.firmware_harness.deploy.target.releases import Releases
from deseptr.firmware_harness.deploy.target.supervisor import ServiceState, read_state
from deseptr.firmware_harness.deploy.wheelhouse import check_wheel

DEEP = "[" * 200_000


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("read", [trust_of, check_key, inspect_bundle, check_wheel])
def test_a_named_pipe_and_a_device_are_refused_at_once(read, pipe: Path):
    wheel = pipe.rename(pipe.with_name("deseptr-1.0-py3-none-any.whl"))
    for path, kind in ((wheel, "a named pipe"), (Path("/dev/zero"), "a device")):
        if read is not check_wheel or path == wheel:
            with pytest.raises(SetupError, match=f"found {kind}"):
                read(path)


def test_a_named_pipe_is_no_configuration_of_a_bmi270(pipe: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(BMI270, str(pipe))
    with pytest.raises(SetupError, match="found a named pipe"):
        read_config()


def wheel(folder: Path, name: str, *members: tuple[str, str]) -> Path:
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member in members:
            archive.writestr(*member)
    return folder / name


@pytest.mark.parametrize(
    ("name", "members", "found"),
    [
        ("deseptr.txt", (), "Invalid wheel filename"),
        ("deseptr-1.0-py3-none-any.whl", (), "no METADATA"),
        ("deseptr-1.0-py3-none-any.whl", (("x.dist-info/METADATA", "Requires-Dist: ??\n"),), "Expected"),
        ("numpy-1.0-py3-none-any.whl", (("x.dist-info/METADATA", ""),), "a wheel of numpy"),
    ],
)
def test_what_is_no_wheel_of_deseptr_is_refused_before_anything_is_fetched(name, members, found, tmp_path: Path):
    request = BundleRequest(
        model=default_model(), target=BoardTarget("aarch64", "3.11", "2.36"), build=1, run=(), doctor=(), seconds=1.0,
        bus=1, wheel=wheel(tmp_path, name, *members),
    )  # fmt: skip
    said: list[str] = []
    with pytest.raises(SetupError, match=found):
        make_bundle(tmp_path / "x.bundle", request, said.append)
    assert not said


def test_a_card_whose_files_are_no_text_is_refused_and_stays_as_it_is(tmp_path: Path):
    for name in ("config.txt", "cmdline.txt"):
        (tmp_path / name).write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match=r"config\.txt: found text that is not UTF-8"):
        write_boot_files(tmp_path, FirstBoot("wearer", "ssh-ed25519 AAAA", "wrist", None), None, "bookworm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cmdline.txt", "config.txt"]


@pytest.mark.parametrize("torn", [b"\xff\xfe", DEEP.encode(), b"null", b'{"service": ["a"], "for": {"a": 1}}', b""])
def test_torn_files_of_a_board_are_as_if_they_were_not_there(torn: bytes, tmp_path: Path):
    for name in ("settings.json", "supervisor.json", "state.json"):
        (tmp_path / name).write_bytes(torn)
    release = tmp_path / "releases" / "1.0-1"
    folder = release / f"{LINK}-1"
    folder.mkdir(parents=True)
    (release / LINK).symlink_to(folder.name)
    for name in ("service.json", ENVIRONMENT, SIGNERS):
        (folder / name).write_bytes(torn)
    assert read_state(tmp_path) == ServiceState()
    services = InstalledServices(Releases(tmp_path))
    assert services.kinds() == []
    assert services.earlier_settings() is None
    read_settings(release)
    assert read_environment(release) == {}
