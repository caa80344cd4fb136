"""The wire on httpx."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import httpx

from gateway.transport.message import Response
from gateway.transport.wire import AnswerUnreadable, WireFailed, WireRequest, WireTimeout


class HttpxWire:
    """Sends over httpx. The bulkhead is the upstream's business, so the pool here has no bound of its own."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=tls if tls is not None else True,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=30),
        )

    async def send(self, request: WireRequest) -> Response:
        """Exchange one request for its answer; raises `WireError`."""
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._exchange(request)
        except TimeoutError:
            raise WireTimeout("no answer in time") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # httpcore raises these before it has a connection to write to.
            kind = WireFailed if isinstance(error, httpx.ConnectError) else WireTimeout
            raise kind("no connection", nothing_sent=True) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise WireFailed("the address cannot be used", nothing_sent=True) from None
        except httpx.DecodingError:
            raise AnswerUnreadable("the answer is not encoded as it says") from None
        except httpx.TimeoutException:
            raise WireTimeout("no answer in time") from None
        except httpx.TransportError:
            raise WireFailed("the connection was lost") from None

    async def _exchange(self, request: WireRequest) -> Response:
        timeout = httpx.Timeout(request.timeout_seconds, connect=request.connect_timeout_seconds)
        async with self._client.stream(
            request.method, request.url, headers=dict(request.headers), content=request.content, timeout=timeout
        ) as answer:
            body = await _read_bounded(answer, request.max_answer_bytes)
            return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _read_bounded(answer: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise AnswerUnreadable(f"the answer is larger than {limit} bytes")
    return bytes(body)


def tls_context(*, ca_file: Path | None, client_cert: Path | None, client_key: Path | None) -> ssl.SSLContext | None:
    """Make the TLS settings of a source; None when it has none of its own. Raises `OSError` when a file is no certificate."""
    if ca_file is None and client_cert is None:
        return None
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    if client_cert is not None:
        context.load_cert_chain(str(client_cert), None if client_key is None else str(client_key))
    return context
