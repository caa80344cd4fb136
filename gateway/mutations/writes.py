"""Writes over a journal: one key, one write at the most, through timeouts, crashes and replicas.

A write is taken down before anything is asked, its targets are held, what is about to be sent is durable before the first byte
leaves, and it is sent once. From then on the key only looks. Whoever finds that an attempt changed under it sends nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gateway.errors import JournalUnavailable
from gateway.journal import Bodies, Journal
from gateway.model import (
    Attempt,
    AttemptQuery,
    AttemptState,
    CreateInvoice,
    Intent,
    MutationOutcome,
    Settlement,
    UserError,
    UserErrorCode,
    Write,
)
from gateway.mutations.flow import Sent, Story, WriteResult, prepare, refused, result_of, send_once, unanswered, validated
from gateway.mutations.mentions import mentioned
from gateway.mutations.personal import without_personal
from gateway.mutations.stored import dump, load
from gateway.sources.base import Claims, Clock, Prepared, Scope, Settled, Source, SourceSet

_LOG: Final = logging.getLogger("gateway")
_POLL_SECONDS: Final = 0.1
_SETTLE_TRIES: Final = 4
_NO_BODIES: Final = Bodies()

Pause = Callable[[float], Awaitable[None]]
Written = Callable[[str, str], None]
"""Told the source of a write that ended, and its outcome."""


class _TakenOver(Exception):
    """Another process works on the attempt, since this one was taken for dead; nothing may be sent here."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self.attempt = attempt


