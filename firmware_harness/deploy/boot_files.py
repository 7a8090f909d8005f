"""Files for the first boot on the boot partition of a new SD card, without damage to its present content."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from deseptr.contract import SetupError, atomic_path, check_replaceable, read_input, read_text

from .bundle import inspect_bundle
from .first_boot import BUNDLE, FOLDER, SCRIPT, TARGET, FirstBoot, cloud_files, script_text, starts_of_own_files
from .target.durable import write_durably
from .target.manifest import MANIFEST
from .zipapp import target_zip

I2C = "dtparam=i2c_arm=on,i2c_arm_baudrate=400000"
_I2C_PARAMETER = re.compile(r"\s*dtparam=(i2c_arm|i2c_arm_baudrate|i2c|i2c_baudrate)=[^,\s]*(,i2c[a-z_]*=[^,\s]*)*\s*")
_SECTION = re.compile(r"\s*\[(.*)\]\s*")
_RUN_ONCE = (
    f"systemd.run=/boot/firmware/{SCRIPT}",
    "systemd.run_success_action=reboot",
    "systemd.unit=kernel-command-line.target",
)


KEPT = ".before-deseptr"


def write_boot_files(folder: Path, first: FirstBoot, bundle: Path | None, system: str = "auto") -> list[Path]:
    """Write the files for a first boot; repeating it gives the same result.

    The image's own settings for cloud-init are kept beside the new ones, under their names with ``.before-deseptr``.

    Args:
        folder: the mounted boot partition.
        first: user and network of the board.
        bundle: a bundle that the board installs on its first boot; None for none.
        system: ``trixie`` or ``bookworm``; ``auto`` detects it from the partition's files.

    Returns:
        The files written.

    Raises:
        SetupError: if the folder is no boot partition, has a script or bundle of something else, or cannot be written.
        FlashError: if the bundle is damaged.
    """
    if not all((folder / name).is_file() for name in ("config.txt", "cmdline.txt")):
        raise SetupError(
            folder,
            found="no config.txt and cmdline.txt",
            expected="the boot partition of a Raspberry Pi OS card",
            next_step="write the image first, and name where its partition bootfs is mounted",
        )
    if bundle is not None:
        inspect_bundle(bundle)
    trixie = _is_trixie(folder) if system == "auto" else system == "trixie"
    contents = cloud_files(first, bundle is not None) if trixie else {SCRIPT: script_text(first, bundle is not None)}
    _check_own(folder, contents, bundle is not None)
    contents["config.txt"] = with_i2c(_text(folder / "config.txt"))
    if not trixie:
        contents["cmdline.txt"] = with_script(_text(folder / "cmdline.txt"))
    try:
        return [*_keep_others(folder, contents), *_put_bundle(folder, bundle), *_put(folder, contents)]
    except OSError as error:
        raise SetupError(
            folder,
            found=error.strerror,
            expected="a writable partition with free space",
            next_step="mount it writable, check its space",
        ) from error


def with_i2c(text: str) -> str:
    """A config.txt that enables the I2C bus at 400 kHz for every board; idempotent."""
    kept = [line for line in text.splitlines() if not _I2C_PARAMETER.fullmatch(line)]
    sections = [match[1] for match in map(_SECTION.fullmatch, kept) if match]
    if sections and sections[-1] != "all":
        kept.append("[all]")
    return "\n".join([*kept, I2C, ""])


def with_script(text: str) -> str:
    """A cmdline.txt, one line, that runs the script once."""
    words = [word for word in text.split() if not word.startswith(("systemd.run", "systemd.unit"))]
    return " ".join([*words, *_RUN_ONCE]) + "\n"


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, ValueError) as error:
        raise SetupError(
            path,
            found=getattr(error, "strerror", None) or "text that is not UTF-8",
            expected="a file of Raspberry Pi OS",
            next_step="write the image again",
        ) from error


def _is_trixie(folder: Path) -> bool:
    """Whether the image has cloud-init's files, as from October 2025 on."""
    return any((folder / name).is_file() for name in ("user-data", "meta-data", "network-config"))


def _check_own(folder: Path, contents: dict[str, str], with_bundle: bool) -> None:
    """Refuse a script or bundle that somebody else put there; every fresh image has files for cloud-init."""
    another = "card, or write its image again without settings"
    if SCRIPT in contents:
        check_replaceable(
            folder / SCRIPT, starts_of_own_files()[SCRIPT], "the script of `deseptr firmware boot-files`", another
        )
    if with_bundle:
        check_replaceable(folder / FOLDER / BUNDLE, MANIFEST.encode() + b"\0", "a bundle", another)
        check_replaceable(folder / FOLDER / TARGET, b"PK", "the installer of `deseptr firmware boot-files`", another)


def _keep_others(folder: Path, contents: dict[str, str]) -> list[Path]:
    """Keep what is not of an earlier call, such as the settings of Raspberry Pi Imager."""
    kept = []
    for name, start in starts_of_own_files().items():
        path, copy = folder / name, folder / f"{name}{KEPT}"
        if name not in contents or not path.is_file() or copy.exists():
            continue
        content = read_input(path)
        if content and not content.startswith(start):
            write_durably(copy, content, mode=0o600)
            kept.append(copy)
    return kept


def _put(folder: Path, contents: dict[str, str]) -> list[Path]:
    for name, text in contents.items():
        # FAT has no owners; on other file systems, the network's key must be readable only for its owner.
        write_durably(folder / name, text.encode(), mode=0o600)
    return [folder / name for name in contents]


def _put_bundle(folder: Path, bundle: Path | None) -> list[Path]:
    if bundle is None:
        return []
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    with atomic_path(place / BUNDLE) as temporary:
        shutil.copyfile(bundle, temporary)
    write_durably(place / TARGET, target_zip())
    return [place / BUNDLE, place / TARGET]
