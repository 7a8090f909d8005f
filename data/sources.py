"""Opening any source of recordings by its name, as all commands do for DATA."""

from __future__ import annotations

import errno
from dataclasses import fields, replace
from pathlib import Path

from deseptr.contract import DataError, open_input
from deseptr.contract.counts import counted

from .archive import Archive, is_zip
from .choices_file import check_choices_output, read_choices, save_choices
from .csv_file import SUFFIXES, read_tables, table_files
from .layouts import LAYOUTS, Layout, find_layout, other_layouts
from .npz import read_npz
from .read_options import ReadOptions
from .recording import Dataset
from .sample import SAMPLE, load_sample
from .synthetic import synthetic_from_text

_LAYOUTS = (
    f"a .npz file of this package, a .csv file or a folder of them, {', '.join(each.title for each in LAYOUTS)}, "
    "`sample` or `synthetic`"
)
# Of a path that is not there, the layouts say nothing.
_ANY = "a file or folder of recordings, `sample` or `synthetic`"
_TEXTS = (*SUFFIXES, ".txt")
_CHANNELS = "channels"
"""The choice that recordings of every kind follow."""


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
    dataset = _load_any(source, options)
    return dataset.select(channels=options.channels) if options and options.channels else dataset


def _load_any(source: str | Path, options: ReadOptions | None) -> Dataset:
    text = str(source)
    if text.partition(":")[0] == "synthetic":
        _check_no_options(text, options)
        return synthetic_from_text(text)
    if text == SAMPLE:
        _check_no_options(text, options)
        return load_sample()
    path = Path(source)
    if not _is_folder(path) and path.suffix.lower() == ".npz":
        _check_no_options(path, options)
        return read_npz(path)
    return _load(path, options)[0]


def import_dataset(source: str | Path, options: ReadOptions) -> tuple[Dataset, Path]:
    """Load text files, and keep in a ``recordings.toml`` beside them how they were read.

    Returns:
        The recordings, and the path of the file that was written.

    Raises:
        DataError: as :func:`load_dataset`, and if the source is no text.
        SetupError: if the folder cannot be written, or has a ``recordings.toml`` of somebody's own.
    """
    path = Path(source)
    if not _is_folder(path) and path.suffix.lower() == ".npz":
        raise _says_it_itself(path)
    check_choices_output(path)
    dataset, used = _load(path, options, choosing=True)
    return dataset, save_choices(path, used)


def _load(path: Path, options: ReadOptions | None, choosing: bool = False) -> tuple[Dataset, ReadOptions]:
    """A file or folder, with the choices that were given, kept or guessed.

    Args:
        path: what to read.
        options: the choices that were given.
        choosing: whether a layout without choices is refused.
    """
    with Archive(path, nested=True) as archive:
        layout = find_layout(archive)
        if layout is None:
            if not _is_text(path):
                raise _unknown(archive)
            return _load_text(path, options)
        if choosing and not layout.options:
            raise _says_it_itself(path)
        _check_no_options(path, options, layout)
        kept = read_choices(path).only((*layout.options, _CHANNELS))
        used = (options or ReadOptions()).over(kept)
        if archive.broken:
            raise archive.broken
        dataset = layout.read(archive, used)
        passed = [f"{each.title} are there as well, and were passed over" for each in other_layouts(archive, layout)]
        return _noted(replace(dataset, oddities=(*passed, *dataset.oddities)), kept), used


def _load_text(path: Path, options: ReadOptions | None) -> tuple[Dataset, ReadOptions]:
    kept = read_choices(path)
    dataset, used = read_tables(path, (options or ReadOptions()).over(kept))
    return _noted(dataset, kept), used


def _noted(dataset: Dataset, kept: ReadOptions) -> Dataset:
    if not kept.chosen():
        return dataset
    note = f"recordings.toml beside the data says how it is read: {', '.join(kept.chosen())}"
    return replace(dataset, oddities=(note, *dataset.oddities))


def _is_text(path: Path) -> bool:
    """Whether a path is text with columns, or a folder with such files."""
    return any(True for _ in table_files(path)) if path.is_dir() else path.suffix.lower() in _TEXTS


def followed_choices(source: str | Path) -> tuple[str, ...]:
    """Names of the :class:`ReadOptions` that a source follows; none of one that says by itself how to read it.

    Raises:
        DataError: if there is no such file, or its format is unknown.
    """
    text, path = str(source), Path(source)
    if text == SAMPLE or text.partition(":")[0] == "synthetic":
        return (_CHANNELS,)
    if not _is_folder(path) and path.suffix.lower() == ".npz":
        return (_CHANNELS,)
    with Archive(path, nested=True) as archive:
        layout = find_layout(archive)
        if layout is None and not _is_text(path):
            raise _unknown(archive)
        return tuple(field.name for field in fields(ReadOptions)) if layout is None else (*layout.options, _CHANNELS)


def _says_it_itself(path: Path) -> DataError:
    return DataError(
        path,
        found="recordings that say by themselves how to read them",
        expected="a .csv file, a folder of them, or recordings of an app or device",
        next_step="use `deseptr data convert`",
    )


def _check_no_options(source: str | Path, options: ReadOptions | None, layout: Layout | None = None) -> None:
    followed: tuple[str, ...] = ()
    expected = "a .csv file or a folder of them"
    if layout and layout.options:
        followed, expected = layout.options, f"those that {layout.title} follows: {', '.join(layout.options)}"
    idle = [name for name in (options.chosen() if options else ()) if name not in (*followed, _CHANNELS)]
    if idle:
        raise DataError(
            source,
            found=f"choices for reading text: {', '.join(idle)}",
            expected=expected,
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
        raise DataError(path, found=found, expected=_ANY, next_step="check the path") from error
    return False


def _unknown(archive: Archive) -> DataError:
    path, names = archive.path, archive.names()
    if archive.broken:
        return archive.broken
    if not path.is_dir() and not is_zip(path):
        found, next_step = f"a {path.suffix or 'nameless'} file", "convert it to .csv"
    else:
        found = counted(len(names), "file of another format", "files of another format") if names else "nothing in it"
        next_step = "unpack it if it holds another archive, or convert it to .csv"
    return DataError(path, found=found, expected=_LAYOUTS, next_step=next_step)
