"""The steps of a write: make ready, send once, confirm. It decides what an answer proves; a source only knows its dialect.

The order of the steps, and what is kept of them, is the business of `writes`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.errors import AbsenceUnproven, UpstreamError
from gateway.model import Attempt, Confirmation, MutationOutcome, Record, UpstreamRefusal, UserError, UserErrorCode, Write
from gateway.sources.base import Prepared, Refused, Request, Response, Scope, Settled, Source

_TURNED_AWAY: Final = frozenset({401, 403, 429})
# A proxy's word that the source did not answer it in time, or not properly: the source may still be at work.
_FROM_BETWEEN: Final = frozenset({408, 502, 504})
_REFUSED_FOR_GOOD: Final = frozenset({400, 404, 405, 409, 410, 413, 415, 422})
_MAX_WAIT_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Story:
    """An attempt as it stands, and what went wrong with it."""

    attempt: Attempt
    errors: tuple[UserError, ...] = ()


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
    attempt: Story | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What is proven of a write after it was to be sent. `left`: whether a byte of it may have; `status`: what was answered."""

    settled: Settled
    left: bool
    status: int | None = None


def refused(*errors: UserError) -> WriteResult:
    """Give the result of a write that the gateway itself refuses; nothing was sent."""
    return WriteResult(outcome=MutationOutcome.REJECTED, errors=errors)


def not_applied(error: UpstreamError | AbsenceUnproven) -> WriteResult:
    """Give the result of a write that could not be made ready, since its source did not tell what it needs; nothing was sent."""
    return WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(_unavailable(error, "nothing was sent"),))


async def prepare(source: Source, write: Write, scope: Scope) -> Prepared | WriteResult:
    """Make a write ready to be sent, or say why it must not be. Never raises an upstream error."""
    try:
        prepared = await source.prepare(write, scope)
    except (UpstreamError, AbsenceUnproven) as error:
        return not_applied(error)
    if isinstance(prepared, Refused):
        outcome = MutationOutcome.UNSUPPORTED if prepared.unsupported else MutationOutcome.REJECTED
        return WriteResult(outcome=outcome, errors=prepared.errors, record=prepared.existing)
    return prepared


def validated(prepared: Prepared) -> WriteResult:
    """Give the result of a dry run: exactly what would be sent."""
    return result_of(prepared, Settled(outcome=MutationOutcome.VALIDATED, record=prepared.submitted), left=False)


def result_of(prepared: Prepared, settled: Settled, *, left: bool) -> WriteResult:
    """Put together what was to be sent and what became of it."""
    return WriteResult(
        outcome=settled.outcome,
        confirmation=settled.confirmation,
        errors=settled.errors,
        request=prepared.request,
        sent=left,
        record=settled.record,
        order=settled.order,
        previous=prepared.previous,
    )


async def send_once(source: Source, prepared: Prepared, scope: Scope) -> Sent:
    """Send a write, once, and find out what became of it. Never raises an upstream error."""
    try:
        response = await source.send(prepared, scope)
    except UpstreamError as error:
        if error.nothing_sent:
            errors = (_unavailable(error, "nothing was sent; the same key may be used again"),)
            return Sent(Settled(outcome=MutationOutcome.NOT_APPLIED, errors=errors), left=False)
        return Sent(unanswered(await source.look(prepared, scope), error.message), left=True)
    return Sent(await _settle(source, prepared, response, scope), left=True, status=response.status)


async def _settle(source: Source, prepared: Prepared, response: Response, scope: Scope) -> Settled:
    if response.is_success:
        return await source.settle(prepared, response, scope)
    if response.status in _TURNED_AWAY:
        errors = _refusals(source, response, UserErrorCode.SOURCE_UNAVAILABLE, _wait(response))
        return Settled(outcome=MutationOutcome.NOT_APPLIED, errors=errors)
    if response.status in _REFUSED_FOR_GOOD:
        errors = _refusals(source, response, UserErrorCode.UPSTREAM_REJECTED)
        found = await source.conflict(prepared, scope) or Refused(())
        return Settled(outcome=MutationOutcome.REJECTED, errors=errors + found.errors, record=found.existing)
    seen = await source.look(prepared, scope)
    if response.status in _FROM_BETWEEN:
        return unanswered(seen, f"something between answered {response.status}")
    if seen.outcome is MutationOutcome.REJECTED:
        return Settled(outcome=MutationOutcome.REJECTED, errors=_refusals(source, response, UserErrorCode.UPSTREAM_REJECTED))
    return seen


def unanswered(seen: Settled, what: str) -> Settled:
    """Weigh a look after a write that got no answer: absence proves nothing yet, the upstream may still be at work."""
    if seen.outcome is not MutationOutcome.REJECTED:
        return seen
    message = f"{what}; it is not there now, and may still come: look again before sending it under a new key"
    why = f" ({seen.errors[0].message})" if seen.errors else ""
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message + why),), order=seen.order)


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
