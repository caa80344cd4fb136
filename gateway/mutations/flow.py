"""The way of a write: validate, send once, confirm, settle. It decides what an answer proves; a source only knows its dialect."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.errors import AbsenceUnproven, UpstreamError
from gateway.model import Confirmation, MutationOutcome, Record, UpstreamRefusal, UserError, UserErrorCode, Write
from gateway.sources.base import Prepared, Refused, Request, Response, Scope, Settled, Source

_TURNED_AWAY: Final = frozenset({401, 403, 429})
# A proxy's word that the source did not answer it in time, or not properly: the source may still be at work.
_FROM_BETWEEN: Final = frozenset({408, 502, 504})
_REFUSED_FOR_GOOD: Final = frozenset({400, 404, 405, 409, 410, 413, 415, 422})
_MAX_WAIT_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What became of a write. `sent`: whether `request` left, as far as anybody can know."""

    outcome: MutationOutcome
    confirmation: Confirmation | None = None
    errors: tuple[UserError, ...] = ()
    request: Request | None = None
    sent: bool = False
    replayed: bool = False
    record: Record | None = None
    order: Record | None = None
    previous: Record | None = None


def refused(*errors: UserError) -> WriteResult:
    """Give the result of a write that the gateway itself refuses; nothing was sent."""
    return WriteResult(outcome=MutationOutcome.REJECTED, errors=errors)


def not_applied(error: UpstreamError | AbsenceUnproven) -> WriteResult:
    """Give the result of a write that could not be made ready, since its source did not tell what it needs; nothing was sent."""
    return WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(_unavailable(error, "nothing was sent"),))


async def run_write(source: Source, write: Write, scope: Scope, *, dry_run: bool) -> WriteResult:
    """Carry out a write, or with `dry_run` say exactly what would be sent. Never sends twice, never raises an upstream error."""
    try:
        prepared = await source.prepare(write, scope)
    except (UpstreamError, AbsenceUnproven) as error:
        return not_applied(error)
    if isinstance(prepared, Refused):
        outcome = MutationOutcome.UNSUPPORTED if prepared.unsupported else MutationOutcome.REJECTED
        return WriteResult(outcome=outcome, errors=prepared.errors)
    if dry_run:
        return _result(prepared, Settled(outcome=MutationOutcome.VALIDATED, record=prepared.submitted), sent=False)
    return await _send(source, prepared, scope)


async def _send(source: Source, prepared: Prepared, scope: Scope) -> WriteResult:
    try:
        response = await source.send(prepared, scope)
    except UpstreamError as error:
        if error.nothing_sent:
            errors = (_unavailable(error, "nothing was sent; the same key may be used again"),)
            return _result(prepared, Settled(outcome=MutationOutcome.NOT_APPLIED, errors=errors), sent=False)
        return _result(prepared, _unanswered(await source.look(prepared, scope), error.message), sent=True)
    return _result(prepared, await _settle(source, prepared, response, scope), sent=True)


async def _settle(source: Source, prepared: Prepared, response: Response, scope: Scope) -> Settled:
    if response.is_success:
        return await source.settle(prepared, response, scope)
    if response.status in _TURNED_AWAY:
        errors = _refusals(source, response, UserErrorCode.SOURCE_UNAVAILABLE, _wait(response))
        return Settled(outcome=MutationOutcome.NOT_APPLIED, errors=errors)
    if response.status in _REFUSED_FOR_GOOD:
        return Settled(outcome=MutationOutcome.REJECTED, errors=_refusals(source, response, UserErrorCode.UPSTREAM_REJECTED))
    seen = await source.look(prepared, scope)
    if response.status in _FROM_BETWEEN:
        return _unanswered(seen, f"something between answered {response.status}")
    if seen.outcome is MutationOutcome.REJECTED:
        return Settled(outcome=MutationOutcome.REJECTED, errors=_refusals(source, response, UserErrorCode.UPSTREAM_REJECTED))
    return seen


def _unanswered(seen: Settled, what: str) -> Settled:
    """Weigh a look after a write that got no answer: absence proves nothing yet, the upstream may still be at work."""
    if seen.outcome is not MutationOutcome.REJECTED:
        return seen
    message = f"{what}; it is not there now, and may still come: look again before sending it under a new key"
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))


def _refusals(source: Source, response: Response, code: UserErrorCode, wait: str = "") -> tuple[UserError, ...]:
    return tuple(UserError(code, _sentence(refusal) + wait, None, refusal) for refusal in source.refusals(response))


def _sentence(refusal: UpstreamRefusal) -> str:
    return f"the source answered {refusal.status}" if refusal.message is None else "the source refused; see upstream"


def _wait(response: Response) -> str:
    """Say what Retry-After asks for: seconds, or until when (RFC 9110, 10.2.3); nothing where it cannot be read."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return f"; try again after {int(text)} s" if len(text) <= _MAX_WAIT_DIGITS else ""
    with suppress(ValueError):
        until = parsedate_to_datetime(text)
        return f"; try again after {until.replace(tzinfo=until.tzinfo or UTC).isoformat()}"
    return ""


def _unavailable(error: UpstreamError | AbsenceUnproven, consequence: str) -> UserError:
    seconds = error.extensions.get("retryAfter")
    wait = "" if seconds is None else f"; try again after {seconds} s"
    return UserError(UserErrorCode.SOURCE_UNAVAILABLE, f"{error.message}; {consequence}{wait}")


def _result(prepared: Prepared, settled: Settled, *, sent: bool) -> WriteResult:
    return WriteResult(
        outcome=settled.outcome,
        confirmation=settled.confirmation,
        errors=settled.errors,
        request=prepared.request,
        sent=sent,
        record=settled.record,
        order=settled.order,
        previous=prepared.previous,
    )