class Writes:
    """Carries out writes and tells what became of earlier ones. Shared by all requests."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        settle_after_seconds: float = 120,
        pause: Pause = asyncio.sleep,
        written: Written = lambda _source, _outcome: None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._settle_after = timedelta(seconds=settle_after_seconds)
        self._pause = pause
        self._written = written
        self._under_way: set[asyncio.Task[WriteResult]] = set()

    async def aclose(self) -> None:
        """Wait until every write that has begun is settled."""
        while self._under_way:
            await self.settled()

    async def settled(self) -> None:
        """Wait until the writes are settled that have begun by now."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def settle_after(self, seconds: float) -> None:
        """Take an absence for proof from now on so long after sending."""
        self._settle_after = timedelta(seconds=seconds)

    # ------------------------------------------------------------------ a write

    async def earlier(self, intent: Intent, sources: SourceSet, scope: Scope) -> WriteResult | None:
        """Answer a key that was used before; None: it may be used now. Sends nothing, and asks a source only what became of an UNKNOWN.

        The source of the intent does not matter here.
        """
        try:
            attempt = await self._journal.find(intent.caller, intent.key)
        except JournalUnavailable as error:
            return _unwritten(error)
        if attempt is None:
            return None
        try:
            return await self._answer(attempt, intent, sources.get(attempt.intent.source), scope)
        except JournalUnavailable as error:
            return _untold(attempt, error)

    async def dry_run(self, source: Source, write: Write, scope: Scope) -> WriteResult:
        """Say exactly what would be sent. Takes nothing down and uses up no key."""
        try:
            duplicate = await self._duplicate(source, write, source.claims(write), None)
        except JournalUnavailable as error:
            return _unwritten(error)
        if duplicate is not None:
            return duplicate
        prepared = await prepare(source, write, scope)
        return prepared if isinstance(prepared, WriteResult) else validated(without_personal(prepared, source.personal_fields))

    async def run(self, source: Source, write: Write, intent: Intent, scope: Scope) -> WriteResult:
        """Carry out a write under its key. Once begun it is settled, also when the caller leaves."""
        task = asyncio.ensure_future(self._run(source, write, intent, scope))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _run(self, source: Source, write: Write, intent: Intent, scope: Scope) -> WriteResult:
        result = await self._done(source, write, intent, scope)
        if not result.replayed:
            self._written(source.profile.key, result.outcome.value)
        return result

    async def _done(self, source: Source, write: Write, intent: Intent, scope: Scope) -> WriteResult:
        try:
            attempt, is_mine = await self._journal.receive(intent)
            if not is_mine:
                answer = await self._answer(attempt, intent, source, scope)
                return answer or _in_flight(attempt)
            return await self._carry_out(source, write, attempt, scope)
        except _TakenOver as taken:
            return _in_flight(taken.attempt)
        except JournalUnavailable as error:
            return _unwritten(error)

    async def _carry_out(self, source: Source, write: Write, attempt: Attempt, scope: Scope) -> WriteResult:
        claims, scope = source.claims(write), replace(scope, is_fresh=True)
        in_the_way = await self._hold(attempt, claims, source, scope) or await self._duplicate(source, write, claims, attempt.id)
        prepared = in_the_way or await prepare(source, write, scope)
        if isinstance(prepared, WriteResult):
            return await self._let_go(attempt, prepared)
        sending = await self._journal.send(
            attempt,
            body=dump(without_personal(prepared, source.personal_fields)),
            subject=prepared.subject,
            number=claims.number,
            result=prepared.result,
            mentions=mentioned(write, prepared),
        )
        if sending is None:
            raise _TakenOver(attempt)
        sent = await send_once(source, prepared, scope)
        return await self._conclude(sending, without_personal(prepared, source.personal_fields), sent)

    async def _hold(self, attempt: Attempt, claims: Claims, source: Source, scope: Scope) -> WriteResult | None:
        """Get hold of what the write is about; or say who has it, when that does not end in half of the time that is left."""
        end = self._clock.monotonic() + scope.seconds_left(self._clock) / 2
        while (holder := await self._journal.hold(attempt, claims.targets)) is not None:
            if holder.id == attempt.id:
                raise _TakenOver(holder)
            if _is_open(holder) and not holder.is_in_hand(self._clock.now()):
                story = await self.look_again(holder, source, scope)
                if not story.attempt.is_settled:
                    return _busy(_blocked_by(story))
            elif self._clock.monotonic() >= end:
                return _busy("another write to the same order, customer or invoice number is under way")
            else:
                await self._wait_for_other(scope)
        return None

    async def _wait_for_other(self, scope: Scope) -> None:
        """Give another write some time: it waits for its upstream, and so does this one."""
        scope.calls.begin_wait(self._clock)
        try:
            await self._pause(_POLL_SECONDS)
        finally:
            scope.calls.end_wait(self._clock)

    async def _duplicate(self, source: Source, write: Write, claims: Claims, attempt_id: int | None) -> WriteResult | None:
        if claims.number is None or not isinstance(write, CreateInvoice) or write.allow_duplicate_number:
            return None
        earlier = await self._journal.earlier(source.profile.key, claims.number, besides=attempt_id)
        if earlier is None:
            return None
        settled = load((await self._bodies(earlier)).settled or "", Settled)
        when = (earlier.sent_at or earlier.received_at).isoformat(timespec="seconds")
        message = f"this gateway has already written an invoice with the number {claims.number} to {source.profile.key}, at {when}"
        error = UserError(UserErrorCode.DUPLICATE_NUMBER, f"{message}; allowDuplicateNumber writes another", ("input", "number"))
        return WriteResult(outcome=MutationOutcome.REJECTED, errors=(error,), record=None if settled is None else settled.record)

    async def _let_go(self, attempt: Attempt, result: WriteResult) -> WriteResult:
        """Settle an attempt that is not sent; the key stays free."""
        settled = Settled(outcome=result.outcome, errors=result.errors)
        current = await self._journal.settle(attempt, Settlement(outcome=result.outcome, body=dump(settled)))
        if current.outcome is not result.outcome:
            raise _TakenOver(current)
        return replace(result, attempt=Story(current, result.errors))

    async def _conclude(self, attempt: Attempt, prepared: Prepared, sent: Sent) -> WriteResult:
        """Settle an attempt that was sent. What is proven stands, also where it cannot be taken down: a later look finds it again."""
        result = result_of(prepared, sent.settled, left=sent.left)
        settlement = _settlement(prepared, sent.settled, sent.status)
        for tried in range(1, _SETTLE_TRIES + 1):
            try:
                current = await self._settle(attempt, settlement)
            except JournalUnavailable as error:
                _LOG.warning("request %s: attempt %d is not settled: %s", attempt.intent.request_id, attempt.id, error.message)
                await self._pause(_POLL_SECONDS * tried)
            else:
                is_ours = current.outcome is sent.settled.outcome
                return replace(result, attempt=Story(current, result.errors)) if is_ours else await self._replay(current)
        return result

    async def _settle(self, attempt: Attempt, settlement: Settlement) -> Attempt:
        """Settle an attempt that was sent, also over a look that proved nothing meanwhile; what is proven already stands."""
        current = await self._journal.settle(attempt, settlement)
        while not current.is_settled and settlement.outcome is not MutationOutcome.UNKNOWN:
            current = await self._journal.settle(current, settlement)
        return current

    # ------------------------------------------------------------------ an earlier one

    async def _answer(self, attempt: Attempt, intent: Intent, source: Source | None, scope: Scope) -> WriteResult | None:
        """Answer for a key that is taken; None: it may be used. `source` None: the caller may not see it, or it is gone."""
        now = self._clock.now()
        is_same = (attempt.intent.mutation, attempt.intent.input_hash) == (intent.mutation, intent.input_hash)
        if not is_same and not attempt.takes_other_input:
            return _reused(attempt)
        if attempt.may_be_taken_over(now):
            return None
        if attempt.is_in_hand(now):
            return _in_flight(attempt)
        if source is None:
            return _hidden(attempt)
        if not attempt.is_settled:
            attempt = (await self.look_again(attempt, source, scope)).attempt
        return await self._replay(attempt)

    async def _replay(self, attempt: Attempt) -> WriteResult:
        """Give the stored answer, as far as it is still kept."""
        bodies = await self._bodies(attempt)
        prepared = load(bodies.sent or "", Prepared)
        settled = load(bodies.settled or "", Settled) or Settled(outcome=attempt.outcome or MutationOutcome.UNKNOWN)
        return WriteResult(
            outcome=attempt.outcome or MutationOutcome.UNKNOWN,
            confirmation=settled.confirmation,
            errors=settled.errors or _forgotten(attempt),
            request=None if prepared is None else prepared.request,
            sent=attempt.sent_at is not None,
            replayed=True,
            record=settled.record,
            order=settled.order,
            previous=None if prepared is None else prepared.previous,
            attempt=Story(attempt, settled.errors or _forgotten(attempt)),
        )

    async def attempt(self, caller: str, key: str, sources: SourceSet, scope: Scope) -> Story | None:
        """Tell what became of a key, looking again where that is not known. None: it was never used, or for a source not among these."""
        found = await self._journal.find(caller, key)
        source = None if found is None else sources.get(found.intent.source)
        if found is None or source is None:
            return None
        if not found.is_settled and not found.is_in_hand(self._clock.now()):
            return await self.look_again(found, source, scope)
        return (await self._stories([found]))[0]

    async def attempts(self, query: AttemptQuery, *, before: int | None, size: int) -> list[Story]:
        """Tell of attempts, newest first; asks no source."""
        return await self._stories(await self._journal.attempts(query, before=before, size=size))

    async def unsettled(self) -> list[Attempt]:
        """Give the attempts of which nobody knows what became of them, oldest first."""
        return await self._journal.unsettled()

    async def look_again(self, attempt: Attempt, source: Source, scope: Scope) -> Story:
        """Find out what became of a write by looking; never sends. Absence is proof only some time after it was sent."""
        if attempt.state is AttemptState.RECEIVED:
            return await self._give_up(attempt)
        prepared = load((await self._bodies(attempt)).sent or "", Prepared)
        fresh = replace(scope, is_fresh=True)
        settled = _unreadable(attempt) if prepared is None else self._weigh(attempt, await source.look(prepared, fresh))
        current = await self._settle(attempt, _settlement(prepared, settled, attempt.upstream_status))
        if current.outcome is settled.outcome:
            return Story(current, settled.errors)
        return (await self._stories([current]))[0]

    async def settle_by_hand(self, attempt: Attempt, *, applied: bool) -> Story:
        """Take down what an operator found out where no look could tell; only of an attempt that is not settled."""
        outcome = MutationOutcome.APPLIED if applied else MutationOutcome.REJECTED
        error = UserError(UserErrorCode.UPSTREAM_REJECTED, "an operator looked at the source and found that it was not done")
        settled = Settled(outcome=outcome, errors=() if applied else (error,))
        current = await self._settle(attempt, Settlement(outcome=outcome, body=dump(settled)))
        return (await self._stories([current]))[0]

    async def _give_up(self, attempt: Attempt) -> Story:
        """Settle an attempt whose process stopped before it sent anything."""
        error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, "the gateway stopped before it was sent; the same key may be used again")
        settled = Settled(outcome=MutationOutcome.NOT_APPLIED, errors=(error,))
        current = await self._journal.settle(attempt, Settlement(outcome=settled.outcome, body=dump(settled)))
        return (await self._stories([current]))[0]

    def _weigh(self, attempt: Attempt, seen: Settled) -> Settled:
        if seen.outcome is not MutationOutcome.REJECTED:
            return seen
        waited = self._clock.now() - (attempt.sent_at or attempt.received_at)
        if waited < self._settle_after:
            return unanswered(seen, "it was sent and not answered")
        message = (
            f"it was sent and not answered, and the source still does not have it {int(waited.total_seconds())} s later: it was not done"
        )
        return replace(seen, errors=(UserError(UserErrorCode.UPSTREAM_REJECTED, message),))

    async def _stories(self, attempts: Sequence[Attempt]) -> list[Story]:
        bodies = await self._journal.bodies([attempt.id for attempt in attempts])
        return [Story(attempt, _errors_of(attempt, bodies)) for attempt in attempts]

    async def _bodies(self, attempt: Attempt) -> Bodies:
        return (await self._journal.bodies([attempt.id])).get(attempt.id, _NO_BODIES)


