import os
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator.packages import Apt


@pytest.fixture
def apt_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in that notes how it was called, and whose end a test may write."""
    script = tmp_path / "bin" / "apt-get"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    return script


def test_apt_works_for_arm64_in_a_separate_folder(apt_get: Path, tmp_path: Path):
    folder = tmp_path / "apt"
    apt = Apt(folder)
    assert apt.download("python3", "libstdc++6") == []
    assert (tmp_path / "calls").read_text().split() == [
        "--config-file",
        str(folder / "apt.conf"),
        "install",
        "--yes",
        "--download-only",
        "--no-install-recommends",
        "python3",
        "libstdc++6",
    ]
    settings = (folder / "apt.conf").read_text()
    assert 'APT::Architecture "arm64";' in settings
    for name, place in (("Dir::State", ""), ("Dir::State::status", "/status"), ("Dir::Cache", "/cache")):
        assert f'{name} "{folder}{place}";' in settings


def test_a_package_unknown_to_apt_is_reported(apt_get: Path, tmp_path: Path):
    apt_get.write_text('#!/bin/sh\necho "W: old lists" >&2\necho "E: Unable to locate package nothing" >&2\nexit 100\n')
    with pytest.raises(SetupError, match=r"^apt-get: nothing for arm64: found Unable to locate package nothing, "):
        Apt(tmp_path / "apt").download("nothing")


def test_without_any_package_list_the_update_fails(apt_get: Path, tmp_path: Path):
    apt_get.write_text('#!/bin/sh\necho "W: Failed to fetch: no network" >&2\n')
    with pytest.raises(SetupError, match=r"^apt-get update for arm64: found W: Failed to fetch: no network"):
        Apt(tmp_path / "apt").update()


def test_one_package_list_is_enough(apt_get: Path, tmp_path: Path):
    apt_get.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexit 100\n")
    apt = Apt(tmp_path / "apt")
    (tmp_path / "apt" / "lists" / "main_binary-arm64_Packages.lz4").touch()
    apt.update()
    assert (tmp_path / "asked").exists()
