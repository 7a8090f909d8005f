import dataclasses
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator import image
from deseptr.firmware_harness.emulator.cpio import CpioEntry
from deseptr.firmware_harness.emulator.image import (
    CACHE_VARIABLE,
    ImageRecipe,
    base_entries,
    default_cache,
    prepare_image,
)

RECIPE = ImageRecipe("ai-edge-litert==2.3.0", "bookworm")


def test_equal_recipes_have_the_same_key():
    assert RECIPE.key() == ImageRecipe("ai-edge-litert==2.3.0", "bookworm").key()


@pytest.mark.parametrize("change", [field.name for field in dataclasses.fields(ImageRecipe)])
def test_every_change_of_the_recipe_changes_the_key(change: str):
    other = dataclasses.replace(RECIPE, **{change: 2 if change == "layout" else ("other",)})
    assert other.key() != RECIPE.key()


def test_the_variable_names_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv(CACHE_VARIABLE)
    assert default_cache() == Path.home() / ".cache" / "deseptr" / "arm"


def test_an_existing_machine_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", "")
    home = tmp_path / RECIPE.key()
    home.mkdir()
    made = prepare_image(RECIPE, tmp_path)
    assert (made.kernel, made.base) == (home / "kernel", home / "base.cpio")


def test_missing_debian_tools_are_reported_and_leave_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match=r"^apt-get: found no such program"):
        prepare_image(RECIPE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_cache_is_reported(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=CACHE_VARIABLE):
        prepare_image(RECIPE, tmp_path / "file" / "below")


def wheel(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return path


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y.z>\nDescription: x\n"
    )
    for name in ("lib/loader.so", "usr/bin/run", "usr/share/doc/p/copyright", "boot/vmlinuz-6"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / "usr/bin/run").chmod(0o755)
    (tree / "lib/link.so").symlink_to("loader.so")
    (tree / "usr/bin/again").hardlink_to(tree / "usr/bin/run")
    subprocess.run(["dpkg-deb", "--build", str(tree), str(tmp_path / "p.deb")], check=True, capture_output=True)
    return tmp_path / "p.deb"


def test_packages_and_wheels_become_one_file_system(deb: Path, tmp_path: Path):
    kept = wheel(
        tmp_path / "w.whl", "w/__init__.py", "w/tests/test_w.py", "w/__init__.pyi", "w/libWebGpuAccelerator.so"
    )
    entries = {entry.path: entry for entry in base_entries([deb], [kept])}
    assert entries["lib"] == CpioEntry.link("lib", "usr/lib")
    assert entries["usr/lib/loader.so"].data == b"lib/loader.so"
    assert entries["usr/lib/link.so"] == CpioEntry.link("usr/lib/link.so", "loader.so")
    # Which of two names of one file is the link is the archiver's choice.
    runs = [entries["usr/bin/run"], entries["usr/bin/again"]]
    assert sorted(stat.S_IFMT(entry.mode) for entry in runs) == [stat.S_IFREG, stat.S_IFLNK]
    assert all(entry.mode & 0o100 for entry in runs)
    assert {path for path in entries if "dist-packages/" in path} == {"usr/lib/python3/dist-packages/w/__init__.py"}
    assert not any("share" in path for path in entries)


def test_the_kernel_is_found_in_its_package(deb: Path):
    assert image.kernel_of(deb) == b"boot/vmlinuz-6"


def test_a_broken_package_is_reported(tmp_path: Path):
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    (tmp_path / "bad.deb").write_bytes(b"no package")
    with pytest.raises(SetupError, match=r"^bad.deb: found"):
        list(base_entries([tmp_path / "bad.deb"], []))


def test_python_version_is_that_of_its_package():
    names = ["libpython3.11-stdlib_1_arm64.deb", "python3_3.11.2_arm64.deb", "python3.11_3.11.2-6_arm64.deb"]
    assert image.python_version_of(map(Path, names)) == "3.11"
    with pytest.raises(SetupError, match="python3"):
        image.python_version_of([Path("python3_3.11.2_arm64.deb")])
