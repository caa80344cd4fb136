"""The wire of the gateway: HTTP/1.1 over asyncio's own connections, with the parser of httptools.

The clients that there are keep a part of what a wire promises, or cost as much as all the rest of a request. Here is only what is
needed: no redirects, cookies, proxies, tidied addresses or retries, and what has not been written to a connection has not left.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import lru_cache
from typing import Final

from aiohappyeyeballs import start_connection

from gateway.transport.http1_connection import Connection
from gateway.transport.http1_request import to_bytes, to_header
from gateway.transport.idle import KEPT_SECONDS, Idle
from gateway.transport.inflate import inflate
from gateway.transport.message import Response
from gateway.transport.origin import Origin, origin_of, split
from gateway.transport.tls import usual_tls_context
from gateway.transport.wire import WireFailed, WireRequest, WireTimeout

_NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one address of a host may keep the next from being tried beside it (RFC 8305, 8)."""

_REMEMBERED_HEADERS: Final = 64


class Http1Wire:
    """Sends over connections of its own. The bulkhead is the upstream's business, so they have no bound here."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, kept_seconds: float = KEPT_SECONDS) -> None:
        self._tls = usual_tls_context() if tls is None else tls
        self._to_header = lru_cache(_REMEMBERED_HEADERS)(to_header)  # it is the same for one call after another
        self._origins: dict[str, Origin] = {}
        self._idle = Idle(kept_seconds=kept_seconds)
        self._connections: set[Connection] = set()
        self._all_are_closed = asyncio.Event()

    @property
    def open_connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    @property
    def kept_connections(self) -> int:
        """How many of them wait for their next request; the others are busy."""
        return len(self._idle)

    async def send(self, request: WireRequest) -> Response:
        """Exchange one request for its answer; raises `WireError`."""
        deadline = asyncio.get_running_loop().time() + request.timeout_seconds
        try:
            where, target = split(request.url)
            origin = self._origins.get(where) or self._origin(where)
            header = self._to_header(origin.authority, tuple(request.headers.items()))
            content = to_bytes(request.method, target, header, request.content)
        except ValueError:
            raise WireFailed("the address or a header cannot be sent", nothing_sent=True) from None
        connection = self._idle.take(where) or await self._connect(origin, request)
        answer = await connection.exchange(content, is_head=request.method == "HEAD", deadline=deadline, limit=request.max_answer_bytes)
        if connection.is_reusable:
            self._idle.put(where, connection)
        else:
            connection.abort()
        coding = answer.headers.get("content-encoding")
        if not coding:
            return answer
        return Response(answer.status, answer.headers, inflate(answer.body, coding, request.max_answer_bytes))

    def _origin(self, where: str) -> Origin:
        return self._origins.setdefault(where, origin_of(where))

    async def _connect(self, origin: Origin, request: WireRequest) -> Connection:
        try:
            async with asyncio.timeout(min(request.connect_timeout_seconds, request.timeout_seconds)):
                return await self._open(origin)
        except TimeoutError:
            raise WireTimeout("no connection in time", nothing_sent=True) from None
        except (OSError, UnicodeError, RuntimeError):  # a host that is no name; what uvloop says of some addresses
            raise WireFailed("no connection", nothing_sent=True) from None

    async def _open(self, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        opened = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        connection = Connection(self._forget)
        tls, host = (self._tls, origin.host) if origin.is_tls else (None, None)
        try:
            await loop.create_connection(lambda: connection, sock=opened, ssl=tls, server_hostname=host)
        except BaseException:
            connection.abort()
            raise
        if connection.is_closing:
            raise ConnectionResetError("it was lost as soon as it was made")
        self._connections.add(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._idle.remove(connection)
        if not self._connections:
            self._all_are_closed.set()

    async def aclose(self) -> None:
        """Close all connections."""
        self._idle.close()
        self._all_are_closed.clear()
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            await self._all_are_closed.wait()  # the loop closes them at its next turns