def _settlement(prepared: Prepared | None, settled: Settled, status: int | None) -> Settlement:
    made = None if prepared is None else prepared.result
    if settled.record is not None and settled.outcome is MutationOutcome.APPLIED:  # of a refusal it is what stands in the way
        made = settled.record.ref
    return Settlement(outcome=settled.outcome, upstream_status=status, result=made, body=dump(settled))


def _errors_of(attempt: Attempt, bodies: Mapping[int, Bodies]) -> tuple[UserError, ...]:
    settled = load(bodies.get(attempt.id, _NO_BODIES).settled or "", Settled)
    return (settled.errors if settled is not None else ()) or _forgotten(attempt)


def _is_open(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.SENDING or attempt.outcome is MutationOutcome.UNKNOWN


def _forgotten(attempt: Attempt) -> tuple[UserError, ...]:
    """Say something of a failure whose answer is no longer kept."""
    match attempt.outcome:
        case MutationOutcome.REJECTED:
            return (UserError(UserErrorCode.UPSTREAM_REJECTED, "it was refused; what was said is no longer kept"),)
        case MutationOutcome.UNKNOWN:
            return _unreadable(attempt).errors
        case _:
            return ()


def _unreadable(attempt: Attempt) -> Settled:
    about = "" if attempt.subject is None else f" at {attempt.subject}"
    message = f"it was sent and not answered, and what was sent is no longer known: look{about} in {attempt.intent.source} by hand"
    return Settled(outcome=MutationOutcome.UNKNOWN, errors=(UserError(UserErrorCode.OUTCOME_UNKNOWN, message),))


def _reused(attempt: Attempt) -> WriteResult:
    message = f"this key was used for another {attempt.intent.mutation}, or with other input: one key for each intent"
    error = UserError(UserErrorCode.IDEMPOTENCY_KEY_REUSED, message, ("idempotencyKey",))
    return replace(refused(error), attempt=Story(attempt))


def _hidden(attempt: Attempt) -> WriteResult:
    """Tell no more than the outcome of a write to a source that is gone, or that the caller may no longer see."""
    message = "this key was used for a source that is not there for you any more"
    errors = (UserError(UserErrorCode.FORBIDDEN, message, ("idempotencyKey",)),)
    return WriteResult(outcome=attempt.outcome or MutationOutcome.UNKNOWN, errors=errors, sent=attempt.sent_at is not None, replayed=True)


def _in_flight(attempt: Attempt) -> WriteResult:
    message = "a call with this key is under way; ask again with the same key, it sends nothing twice"
    errors = (UserError(UserErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT, message, ("idempotencyKey",)),)
    return WriteResult(outcome=MutationOutcome.UNKNOWN, errors=errors, attempt=Story(attempt))


def _busy(why: str) -> WriteResult:
    error = UserError(UserErrorCode.SOURCE_UNAVAILABLE, f"{why}; nothing was sent, the same key may be used again")
    return WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(error,))


def _blocked_by(story: Story) -> str:
    about = f" to {story.attempt.subject}" if story.attempt.subject else ""
    why = f" ({story.errors[0].message})" if story.errors else ""
    return f"an earlier write{about} may still be done, request {story.attempt.intent.request_id}: it must be settled first{why}"


def _untold(attempt: Attempt, error: JournalUnavailable) -> WriteResult:
    """Give what is known of an attempt when the journal can tell no more."""
    outcome = attempt.outcome or MutationOutcome.UNKNOWN
    code = UserErrorCode.OUTCOME_UNKNOWN if outcome is MutationOutcome.UNKNOWN else UserErrorCode.SOURCE_UNAVAILABLE
    errors = (UserError(code, f"{error.message}; this call sent nothing: ask again with the same key"),)
    return WriteResult(outcome=outcome, errors=errors, sent=attempt.sent_at is not None, replayed=True, attempt=Story(attempt, errors))


def _unwritten(error: JournalUnavailable) -> WriteResult:
    message = f"{error.message}; nothing was sent by this call: use the same key again, never a new one"
    return WriteResult(outcome=MutationOutcome.NOT_APPLIED, errors=(UserError(UserErrorCode.SOURCE_UNAVAILABLE, message),))
