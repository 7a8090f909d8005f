"""Writing recordings in one of the layouts that can be written, by its name or by a path's suffix."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from deseptr.contract import DataError, check_new_folder, check_replaceable

from .csv_file import CSV_STARTS, save_csv
from .edge_impulse_writer import save_edge_impulse
from .motion_bids_writer import save_motion_bids
from .npz import NPZ_START, ZIP_HEADER_BYTES, save_npz
from .recording import Dataset

Writer = Callable[[Dataset, str | Path], None]

_FILES: dict[str, Writer] = {"npz": save_npz, "csv": save_csv}
_SIGNABLE: dict[str, Callable[..., None]] = {
    "edge-impulse": save_edge_impulse,
    "edge-impulse-cbor": partial(save_edge_impulse, cbor=True),
}
_FOLDERS: dict[str, Writer] = {**_SIGNABLE, "motion-bids": save_motion_bids}
WRITTEN_LAYOUTS = (*_FILES, *_FOLDERS)
"""Names of the layouts: a file each of the first two, a folder each of the others."""


def writer_for(path: str | Path, layout: str | None = None, key: str | None = None) -> Writer:
    """The function that writes a layout; called early to refuse a wrong choice before any work.

    Args:
        path: where to write.
        layout: one of ``WRITTEN_LAYOUTS``; by default that of the path's suffix, ``.npz`` or ``.csv``.
        key: HMAC key that signs the samples of Edge Impulse.

    Raises:
        DataError: if the suffix is neither or not that of the layout, there is no such layout, or a key signs nothing.
    """
    suffix = Path(path).suffix.lower()
    chosen = layout or suffix.removeprefix(".")
    if layout is not None and layout not in WRITTEN_LAYOUTS:
        raise DataError("layout", found=layout, expected=", ".join(WRITTEN_LAYOUTS), next_step="choose one of these")
    if key and chosen not in _SIGNABLE:
        raise DataError(
            path,
            found="a key, and a layout without signatures",
            expected=" or ".join(_SIGNABLE),
            next_step="leave it out",
        )
    if chosen in _SIGNABLE:
        return partial(_SIGNABLE[chosen], key=key)
    if chosen in _FOLDERS:
        return _FOLDERS[chosen]
    if chosen in _FILES and suffix == f".{chosen}":
        return _FILES[chosen]
    raise DataError(
        path,
        found=f"the suffix {suffix or '(none)'}",
        expected=f".{layout}" if layout else " or ".join(f".{name}" for name in _FILES),
        next_step="use one of these suffixes, or name the layout of a folder",
    )


def check_output(path: str | Path, layout: str | None = None, key: str | None = None) -> None:
    """Refuse an output path before any work is done.

    Raises:
        DataError: as :func:`writer_for`.
        SetupError: if the file exists and is no dataset of that layout, or the folder exists and is not empty.
    """
    writer = writer_for(path, layout, key)
    if writer is save_csv:
        check_replaceable(path, CSV_STARTS, "recordings as CSV", "output path")
    elif writer is save_npz:
        check_replaceable(path, NPZ_START, "recordings as .npz", "output path", offset=ZIP_HEADER_BYTES)
    else:
        check_new_folder(path)


def save_dataset(dataset: Dataset, path: str | Path, layout: str | None = None, *, key: str | None = None) -> None:
    """Write a dataset, whole or not at all, in a layout or in that of the path's suffix.

    Args:
        dataset: any recordings.
        path: a ``.npz`` or ``.csv`` file, or a folder that is not there yet.
        layout: one of ``npz``, ``csv``, ``edge-impulse``, ``edge-impulse-cbor`` and ``motion-bids``.
        key: HMAC key that signs the samples of Edge Impulse.

    Raises:
        DataError: as :func:`writer_for`.
        SetupError: if the folder cannot be written, or is there already.
    """
    writer_for(path, layout, key)(dataset, path)
