"""A second wire, on httpx, which keeps the contract of wires honest: two that share no code keep it.

Its transport alone is used, without its client, which would keep cookies for other callers, build a redirect that it is told not to
follow, tidy paths (`/a/../b` becomes `/b`) and inflate without a bound.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import anyio
import httpx

from gateway.transport.inflate import ACCEPTED, inflate
from gateway.transport.message import Response
from gateway.transport.wire import AnswerUnreadable, WireFailed, WireRequest, WireTimeout


class HttpxWire:
    """Sends over httpx. The bulkhead is the upstream's business, so the pool here has no bound of its own."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls if tls is not None else True,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=30),
        )

    async def send(self, request: WireRequest) -> Response:
        """Exchange one request for its answer; raises `WireError`."""
        progress = _Progress()
        try:
            prepared = _prepare(request, progress)
        except (httpx.InvalidURL, UnicodeError):
            raise WireFailed("the address or a header cannot be sent", nothing_sent=True) from None
        try:
            return await self._exchange_in_scope(prepared, progress, request)
        except (TimeoutError, httpx.TimeoutException):
            what = "no connection in time" if progress.nothing_sent else "no answer in time"
            raise WireTimeout(what, nothing_sent=progress.nothing_sent) from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            # Both are raised over a request as it was given, before its first byte is written.
            raise WireFailed("the address or a header cannot be sent", nothing_sent=True) from None
        except (httpx.TransportError, OSError):  # OSError: what TLS has to say after its handshake
            what = "no connection" if progress.nothing_sent else "the connection was lost"
            raise WireFailed(what, nothing_sent=progress.nothing_sent) from None

    async def _exchange_in_scope(self, prepared: httpx.Request, progress: _Progress, request: WireRequest) -> Response:
        """Exchange in a task of its own, which is cancelled and timed in the way that httpcore knows.

        asyncio's own cancelling gets through the locks and shields with which httpcore guards its pool, and would leave a connection
        in it that is busy for good.
        """
        scope = anyio.CancelScope()

        async def exchange() -> Response | None:
            with scope, anyio.fail_after(request.timeout_seconds):
                return await self._exchange(prepared, progress, request.max_answer_bytes)
            return None  # cancelled: nobody is left who would look

        running = asyncio.ensure_future(exchange())
        try:
            response = await asyncio.shield(running)
        except asyncio.CancelledError:
            scope.cancel()
            await asyncio.wait([running])
            raise
        if response is None:
            raise asyncio.CancelledError
        return response

    async def _exchange(self, prepared: httpx.Request, progress: _Progress, limit: int) -> Response:
        try:
            received = await self._transport.handle_async_request(prepared)
        except BaseException:
            await progress.close_unfinished()
            raise
        async with aclosing(received) as answer:
            body = await _read_bounded(answer, limit)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, inflate(body, headers.get("content-encoding", ""), limit))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _Progress:
    """Learns from httpcore how far a request got. Proof is needed, so what it does not know counts as sent."""

    def __init__(self) -> None:
        self._is_connecting = False
        self._may_have_left = False
        self._socket: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"]
        if event.startswith("connection."):  # connecting, the TLS handshake
            self._is_connecting = True
        else:
            self._may_have_left = True

    @property
    def nothing_sent(self) -> bool:
        return self._is_connecting and not self._may_have_left

    async def close_unfinished(self) -> None:
        """Close a connection whose TLS handshake was broken off: httpcore forgets it when it is cancelled."""
        if self.nothing_sent and self._socket is not None:
            with anyio.CancelScope(shield=True):
                await self._socket.aclose()


def _prepare(request: WireRequest, progress: _Progress) -> httpx.Request:
    timeout = httpx.Timeout(request.timeout_seconds, connect=request.connect_timeout_seconds)
    origin, target = _split(request.url)
    return httpx.Request(
        request.method,
        origin,
        headers={"accept-encoding": ACCEPTED, **request.headers},
        content=request.content,
        # Named as the target, path and query are not tidied.
        extensions={"timeout": timeout.as_dict(), "trace": progress, "target": target.encode("ascii")},
    )


def _split(url: str) -> tuple[str, str]:
    scheme, mark, rest = url.partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    target = rest.removeprefix(authority)
    return scheme + mark + authority, target if target.startswith("/") else f"/{target}"


async def _read_bounded(answer: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > limit:
            raise AnswerUnreadable(f"the answer is larger than {limit} bytes")
    return bytes(body)
