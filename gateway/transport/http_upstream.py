"""An `Upstream` over a wire: signs, shares, bounds and tries again, and turns every failure into a typed error at one place.

A call passes the gate (a pause that the upstream asked for), the queue for a slot, and the breaker. What is ours to keep is one
object each; how they go together is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import random
from typing import Any, Final

from gateway.errors import (
    CircuitOpen,
    MalformedAnswer,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.settings import FileSecret, SourceSettings
from gateway.telemetry import Metrics, UpstreamMeter
from gateway.transport.auth import TokenRefused, TokenTooSoon, make_credentials
from gateway.transport.breaker import Breaker, BreakerOpen, Permit
from gateway.transport.budget import RetryBudget
from gateway.transport.bulkhead import Bulkhead, NoSlot, OutOfTime, QueueFull
from gateway.transport.clock import Clock, Scope
from gateway.transport.coalesce import Coalescer
from gateway.transport.failures import FailureLog
from gateway.transport.gate import Gate, GateClosed, Sleep
from gateway.transport.header_files import HeadersFromFiles
from gateway.transport.health import Health, HealthLog
from gateway.transport.latency import LatencyLog
from gateway.transport.message import Request, Response
from gateway.transport.pace import Paces
from gateway.transport.retry import RetryPolicy
from gateway.transport.shared_scope import SharedScope, SharedScopes
from gateway.transport.state import UpstreamState
from gateway.transport.trace import Trace, Way
from gateway.transport.wire import AnswerUnreadable, Wire, WireError, WireRequest, WireTimeout

USER_AGENT: Final = "invoice-gateway"
TOKEN_OPERATION: Final = "Token"  # noqa: S105  (the name of an operation)

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_MAX_WAIT_DIGITS: Final = 9

_SIGNING_IN: Final[ContextVar[Scope | None]] = ContextVar("signing_in", default=None)
"""Of the request whose call waits for a token that is not there: one that is fetched then is fetched for it."""


_Key = tuple[str, str, tuple[tuple[str, str], ...], bytes | None, frozenset[int]]
_Outcome = Response | UpstreamError
"""Of one attempt: an answer whatever its status, or the failure to get one."""


class HttpUpstream:
    """Access to one upstream. Shared by all requests."""

    def __init__(
        self,
        source: str,
        settings: SourceSettings,
        wire: Wire,
        clock: Clock,
        *,
        paces: Paces | None = None,
        meter: UpstreamMeter | None = None,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random,
    ) -> None:
        self._source = source
        self._settings = settings
        self._base_url = settings.base_url.rstrip("/")
        self._headers = {
            "accept": "application/json",
            "user-agent": USER_AGENT,
            **{name.lower(): value.get_secret_value() for name, value in settings.headers.items() if not isinstance(value, FileSecret)},
        }
        self._wire = wire
        self._clock = clock
        self._sleep = sleep
        self._bulkhead = Bulkhead(max_in_flight=settings.max_in_flight, max_queue=settings.max_queue, sleep=sleep)
        self._breaker = Breaker(
            clock,
            calls=settings.breaker_calls,
            failure_percent=settings.breaker_failure_percent,
            open_seconds=settings.breaker_open_seconds,
        )
        self._gate = Gate(clock, sleep)
        self._retries = RetryPolicy(settings.retries, random)
        self._budget = RetryBudget(clock, percent=settings.retry_budget_percent)
        self._reads: Coalescer[_Key, Response] = Coalescer()
        self._shared_scopes: SharedScopes[_Key] = SharedScopes()
        self._log = HealthLog(clock.now)
        self._latencies = LatencyLog(clock)
        self._failures = FailureLog(clock.now)
        self._meter = meter or UpstreamMeter(Metrics(), source)
        self._credentials = make_credentials(
            settings.auth, base_url=self._base_url, call=self._call_token, clock=clock, paces=paces or Paces(clock)
        )
        files = {name.lower(): value for name, value in settings.headers.items() if isinstance(value, FileSecret)}
        if files:
            self._credentials = HeadersFromFiles(files, self._credentials)

    @property
    def source(self) -> str:
        """The configuration key."""
        return self._source

    @property
    def health(self) -> Health:
        """How its calls went lately."""
        return Health.DOWN if self._breaker.is_open else self._log.health

    @property
    def health_since(self) -> datetime | None:
        """Since when that is so; None before the first call."""
        return self._log.since

    @property
    def max_in_flight(self) -> int:
        """How many calls it has at once, at most."""
        return self._settings.max_in_flight

    @property
    def state(self) -> UpstreamState:
        """How things stand with it, for operators."""
        return UpstreamState(
            breaker=self._breaker.state,
            pause_seconds=self._gate.seconds_left,
            in_flight=self._bulkhead.in_flight,
            max_in_flight=self._settings.max_in_flight,
            waiting_requests=self._bulkhead.waiting_requests,
            max_waiting_requests=self._settings.max_queue,
            retries=self._budget.spent,
            max_retries=self._budget.most,
            latency=self._latencies.latency,
            failures=self._failures.failures,
        )

    def read(self, request: Request, scope: Scope, *, answers: Collection[int] = (200,)) -> Coroutine[Any, Any, Response]:
        """Send a read, or share one that is under way; see `Upstream.read`."""
        if scope.trace is None:
            return self._awaited_read(request, scope, answers)
        return self._traced_read(request, scope, answers, scope.trace.anew())

    async def _traced_read(self, request: Request, scope: Scope, answers: Collection[int], trace: Trace) -> Response:
        with trace.failures(self._source, request.operation):
            response = await self._awaited_read(request, replace(scope, trace=trace), answers)
        trace.attempts[-1].answered(response.status, len(response.body), code=None)
        return response

    async def _awaited_read(self, request: Request, scope: Scope, answers: Collection[int]) -> Response:
        scope.calls.begin_wait(self._clock)
        try:
            return await self._read_or_share(request, scope, answers)
        finally:
            scope.calls.end_wait(self._clock)

    async def _read_or_share(self, request: Request, scope: Scope, answers: Collection[int]) -> Response:
        if scope.is_fresh:
            return await self._read(request, scope, answers)
        left = scope.seconds_left(self._clock)
        if left <= 0:
            raise self._noted(self._no_time(request))
        if self._gate.seconds_left >= left:  # a shared read may wait for it, for others who have more time
            raise self._noted(self._held(request, self._gate.seconds_left))
        key = (
            request.method,
            request.target,
            tuple(sorted(request.headers.items())) if request.headers else (),
            request.content,
            frozenset(answers),
        )
        shared = self._shared_scopes.join(key, scope)
        try:
            is_under_way = self._reads.is_under_way(key)
            if is_under_way:
                self._meter.coalesced(request.operation)
            sharing = self._reads.share(key, lambda: self._read(request, shared, answers), until=scope.deadline, seconds_left=left)
            if scope.trace is not None and (shared.trace is not scope.trace or is_under_way):
                with scope.trace.calling(self._source, request.operation, Way.SHARED):
                    return await sharing
            return await sharing
        except TimeoutError:
            raise self._noted(self._error(UpstreamTimeout, request.operation, "no answer in time")) from None
        finally:
            self._shared_scopes.leave(key, scope)

    async def _read(self, request: Request, scope: Scope, answers: Collection[int]) -> Response:
        """Send a read, and again where that may help and the budget of the source has it."""
        outcome, retries = await self._try(request, scope), 0
        while (pause := self._pause_before_retry(outcome, answers, retries, scope)) is not None:
            await self._sleep(pause)
            self._meter.retried(request.operation)
            outcome, retries = await self._try(request, scope), retries + 1
        if isinstance(outcome, UpstreamError):
            raise self._noted(outcome)
        if outcome.status not in answers:
            raise self._noted(self._refusal(request.operation, outcome))
        return outcome

    def _pause_before_retry(self, outcome: _Outcome, answers: Collection[int], retries: int, scope: Scope) -> float | None:
        """Say how long to wait before another attempt; None: there is none, as this one is good, or none may help."""
        if isinstance(outcome, Response) and outcome.status in answers:
            return None
        failure = outcome.status if isinstance(outcome, Response) else outcome
        wait = self._retry_after(outcome) if isinstance(outcome, Response) else outcome.retry_after
        left = scope.seconds_left(self._clock) if wait is None else scope.patience(self._clock)
        pause = self._retries.delay(failure, done=retries, seconds_left=left, retry_after=wait)
        return pause if pause is not None and self._budget.take() else None

    async def _try(self, request: Request, scope: Scope) -> _Outcome:
        """Make one attempt at a read; with new credentials at once, where the old ones were refused."""
        try:
            signature = self._signature_at_hand()
            if signature is None:
                signature = await self._sign(request, scope)
            response = await self._send(request, scope, signature)
            if response.status == _UNAUTHORIZED and self._credentials.reject(signature):
                response = await self._send(request, scope, await self._sign(request, scope))
        except UpstreamError as error:
            return error
        return response

    def write(self, request: Request, scope: Scope) -> Coroutine[Any, Any, Response]:
        """Send a write once; see `Upstream.write`."""
        if scope.trace is None:
            return self._write(request, scope)
        return self._traced_write(request, scope, scope.trace.anew())

    async def _traced_write(self, request: Request, scope: Scope, trace: Trace) -> Response:
        with trace.failures(self._source, request.operation):
            return await self._write(request, replace(scope, trace=trace))

    async def _write(self, request: Request, scope: Scope) -> Response:
        scope.calls.begin_wait(self._clock)
        try:
            response = await self._write_once(request, scope)
        except UpstreamError as error:
            self._noted(error)
            raise
        finally:
            scope.calls.end_wait(self._clock)
        if not response.is_success:
            self._noted(self._refusal(request.operation, response))
        return response

    async def _write_once(self, request: Request, scope: Scope) -> Response:
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
        """Make the error for an answer that cannot be read, and remember it."""
        error = MalformedAnswer(f"{request.operation}: {message}", source=self._source, operation=request.operation)
        self._noted(error)
        return error

    def _noted(self, error: UpstreamError) -> UpstreamError:
        """Remember an error that somebody is about to be told."""
        self._failures.note(error)
        self._meter.failed(error.operation, error.code)
        return error

    def _signature_at_hand(self) -> Mapping[str, str] | None:
        """Give what signs a call as things stand; None: it has to be waited for, or no call may be made."""
        return None if self._breaker.seconds_until_probe > 0 else self._credentials.at_hand()

    async def _sign(self, request: Request, scope: Scope) -> Mapping[str, str]:
        if (seconds := self._breaker.seconds_until_probe) > 0:  # at once: without a token, a pause or a wait in the queue
            raise self._circuit_open(request, seconds)
        if (at_hand := self._credentials.at_hand()) is not None:
            return at_hand
        if scope.trace is not None and self._credentials.is_renewing:
            with scope.trace.anew().calling(self._source, TOKEN_OPERATION, Way.SHARED):
                return await self._sign_in(request, scope)
        mark = _SIGNING_IN.set(scope)
        try:
            return await self._sign_in(request, scope)
        finally:
            _SIGNING_IN.reset(mark)

    async def _sign_in(self, request: Request, scope: Scope) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(max(0, scope.seconds_left(self._clock))):
                return await self._credentials.headers()
        except TimeoutError:
            raise self._error(UpstreamTimeout, request.operation, "no time was left to sign in", nothing_sent=True) from None
        except TokenTooSoon as early:
            message = "signing in must wait: it was asked for too often"
            raise self._error(UpstreamRateLimited, TOKEN_OPERATION, message, retry_after=early.retry_after, nothing_sent=True) from None
        except TokenRefused as refused:
            if refused.malformed:
                raise self._error(MalformedAnswer, TOKEN_OPERATION, "the token cannot be read", nothing_sent=True) from None
            raise self._error(
                UpstreamAuthFailed, TOKEN_OPERATION, "signing in was refused", retry_after=refused.retry_after, nothing_sent=True
            ) from None

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
        response = await self._exchange_token(wire_request, _SIGNING_IN.get())
        if response.status == _TOO_MANY or response.status >= 500:  # noqa: PLR2004  (5xx)
            raise self._refusal(TOKEN_OPERATION, response)
        return response

    async def _exchange_token(self, wire_request: WireRequest, scope: Scope | None) -> Response:
        """Exchange a call for a token; `scope` None: nobody waits for it, the last one serves still."""
        if scope is not None:
            scope.calls.made += 1
            if scope.trace is not None:
                return await self._traced_exchange(TOKEN_OPERATION, wire_request, scope.trace.anew())
        return await self._exchange(TOKEN_OPERATION, wire_request)

    async def _send(self, request: Request, scope: Scope, signature: Mapping[str, str]) -> Response:
        """Make one call, once gate, queue and breaker let it pass. What fails before has sent nothing."""
        while True:
            if self._gate.seconds_left > 0:
                await self._pass_gate(request, scope)
            if not self._bulkhead.take(scope.request_id):
                await self._wait_for_slot(request, scope)
            try:
                if self._gate.seconds_left > 0:  # it was closed while this call waited for its slot
                    continue
                return await self._guarded(request, self._wire_request(request, scope, signature), scope)
            finally:
                self._bulkhead.leave(scope.request_id)

    def _wire_request(self, request: Request, scope: Scope, signature: Mapping[str, str]) -> WireRequest:
        left = scope.seconds_left(self._clock)
        if left <= 0:
            raise self._no_time(request)
        content = request.content
        headers = {**self._headers, **request.headers, **signature}
        if content is not None:
            headers["content-type"] = "application/json; charset=utf-8"
        # Who shares a call leaves when its own time is up; the call is not cut for others who may join it.
        longest = self._settings.timeout_seconds if isinstance(scope, SharedScope) else min(self._settings.timeout_seconds, left)
        return WireRequest(
            method=request.method,
            url=self._base_url + request.target,
            headers=headers,
            content=content,
            timeout_seconds=longest,
            connect_timeout_seconds=self._settings.connect_timeout_seconds,
            max_answer_bytes=self._settings.max_answer_bytes,
        )

    async def _pass_gate(self, request: Request, scope: Scope) -> None:
        try:
            await self._gate.passed(scope.patience(self._clock))
        except GateClosed as closed:
            raise self._held(request, closed.seconds) from None

    async def _wait_for_slot(self, request: Request, scope: Scope) -> None:
        try:
            # Of a shared call each of those who wait for it goes when its own time is up; the last to go takes the call along.
            left = None if isinstance(scope, SharedScope) else max(0, scope.seconds_left(self._clock))
            await self._bulkhead.wait(scope.request_id, wait_seconds=left)
        except OutOfTime:
            raise self._no_time(request) from None
        except NoSlot as none:
            what = "too many requests wait for it" if isinstance(none, QueueFull) else "no call of this request got its turn in time"
            raise self._error(UpstreamOverloaded, request.operation, what, nothing_sent=True) from None

    async def _guarded(self, request: Request, wire_request: WireRequest, scope: Scope) -> Response:
        """Exchange a call that the breaker admits, and tell it how that went."""
        try:
            permit = self._breaker.admit()
        except BreakerOpen as refused:
            raise self._circuit_open(request, refused.seconds_until_probe) from None
        scope.calls.made += 1
        try:
            if scope.trace is None:
                response = await self._exchange(request.operation, wire_request)
            else:
                response = await self._traced_exchange(request.operation, wire_request, scope.trace)
        except MalformedAnswer:
            permit.succeeded()  # it answered
            raise
        except UpstreamError:
            permit.failed()
            raise
        else:
            self._judge(permit, response)
        finally:
            permit.abandoned()
        return response

    def _judge(self, permit: Permit, response: Response) -> None:
        if response.status >= 500:  # noqa: PLR2004  (5xx)
            permit.failed()
        else:
            permit.succeeded()
        if response.is_success:
            self._budget.note_success()
        if response.status in {_TOO_MANY, _UNAVAILABLE}:
            self._gate.close(self._retry_after(response) or 0)

    async def _traced_exchange(self, operation: str, wire_request: WireRequest, trace: Trace) -> Response:
        with trace.calling(self._source, operation) as call:
            if call.traceparent is not None:
                wire_request = replace(wire_request, headers={**wire_request.headers, "traceparent": call.traceparent})
            response = await self._exchange(operation, wire_request)
        code = None if response.is_success else self._refusal(operation, response).code
        call.answered(response.status, len(response.body), code)
        return response

    async def _exchange(self, operation: str, wire_request: WireRequest) -> Response:
        began_at = self._clock.monotonic()
        try:
            response = await self._wire.send(wire_request)
        except AnswerUnreadable as error:
            self._take_down(began_at, operation, MalformedAnswer.code, answered=True)
            raise self._error(MalformedAnswer, operation, str(error)) from None
        except WireError as error:
            kind = UpstreamTimeout if isinstance(error, WireTimeout) else UpstreamUnavailable
            self._take_down(began_at, operation, kind.code, answered=False)
            raise self._error(kind, operation, str(error), nothing_sent=error.nothing_sent) from None
        self._take_down(began_at, operation, self._code_of(operation, response), answered=response.status < 500)  # noqa: PLR2004  (5xx)
        return response

    def _code_of(self, operation: str, response: Response) -> str:
        """Name an answer as it is counted; that there is no such object may be what was asked."""
        if response.is_success:
            return "OK"
        return "NOT_FOUND" if response.status == _NOT_FOUND else self._refusal(operation, response).code

    def _take_down(self, began_at: float, operation: str, code: str, *, answered: bool) -> None:
        self._log.note(answered=answered)
        self._meter.called(operation, code, self._latencies.note(began_at))

    def _refusal(self, operation: str, response: Response) -> UpstreamError:
        """Make the error for an answer that was not hoped for."""
        status = response.status
        wait = self._retry_after(response)
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            return self._error(UpstreamAuthFailed, operation, f"it answered {status}")
        if status == _TOO_MANY:
            return self._error(UpstreamRateLimited, operation, "it answered 429", retry_after=wait)
        if operation == TOKEN_OPERATION and status < 500:  # noqa: PLR2004  (HTTP's own classes; so below)
            return self._error(UpstreamAuthFailed, operation, f"it answered {status}")
        if 400 <= status < 500:  # noqa: PLR2004
            return self._error(UpstreamRejected, operation, f"it answered {status}")
        if status >= 500:  # noqa: PLR2004
            return self._error(UpstreamUnavailable, operation, f"it answered {status}", retry_after=wait)
        meaning = "a redirect, which is not followed" if 300 <= status < 400 else "which its pages do not promise"  # noqa: PLR2004
        return self._error(MalformedAnswer, operation, f"it answered {status}, {meaning}")

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

    def _no_time(self, request: Request) -> UpstreamError:
        return self._error(UpstreamTimeout, request.operation, "no time was left for the call", nothing_sent=True)

    def _held(self, request: Request, seconds: float) -> UpstreamError:
        message = "it asked for a pause that is not over"
        return self._error(UpstreamRateLimited, request.operation, message, retry_after=seconds, nothing_sent=True)

    def _circuit_open(self, request: Request, seconds: float) -> UpstreamError:
        message = "it failed too often lately and is left alone for a while"
        return self._error(CircuitOpen, request.operation, message, retry_after=seconds, nothing_sent=True)

    def _error(
        self, kind: type[UpstreamError], operation: str, what: str, *, retry_after: float | None = None, nothing_sent: bool = False
    ) -> UpstreamError:
        return kind(f"{operation}: {what}", source=self._source, operation=operation, retry_after=retry_after, nothing_sent=nothing_sent)
