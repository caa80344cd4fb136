"""The way of a write over the journal: what a key that was used before is answered, who has to wait, and when nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.errors import JournalUnavailable, UpstreamTimeout, UpstreamUnavailable
from gateway.journal import Journal
from gateway.model import (
    AttemptState,
    CreateInvoice,
    Intent,
    MutationOutcome,
    UserErrorCode,
    Write,
)
from gateway.mutations import Story, WriteResult, Writes, native_id
from gateway.sources.base import Prepared, Refused, Response, Scope, Settled, Source, SourceSet
from tests.fakes import FakeClock, make_scope
from tests.mutations.stub import ABSENT, BEFORE, DONE, INVOICE, PREPARED, REQUEST, UNPROVEN, WRITE, StubSource

pytestmark = pytest.mark.anyio

INTENT = Intent(caller="billing", key="INV-1", mutation="createInvoiceFromOrder", source="src", input_hash="h", request_id="r1")
NO_ANSWER = UpstreamTimeout("Make: no answer", source="src", operation="Make")
REFUSED_CONNECTION = UpstreamUnavailable("Make: no connection", source="src", operation="Make", nothing_sent=True)


def numbered(number: str | None, *, allow_duplicate_number: bool = False) -> CreateInvoice:
    key = native_id("src", "billing", "x")
    return CreateInvoice(native_id=key, native_id_given=False, number=number, allow_duplicate_number=allow_duplicate_number)


class Desk:
    """A gateway: its writes over a journal, and the stub it writes to."""

    def __init__(self, journal: Journal, clock: FakeClock, stub: StubSource | None = None) -> None:
        self.journal = journal
        self.clock = clock
        self.stub = stub or StubSource()
        self.seconds = 30.0
        self.writes = Writes(journal, clock, settle_after_seconds=120, pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @property
    def sources(self) -> SourceSet:
        return SourceSet([cast("Source", self.stub)])

    def scope(self) -> Scope:
        return Scope(request_id="test", deadline=self.clock.monotonic() + self.seconds)

    async def call(self, intent: Intent = INTENT, write: Write = WRITE) -> WriteResult:
        earlier = await self.writes.earlier(intent, self.sources, self.scope())
        return earlier or await self.writes.run(cast("Source", self.stub), write, intent, self.scope())

    async def ask(self, key: str = "INV-1", caller: str = "billing") -> Story | None:
        return await self.writes.attempt(caller, key, self.sources, self.scope())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def journal(clock: FakeClock) -> AsyncIterator[Journal]:
    journal = Journal("sqlite://", now=clock.now)
    await journal.open()
    yield journal
    await journal.aclose()


@pytest.fixture
def desk(journal: Journal, clock: FakeClock) -> Desk:
    return Desk(journal, clock)


def codes(result: WriteResult | Story) -> list[UserErrorCode]:
    return [error.code for error in result.errors]


def without_attempt(result: WriteResult) -> WriteResult:
    return replace(result, attempt=None)


# ------------------------------------------------------------------ replay


async def test_a_key_that_was_applied_is_answered_from_the_journal(desk: Desk) -> None:
    first = await desk.call()
    again = await desk.call(replace(INTENT, request_id="r2"))

    assert (first.outcome, first.replayed) == (MutationOutcome.APPLIED, False)
    assert without_attempt(again) == replace(without_attempt(first), replayed=True)
    assert desk.stub.asked == ["prepare", "send", "settle"]
    assert again.attempt is not None
    assert (again.attempt.attempt.intent.request_id, again.attempt.attempt.result) == ("r1", INVOICE.ref)


@pytest.mark.parametrize("settled", [ABSENT, Settled(outcome=MutationOutcome.NOTHING_TO_DO)], ids=["rejected", "nothing to do"])
async def test_what_is_known_for_good_is_replayed_without_asking_the_source(desk: Desk, settled: Settled) -> None:
    desk.stub.settled = settled
    first, again = await desk.call(), await desk.call()
    assert (again.outcome, again.errors, again.replayed) == (first.outcome, first.errors, True)
    assert desk.stub.asked == ["prepare", "send", "settle"]


async def test_the_same_key_of_another_caller_is_another_key(desk: Desk) -> None:
    await desk.call()
    assert (await desk.call(replace(INTENT, caller="other"))).replayed is False
    assert desk.stub.asked.count("send") == 2


@pytest.mark.parametrize("other", [{"input_hash": "x"}, {"mutation": "createInvoice"}], ids=["input", "mutation"])
async def test_a_key_with_another_meaning_is_refused_and_sends_nothing(desk: Desk, other: dict[str, Any]) -> None:
    await desk.call()
    result = await desk.call(replace(INTENT, **other))
    assert (result.outcome, codes(result)) == (MutationOutcome.REJECTED, [UserErrorCode.IDEMPOTENCY_KEY_REUSED])
    assert result.errors[0].field == ("idempotencyKey",)
    assert desk.stub.asked.count("send") == 1


async def test_an_answer_whose_bodies_are_gone_keeps_outcome_and_what_was_made(desk: Desk, clock: FakeClock) -> None:
    await desk.call()
    clock.advance(31 * 86_400)
    await desk.journal.clean(keep_days=30, audit_days=2600)
    again = await desk.call()
    assert (again.outcome, again.replayed, again.request, again.record) == (MutationOutcome.APPLIED, True, None, None)
    assert again.attempt is not None
    assert again.attempt.attempt.result == INVOICE.ref


async def test_a_refusal_whose_answer_is_gone_says_so(desk: Desk, clock: FakeClock) -> None:
    desk.stub.answer = Response(400, {}, b"")
    await desk.call()
    clock.advance(31 * 86_400)
    await desk.journal.clean(keep_days=30, audit_days=2600)
    again = await desk.call()
    assert [error.message for error in again.errors] == ["it was refused; what was said is no longer kept"]


# ------------------------------------------------------------------ nothing was done


async def test_a_key_of_which_nothing_left_is_sent_the_next_time(desk: Desk) -> None:
    desk.stub.answer = REFUSED_CONNECTION
    assert (await desk.call()).outcome is MutationOutcome.NOT_APPLIED
    desk.stub.answer = Response(200, {}, b"")
    result = await desk.call()
    assert (result.outcome, result.replayed) == (MutationOutcome.APPLIED, False)


async def test_a_key_of_which_nothing_left_still_stands_for_its_input(desk: Desk) -> None:
    desk.stub.answer = REFUSED_CONNECTION
    await desk.call()
    assert codes(await desk.call(replace(INTENT, input_hash="x"))) == [UserErrorCode.IDEMPOTENCY_KEY_REUSED]


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_key_that_was_turned_away_is_sent_the_next_time(desk: Desk, status: int) -> None:
    desk.stub.answer = Response(status, {}, b"")
    first = await desk.call()
    assert (first.outcome, first.attempt and first.attempt.attempt.upstream_status) == (MutationOutcome.NOT_APPLIED, status)
    desk.stub.answer = Response(200, {}, b"")
    assert (await desk.call()).outcome is MutationOutcome.APPLIED


async def test_a_write_that_the_gateway_refuses_may_be_put_right_under_its_key(desk: Desk) -> None:
    desk.stub.prepared = Refused(ABSENT.errors)
    first = await desk.call()
    assert (first.outcome, first.attempt and first.attempt.attempt.sent_at) == (MutationOutcome.REJECTED, None)
    desk.stub.prepared = PREPARED
    assert (await desk.call(replace(INTENT, input_hash="put right"))).outcome is MutationOutcome.APPLIED


async def test_what_exists_already_is_given_with_the_refusal(desk: Desk) -> None:
    desk.stub.prepared = Refused(ABSENT.errors, existing=BEFORE)
    assert (await desk.call()).record == BEFORE


# ------------------------------------------------------------------ nobody knows


async def test_an_unknown_outcome_is_only_looked_at_by_the_same_key(desk: Desk) -> None:
    desk.stub.answer = NO_ANSWER
    assert (await desk.call()).outcome is MutationOutcome.UNKNOWN
    desk.stub.found = DONE
    result = await desk.call()
    assert (result.outcome, result.record, result.replayed) == (MutationOutcome.APPLIED, INVOICE, True)
    assert desk.stub.asked == ["prepare", "send", "look", "look"]


async def test_an_unknown_outcome_is_settled_by_asking_for_the_attempt(desk: Desk) -> None:
    desk.stub.answer = NO_ANSWER
    await desk.call()
    desk.stub.found = DONE
    story = await desk.ask()
    assert story is not None
    assert (story.attempt.outcome, story.attempt.result, story.errors) == (MutationOutcome.APPLIED, INVOICE.ref, ())
    assert (await desk.call()).record == INVOICE


async def test_absence_is_no_proof_before_the_time_is_over(desk: Desk, clock: FakeClock) -> None:
    desk.stub.answer, desk.stub.found = NO_ANSWER, ABSENT
    await desk.call()
    clock.advance(119)
    early = await desk.ask()
    clock.advance(1)
    late = await desk.ask()
    assert early is not None
    assert late is not None
    assert (early.attempt.outcome, codes(early)) == (MutationOutcome.UNKNOWN, [UserErrorCode.OUTCOME_UNKNOWN])
    assert (late.attempt.outcome, codes(late)) == (MutationOutcome.REJECTED, [UserErrorCode.UPSTREAM_REJECTED])
    assert "the source still does not have it 120 s later" in late.errors[0].message


async def test_the_time_after_which_absence_is_proof_can_become_another(desk: Desk, clock: FakeClock) -> None:
    desk.stub.answer, desk.stub.found = NO_ANSWER, ABSENT
    await desk.call()
    desk.writes.settle_after(30)
    clock.advance(30)
    story = await desk.ask()
    assert story is not None
    assert story.attempt.outcome is MutationOutcome.REJECTED


async def test_what_has_begun_by_now_is_waited_for_and_nothing_later(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    desk = Desk(journal, clock, slow)
    await desk.writes.settled()
    call = asyncio.ensure_future(desk.call())
    await slow.reached.wait()
    waiting = asyncio.ensure_future(desk.writes.settled())
    await asyncio.sleep(0)
    was_done = waiting.done()
    slow.go.set()
    await waiting
    assert (was_done, (await call).outcome) == (False, MutationOutcome.APPLIED)


async def test_a_look_that_cannot_prove_absence_never_settles(desk: Desk, clock: FakeClock) -> None:
    desk.stub.answer, desk.stub.found = NO_ANSWER, UNPROVEN
    await desk.call()
    clock.advance(10 * 86_400)
    story = await desk.ask()
    assert story is not None
    assert (story.attempt.outcome, story.errors) == (MutationOutcome.UNKNOWN, UNPROVEN.errors)


async def test_a_key_that_was_never_used_has_no_attempt(desk: Desk) -> None:
    assert await desk.ask("never") is None


async def test_an_attempt_at_a_source_that_the_caller_may_not_see_does_not_exist(desk: Desk) -> None:
    await desk.call()
    assert await desk.writes.attempt("billing", "INV-1", SourceSet([]), make_scope()) is None


async def test_an_operator_may_say_what_no_look_could_tell(desk: Desk) -> None:
    desk.stub.answer = NO_ANSWER
    await desk.call()
    (attempt,) = await desk.writes.unsettled()
    story = await desk.writes.settle_by_hand(attempt, applied=False)
    assert (story.attempt.outcome, await desk.writes.unsettled()) == (MutationOutcome.REJECTED, [])
    assert (await desk.call()).errors[0].message == "an operator looked at the source and found that it was not done"


# ------------------------------------------------------------------ in flight, and left behind


class _Slow(StubSource):
    """Stands still while it sends, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def send(self, prepared: Prepared, scope: Scope) -> Response:
        self.reached.set()
        await self.go.wait()
        return await super().send(prepared, scope)


