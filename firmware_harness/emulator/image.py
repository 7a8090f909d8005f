"""The emulated machine's software: a kernel and an initial file system with Python and the TFLite runtime, made once.

No package script runs: packages and wheels are unpacked directly into an archive, which the kernel unpacks into memory.
This needs no chroot, no disk image and no root.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from deseptr.contract import SetupError, scratch_folder
from deseptr.firmware_harness.programs import require_program

from .cpio import CpioEntry, write_archive
from .modules import module_entries
from .packages import Apt, download_wheels

RUNTIME = "ai-edge-litert"
CACHE_VARIABLE = "DESEPTR_ARM_CACHE"
_SITE = "usr/lib/python3/dist-packages"
# /bin, /lib and /sbin are links into /usr, as Debian's own are.
_MERGED = ("bin", "lib", "sbin")
_UNUSED = re.compile(
    r"^usr/share(/|$)|^var(/|$)|/(tests?|include|ensurepip|idlelib|lib2to3)/|WebGpuAccelerator|\.(a|h|pyi)$"
)


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """Contents of the machine; each recipe has its own machine in the cache.

    Args:
        runtime: requirement of the TFLite runtime, for pip; empty for none.
        release: the host's Debian release, whose packages apt fetches.
        packages: Debian packages of the file system; their dependencies are added.
        kernel: Debian package that depends on the newest kernel.
        modules: kernel modules of the file system; their dependencies are added.
        layout: version of this module's layout of the file system.
    """

    runtime: str
    release: str
    packages: tuple[str, ...] = ("python3", "libstdc++6")
    kernel: str = "linux-image-arm64"
    modules: tuple[str, ...] = ()
    layout: int = 1

    def key(self) -> str:
        """Name of its folder in the cache."""
        facts = {name: value for name, value in asdict(self).items() if value}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Image:
    """A machine's software on disk.

    Args:
        kernel: Linux for arm64.
        base: archive of the file system.
    """

    kernel: Path
    base: Path


def default_recipe() -> ImageRecipe:
    """This host's Debian release, and its version of the runtime if it is installed here."""
    try:
        runtime = f"{RUNTIME}=={importlib.metadata.version(RUNTIME)}"
    except importlib.metadata.PackageNotFoundError:
        runtime = RUNTIME
    try:
        release = platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")
    except OSError:
        release = "unknown"
    return ImageRecipe(runtime, release)


def default_cache() -> Path:
    """The folder named by ``DESEPTR_ARM_CACHE``, or the default one below the home folder."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "deseptr" / "arm"


def prepare_image(recipe: ImageRecipe, cache: Path, note: Callable[[str], None] = lambda line: None) -> Image:
    """The software of ``recipe`` from the cache; it is made first if it is missing.

    Args:
        recipe: contents of the machine.
        cache: folder of machines.
        note: called with a line for each slow step.

    Raises:
        SetupError: if apt, dpkg or pip is missing or cannot fetch something, or the cache cannot be written.
    """
    cache = cache.resolve()
    home = cache / recipe.key()
    if not home.is_dir():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            # In the cache's folder, so that a rename makes a complete machine appear at once.
            with scratch_folder(cache) as folder:
                _make(recipe, folder, home, note)
        except OSError as error:
            raise SetupError(
                cache,
                found=error.strerror or error,
                expected="room and permission to write",
                next_step=f"free space, or name another folder in {CACHE_VARIABLE}",
            ) from error
    return Image(home / "kernel", home / "base.cpio")


def _make(recipe: ImageRecipe, folder: Path, home: Path, note: Callable[[str], None]) -> None:
    for program in ("apt-get", "dpkg-deb"):
        require_program(
            program,
            expected="Debian's package tools, which fetch the emulated machine's system",
            next_step="run this on Debian, or in a Debian container",
        )
    note("fetching Debian's packages for arm64 (once)")
    apt = Apt(folder / "apt")
    apt.update()
    debs = apt.download(*recipe.packages)
    kernel = apt.download_kernel(recipe.kernel)
    python = python_version_of(debs)
    wheels: list[Path] = []
    if recipe.runtime:
        note(f"fetching {recipe.runtime} for aarch64 and Python {python} (once)")
        wheels = download_wheels([recipe.runtime], python, folder / "wheels")
    note("unpacking them into the emulated machine's file system (once)")
    made = folder / "made"
    made.mkdir()
    (made / "kernel").write_bytes(kernel_of(kernel))
    with (made / "base.cpio").open("wb") as stream:
        modules = module_entries(lambda: _deb_entries(kernel), recipe.modules) if recipe.modules else ()
        write_archive(stream, chain(base_entries(debs, wheels), modules))
    if not home.is_dir():
        made.rename(home)


def base_entries(debs: Iterable[Path], wheels: Iterable[Path]) -> Iterator[CpioEntry]:
    """Entries of the file system: the files of packages and wheels, without those that no inference reads."""
    for name in ("dev", "proc", "sys", "tmp"):
        yield CpioEntry.folder(name)
    for name in _MERGED:
        yield CpioEntry.folder(f"usr/{name}")
        yield CpioEntry.link(name, f"usr/{name}")
    for deb in debs:
        yield from (entry for entry in _deb_entries(deb) if not _UNUSED.search(entry.path))
    for wheel in wheels:
        yield from _wheel_entries(wheel)


def _wheel_entries(wheel: Path) -> Iterator[CpioEntry]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = f"{_SITE}/{name}"
            if not name.endswith("/") and not _UNUSED.search(path):
                yield CpioEntry.file(path, archive.read(name))


def _deb_entries(deb: Path) -> Iterator[CpioEntry]:
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield from (entry for member in tar if (entry := _entry_of(tar, member)))
        except tarfile.TarError as error:
            raise SetupError(
                deb.name, found=error, expected="a Debian package", next_step="run the command again"
            ) from error


def _entry_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> CpioEntry | None:
    """Archive entry of a package's member; None for the root, devices and merged folders."""
    path = member.name.removeprefix(".").strip("/")
    first, slash, _ = path.partition("/")
    if first in _MERGED:
        path = f"usr/{path}" if slash else ""
    if not path:
        return None
    if member.isdir():
        return CpioEntry.folder(path)
    if member.issym():
        return CpioEntry.link(path, member.linkname)
    if member.islnk():
        return CpioEntry.link(path, "/" + member.linkname.removeprefix(".").strip("/"))
    content = tar.extractfile(member)
    return CpioEntry.file(path, content.read(), executable=bool(member.mode & 0o100)) if content else None


def kernel_of(deb: Path) -> bytes:
    """Linux out of its Debian package.

    Raises:
        SetupError: if there is none in it.
    """
    for entry in _deb_entries(deb):
        if entry.path.startswith("boot/vmlinuz-"):
            return entry.data
    raise SetupError(deb.name, found="no boot/vmlinuz-*", expected="a kernel", next_step="check apt's sources")


def python_version_of(debs: Iterable[Path]) -> str:
    """Version of the Python among Debian packages, as 3.11, from the names of their files.

    Raises:
        SetupError: if there is none.
    """
    for deb in debs:
        match = re.match(r"python(3\.\d+)_", deb.name)
        if match:
            return match[1]
    raise SetupError(
        "apt-get: python3", found="no package python3.N", expected="a Python version", next_step="check apt's sources"
    )
