"""Connections on which no request comes: the limit of time of what comes before the application is asked."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from dsslic_search.web.refusals import refused


def protocol_of(seconds: float) -> type[H11Protocol]:
    """uvicorn's protocol that closes a connection on which the head of a request is not there ``seconds``
    after it could begin, or began; with 408 where it began."""

    class Arriving(H11Protocol):
        _ends: asyncio.TimerHandle | None = None
        _began = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as there
            super().connection_made(transport)
            self._await_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._began = self.cycle is None or self.cycle.response_complete
            if self._began:
                self._await_head()
            else:
                self._stop()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            if self._ends is None and not self.transport.is_closing():
                self._ends = self.loop.call_later(seconds, self._close)

        def _stop(self) -> None:
            if self._ends is not None:
                self._ends.cancel()
                self._ends = None

        def _close(self) -> None:
            if self._began and not self.transport.is_closing():
                told = refused(
                    408, f"the request took longer than {seconds:g} seconds to arrive; send it again"
                )
                head = b"".join(b"%s: %s\r\n" % header for header in told.raw_headers)
                self.transport.write(
                    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n%s\r\n%s"
                    % (head, bytes(told.body))
                )
            self.transport.close()

    return Arriving