async def test_a_key_in_flight_is_answered_at_once_and_not_sent(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    desk = Desk(journal, clock, slow)
    first = asyncio.ensure_future(desk.call())
    await slow.reached.wait()

    second = await desk.call()
    assert (second.outcome, codes(second)) == (MutationOutcome.UNKNOWN, [UserErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT])
    assert second.attempt is not None
    assert second.attempt.attempt.outcome is None

    slow.go.set()
    assert (await first).outcome is MutationOutcome.APPLIED
    assert slow.asked.count("send") == 1


async def test_a_write_goes_on_and_is_settled_when_its_caller_leaves(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    desk = Desk(journal, clock, slow)
    call = asyncio.ensure_future(desk.call())
    await slow.reached.wait()
    call.cancel()
    await asyncio.wait([call])
    slow.go.set()
    await desk.writes.aclose()
    story = await desk.ask()
    assert story is not None
    assert story.attempt.outcome is MutationOutcome.APPLIED


async def test_what_a_dead_process_was_about_to_send_is_looked_at_and_never_sent(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    dead = Desk(journal, clock, slow)
    call = asyncio.ensure_future(dead.call())
    await slow.reached.wait()
    clock.advance(11)

    alive = Desk(journal, clock, StubSource(found=DONE))
    result = await alive.call()
    assert (result.outcome, alive.stub.asked) == (MutationOutcome.APPLIED, ["look"])
    call.cancel()


async def test_what_a_dead_process_had_only_received_is_sent_by_the_next(journal: Journal, clock: FakeClock, desk: Desk) -> None:
    await journal.receive(INTENT)
    clock.advance(11)
    assert (await desk.call()).outcome is MutationOutcome.APPLIED


async def test_what_a_dead_process_had_only_received_is_told_as_not_applied(journal: Journal, clock: FakeClock, desk: Desk) -> None:
    await journal.receive(INTENT)
    clock.advance(11)
    story = await desk.ask()
    assert story is not None
    assert (story.attempt.outcome, desk.stub.asked) == (MutationOutcome.NOT_APPLIED, [])


async def test_who_was_taken_for_dead_sends_nothing_when_it_goes_on(journal: Journal, clock: FakeClock) -> None:
    class Sleeper(StubSource):
        async def prepare(self, write: Write, scope: Scope) -> Prepared | Refused | Any:  # noqa: ANN401  (as the stub's)
            clock.advance(11)
            assert (await Desk(journal, clock).call()).outcome is MutationOutcome.APPLIED
            return await super().prepare(write, scope)

    sleeper = Sleeper()
    result = await Desk(journal, clock, sleeper).call()
    assert (result.outcome, codes(result)) == (MutationOutcome.UNKNOWN, [UserErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT])
    assert sleeper.asked == ["prepare"]


# ------------------------------------------------------------------ one target, one write at a time


async def test_another_write_to_the_same_target_waits_for_the_first(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    first = asyncio.ensure_future(Desk(journal, clock, slow).call())
    await slow.reached.wait()
    waited: list[float] = []
    desk = Desk(journal, clock)

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        slow.go.set()
        await asyncio.wait([first])

    desk.writes = Writes(journal, clock, pause=pause)
    second = await desk.call(replace(INTENT, key="INV-2"))
    assert (second.outcome, waited) == (MutationOutcome.APPLIED, [0.1])
    assert [result.outcome for result in (await first, second)] == [MutationOutcome.APPLIED] * 2


async def test_a_write_whose_target_stays_busy_is_not_applied(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    first = asyncio.ensure_future(Desk(journal, clock, slow).call())
    await slow.reached.wait()
    desk = Desk(journal, clock)
    desk.seconds = 10
    busy = await desk.call(replace(INTENT, key="INV-2"))
    assert (busy.outcome, codes(busy)) == (MutationOutcome.NOT_APPLIED, [UserErrorCode.SOURCE_UNAVAILABLE])
    assert "another write to the same order, customer or invoice number is under way" in busy.errors[0].message
    assert desk.stub.asked == []
    slow.go.set()
    await first


async def test_who_waits_for_another_write_waits_for_an_upstream(journal: Journal, clock: FakeClock) -> None:
    slow = _Slow()
    first = asyncio.ensure_future(Desk(journal, clock, slow).call())
    await slow.reached.wait()
    desk, began_at = Desk(journal, clock), clock.monotonic()
    scope = Scope(request_id="test", deadline=began_at + 10)
    await desk.writes.run(cast("Source", desk.stub), WRITE, replace(INTENT, key="INV-2"), scope)

    assert scope.calls.waited_seconds == pytest.approx(clock.monotonic() - began_at)
    assert scope.calls.waited_seconds == pytest.approx(5, abs=0.2)
    slow.go.set()
    await first


async def test_a_write_is_told_with_its_outcome_and_a_replay_is_not(journal: Journal, clock: FakeClock) -> None:
    told: list[tuple[str, str]] = []
    desk = Desk(journal, clock)
    desk.writes = Writes(journal, clock, written=lambda source, outcome: told.append((source, outcome)))
    results = [await desk.writes.run(cast("Source", desk.stub), WRITE, INTENT, desk.scope()) for _ in range(2)]

    assert [result.replayed for result in results] == [False, True]
    assert told == [(desk.stub.profile.key, "APPLIED")]


async def test_a_target_whose_last_write_is_unknown_is_looked_at_and_then_free(desk: Desk) -> None:
    desk.stub.answer = NO_ANSWER
    await desk.call()
    desk.stub.answer, desk.stub.found = Response(200, {}, b""), DONE
    assert (await desk.call(replace(INTENT, key="INV-2"))).outcome is MutationOutcome.APPLIED
    assert desk.stub.asked == ["prepare", "send", "look", "look", "prepare", "send", "settle"]


async def test_a_target_whose_last_write_stays_unknown_takes_no_other(desk: Desk) -> None:
    desk.stub.answer = NO_ANSWER
    await desk.call()
    blocked = await desk.call(replace(INTENT, key="INV-2"))
    assert (blocked.outcome, codes(blocked)) == (MutationOutcome.NOT_APPLIED, [UserErrorCode.SOURCE_UNAVAILABLE])
    assert blocked.errors[0].message == (
        "an earlier write to 17 may still be done, request r1: it must be settled first (look at order 17); "
        "nothing was sent, the same key may be used again"
    )
    assert desk.stub.asked.count("send") == 1


# ------------------------------------------------------------------ duplicate numbers


async def test_a_new_key_for_a_number_that_was_written_is_a_duplicate_and_shows_what_exists(desk: Desk) -> None:
    await desk.call(write=numbered("1042"))
    result = await desk.call(replace(INTENT, key="INV-2"), numbered("1042"))
    assert (result.outcome, codes(result), result.record) == (MutationOutcome.REJECTED, [UserErrorCode.DUPLICATE_NUMBER], INVOICE)
    assert result.errors[0].field == ("input", "number")
    assert desk.stub.asked.count("send") == 1


async def test_a_duplicate_that_is_wanted_is_written(desk: Desk) -> None:
    await desk.call(write=numbered("1042"))
    result = await desk.call(replace(INTENT, key="INV-2"), numbered("1042", allow_duplicate_number=True))
    assert result.outcome is MutationOutcome.APPLIED


@pytest.mark.parametrize("settled", [ABSENT], ids=["rejected"])
async def test_a_number_whose_write_was_refused_is_free(desk: Desk, settled: Settled) -> None:
    desk.stub.settled = settled
    await desk.call(write=numbered("1042"))
    desk.stub.settled = DONE
    assert (await desk.call(replace(INTENT, key="INV-2"), numbered("1042"))).outcome is MutationOutcome.APPLIED


async def test_a_dry_run_tells_of_a_duplicate_too_and_takes_nothing_down(desk: Desk) -> None:
    await desk.call(write=numbered("1042"))
    result = await desk.writes.dry_run(cast("Source", desk.stub), numbered("1042"), desk.scope())
    other = await desk.writes.dry_run(cast("Source", desk.stub), numbered("1043"), desk.scope())
    assert (codes(result), other.outcome, other.request) == ([UserErrorCode.DUPLICATE_NUMBER], MutationOutcome.VALIDATED, REQUEST)
    assert desk.stub.asked.count("send") == 1


# ------------------------------------------------------------------ a journal that fails


class _Failing(Journal):
    """A real journal whose database is taken away before a step."""

    before: str = ""

    async def _fail(self, step: str) -> None:
        if step == self.before:
            await self.aclose()

    async def receive(self, intent: Intent) -> Any:  # noqa: ANN401  (here and below: as the journal's)
        await self._fail("receive")
        return await super().receive(intent)

    async def send(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        await self._fail("send")
        return await super().send(*arguments, **named)

    async def settle(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        await self._fail("settle")
        return await super().settle(*arguments, **named)


@pytest.mark.parametrize("step", ["receive", "send"])
async def test_nothing_is_sent_when_the_journal_cannot_be_written(clock: FakeClock, step: str) -> None:
    journal = _Failing("sqlite://", now=clock.now)
    await journal.open()
    journal.before = step
    desk = Desk(journal, clock)
    result = await desk.call()
    assert (result.outcome, codes(result)) == (MutationOutcome.NOT_APPLIED, [UserErrorCode.SOURCE_UNAVAILABLE])
    assert result.errors[0].message == (
        "the journal cannot be written: it is closed; nothing was sent by this call: use the same key again, never a new one"
    )
    assert "send" not in desk.stub.asked


async def test_a_journal_that_cannot_be_read_sends_nothing_either(clock: FakeClock) -> None:
    journal = Journal("sqlite://", now=clock.now)
    await journal.open()
    await journal.aclose()
    desk = Desk(journal, clock)
    assert ((await desk.call()).outcome, desk.stub.asked) == (MutationOutcome.NOT_APPLIED, [])
    with pytest.raises(JournalUnavailable):
        await desk.ask()


async def test_what_is_proven_is_told_although_it_cannot_be_taken_down(clock: FakeClock) -> None:
    journal = _Failing("sqlite://", now=clock.now)
    await journal.open()
    journal.before = "settle"
    result = await Desk(journal, clock).call()
    assert (result.outcome, result.record, result.attempt) == (MutationOutcome.APPLIED, INVOICE, None)


async def test_what_stays_sending_since_the_journal_failed_is_found_by_a_look(tmp_path: Any, clock: FakeClock) -> None:  # noqa: ANN401  (pytest's)
    state = f"sqlite:///{tmp_path}/journal.db"
    failing = _Failing(state, now=clock.now)
    await failing.open()
    failing.before = "settle"
    await Desk(failing, clock).call()

    journal = Journal(state, now=clock.now)
    await journal.open()
    found = await journal.find("billing", "INV-1")
    assert found is not None
    assert found.state is AttemptState.SENDING
    clock.advance(11)
    result = await Desk(journal, clock, StubSource(found=DONE)).call()
    assert (result.outcome, result.replayed) == (MutationOutcome.APPLIED, True)
    await journal.aclose()


async def test_a_personal_number_is_sent_and_neither_shown_nor_kept(desk: Desk) -> None:
    body = {"Id": 88, "Party": [{"Name": "Linnea", "ssn": "19121212-1212"}]}
    desk.stub.prepared = replace(PREPARED, request=replace(REQUEST, json=body))
    sent: list[object] = []
    send = desk.stub.send

    async def watched(prepared: Prepared, scope: Scope) -> Response:
        sent.append(prepared.request.json)
        return await send(prepared, scope)

    desk.stub.send = watched  # type: ignore[method-assign]  # to see what goes out
    result, again = await desk.call(), await desk.call()

    assert sent == [body]
    shown = {"Id": 88, "Party": [{"Name": "Linnea"}]}
    assert [each.request and each.request.json for each in (result, again)] == [shown, shown]
