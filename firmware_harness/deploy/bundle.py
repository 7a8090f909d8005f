"""Making a bundle: the model, the wheels, how to start them, and a manifest of it all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deseptr.contract import SetupError, atomic_path
from deseptr.tflite import read_tflite

from .errors import as_error
from .own_wheel import own_wheel
from .signing import sign
from .target.bundle import entry_of, read_bundle, write_bundle
from .target.manifest import MODEL, Manifest, Target
from .target.refusal import RefusedError
from .wheelhouse import fill_wheelhouse

Say = Callable[[str], None]


@dataclass(frozen=True)
class BundleRequest:
    """What goes into a bundle.

    Args:
        model: a ``.tflite`` file with its contract.
        target: the board.
        build: number, higher than of all bundles before.
        run: arguments of ``deseptr device run`` beside the model.
        doctor: arguments of ``deseptr device doctor``; None where no sensor is used.
        seconds: of the trial run, of the wearer's time.
        bus: I2C bus that the service may open, or None.
        network: whether the service may use the network.
        extras: of deseptr, as ``mqtt``.
        wheel: of deseptr; None makes one of what runs here.
        wheels: folders with wheels to look into beside the index.
        key: ssh key that signs, or None.
    """

    model: Path
    target: Target
    build: int
    run: tuple[str, ...] = ()
    doctor: tuple[str, ...] | None = ()
    seconds: float = 10.0
    bus: int | None = 1
    network: bool = False
    extras: tuple[str, ...] = ()
    wheel: Path | None = None
    wheels: tuple[Path, ...] = ()
    key: Path | None = None


def make_bundle(path: Path, request: BundleRequest, say: Say) -> Manifest:
    """Write a bundle to ``path``, whole or not at all.

    Raises:
        ModelError: if the model is none of ours.
        SetupError: if wheels, the key or the file cannot be had.
    """
    read_tflite(request.model)
    with tempfile.TemporaryDirectory(prefix="deseptr-bundle-") as name:
        house = Path(name) / "wheels"
        house.mkdir()
        wheel = request.wheel
        if wheel is None:
            say("making a wheel of deseptr")
            wheel = own_wheel(Path(name))
        say(f"fetching wheels for {request.target}")
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
        FlashError: if it is damaged or none.
        SetupError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return read_bundle(stream)
    except RefusedError as refusal:
        raise as_error(refusal) from refusal
    except OSError as error:
        raise SetupError(path, found=error.strerror, expected="a bundle", next_step="check the path") from error


def _manifest(request: BundleRequest, wheel: Path, sources: dict[str, Path]) -> Manifest:
    manifest = Manifest(
        version=wheel.name.split("-")[1],
        build=request.build,
        target=request.target,
        run=request.run,
        doctor=request.doctor,
        seconds=request.seconds,
        bus=request.bus,
        network=request.network,
        extras=request.extras,
        files={name: entry_of(source) for name, source in sources.items()},
    )
    try:
        return Manifest.from_bytes(manifest.to_bytes())
    except RefusedError as refusal:
        raise as_error(refusal) from refusal
