"""Personalising from the page: a guided session of takes, the wearer's file, and who is worn; one operator at a time.

What takes time, checking a take and fitting the correction, is done on a thread of its own with a low priority, and by
that thread alone: those that numpy's linear algebra would add to it have the priority of the sampling loop. It is that
of ``device personalise``: :mod:`deseptr.device.personal`. The stream changes its wearer between two windows.
"""

from __future__ import annotations

import hmac
import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from deseptr.contract import AS_TRAINED, scratch_folder
from deseptr.contract.page_answers import RefusedRequestError
from deseptr.device.drained import Drained
from deseptr.device.personal.fit import personalise, results
from deseptr.device.personal.guided_session import GuidedSession, KeptTake, OutOfTurnError
from deseptr.device.personal.mounting_warning import mounting_warning
from deseptr.device.personal.take_check import check_take, taken
from deseptr.device.personal.wearer_folder import KnownWearer, WearerFolder, check_file_name
from deseptr.device.recorder import prepare_folder
from deseptr.device.sinks import Worker
from deseptr.tflite.engine import Engine

from .failure_text import failure_text
from .page_recorder import PageRecorder
from .running_take import RunningTake
from .session_message import session_message
from .wearing import Wearing
from .wished_session import wished_session

_NICENESS = 10
_UNSETTLED = "how the sensor is turned is not known yet: walk, stand and sit, and begin when the page says it"


