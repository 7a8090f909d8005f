"""The page of a service that was flashed with ``--web``: its address, with the secret that the service keeps."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from .environment import read_environment
from .manifest import Manifest

# StateDirectory= of the unit.
_OF_SYSTEM = Path("/var/lib/deseptr")
_TOKEN = "web-token"  # nosec B105 - a file's name
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,200}")
_FOLDERS = {"--web-recordings": "takes", "--web-wearers": "wearers"}
_EVERYWHERE = ("0.0.0.0", "[::]")  # nosec B104 - compared with what was asked for


def page_address(release: Path, manifest: Manifest, kind: str | None) -> str | None:
    """Where the page of a release is; None if it has none.

    Without its secret if that cannot be read, or if none is needed.

    Args:
        release: folder of the release.
        manifest: its manifest.
        kind: ``system``, ``user`` or ``supervised``; None for no service.
    """
    if manifest.listen is None or kind is None:
        return None
    host, _, port = manifest.listen.rpartition(":")
    scheme = "https" if _values(manifest.run, "--web-cert") else "http"
    secret = "" if manifest.run.count("--web-no-auth") > 1 else _secret(_token_file(release, manifest, kind))
    reached = _own_address() if host in _EVERYWHERE else host
    return f"{scheme}://{reached}:{port}/{secret}{'/' if secret else ''}"


def trial_words(manifest: Manifest, folder: Path) -> list[str]:
    """Arguments with which a trial leaves nothing of a page behind: its secret, takes and wearers are in ``folder``."""
    if manifest.listen is None:
        return []
    given = [option for option in _FOLDERS if _values(manifest.run, option)]
    folders = [word for option in given for word in (option, str(folder / _FOLDERS[option]))]
    return ["--web-token-file", str(folder / _TOKEN), *folders]


def _token_file(release: Path, manifest: Manifest, kind: str) -> Path:
    if named := _values(manifest.run, "--web-token-file"):
        return Path(named[-1])
    if kind == "system":
        return _OF_SYSTEM / _TOKEN
    environment = {**os.environ, **read_environment(release)}
    return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "deseptr" / _TOKEN


def _secret(path: Path) -> str:
    """The secret in a file, which belongs to a service that is trusted with nothing else."""
    try:
        # Not through a link: this may be root's process.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = file.read(1000).decode(errors="replace").strip()
    except OSError:
        return ""
    return found if _SECRET.fullmatch(found) else ""


def _values(words: tuple[str, ...], option: str) -> list[str]:
    """Values of an option in arguments, as ``--name value`` or ``--name=value``."""
    following = [after for word, after in pairwise(words) if word == option]
    return [*following, *(word.partition("=")[2] for word in words if word.startswith(f"{option}="))]


def _own_address() -> str:
    """The address from which this machine would reach another network; its name without a network. Nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # RFC 5737: documentation only, never a real host
        return str(probe.getsockname()[0])
    return socket.gethostname()
