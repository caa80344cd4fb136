"""One connection of HTTP/1.1: sends a request, reads its answer, and knows whether it can be used once more."""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable
from typing import Final

import httptools

from gateway.transport.message import Response
from gateway.transport.wire import AnswerUnreadable, WireError, WireFailed, WireTimeout

MAX_OVERHEAD_BYTES: Final = 65_536
"""Of an answer in one piece that are not of its body: header, trailer, what frames a chunk."""

_BLANKS: Final = b" \t"
_HAS_LENGTH: Final = frozenset({"content-length", "transfer-encoding"})
_OK: Final = 200
"""Below it an answer is an interim one, and another follows."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. Whatever goes wrong with one closes it, so nothing of an answer is left for the next."""

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self.idle_since = 0.0
        """In seconds of the loop, kept by whoever keeps the connection."""
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._is_readable: Callable[[], bool] = lambda: True
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Response] | None = None
        self._answer: Response | None = None
        self._failure: WireError | None = None
        self._is_reading = self._is_kept = self._is_head = False
        self._status = self._limit = self._size = self._overhead = 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    # What its user asks of it

    async def exchange(self, content: bytes, *, is_head: bool, deadline: float, limit: int) -> Response:
        """Send a request and give its answer, the body as it came; raises `WireError`, and proves nothing from here on.

        `deadline` is a time of the loop, `limit` bounds the body in bytes. When it fails or is cancelled, the connection is closed.
        """
        loop = asyncio.get_running_loop()
        self._answer = self._failure = None
        self._is_reading, self._is_kept, self._is_head = True, False, is_head
        self._limit, self._size, self._overhead, self._status = limit, 0, 0, 0
        waiter: asyncio.Future[Response] = loop.create_future()
        self._waiter = waiter
        timer = loop.call_at(deadline, self._expire)
        try:
            self._opened.write(content)
            return await waiter
        except BaseException:
            self.abort()
            raise
        finally:
            timer.cancel()
            self._waiter = self._answer = None
            self._is_reading = False

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: the server keeps it open, and all of this exchange is over."""
        return self._is_kept and not self._opened.is_closing() and not self._opened.get_write_buffer_size()

    @property
    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._opened.is_closing()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody has read yet: the end of the connection, or what nobody asked for."""
        return not self.is_closing and not self._is_readable()

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _opened(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("the connection is not open")
        return self._transport

    # What the loop tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn that it is open; of an encrypted one, that its handshake is over."""
        self._transport = transport  # type: ignore[assignment]  # what create_connection gives can write
        self._is_readable = _watch(transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if not self._is_reading:  # said without being asked: the next request must not get this as its answer
            self.abort()
            return
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_kept = False
            self._failure = self._failure or WireFailed("the connection was lost: what came is not HTTP")
        if self._answer is not None:
            self._give(self._answer)
        elif self._failure is not None:
            self._fail(self._failure)
        elif self._overhead > MAX_OVERHEAD_BYTES:
            self._fail(WireFailed("the connection was lost: the header has no end"))

    def eof_received(self) -> None:
        """Learn that the server says no more, which is the end of an answer that has no length."""
        if self._is_reading and self._status >= _OK and _HAS_LENGTH.isdisjoint(self._headers):
            self._give(self._complete(is_kept=False))

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that it is closed."""
        del exc  # it would say where the connection went
        self._fail(WireFailed("the connection was lost"))
        self._on_lost(self)

    # What the parser tells it

    def on_message_begin(self) -> None:
        """Begin an answer, or the one after an interim one."""
        if not self._is_reading:
            raise _Unasked
        self._status, self._headers, self._parts = 0, {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; those of a trailer are none of the answer's."""
        if self._status:
            return
        key, text = name.lower().decode("latin-1"), value.rstrip(_BLANKS).decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Learn how the body will come."""
        self._status = self._parser.get_status_code()
        if self._headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._refuse(AnswerUnreadable("the answer has an encoding that was not asked for"))
        if self._is_head and self._status >= _OK:
            self._complete(is_kept=False)  # the parser waits for the body that the length tells of

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._size += len(body)
        if self._size > self._limit:
            self._refuse(AnswerUnreadable(f"the answer is larger than {self._limit} bytes"))
        self._overhead = 0
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """End an answer, unless it was an interim one."""
        if self._is_reading and self._status >= _OK:
            self._complete(is_kept=self._parser.should_keep_alive())

    # How an exchange ends

    def _complete(self, *, is_kept: bool) -> Response:
        self._is_reading = False
        self._is_kept = is_kept
        self._answer = answer = Response(self._status, self._headers, b"".join(self._parts))
        self._parts = []
        return answer

    def _refuse(self, failure: WireError) -> None:
        self._failure = failure
        raise _Refused

    def _expire(self) -> None:
        self._fail(WireTimeout("no answer in time"))

    def _give(self, answer: Response) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def _fail(self, failure: WireError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(failure)
        self.abort()


class _Unasked(Exception):
    """Another answer follows, to no request: the parser must not go on."""


class _Refused(Exception):
    """The answer is not wanted any more: the parser must not go on."""


if sys.platform == "win32":  # pragma: no cover

    def _watch(descriptor: int) -> Callable[[], bool]:
        return lambda: bool(select.select([descriptor], [], [], 0)[0])

else:

    def _watch(descriptor: int) -> Callable[[], bool]:
        """Make what says whether something can be read."""
        watching = select.poll()  # select itself knows no descriptor beyond 1023
        watching.register(descriptor, select.POLLIN)
        return lambda: bool(watching.poll(0))
