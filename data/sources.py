"""Opening any source of recordings by its name, as all commands do for DATA."""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deseptr.contract import DataError, check_replaceable, open_input

from .archive import Archive
from .choices_file import check_choices_output, read_choices, save_choices
from .csv_file import CSV_START, SUFFIXES, read_tables, save_csv, table_files
from .hapt import is_hapt, read_hapt
from .motionsense import is_motionsense, read_motionsense
from .npz import NPZ_START, ZIP_HEADER_BYTES, read_npz, save_npz
from .read_options import ReadOptions
from .recording import Dataset
from .sample import SAMPLE, load_sample
from .synthetic import synthetic_from_text
from .uci_har import is_uci_har, read_uci_har

_LAYOUTS = (
    "a .npz file of this package, a .csv file or a folder of them, the MotionSense, HAPT or UCI-HAR archive (zip or "
    "folder), `sample` or `synthetic`"
)
_TEXTS = (*SUFFIXES, ".txt")


def load_dataset(source: str | Path, options: ReadOptions | None = None) -> Dataset:
    """Load recordings from a file, a folder or by a name, ``synthetic`` or ``sample``.

    ``sample`` is the recorded wearer that comes with the package, see :func:`deseptr.data.load_sample`.
    ``synthetic`` takes options: ``synthetic:subjects=4,seconds=30,seed=2,rate_hz=100``. How text files are read is said
    by ``options``, else by a ``recordings.toml`` beside them.

    Raises:
        DataError: if there is no such file, its format is unknown, its content is broken, or it is no text and there
            are options.

        >>> load_dataset("synthetic:subjects=2,seconds=4").subjects
        ('1', '2')
    """
    text = str(source)
    if text.partition(":")[0] == "synthetic":
        _check_no_options(text, options)
        return synthetic_from_text(text)
    if text == SAMPLE:
        _check_no_options(text, options)
        return load_sample()
    path = Path(source)
    if _is_text(path):
        return _load_text(path, options)[0]
    _check_no_options(path, options)
    if path.is_dir():
        with Archive(path) as archive:
            return _read_archive(archive)
    if path.suffix.lower() == ".npz":
        return read_npz(path)
    if path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with Archive(path) as archive:
            return _read_archive(archive)
    raise DataError(
        path, found=f"a {path.suffix or 'nameless'} file", expected=_LAYOUTS, next_step="convert it to .csv"
    )


def import_dataset(source: str | Path, options: ReadOptions) -> tuple[Dataset, Path]:
    """Load text files, and keep in a ``recordings.toml`` beside them how they were read.

    Returns:
        The recordings, and the path of the file that was written.

    Raises:
        DataError: as :func:`load_dataset`, and if the source is no text.
        SetupError: if the folder cannot be written, or has a ``recordings.toml`` of somebody's own.
    """
    path = Path(source)
    if not _is_text(path):
        raise DataError(
            path,
            found="recordings that say by themselves how to read them",
            expected="a .csv file or a folder of them",
            next_step="use `deseptr data convert`",
        )
    check_choices_output(path)
    dataset, used = _load_text(path, options)
    return dataset, save_choices(path, used)


def _load_text(path: Path, options: ReadOptions | None) -> tuple[Dataset, ReadOptions]:
    kept = read_choices(path)
    dataset, used = read_tables(path, (options or ReadOptions()).over(kept))
    if not kept.chosen():
        return dataset, used
    note = f"recordings.toml beside the data says how it is read: {', '.join(kept.chosen())}"
    return replace(dataset, oddities=(note, *dataset.oddities)), used


def _is_text(path: Path) -> bool:
    """Whether a path is text with columns, or a folder of such files that is none of the known archives."""
    if not _is_folder(path):
        return path.suffix.lower() in _TEXTS
    with Archive(path) as archive:
        names = archive.names()
    return not (is_motionsense(names) or is_hapt(names) or is_uci_har(names)) and any(True for _ in table_files(path))


def _check_no_options(source: str | Path, options: ReadOptions | None) -> None:
    if options and options.chosen():
        raise DataError(
            source,
            found=f"choices for reading text: {', '.join(options.chosen())}",
            expected="a .csv file or a folder of them",
            next_step="leave them out",
        )


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder, as opposed to a regular file; anything else is refused."""
    try:
        open_input(path).close()
    except IsADirectoryError:
        return True
    except OSError as error:
        found = "no such file" if error.errno == errno.ENOENT else error.strerror
        raise DataError(path, found=found, expected=_LAYOUTS, next_step="check the path") from error
    return False


def _read_archive(archive: Archive) -> Dataset:
    names = archive.names()
    if is_motionsense(names):
        return read_motionsense(archive)
    if is_hapt(names):
        return read_hapt(archive)
    if is_uci_har(names):
        return read_uci_har(archive)
    raise DataError(
        archive.path,
        found=f"{len(names)} files of another format" if names else "nothing in it",
        expected=_LAYOUTS,
        next_step="unpack it if it holds another archive, or convert it to .csv",
    )


def writer_for(path: str | Path) -> Callable[[Dataset, str | Path], None]:
    """The function that writes the format of a path's suffix; called early to refuse a wrong suffix before any work.

    Raises:
        DataError: if the suffix is neither ``.npz`` nor ``.csv``.
    """
    suffix = Path(path).suffix.lower()
    writers = {".npz": save_npz, ".csv": save_csv}
    if suffix not in writers:
        raise DataError(
            path,
            found=f"the suffix {suffix or '(none)'}",
            expected=" or ".join(writers),
            next_step="use one of these suffixes",
        )
    return writers[suffix]


def check_output(path: str | Path) -> None:
    """Refuse an output path before any work is done.

    Raises:
        DataError: if the suffix is neither ``.npz`` nor ``.csv``.
        SetupError: if the file exists and is no dataset of that layout.
    """
    if writer_for(path) is save_csv:
        check_replaceable(path, CSV_START, "recordings as CSV", "output path")
    else:
        check_replaceable(path, NPZ_START, "recordings as .npz", "output path", offset=ZIP_HEADER_BYTES)


def save_dataset(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset atomically, in the format of the path's suffix.

    Raises:
        DataError: if the suffix is neither ``.npz`` nor ``.csv``.
        SetupError: if the folder cannot be written.
    """
    writer_for(path)(dataset, path)
