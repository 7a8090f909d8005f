"""Making a bundle: the model, the wheels, and a manifest with the commands that start and check them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from deseptr.contract import SetupError, atomic_path, check_replaceable, open_input, scratch_folder
from deseptr.tflite import read_tflite

from .errors import as_error
from .own_wheel import own_wheel
from .signing import check_key, sign
from .target.bundle import entry_of, read_bundle, write_bundle
from .target.manifest import MANIFEST, MODEL, Manifest, ReleaseSpec
from .target.refusal import RefusedError
from .target.reporting import Report
from .wheelhouse import check_wheel, fill_wheelhouse


@dataclass(frozen=True, kw_only=True)
class BundleRequest(ReleaseSpec):
    """A request to make a bundle: what the release is to be, as in :class:`ReleaseSpec`, and where its parts are.

    Args:
        model: a ``.tflite`` file with its contract.
        wheel: wheel of deseptr; None makes one of the running version.
        wheels: folders with wheels, besides the index.
        key: ssh key that signs, or None.
    """

    model: Path
    wheel: Path | None = None
    wheels: tuple[Path, ...] = ()
    key: Path | None = None


def make_bundle(path: Path, request: BundleRequest, report: Report) -> Manifest:
    """Write a bundle to ``path``, atomically.

    Raises:
        ModelError: if the model has no contract.
        SetupError: if wheels are missing, the key cannot sign, or the file cannot be written or is something else.
    """
    read_tflite(request.model)
    # An entry of a tar begins with its name, padded with zeros.
    check_replaceable(path, MANIFEST.encode() + b"\0", "a bundle", "output path")
    if request.wheel is not None:
        check_wheel(request.wheel)
    if request.key is not None:
        check_key(request.key)
    with scratch_folder() as folder:
        house = folder / "wheels"
        house.mkdir()
        wheel = request.wheel
        if wheel is None:
            report("making a wheel of deseptr")
            wheel = own_wheel(folder)
        report(f"fetching wheels for {request.target}")
        fill_wheelhouse(house, wheel, request.target, extras=request.extras, find_links=request.wheels)
        sources = {MODEL: request.model, **{f"wheels/{file.name}": file for file in house.iterdir()}}
        manifest = _manifest(request, wheel, sources)
        signature = sign(manifest.to_bytes(), request.key) if request.key else None
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            write_bundle(stream, manifest, sources, signature)
    return manifest


def inspect_bundle(path: Path) -> Manifest:
    """Verify a bundle and read its manifest.

    Raises:
        FlashError: if it is damaged or no bundle.
        SetupError: if it cannot be read.
    """
    try:
        with open_input(path) as stream:
            return read_bundle(stream)
    except RefusedError as refusal:
        raise as_error(refusal) from refusal
    except OSError as error:
        raise SetupError(path, found=error.strerror, expected="a bundle", next_step="check the path") from error


def _manifest(request: BundleRequest, wheel: Path, sources: dict[str, Path]) -> Manifest:
    spec: dict[str, Any] = {field.name: getattr(request, field.name) for field in fields(ReleaseSpec)}
    entries = {name: entry_of(source) for name, source in sources.items()}
    manifest = Manifest(version=wheel.name.split("-")[1], files=entries, **spec)
    try:
        return Manifest.from_bytes(manifest.to_bytes())
    except RefusedError as refusal:
        raise as_error(refusal) from refusal
