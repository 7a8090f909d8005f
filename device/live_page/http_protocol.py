"""Connections of the server: few, and none that stays without asking for anything.

A wearable has about a thousand file descriptors, which sensor and outputs need: whoever opens connections without end
must not take them.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
IDLE_S = 20.0


class BoundedH11(H11Protocol):
    """A connection that is closed at once if there are too many, and later if it has nothing to answer."""

    _check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept or refuse a connection."""
        if len(self.connections) >= MOST_CONNECTIONS:
            transport.abort()
            return
        super().connection_made(transport)
        self._check = self.loop.call_later(IDLE_S, self._close_if_idle)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        if self.transport is not None:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._check is not None:
            self._check.cancel()
        if self.transport is not None:
            super().connection_lost(exc)

    def _close_if_idle(self) -> None:
        if self.transport.get_protocol() is not self:
            return  # a WebSocket has a protocol of its own, which sends pings
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            self._check = self.loop.call_later(IDLE_S, self._close_if_idle)
