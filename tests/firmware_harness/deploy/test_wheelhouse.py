"""Which wheels a board gets, decided for the board and not for this machine."""

import zipfile
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.deploy.own_wheel import own_wheel, pack_installed
from deseptr.firmware_harness.deploy.target.manifest import BoardTarget
from deseptr.firmware_harness.deploy.wheelhouse import check_target, fill_wheelhouse, platform_tags, unmet

TRIXIE = BoardTarget("aarch64", "3.13", "2.41")
BOOKWORM = BoardTarget("aarch64", "3.11", "2.36")
BOOKWORM_32 = BoardTarget("armv7l", "3.11", "2.36")


def wheel(folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
        )
        archive.writestr(
            f"{name}-{version}.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
    return path


REQUIRES = (
    "numpy<2,>=1.26; platform_machine == 'armv7l'",
    "numpy>=1.26; platform_machine != 'armv7l'",
    "tflite-runtime==2.14.0; platform_machine == 'armv7l'",
    "ai-edge-litert>=2.1; platform_machine != 'armv7l'",
    "colorama; sys_platform == 'win32'",
    "tomli; python_version < '3.12'",
    "tensorflow; extra == 'train'",
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (TRIXIE, {"numpy>=1.26", "ai-edge-litert>=2.1"}),
        (BOOKWORM, {"numpy>=1.26", "ai-edge-litert>=2.1", "tomli"}),
        (BOOKWORM_32, {"numpy<2,>=1.26", "tflite-runtime==2.14.0", "tomli"}),
    ],
)
def test_requirements_are_those_of_the_board(tmp_path: Path, target: BoardTarget, expected: set[str]):
    ours = wheel(tmp_path, "deseptr", "1.0", *REQUIRES)
    assert {str(requirement) for requirement in unmet([ours], target)} == expected


def test_extras_are_those_asked_for_of_the_first_wheel_alone(tmp_path: Path):
    other = wheel(tmp_path, "other", "1.0", "leaf; extra == 'train'")
    ours = wheel(tmp_path, "deseptr", "1.0", "other", *REQUIRES[-1:], "paho; extra == 'mqtt'")
    assert {str(requirement) for requirement in unmet([ours, other], TRIXIE, ["train"])} == {"tensorflow"}


def test_a_wheel_of_the_wrong_version_does_not_meet_it(tmp_path: Path):
    ours = wheel(tmp_path, "deseptr", "1.0", "Some.Thing>=2")
    assert unmet([ours, wheel(tmp_path, "some_thing", "1.9")], TRIXIE)
    # tflite-micro and others have nothing but pre-releases.
    assert not unmet([ours, wheel(tmp_path, "some_thing", "2.1rc1")], TRIXIE)


def test_wheelhouse_has_requirements_of_the_board_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A requirement of a requirement that applies on the board alone, which pip by itself would leave out."""
    links = tmp_path / "links"
    wheel(links, "middle", "1.0", "leaf; platform_machine == 'aarch64'")
    wheel(links, "leaf", "2.0", tag="cp313-cp313-manylinux_2_28_aarch64")
    wheel(links, "leaf", "3.0", tag="cp313-cp313-manylinux_2_99_aarch64")  # for a newer glibc
    wheel(links, "pip", "99.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    house = tmp_path / "house"
    house.mkdir()
    ours = wheel(tmp_path, "deseptr", "1.0", "middle")
    found = fill_wheelhouse(house, ours, TRIXIE, find_links=[links])
    assert [path.name.split("-")[0] for path in found] == ["deseptr", "leaf", "middle", "pip"]
    assert found[1].name.startswith("leaf-2.0-")


def test_unpublished_requirement_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    house = tmp_path / "house"
    house.mkdir()
    with pytest.raises(
        SetupError, match=r"wheels for aarch64, Python 3\.13, glibc 2\.41: found No matching distribution"
    ):
        fill_wheelhouse(house, wheel(tmp_path, "deseptr", "1.0", "no-such-thing"), TRIXIE)
    assert not list(house.iterdir())


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            BoardTarget("armv7l", "3.13", "2.41"),
            "no TFLite runtime is published for a later Python on 32-bit ARM; install the 64",
        ),
        (BoardTarget("armv6l", "3.11", "2.36"), "found machine armv6l, expected aarch64 or armv7l or x86_64"),
        (BoardTarget("aarch64", "3.9", "2.31"), "found Python 3.9, expected 3.11 or newer"),
    ],
)
def test_board_without_wheels_is_refused_before_any_download(target: BoardTarget, line: str):
    with pytest.raises(SetupError, match=line):
        check_target(target)


def test_32_bit_bookworm_gets_a_remark_on_numpys_source():
    assert any("piwheels.org" in note and "libopenblas0" in note for note in check_target(BOOKWORM_32))
    assert check_target(BOOKWORM) == []


def test_tags_reach_up_to_the_glibc_of_the_board():
    tags = platform_tags(BOOKWORM)
    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)
    assert "manylinux_2_37_aarch64" not in tags
    assert "linux_armv7l" in platform_tags(BOOKWORM_32)
    # PEP 600: the oldest glibc of a machine is that of its first manylinux, 2.5 for x86_64 and 2.17 for others.
    numbered = [tag for tag in tags if tag.startswith("manylinux_2_")]
    assert (numbered[-1], len(numbered)) == ("manylinux_2_17_aarch64", 20)
    of_pc = platform_tags(BoardTarget("x86_64", "3.11", "2.36"))
    numbered = [tag for tag in of_pc if tag.startswith("manylinux_2_")]
    assert (numbered[-1], len(numbered)) == ("manylinux_2_5_x86_64", 32)
    assert {"manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"} <= set(of_pc)


def test_an_installed_distribution_is_packed_completely(tmp_path: Path):
    import email
    from importlib.metadata import distribution

    path = pack_installed(distribution("click"), tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert "click/core.py" in names
        record = next(name for name in names if name.endswith("/RECORD"))
        listed = [line.split(",")[0] for line in archive.read(record).decode().splitlines()]
        assert sorted(listed) == sorted(names)
        info = record.rpartition("/")[0]
        assert email.message_from_bytes(archive.read(f"{info}/METADATA"))["Name"] == "click"
        assert f"{info}/WHEEL" in names
        assert not any(name.endswith((".pyc", "INSTALLER")) for name in names)


@pytest.mark.slow
def test_own_wheel_contains_the_boards_side(tmp_path: Path):
    with zipfile.ZipFile(own_wheel(tmp_path)) as archive:
        assert "deseptr/firmware_harness/deploy/target/main.py" in archive.namelist()
