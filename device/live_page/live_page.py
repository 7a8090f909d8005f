"""The sink behind ``device run --web``: a server on a thread of its own, which the sampling loop never waits for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from deseptr.contract import ModelContract, SetupError, check_input
from deseptr.data.label_page.colours import AXES, LABELS
from deseptr.device.alarms.answers import Answers
from deseptr.device.drained import Drained
from deseptr.device.events import Event
from deseptr.device.host.board import read_board
from deseptr.device.latency import Profiler

from .access import Access
from .application import Application, encoded
from .http_protocol import BoundedH11
from .messages import Message, PageMessages
from .page_recorder import PageRecorder
from .past import Past
from .viewers import Viewers

if TYPE_CHECKING:
    from .page_personal import PagePersonal
    from .wearing import Wearing

HEALTH_S = 2.0
_BOARD_EVERY = 5  # of the above
# Messages between two turns of the server's thread; a replay at full speed makes more, of which the newest are shown.
_INBOX = 2000
_STOP_S = 2.0
# The page says nothing; whoever sends more than this is not the page.
_LARGEST_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for HTTPS, in PEM: the certificate with its chain, and the private key."""

    certificate: Path
    key: Path


class LivePage:
    """Shows a run in browsers, and takes answers to alarms and wishes to record from there.

    Events and samples are handed over without waiting; what a viewer cannot take in time is dropped for him alone.

    Args:
        contract: of the model.
        profiler: of the run.
        access: who may watch.
        listening: the socket to serve on; it is closed at the end.
        sensor: text that says which sensor it is, as ``mpu6050 (simulated)``.
        wearer: for whom the model is corrected; None if it is not.
        tls: for HTTPS.
        answers: takes what people answer to alarms on the page.
        recordings: folder for takes that are recorded from the page; None if nobody may record.
        wearing: lets those who watch personalise; None if nobody may.
        spectrogram: of the model, as :func:`.spectrogram.spectrogram_of` gives it; None if none is shown.

    Raises:
        SetupError: if the certificate or its key cannot be used, or the folder cannot be written.
    """

    def __init__(
        self,
        contract: ModelContract,
        profiler: Profiler,
        access: Access,
        listening: socket.socket,
        *,
        sensor: str,
        wearer: str | None = None,
        tls: Tls | None = None,
        answers: Answers | None = None,
        recordings: Path | None = None,
        wearing: Wearing | None = None,
        spectrogram: Mapping[str, Any] | None = None,
    ) -> None:
        self._about: Message = {
            "kind": "about",
            "labels": list(contract.labels),
            "channels": list(contract.channels),
            "rate": contract.rate_hz,
            "window": contract.window_length / contract.rate_hz,
            "sensor": sensor,
            "wearer": wearer,
            "spectrogram": spectrogram,
            "colours": {"axes": AXES, "labels": LABELS},
        }
        self._profiler = profiler
        self._messages = PageMessages(contract)
        self._labels = contract.labels
        self._past, self._viewers = Past(), Viewers()
        self._inbox: deque[Message] = deque(maxlen=_INBOX)
        self._called = False
        self._board: dict[str, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening = listening
        self._recorder = PageRecorder(recordings, sensor, self._hand_over) if recordings else None
        self._personal = _personal(wearing, sensor, self._hand_over, self._recorder)
        application = Application(
            access, self._viewers, self._beginning, answers or Answers(), self._recorder, self._personal
        )
        self._server = uvicorn.Server(_config(application, tls))
        self._thread = threading.Thread(target=self._run, name="live page", daemon=True)
        self._thread.start()

    def take(self, event: Event) -> None:
        """Show an event."""
        message = self._messages.of_event(event)
        if self._messages.labels != self._labels:
            self._labels = self._messages.labels
            self._about = {**self._about, "labels": list(self._labels)}
            self._hand_over({"kind": "labels", "labels": list(self._labels)})
        self._hand_over(message)

    def drained(self, drained: Drained) -> None:
        """Show the samples of a read."""
        if len(drained.signals):
            self._hand_over(self._messages.of_samples(drained))
        if self._recorder is not None:
            self._recorder.drained(drained)
        if self._personal is not None:
            self._personal.drained(drained)

    def close(self) -> None:
        """End the server; viewers see that the run has ended."""
        for each in (self._recorder, self._personal):
            if each is not None:
                each.close()
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(_STOP_S)
        self._listening.close()

    def _hand_over(self, message: Message) -> None:
        self._inbox.append(message)
        if self._loop is not None and not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(self._deliver)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        telling = asyncio.ensure_future(self._tell_health())
        try:
            await self._server.serve(sockets=[self._listening])
        finally:
            telling.cancel()

    def _deliver(self) -> None:
        # Before the inbox is emptied: a message that comes meanwhile calls again.
        self._called = False
        while self._inbox:
            message = self._inbox.popleft()
            if "at" in message:
                self._past.note(message)
            if len(self._viewers):
                self._viewers.offer(encoded(message))

    def _beginning(self) -> list[Message]:
        recording = [] if self._recorder is None else [self._recorder.state()]
        personal = [] if self._personal is None else [self._personal.state()]
        return [self._about, *self._past.messages(), self._health(), *recording, *personal]

    async def _tell_health(self) -> None:
        turn = 0
        while True:
            if turn % _BOARD_EVERY == 0 and len(self._viewers):
                self._board = await asyncio.to_thread(_board_figures)
            turn += 1
            if self._personal is not None:
                self._personal.tick()
            self._deliver()
            self._viewers.offer(encoded(self._health()))
            await asyncio.sleep(HEALTH_S)

    def _health(self) -> Message:
        figures = self._profiler.stages()["end_to_end"]
        latency = {"p50": round(figures["p50_us"]), "p99": round(figures["p99_us"])}
        missed = self._profiler.deadlines_missed
        return {"kind": "health", **self._past.counts(), "latency": latency, "missed": missed, **self._board}


def _personal(
    wearing: Wearing | None,
    sensor: str,
    changed: Callable[[dict[str, Any]], None],
    recorder: PageRecorder | None,
) -> PagePersonal | None:
    if wearing is None:
        return None
    # Only where it is wanted: it takes memory.
    from .page_personal import PagePersonal

    return PagePersonal(wearing, sensor, changed, recorder=recorder)


def _board_figures() -> dict[str, Any]:
    board = read_board()
    throttled = list(board.throttled.now) if board.throttled else []
    return {"temperature": board.temperature_c, "throttled": throttled}


def _config(application: Application, tls: Tls | None) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        http=BoundedH11,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    # Requests that are none are no news; the application's own failures are.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        for path in (tls.certificate, tls.key) if tls else ():
            check_input(path)
        config.load()
    except OSError as error:
        assert tls is not None
        raise SetupError(
            tls.certificate,
            found=error.strerror or error,
            expected="a certificate and its private key in PEM",
            next_step="check --web-cert and --web-key",
        ) from error
    return config
