"""A bundle's manifest: version, build, target, the commands that start and check it, and a SHA-256 of every file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from .refusal import RefusedError, quoted

FORMAT = 1
_AGAIN = "make the bundle again"
MODEL = "model.tflite"
# Names of the bundle's own files.
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
TOTAL = "bundle.sha256"
RESERVED = frozenset((MANIFEST, SIGNATURE, TOTAL))
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_]{0,63}")
_EXTRA = re.compile(r"[a-z][a-z0-9-]{0,30}")
_PART = r"[0-9A-Za-z][0-9A-Za-z._+-]*"
_FILE = re.compile(rf"(?:{_PART}/)?{_PART}")
_LISTEN = re.compile(r"(?:[0-9A-Za-z][0-9A-Za-z._-]{0,200}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")
_FIRST_PORT, _LAST_PORT = 1024, 65_535
_SUM = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 100  # bytes of a name in a ustar header
_LARGEST = 2**33 - 1  # eleven octal digits


@dataclass(frozen=True)
class Entry:
    """A file of the bundle: its size in bytes and its SHA-256 as hex."""

    size: int
    sha256: str


@dataclass(frozen=True)
class BoardTarget:
    """Platform of the wheels of a bundle.

    Args:
        machine: ``aarch64``, ``armv7l`` or ``x86_64``: the userland's, not the kernel's.
        python: major and minor version, as ``3.11``.
        glibc: oldest sufficient glibc, as ``2.36``.
    """

    machine: str
    python: str
    glibc: str

    def __str__(self) -> str:
        return f"{self.machine}, Python {self.python}, glibc {self.glibc}"


@dataclass(frozen=True)
class ReleaseSpec:
    """Properties of a release that its user chooses.

    Args:
        build: number of the release; a board refuses a lower one than that of its current release.
        target: the board's platform.
        run: arguments of ``deseptr device run`` besides ``--model``.
        doctor: arguments of ``deseptr device doctor``; None without a sensor.
        seconds: duration of the trial run that must give a label, in the wearer's time.
        bus: number of the I2C bus that the service may open, or None.
        network: whether the service may use the network.
        extras: extras of deseptr to install, as ``mqtt``.
        listen: HOST:PORT at which the service may serve its page; None without one.
    """

    build: int
    target: BoardTarget
    run: tuple[str, ...] = ()
    doctor: tuple[str, ...] | None = ()
    seconds: float = 10.0
    bus: int | None = 1
    network: bool = False
    extras: tuple[str, ...] = ()
    listen: str | None = None


@dataclass(frozen=True)
class Manifest(ReleaseSpec):
    """A bundle's first file: the release, as in :class:`ReleaseSpec`, and its files.

    Args:
        version: version of deseptr; required, though Python 3.9 wants a default after those of the base class.
        files: entries by name.
    """

    version: str = ""
    files: dict[str, Entry] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """Name of the release's folder."""
        return f"{self.version}-{self.build}"

    def to_bytes(self) -> bytes:
        """The manifest as JSON with sorted keys, the same bytes for the same content."""
        fields = asdict(self)
        if self.listen is None:
            # A board with an earlier version knows no such field.
            del fields["listen"]
        return (json.dumps({"format": FORMAT, **fields}, sort_keys=True, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read a manifest and check the form of every field.

        Raises:
            RefusedError: if it is no manifest, or one of a later format.
        """
        try:
            fields = json.loads(content)
            written_as = fields.pop("format")
            if written_as != FORMAT:
                newer = isinstance(written_as, int) and written_as > FORMAT
                step = "update deseptr, or make the bundle again with this version" if newer else _AGAIN
                raise _unfit(f"format {written_as}", f"format {FORMAT}", step)
            manifest = _typed(fields)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise _unfit(f"{type(error).__name__}: {error}", "the fields of a manifest") from error
        _check(manifest)
        return manifest


def _typed(fields: dict[str, Any]) -> Manifest:
    doctor = fields.pop("doctor")
    return Manifest(
        version=_of(str, fields.pop("version")),
        build=_of(int, fields.pop("build")),
        target=BoardTarget(**{name: _of(str, value) for name, value in fields.pop("target").items()}),
        run=tuple(_of(str, word) for word in _of(list, fields.pop("run"))),
        doctor=None if doctor is None else tuple(_of(str, word) for word in _of(list, doctor)),
        extras=tuple(_of(str, name) for name in _of(list, fields.pop("extras"))),
        seconds=float(fields.pop("seconds")),
        files={name: Entry(_of(int, e["size"]), _of(str, e["sha256"])) for name, e in fields.pop("files").items()},
        **fields,
    )


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _check(manifest: Manifest) -> None:
    if not _VERSION.fullmatch(manifest.version):
        raise _unfit(f"version {manifest.version!r:.80}", "letters, digits, dots")
    if not 0 <= manifest.build < 2**63 or not 0 < manifest.seconds <= 3600:
        raise _unfit(f"build {manifest.build}, {manifest.seconds} s", "a build from 0 up and at most an hour's trial")
    if type(manifest.network) is not bool or not (manifest.bus is None or type(manifest.bus) is int):
        raise _unfit(f"bus {manifest.bus!r:.20}, network {manifest.network!r:.20}", "a number and true or false")
    _check_words(manifest)
    _check_listen(manifest.listen)
    if MODEL not in manifest.files:
        raise _unfit(f"no {MODEL}", "a model in the bundle")
    folders = {name.partition("/")[0] for name in manifest.files if "/" in name}
    if taken := (folders | RESERVED) & manifest.files.keys():
        raise _unfit(f"a file {min(taken)}", "other names")
    for name, entry in manifest.files.items():
        _check_file(name, entry)


def _check_words(manifest: Manifest) -> None:
    if not all(map(_EXTRA.fullmatch, manifest.extras)):
        raise _unfit(f"extras {manifest.extras!r:.80}", "names of extras")
    if not all(word.isprintable() for word in (*manifest.run, *(manifest.doctor or ()))):
        raise _unfit("an argument with a control character", "printable arguments")


def _check_listen(listen: object) -> None:
    if listen is None:
        return
    port = listen.rpartition(":")[2] if isinstance(listen, str) and _LISTEN.fullmatch(listen) else "0"
    if not _FIRST_PORT <= int(port) <= _LAST_PORT:
        raise _unfit(f"listen {listen!r:.80}", f"HOST:PORT, with a port from {_FIRST_PORT} to {_LAST_PORT}")


def _check_file(name: str, entry: Entry) -> None:
    if not _FILE.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise _unfit(f"file name {name!r:.120}", "a plain name in at most one folder")
    if not 0 <= entry.size <= _LARGEST or not _SUM.fullmatch(entry.sha256):
        raise _unfit(f"size {entry.size}, sum {entry.sha256!r:.70} of {name}", "a size and 64 hex digits")


def _unfit(found: str, expected: str, next_step: str = _AGAIN) -> RefusedError:
    return RefusedError("manifest.json", found=quoted(found), expected=expected, next_step=next_step)