class PagePersonal:
    """Runs the session of one operator, and changes the wearer of the stream.

    Args:
        wearing: what it needs of the run.
        sensor: its name, for the takes.
        changed: called on any thread with what the page is told, whenever it changes.
        now: a monotonic clock, seconds.
        recorder: lists takes that are to be kept, in its folder; None if none are.

    Raises:
        SetupError: if the folder cannot be written.
    """

    def __init__(
        self,
        wearing: Wearing,
        sensor: str,
        changed: Callable[[dict[str, Any]], None],
        now: Callable[[], float] = time.monotonic,
        recorder: PageRecorder | None = None,
    ) -> None:
        prepare_folder(wearing.folder, "--web-wearers")
        self._wearing, self._sensor, self._changed, self._now = wearing, sensor, changed, now
        self._folder = WearerFolder(wearing.folder, wearing.model)
        self._recorder = recorder
        self._files = ExitStack()
        self._into = self._unkept = self._files.enter_context(scratch_folder())
        # Held for moments only: the server's thread waits for it.
        self._lock = threading.RLock()
        self._session: GuidedSession | None = None
        self._operator = self._id = ""
        self._turn = AS_TRAINED
        self._wearers: list[KnownWearer] = []
        self._worn, self._trouble = wearing.worn, ""
        # Of the worker's thread alone.
        self._take: RunningTake | None = None
        self._engine: Engine | None = None
        self._missed = 0
        self._worker = Worker("personalising of the page")
        self._worker.enqueue(self._settle_in)

    # On the server's thread.

    def begin(self, content: Mapping[str, Any]) -> str:
        """Begin a session; whoever knows the key that is returned, its ``id`` before the dot, conducts it.

        Raises:
            RefusedRequestError: 409 while another session is going on, or the run estimates how the sensor is turned.
            DataError: if a name cannot be one, the wearer's file is something else, or the activities are too few.
            SetupError: if a length is out of range.
        """
        with self._lock:
            self._require_free()
            turn = self._wearing.mounting()
            if turn is None:
                raise RefusedRequestError(HTTPStatus.CONFLICT, _UNSETTLED)
            # Refused before anybody has walked for it.
            self._drop(wished_session(content, self._wearing.model.contract, self._now(), self._recorded))
            # A replay estimates anew in each of its recordings.
            self._turn = turn
            kept_in = None if self._recorder is None or content.get("keep") is not True else self._recorder.folder
            self._into = kept_in or self._unkept
            self._id, self._trouble = secrets.token_hex(4), ""
            operator = self._operator = f"{self._id}.{secrets.token_urlsafe(16)}"
        self._tell()
        return operator

    def act(self, operator: object, what: object) -> None:
        """Do something in the session: ``start``, ``stop``, ``keep``, ``skip`` or ``cancel``.

        Raises:
            RefusedRequestError: 403 for another operator, 409 if it is not possible now, 404 if there is nothing such.
        """
        with self._lock:
            session = self._of(operator)
            if what == "cancel":
                self._cancel(session)
            else:
                self._step(session, what)
        self._tell()

    def wear(self, name: object) -> None:
        """Have the stream corrected for a wearer with a file; None for nobody.

        Raises:
            RefusedRequestError: 409 while a session is going on.
            DataError: if the name cannot be one.
        """
        wanted = None if name is None else check_file_name(name if isinstance(name, str) else "")
        with self._lock:
            self._require_free()
            self._worker.enqueue(partial(self._attempt, partial(self._put_on, wanted)))

    def undo(self, name: object) -> None:
        """Take the latest session out of a wearer's file.

        Raises:
            RefusedRequestError: 409 while a session is going on.
            DataError: if the name cannot be one.
        """
        wanted = check_file_name(name if isinstance(name, str) else "")
        with self._lock:
            self._require_free()
            self._worker.enqueue(partial(self._attempt, partial(self._take_out, wanted)))

    def tick(self) -> None:
        """End a session that its operator has left."""
        with self._lock:
            abandoned = self._session is not None and self._session.abandoned(self._now())
            if abandoned:
                self._drop(None)
        if abandoned:
            self._tell()

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        with self._lock:
            session, take = self._session, self._take
            done_s = 0.0 if take is None else take.done_s
            wearers = [
                {"name": w.name, "sessions": w.sessions, "new": list(w.new_labels), "recorded": list(w.recorded)}
                for w in self._wearers
            ]
            return {
                "kind": "personal",
                "labels": list(self._wearing.model.contract.labels),
                "wearers": wearers,
                "keeps": self._recorder is not None,
                "worn": self._worn,
                "trouble": self._trouble,
                "session": None if session is None else session_message(session, self._id, self._now(), done_s),
            }

    def close(self) -> None:
        """End the session, and remove its takes."""
        with self._lock:
            self._drop(None)
        try:
            self._worker.close()
        finally:
            self._files.close()

    def _require_free(self) -> None:
        session = self._session
        if session is not None and not session.over and not session.abandoned(self._now()):
            raise RefusedRequestError(HTTPStatus.CONFLICT, f"somebody is personalising for {session.wearer}; wait")

    def _recorded(self, wearer: str) -> tuple[str, ...]:
        file = self._folder.find(wearer)
        return () if file is None else tuple(file.counts())

    def _of(self, operator: object) -> GuidedSession:
        known = isinstance(operator, str) and operator.isascii() and hmac.compare_digest(operator, self._operator)
        if self._session is None or not known:
            raise RefusedRequestError(HTTPStatus.FORBIDDEN, "this session is over, or somebody else's")
        return self._session

    def _cancel(self, session: GuidedSession) -> None:
        if session.phase == "fitting":
            raise RefusedRequestError(HTTPStatus.CONFLICT, "the correction is being computed; undo it afterwards")
        self._drop(None)

    def _step(self, session: GuidedSession, what: object) -> None:
        doable = {"start": session.start, "stop": session.stop, "keep": session.keep, "skip": session.skip}
        take = session.take
        if not isinstance(what, str) or what not in doable:
            raise RefusedRequestError(HTTPStatus.NOT_FOUND, "there is nothing of this name")
        try:
            doable[what](self._now())
        except OutOfTurnError as error:
            raise RefusedRequestError(HTTPStatus.CONFLICT, str(error)) from error
        if what == "stop":
            self._worker.enqueue(self._end_take)
        if what in ("start", "skip") and take is not None:
            self._worker.enqueue(partial(_discard, take.path))
        if what == "keep" and take is not None and self._recorder is not None and self._into == self._recorder.folder:
            self._recorder.add(take.take)
        if session.phase == "fitting":
            self._worker.enqueue(partial(self._attempt, partial(self._fit, session)))

    def _drop(self, successor: GuidedSession | None) -> None:
        """Put another session in the place of the present one, whose takes are removed."""
        before, self._session, self._operator = self._session, successor, ""
        if before is not None:
            self._worker.enqueue(partial(self._forget, before))

    def _tell(self) -> None:
        with self._lock:
            # Otherwise another thread could tell of a later state first.
            self._changed(self.state())

    # On the thread of the run.

    def drained(self, drained: Drained) -> None:
        """Take what a read of the sensor brought, without waiting for anything."""
        session = self._session
        if session is None or session.phase not in ("countdown", "recording"):
            return
        if not self._worker.offer(partial(self._drained, drained, self._missed, self._now())):
            self._missed += len(drained.signals) + drained.lost_samples
        else:
            self._missed = 0

    # On the worker's thread.

    def _settle_in(self) -> None:
        with suppress(OSError, AttributeError):
            # Linux schedules threads; the sampling loop goes first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        self._attempt(self._list)

    def _attempt(self, work: Callable[[], str | None]) -> None:
        """Do something; a warning, or a failure, also one that nobody has foreseen, is told, and the run goes on."""
        try:
            with _one_thread():
                self._trouble = work() or ""
        except Exception as error:
            self._trouble = failure_text(error)
        self._tell()

    def _list(self) -> None:
        self._wearers = self._folder.wearers()

    def _put_on(self, name: str | None) -> str | None:
        file, turn = None if name is None else self._folder.load(name), self._wearing.mounting()
        self._wearing.switch.wear(file)
        self._worn = name
        self._folder.remember(name)
        return None if file is None or turn is None else mounting_warning(file.wearer, file.mountings, turn.name)

    def _take_out(self, name: str) -> None:
        left = self._folder.undo(name)
        self._list()
        if self._worn == name:
            self._wearing.switch.wear(left)
            self._worn = None if left is None else name
            self._folder.remember(self._worn)

    def _drained(self, drained: Drained, missed: int, at: float) -> None:
        with self._lock:
            session = self._session
            if session is None or session.phase not in ("countdown", "recording"):
                return
            due = session.due(at)
        if due:
            # What this read brought was measured before.
            step = session.step
            self._take = RunningTake(self._into, self._sensor, step.label, session.wearer, step.seconds)
            self._tell()
        elif self._take is not None:
            self._append(session, self._take, drained, missed)

    def _append(self, session: GuidedSession, take: RunningTake, drained: Drained, missed: int) -> None:
        whole = math.floor(take.done_s)
        try:
            take.append(drained, missed)
            if take.complete:
                with _one_thread():
                    self._check(session, drained.rate_hz)
            elif math.floor(take.done_s) != whole:
                self._tell()
        except Exception as error:
            self._end_take()
            with self._lock:
                session.refuse(failure_text(error), self._now())
            self._tell()

    def _check(self, session: GuidedSession, rate_hz: float) -> None:
        running, self._take = self._take, None
        take = None if running is None else running.close(rate_hz)
        if take is None:
            return
        try:
            with self._lock:
                session.recorded(self._now())
            self._tell()
            kept = KeptTake(take, check_take(self._model_engine(), take.path, self._turn, take.acc_count))
            with self._lock:
                session.checked(kept, self._now())
        except OutOfTurnError:
            # It was stopped at the last moment.
            _discard(take.path)
        except Exception:
            _discard(take.path)
            raise
        self._tell()

    def _end_take(self) -> None:
        running, self._take = self._take, None
        with suppress(OSError):
            take = None if running is None else running.close()
            if take is not None:
                _discard(take.path)

    def _fit(self, session: GuidedSession) -> None:
        try:
            told = self._fitted(session)
        except Exception as error:
            with self._lock:
                session.refuse(failure_text(error), self._now())
        else:
            with self._lock:
                session.finish(told, self._now())
        self._forget(session)

    def _fitted(self, session: GuidedSession) -> tuple[str, ...]:
        model, name = self._wearing.model, session.wearer
        dataset = taken([each.path for each in session.kept])
        new = tuple(step.label for step in session.steps if step.new and step.label in dataset.label_names)
        before = self._folder.find(name)
        made = personalise(
            self._model_engine(), model, dataset, name, new_labels=new, before=before, mounting=self._turn
        )
        self._folder.save(made.file)
        self._folder.remember(name)
        self._wearing.switch.wear(made.file)
        self._worn = name
        self._list()
        return tuple(results(made))

    def _forget(self, session: GuidedSession) -> None:
        """Remove what was recorded in a session that is over, but for takes that are kept as recordings."""
        if self._session is not session or session.over:
            self._end_take()
        left = [] if session.take is None else [session.take.path]
        for path in (*left, *self._unkept.glob("*.csv")):
            _discard(path)

    def _model_engine(self) -> Engine:
        self._engine = self._engine or self._wearing.make_engine()
        return self._engine


def _one_thread() -> threadpool_limits:
    """Keep numpy's linear algebra on the thread that calls it, within the block; on a small board it is faster, too."""
    return threadpool_limits(1, user_api="blas")


def _discard(path: Path) -> None:
    """Remove a take; what cannot be removed stays, and the run goes on."""
    with suppress(OSError):
        path.unlink()
