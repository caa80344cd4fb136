"""A server on loopback that speaks exactly the bytes a test tells it to, and keeps the bytes it was sent."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it arrived. Header names are lower case; each was sent once."""

    line: str
    headers: dict[str, str]
    body: bytes
    client_certificate: object = None
    agreed_protocol: str | None = None


@dataclass(slots=True)
class RawServer:
    """What arrived. `left` is set once a client has gone while `until_client_leaves` waited for it."""

    port: int = 0
    requests: list[RawRequest] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.requests]


class Connection:
    """One accepted connection, in the hands of a test's script."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self.number = server.connections

    async def next_request(self) -> RawRequest | None:
        """Read a whole request; None when the client closes instead."""
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, OSError):
            return None
        line, *rows = head.rstrip("\r\n").split("\r\n")
        pairs = [(name.lower(), value.strip()) for name, _, value in (row.partition(":") for row in rows)]
        assert len(dict(pairs)) == len(pairs), f"a header was sent twice: {pairs}"
        headers = dict(pairs)
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        tls = self._writer.get_extra_info("ssl_object")
        agreed = None if tls is None else tls.selected_alpn_protocol()
        request = RawRequest(line, headers, body, self._writer.get_extra_info("peercert"), agreed)
        self._server.requests.append(request)
        return request

    async def first_byte(self) -> None:
        """Wait until the client says anything."""
        await self._reader.readexactly(1)

    async def send(self, content: bytes) -> None:
        if self._writer.is_closing():  # uvloop minds writing to what is closed
            raise ConnectionResetError
        self._writer.write(content)
        await self._writer.drain()

    def send_below_tls(self, content: bytes) -> None:
        """Write to the socket itself, past the encryption."""
        os.write(self._writer.get_extra_info("socket").fileno(), content)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()

    async def until_client_leaves(self) -> None:
        """Say nothing more until the client closes the connection."""
        try:
            while await self._reader.read(65536):
                pass
        except OSError:
            pass
        self._server.left.set()


Script = Callable[[Connection], Awaitable[None]]
"""What to do with a connection; it is closed at the end."""


@asynccontextmanager
async def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve by a script on a free port of loopback. An assertion that fails in the script fails the test."""
    state = RawServer()
    writers: list[asyncio.StreamWriter] = []
    failures: list[Exception] = []
    running: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        writers.append(writer)
        try:
            await script(Connection(state, reader, writer))
        except OSError:
            pass  # the client left while it was being answered
        except Exception as error:  # noqa: BLE001  (raised again below, in the test's own task)
            failures.append(error)
        finally:
            writer.close()
            state.closed.set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(play(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*running)
        await server.wait_closed()
    for failure in failures:
        raise failure


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """Make a whole answer with its length."""
    rows = [f"{name.replace('_', '-')}: {value}" for name, value in {"content_length": str(len(body)), **headers}.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *rows, "", ""]).encode() + body


def always(content: bytes) -> Script:
    """Answer every request of a connection with the same bytes, keeping the connection open."""

    async def script(connection: Connection) -> None:
        while await connection.next_request() is not None:
            await connection.send(content)

    return script


def once(content: bytes = b"") -> Script:
    """Read one request, send these bytes, and close."""

    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(content)

    return script


def stalling(content: bytes = b"") -> Script:
    """Read one request, send these bytes, and then nothing more."""

    async def script(connection: Connection) -> None:
        await connection.next_request()
        await connection.send(content)
        await connection.until_client_leaves()

    return script


def free_port() -> int:
    """Give a port of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
