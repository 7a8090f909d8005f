"""The releases on a board, of which one is current, and the transitions between them.

    PREFIX/current -> releases/0.1.0-1790000000     the release that the service starts
    PREFIX/releases/VERSION-BUILD/                  complete, or not present at all
    PREFIX/incoming/SHA256/                         an upload, until it has become a release
    PREFIX/incoming/staged-*, gone-*                a release that is being made or removed
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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .durable import link_durably, sync_folder, write_durably
from .manifest import MANIFEST, Manifest
from .refusal import RefusedError
from .release_settings import forget_remembered, prune_settings, remember_settings, return_to_remembered, use_settings
from .state import State, read_state


class LockedError(RefusedError):
    """Another deployment holds the lock."""


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
            LockedError: if another deployment holds the lock.
        """
        # Opened for reading, so that a file system that has become read-only does not prevent it.
        descriptor = os.open(self.prefix / "lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LockedError(
                    self.prefix, found="another deployment", expected="one at a time", next_step="wait for its end"
                ) from error
            yield
        finally:
            os.close(descriptor)

    def locked(self) -> bool:
        """Whether a deployment holds the lock."""
        try:
            with self.lock():
                return False
        except LockedError:
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
        builds = {path.name: self._build(path.name) for path in self.folder.iterdir()}
        return sorted((name for name, build in builds.items() if build >= 0), key=lambda name: (builds[name], name))

    def manifest(self, name: str) -> Manifest:
        """A release's manifest."""
        return Manifest.from_bytes((self.folder / name / MANIFEST).read_bytes())

    def _build(self, name: str) -> int:
        """Build number of a complete release, or -1."""
        try:
            return self.manifest(name).build if name[0] != "." else -1
        except (OSError, RefusedError):
            return -1

    def state(self) -> State:
        """Content of `state.json`; an empty state if the file is missing or damaged."""
        return read_state(self.prefix / "state.json")

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
        sync_folder(self.folder)

    def begin(self, name: str, settings: str | None = None) -> None:
        """Make a release current, on trial.

        Args:
            name: the release.
            settings: name of the settings' folder to put in force with it; None leaves those that it has.
        """
        release = self.folder / name
        self._before("remember")
        remember_settings(release)
        state = self.state()
        state.trial = name
        self._write(state, "trial")
        if settings is not None:
            self._before("settings")
            use_settings(release, settings)
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
        self._before("forget")
        forget_remembered(self.folder / name)

    def recover(self, why: str = "its trial was interrupted") -> str | None:
        """End a trial as failed, if there is one, and make the last good release current.

        A release that was good before its trial, which is flashed again with other settings, stays good with those of
        before.

        Returns:
            The release that was left; None if there was nothing to do.
        """
        state = self.state()
        left = state.trial
        there = set(self.names())
        good = [name for name in state.good if name in there]
        if left is not None:
            # The links are swapped before the state is written: until they are right, the trial stays recorded.
            if left in there:
                self._before("settings")
                return_to_remembered(self.folder / left)
            self._swap(good[-1] if good else None)
            state.good, state.trial = good, None
            if left not in good:
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
            shutil.rmtree(gone, ignore_errors=True)
            # Renamed first: a release is complete or not present.
            (self.folder / name).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        for name in kept:
            prune_settings(self.folder / name)
        state.good = [name for name in state.good if name in kept]
        state.bad = dict(list(state.bad.items())[-20:])
        self._write(state, "pruned")
        return removed

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
            sync_folder(self.prefix)
        else:
            self._before("swap")
            link_durably(self.link, Path("releases") / name)
