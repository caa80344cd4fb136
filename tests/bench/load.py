"""The client: prepared requests over connections that are kept, each sending its next one when the answer is there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from tests.bench.answers import WrongAnswer

_OK: Final = b"HTTP/1.1 200"
_END: Final = b"\r\n\r\n"
_PATIENCE_SECONDS: Final = 120.0


Request = tuple[bytes, Callable[[bytes], None]]
"""What is sent, and what looks at the answer: it raises `WrongAnswer`."""


class NoAnswer(Exception):
    """A connection was lost, or an answer is no HTTP that this client reads."""


def request_bytes(host: str, path: str, query: str, variables: Mapping[str, Any]) -> bytes:
    """Prepare a GraphQL request."""
    body = json.dumps({"query": query, "variables": variables}, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + _END + body


@dataclass(frozen=True, slots=True)
class Sample:
    """What a load was answered: the time of each answer, and how long all took."""

    seconds: float
    latencies: Sequence[float]


class Connection(asyncio.Protocol):
    """One connection with its one request; `check` looks at each answer that is not what the last right one was, to the byte."""

    def __init__(self, request: bytes, check: Callable[[bytes], None]) -> None:
        self._request = request
        self._check = check
        self._right: bytes | None = None
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None
        self._end = 0.0
        self._began = 0.0
        self._latencies: list[float] = []
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what requests go to."""
        self._transport = cast("asyncio.WriteTransport", transport)  # that of uvloop is one by its methods alone

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so, where an answer is still waited for."""
        self._fail(NoAnswer(f"the connection was lost: {exc or 'closed'}"))

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()

    async def run(self, end: float) -> list[float]:
        """Ask until `end` (of `time.perf_counter`), at least once; the seconds of each answer. Raises `NoAnswer`, `WrongAnswer`."""
        self._latencies, self._end = [], end
        self._done = asyncio.get_running_loop().create_future()
        self._send()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._done
        return self._latencies

    def _send(self) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            self._fail(NoAnswer("the connection was closed while nothing was asked over it"))
            return
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take an answer when it is whole."""
        self._received = self._received + data if self._received else data
        try:
            body = body_of(self._received)
            if body is not None:
                self._take(body)
        except (NoAnswer, WrongAnswer) as error:
            self._fail(error)

    def _take(self, body: bytes) -> None:
        now = time.perf_counter()
        self._received = b""
        self._latencies.append(now - self._began)
        if body != self._right:
            self._check(body)
            self._right = body
        if now < self._end:
            self._send()
        elif self._done is not None:
            self._done.set_result(None)
            self._done = None

    def _fail(self, error: Exception) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)
            self._done = None


def body_of(data: bytes) -> bytes | None:
    """Take the body out of an answer; None: it is not whole yet. Raises `NoAnswer` for another status than 200."""
    end = data.find(_END)
    if end < 0:
        return None
    if not data.startswith(_OK):
        raise NoAnswer(data[:400].decode(errors="replace"))
    head, body = data[:end].lower(), data[end + len(_END) :]
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return _unchunked(body)
    length = int(head[at + 17 :].partition(b"\r\n")[0])
    return body if len(body) >= length else None


def _unchunked(data: bytes) -> bytes | None:
    parts: list[bytes] = []
    while True:
        size_text, mark, data = data.partition(b"\r\n")
        if not mark:
            return None
        size = int(size_text.partition(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        if len(data) < size + 2:
            return None
        parts.append(data[:size])
        data = data[size + 2 :]


@asynccontextmanager
async def connected(port: int, requests: Sequence[Request]) -> AsyncIterator[list[Connection]]:
    """Open a connection for each request. Raises `OSError`."""
    opened: list[Connection] = []
    try:
        for request in requests:
            _, connection = await asyncio.get_running_loop().create_connection(partial(Connection, *request), "127.0.0.1", port)
            opened.append(connection)
        yield opened
    finally:
        for connection in opened:
            connection.close()


async def load(connections: Sequence[Connection], seconds: float) -> Sample:
    """Ask over all connections for so long. Raises `NoAnswer`, `WrongAnswer`."""
    began = time.perf_counter()
    answered = await asyncio.gather(*(connection.run(began + seconds) for connection in connections), return_exceptions=True)
    latencies: list[float] = []
    for part in answered:
        if isinstance(part, BaseException):
            raise part
        latencies += part
    return Sample(time.perf_counter() - began, latencies)
