"""An `Upstream` over a wire: signs, bounds what is in flight, and turns every failure into a typed error at one place."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NoReturn

from gateway.errors import (
    MalformedAnswer,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.settings import SourceSettings
from gateway.transport.auth import TokenRefused, make_credentials
from gateway.transport.clock import Clock, Scope
from gateway.transport.health import Health, HealthLog
from gateway.transport.message import Request, Response
from gateway.transport.wire import AnswerUnreadable, Wire, WireError, WireRequest, WireTimeout

USER_AGENT: Final = "invoice-gateway"
TOKEN_OPERATION: Final = "Token"  # noqa: S105  (the name of an operation)

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_MAX_WAIT_DIGITS: Final = 9


class HttpUpstream:
    """Access to one upstream. Shared by all requests."""

    def __init__(self, source: str, settings: SourceSettings, wire: Wire, clock: Clock) -> None:
        self._source = source
        self._settings = settings
        self._base_url = settings.base_url.rstrip("/")
        self._headers = {
            "accept": "application/json",
            "user-agent": USER_AGENT,
            **{name.lower(): value.get_secret_value() for name, value in settings.headers.items()},
        }
        self._wire = wire
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        self._log = HealthLog(clock.now)
        self._credentials = make_credentials(settings.auth, base_url=self._base_url, call=self._call_token, clock=clock)

    @property
    def source(self) -> str:
        """The configuration key."""
        return self._source

    @property
    def health(self) -> Health:
        """How its calls went lately."""
        return self._log.health

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""
        return self._log.since

    async def read(self, request: Request, scope: Scope, *, answers: Collection[int] = (200,)) -> Response:
        """Send a read; see `Upstream.read`."""
        signature = await self._sign(request, scope)
        response = await self._send(request, scope, signature)
        if response.status == _UNAUTHORIZED and self._credentials.reject(signature):
            response = await self._send(request, scope, await self._sign(request, scope))
        if response.status not in answers:
            self._refuse(request.operation, response)
        return response

    async def write(self, request: Request, scope: Scope) -> Response:
        """Send a write once; see `Upstream.write`."""
        try:
            signature = await self._sign(request, scope)
        except UpstreamError as error:
            error.nothing_sent = True  # of the write: only the token was asked for
            raise
        response = await self._send(request, scope, signature)
        if response.status == _UNAUTHORIZED:
            self._credentials.reject(signature)
        return response

    def malformed(self, request: Request, message: str) -> MalformedAnswer:
        """Make the error for an answer that cannot be read."""
        return MalformedAnswer(f"{request.operation}: {message}", source=self._source, operation=request.operation)

    async def _sign(self, request: Request, scope: Scope) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(max(0, scope.seconds_left(self._clock))):
                return await self._credentials.headers()
        except TimeoutError:
            raise self._error(UpstreamTimeout, request.operation, "no time was left to sign in", nothing_sent=True) from None
        except TokenRefused as refused:
            if refused.malformed:
                raise self._error(MalformedAnswer, TOKEN_OPERATION, "the token cannot be read", nothing_sent=True) from None
            raise self._error(UpstreamAuthFailed, TOKEN_OPERATION, "signing in was refused", nothing_sent=True) from None

    async def _call_token(self, url: str, headers: Mapping[str, str], content: bytes) -> Response:
        wire_request = WireRequest(
            method="POST",
            url=url,
            headers={"user-agent": USER_AGENT, **headers},
            content=content,
            timeout_seconds=self._settings.timeout_seconds,
            connect_timeout_seconds=self._settings.connect_timeout_seconds,
            max_answer_bytes=self._settings.max_answer_bytes,
        )
        response = await self._exchange(TOKEN_OPERATION, wire_request)
        if response.status == _TOO_MANY or response.status >= 500:  # noqa: PLR2004  (5xx)
            self._refuse(TOKEN_OPERATION, response)
        return response

    async def _send(self, request: Request, scope: Scope, signature: Mapping[str, str]) -> Response:
        content = request.content
        headers = {**self._headers, **request.headers, **signature}
        if content is not None:
            headers["content-type"] = "application/json; charset=utf-8"
        try:
            async with asyncio.timeout(max(0, scope.seconds_left(self._clock))):
                await self._slots.acquire()
        except TimeoutError:
            raise self._error(UpstreamTimeout, request.operation, "no time was left for the call", nothing_sent=True) from None
        try:
            left = scope.seconds_left(self._clock)
            if left <= 0:
                raise self._error(UpstreamTimeout, request.operation, "no time was left for the call", nothing_sent=True)
            wire_request = WireRequest(
                method=request.method,
                url=self._base_url + request.target,
                headers=headers,
                content=content,
                timeout_seconds=min(self._settings.timeout_seconds, left),
                connect_timeout_seconds=self._settings.connect_timeout_seconds,
                max_answer_bytes=self._settings.max_answer_bytes,
            )
            return await self._exchange(request.operation, wire_request)
        finally:
            self._slots.release()

    async def _exchange(self, operation: str, wire_request: WireRequest) -> Response:
        try:
            response = await self._wire.send(wire_request)
        except AnswerUnreadable as error:
            self._log.note(answered=True)
            raise self._error(MalformedAnswer, operation, str(error)) from None
        except WireError as error:
            self._log.note(answered=False)
            kind = UpstreamTimeout if isinstance(error, WireTimeout) else UpstreamUnavailable
            raise self._error(kind, operation, str(error), nothing_sent=error.nothing_sent) from None
        self._log.note(answered=response.status < 500)  # noqa: PLR2004  (5xx)
        return response

    def _refuse(self, operation: str, response: Response) -> NoReturn:
        status = response.status
        wait = self._retry_after(response)
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._error(UpstreamAuthFailed, operation, f"it answered {status}")
        if status == _TOO_MANY:
            raise self._error(UpstreamRateLimited, operation, "it answered 429", retry_after=wait)
        if 400 <= status < 500:  # noqa: PLR2004  (HTTP's own classes; so below)
            raise self._error(UpstreamRejected, operation, f"it answered {status}")
        if status >= 500:  # noqa: PLR2004
            raise self._error(UpstreamUnavailable, operation, f"it answered {status}", retry_after=wait)
        meaning = "a redirect, which is not followed" if 300 <= status < 400 else "which its pages do not promise"  # noqa: PLR2004
        raise self._error(MalformedAnswer, operation, f"it answered {status}, {meaning}")

    def _retry_after(self, response: Response) -> float | None:
        """Read Retry-After: seconds, or an HTTP date (RFC 9110, 10.2.3)."""
        text = response.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text) if len(text) <= _MAX_WAIT_DIGITS else None
        with suppress(ValueError, OverflowError):
            until = parsedate_to_datetime(text)
            # The oldest of the three forms of a date names no zone; all are GMT.
            return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - self._clock.now()).total_seconds())
        return None

    def _error(
        self, kind: type[UpstreamError], operation: str, what: str, *, retry_after: float | None = None, nothing_sent: bool = False
    ) -> UpstreamError:
        return kind(f"{operation}: {what}", source=self._source, operation=operation, retry_after=retry_after, nothing_sent=nothing_sent)
