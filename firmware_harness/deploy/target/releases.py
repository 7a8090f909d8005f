"""The releases on a board, of which one is current, and the transitions between them.

    PREFIX/current -> releases/0.1.0-1790000000     the release that the service starts
    PREFIX/releases/VERSION-BUILD/                  complete, or not present at all
    PREFIX/incoming/SHA256/                         an upload, until it has become a release
    PREFIX/state.json                               good releases, the one on trial, bad ones with the reason

The good releases are recorded in `state.json` alone, which changes by one atomic rename; `current` follows from it.
After a power cut at any moment, :meth:`Releases.recover` restores the rule: without a trial, `current` is the last good
release.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .manifest import MANIFEST, Manifest
from .refusal import RefusedError


@dataclass
class State:
    """Content of `state.json`.

    Args:
        good: releases that passed their trial, the latest last.
        trial: the release on trial, if any.
        bad: why releases failed or were left, by name.
    """

    good: list[str] = field(default_factory=list)
    trial: str | None = None
    bad: dict[str, str] = field(default_factory=dict)


def _nothing(step: str) -> None:
    pass


class Releases:
    """The releases under a prefix.

    Args:
        prefix: the folder; made at the first write.
        before: called with the name of each step before it is taken, so that a test can interrupt it there.
    """

    def __init__(self, prefix: Path, before: Callable[[str], None] = _nothing) -> None:
        self.prefix = prefix
        self.folder = prefix / "releases"
        self.incoming = prefix / "incoming"
        self.link = prefix / "current"
        self._before = before

    def make(self) -> None:
        """Make the folders; uploads are readable only for the owner until they are verified.

        Raises:
            RefusedError: if they cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.incoming.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise RefusedError(
                self.prefix,
                found=error.strerror,
                expected="a folder that can be made and written",
                next_step="choose another --prefix, or a user who may use sudo without a password",
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the releases against other deployments; the lock ends with this process at the latest.

        Raises:
            RefusedError: if another deployment holds the lock.
        """
        with (self.prefix / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RefusedError(
                    self.prefix, found="another deployment", expected="one at a time", next_step="wait for its end"
                ) from error
            yield

    def locked(self) -> bool:
        """Whether a deployment holds the lock."""
        try:
            with self.lock():
                return False
        except RefusedError:
            return True

    def current(self) -> str | None:
        """Name of the current release."""
        try:
            return self.link.readlink().name
        except OSError:
            return None

    def names(self) -> list[str]:
        """The complete releases, lowest build first."""
        if not self.folder.is_dir():
            return []
        found = [path.name for path in self.folder.iterdir() if (path / MANIFEST).is_file() and path.name[0] != "."]
        return sorted(found, key=lambda name: (self.manifest(name).build, name))

    def manifest(self, name: str) -> Manifest:
        """A release's manifest."""
        return Manifest.from_bytes((self.folder / name / MANIFEST).read_bytes())

    def state(self) -> State:
        """Content of `state.json`; an empty state if the file is missing or damaged."""
        try:
            return State(**json.loads((self.prefix / "state.json").read_text()))
        except (OSError, ValueError, TypeError):
            return State()

    def check_build(self, manifest: Manifest, *, allow_downgrade: bool) -> None:
        """Check that a bundle is no older than the running release.

        Raises:
            RefusedError: if its build number is lower.
        """
        current = self.current()
        if current is None or allow_downgrade:
            return
        build = self.manifest(current).build
        if manifest.build < build:
            raise RefusedError(
                f"bundle {manifest.release}",
                found=f"build {manifest.build}",
                expected=f"at least the running build, {build}",
                next_step="nothing was changed; --allow-downgrade installs it nevertheless",
            )

    def adopt(self, staged: Path, name: str) -> None:
        """Make a complete staged folder a release, atomically."""
        self._before("sync")
        os.sync()
        self._before("adopt")
        staged.rename(self.folder / name)
        _sync(self.folder)

    def begin(self, name: str) -> None:
        """Make a release current, on trial."""
        state = self.state()
        state.trial = name
        self._write(state, "trial")
        self._swap(name)

    def confirm(self) -> None:
        """Record the release on trial as good."""
        state = self.state()
        if state.trial is None:
            return
        name, state.trial = state.trial, None
        state.good = [*(known for known in state.good if known != name), name]
        state.bad.pop(name, None)
        self._write(state, "confirm")

    def recover(self, why: str = "its trial was interrupted") -> str | None:
        """End a trial as failed, if there is one, and make the last good release current.

        Returns:
            The release that was left; None if there was nothing to do.
        """
        state = self.state()
        left = state.trial
        there = set(self.names())
        good = [name for name in state.good if name in there]
        if left is not None:
            # A release that was good before is left only if there is another good one.
            good = [name for name in good if name != left] or good
            # The link is swapped before the state is written: until `current` is right, the trial stays recorded.
            self._swap(good[-1] if good else None)
            state.good, state.trial = good, None
            state.bad[left] = why
            self._write(state, "recover")
        elif good and self.current() != good[-1]:
            left = self.current()
            self._swap(good[-1])
        return left

    def roll_back(self, why: str = "rolled back by the user") -> tuple[str, str]:
        """Make the previous good release current.

        Returns:
            The release that was left, and the one that is current now.

        Raises:
            RefusedError: if there is no previous one.
        """
        state = self.state()
        there = set(self.names())
        good = [name for name in state.good if name in there]
        if len(good) < 2:
            raise RefusedError(
                self.prefix,
                found="no earlier good release",
                expected="one to go back to",
                next_step="flash another release",
            )
        left = good.pop()
        state.good = good
        state.bad[left] = why
        self._write(state, "roll back")
        self._swap(good[-1])
        return left, good[-1]

    def prune(self, keep: int) -> list[str]:
        """Remove all but the last ``keep`` good releases; the current one stays in any case.

        Returns:
            The names removed.
        """
        state = self.state()
        kept = {*state.good[-max(keep, 1) :], *filter(None, (state.trial, self.current()))}
        removed = [name for name in self.names() if name not in kept]
        for name in removed:
            self._before("prune")
            gone = self.incoming / f"gone-{name}"
            # Renamed first: a release is complete or not present.
            (self.folder / name).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        state.good = [name for name in state.good if name in kept]
        state.bad = dict(list(state.bad.items())[-20:])
        self._write(state, "forget")
        return removed

    def clear_incoming(self) -> None:
        """Remove all uploads."""
        for path in self.incoming.iterdir():
            shutil.rmtree(path, ignore_errors=True)

    def to_dict(self) -> dict[str, Any]:
        """The releases and their state, as plain JSON values."""
        state = asdict(self.state())
        return {"prefix": str(self.prefix), "current": self.current(), "releases": self.names(), **state}

    def _write(self, state: State, step: str) -> None:
        self._before(step)
        write_durably(self.prefix / "state.json", json.dumps(asdict(state), indent=1).encode())

    def _swap(self, name: str | None) -> None:
        if name is None:
            self._before("unlink")
            self.link.unlink(missing_ok=True)
        else:
            fresh = self.prefix / ".current"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(Path("releases") / name)
            self._before("swap")
            fresh.replace(self.link)
        _sync(self.prefix)


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically, also for power cuts; the file never has a wider mode than ``mode``."""
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
