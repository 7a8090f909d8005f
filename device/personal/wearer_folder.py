"""Wearers' files of one model in a folder, by name, and whose the folder's reader wore last."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import DataError, SetupError, atomic_write
from deseptr.contract.input_files import read_input
from deseptr.tflite import TfliteFile

from .wearer_file import WearerFile, check_wearer

SUFFIX = ".deseptr"
# A file's name, with what an atomic write adds to it, has at most 255 bytes on every file system that Linux uses.
LONGEST_NAME_BYTES = 150
MOST_FILES = 200
# No wearer's name begins with a dot.
_WORN = ".worn"
_LARGEST_WORN = 1000


@dataclass(frozen=True, slots=True)
class KnownWearer:
    """A wearer with a file for the model.

    Args:
        name: the wearer.
        sessions: number of sessions in the file.
        new_labels: labels that the model lacks.
        recorded: all labels that were recorded.
    """

    name: str
    sessions: int
    new_labels: tuple[str, ...]
    recorded: tuple[str, ...]


class WearerFolder:
    """Reads and writes ``NAME.deseptr`` for one model.

    Args:
        folder: an existing folder.
        model: the model.
    """

    def __init__(self, folder: Path, model: TfliteFile) -> None:
        self._folder, self._model = folder, model

    def wearers(self) -> list[KnownWearer]:
        """All whose file is for the model and has their name; other files are left out."""
        found = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}"))[:MOST_FILES]:
            with suppress(DataError):
                name = check_file_name(path.name.removesuffix(SUFFIX))
                file = self.load(name)
                found.append(KnownWearer(name, len(file.sessions), file.new_labels, tuple(file.counts())))
        return found

    def load(self, name: str) -> WearerFile:
        """The file of a wearer.

        Raises:
            DataError: if there is none, or it is something else, of another wearer, or for another model.
        """
        path = self._path(name)
        file = WearerFile.load_for(path, self._model)
        file.check_of(name, path)
        return file

    def find(self, name: str) -> WearerFile | None:
        """The file of a wearer; None if there is none.

        Raises:
            DataError: as :meth:`load`.
        """
        return self.load(name) if self._path(name).exists() else None

    def save(self, file: WearerFile) -> None:
        """Write a wearer's file, whole or not at all.

        Raises:
            DataError: if the name cannot be that of a file.
            SetupError: if the file cannot be written.
        """
        file.save(self._path(file.wearer))

    def undo(self, name: str) -> WearerFile | None:
        """Take the latest session out of a wearer's file; with the only one, the file is removed and None is returned.

        Raises:
            DataError: as :meth:`load`.
            SetupError: if the file cannot be written or removed.
        """
        left = self.load(name).undone()
        if left is not None:
            self.save(left)
            return left
        path = self._path(name)
        try:
            path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from error
        return None

    def remember(self, name: str | None) -> None:
        """Note who is worn, for :meth:`remembered` of a later run.

        Raises:
            SetupError: if that cannot be written.
        """
        atomic_write(self._folder / _WORN, f"{name or ''}\n")

    def remembered(self) -> str | None:
        """Who was worn last; None for nobody, and where that cannot be read."""
        try:
            text = read_input(self._folder / _WORN, _LARGEST_WORN).decode()
            return check_file_name(text) if text.strip() else None
        except (OSError, ValueError, DataError):
            return None

    def _path(self, name: str) -> Path:
        return self._folder / f"{check_file_name(name)}{SUFFIX}"


def check_file_name(name: str) -> str:
    """A wearer's name that can be that of a file in a folder, without blanks around it.

    Raises:
        DataError: if it cannot.
    """
    checked = check_wearer(name)
    if checked.startswith(".") or set(checked) & {"/", "\\"} or len(checked.encode()) > LONGEST_NAME_BYTES:
        raise DataError(
            "wearer",
            found=repr(name[:LONGEST_NAME_BYTES]),
            expected=f"a name of at most {LONGEST_NAME_BYTES} bytes without / and \\ that begins with no dot",
            next_step="choose another name",
        )
    return checked


def _unwritable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        path,
        found=error.strerror or error,
        expected="a folder that can be written",
        next_step="choose another one with --web-wearers",
    )
