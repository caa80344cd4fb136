"""The way of an attempt: received, held, sent, settled; and that of several processes one alone goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.journal import Bodies, Journal
from gateway.model import Attempt, AttemptState, Intent, Kind, MutationOutcome, Ref, Settlement
from tests.fakes import FakeClock
from tests.journal.stage import LEASE_SECONDS, Opener, an_intent, received, sending, settled

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=LEASE_SECONDS)
KNOWN = sorted(set(MutationOutcome) - {MutationOutcome.UNKNOWN})


# ------------------------------------------------------------------ receiving


async def test_a_key_that_was_never_used_is_not_found(journal: Journal) -> None:
    assert await journal.find("billing", "key") is None


async def test_whoever_first_comes_with_a_key_has_it_for_a_lease(journal: Journal, other: Journal) -> None:
    attempt, is_mine = await journal.receive(an_intent())

    expected = Attempt(
        id=attempt.id,
        revision=1,
        intent=an_intent(),
        state=AttemptState.RECEIVED,
        received_at=NOW,
        lease_until=NOW + LEASE,
    )
    assert (attempt, is_mine) == (expected, True)
    assert await other.find("billing", "key") == expected


async def test_whoever_comes_second_gets_the_attempt_that_is_there(journal: Journal, other: Journal) -> None:
    first = await received(journal)

    assert await journal.receive(an_intent(request_id="again")) == (first, False)
    assert await other.receive(an_intent(input_hash="another")) == (first, False)


async def test_callers_do_not_share_their_keys(journal: Journal) -> None:
    mine, _ = await journal.receive(an_intent(caller="billing"))
    theirs, is_theirs = await journal.receive(an_intent(caller="night job"))

    assert is_theirs
    assert mine.id != theirs.id


async def test_of_twenty_who_come_at_once_with_one_key_exactly_one_has_it(journal: Journal, other: Journal) -> None:
    answers = await asyncio.gather(*(each.receive(an_intent()) for each in (journal, other) * 10))

    assert sorted(is_mine for _, is_mine in answers) == [False] * 19 + [True]
    assert len({attempt.id for attempt, _ in answers}) == 1


async def test_a_key_and_a_caller_of_255_characters_of_any_language_come_back_as_they_are(journal: Journal) -> None:
    intent = an_intent("é" * 254 + "🧾", caller="ж" * 255)

    await journal.receive(intent)

    found = await journal.find(intent.caller, intent.key)
    assert found is not None
    assert found.intent == intent


async def test_an_attempt_whose_process_died_before_sending_is_taken_over_by_the_same_input(
    journal: Journal, other: Journal, clock: FakeClock
) -> None:
    first = await received(journal)
    clock.advance(LEASE_SECONDS)

    taken, is_mine = await other.receive(an_intent(request_id="second"))

    later = NOW + LEASE
    intent = an_intent(request_id="second")
    assert is_mine
    assert taken == replace(first, revision=2, intent=intent, received_at=later, lease_until=later + LEASE)


async def test_until_its_lease_is_over_an_attempt_is_nobody_elses(journal: Journal, other: Journal, clock: FakeClock) -> None:
    first = await received(journal)
    clock.advance(LEASE_SECONDS - 0.001)

    assert await other.receive(an_intent()) == (first, False)


@pytest.mark.parametrize(
    "intent",
    [an_intent(input_hash="another"), an_intent(mutation="setInvoiceSettings"), an_intent(source="pos")],
    ids=["input", "mutation", "source"],
)
async def test_an_attempt_whose_process_died_is_not_taken_over_by_something_else(
    journal: Journal, clock: FakeClock, intent: Intent
) -> None:
    first = await received(journal)
    clock.advance(LEASE_SECONDS)

    assert await journal.receive(intent) == (first, False)


async def test_of_ten_who_would_take_over_at_once_exactly_one_does(journal: Journal, other: Journal, clock: FakeClock) -> None:
    await received(journal)
    clock.advance(LEASE_SECONDS)

    answers = await asyncio.gather(*(each.receive(an_intent()) for each in (journal, other) * 5))

    assert sorted(is_mine for _, is_mine in answers) == [False] * 9 + [True]


async def test_a_write_that_was_not_applied_may_be_asked_for_again_and_nothing_of_the_first_is_left(
    journal: Journal, clock: FakeClock
) -> None:
    first = await sending(journal, subject="A-1", number="1", result=Ref("shop", Kind.INVOICE, "1"), mentions=[("c", "7")])
    outcome = MutationOutcome.NOT_APPLIED
    await journal.settle(first, Settlement(outcome=outcome, upstream_status=429, body="turned away"))
    clock.advance(1)

    again, is_mine = await journal.receive(an_intent())

    expected = Attempt(
        id=first.id,
        revision=4,
        intent=an_intent(),
        state=AttemptState.RECEIVED,
        received_at=NOW + timedelta(seconds=1),
        lease_until=NOW + timedelta(seconds=1) + LEASE,
    )
    assert (again, is_mine) == (expected, True)
    assert await journal.bodies([first.id]) == {}
    sent = await journal.send(again, body="second", subject=None, number=None, result=None, mentions=[("c", "7")])
    assert sent is not None
    assert await journal.bodies([first.id]) == {first.id: Bodies("second", None)}


async def test_a_write_that_was_not_applied_is_not_followed_by_another_input(journal: Journal) -> None:
    first = await settled(journal, outcome=MutationOutcome.NOT_APPLIED)

    assert await journal.receive(an_intent(input_hash="another")) == (first, False)


@pytest.mark.parametrize("outcome", [MutationOutcome.REJECTED, MutationOutcome.UNSUPPORTED, MutationOutcome.NOTHING_TO_DO])
async def test_what_the_gateway_itself_refused_may_be_put_right_under_the_same_key(journal: Journal, outcome: MutationOutcome) -> None:
    first = await received(journal)
    await journal.settle(first, Settlement(outcome=outcome, body="why"))

    better = an_intent(input_hash="better", source="pos", mutation="setInvoiceSettings")
    again, is_mine = await journal.receive(better)

    assert (again.intent, again.state, again.revision, is_mine) == (better, AttemptState.RECEIVED, 3, True)
    assert await journal.bodies([first.id]) == {}


@pytest.mark.parametrize("outcome", sorted(set(MutationOutcome) - {MutationOutcome.NOT_APPLIED}))
async def test_what_was_sent_is_never_taken_over(journal: Journal, clock: FakeClock, outcome: MutationOutcome) -> None:
    first = await settled(journal, outcome=outcome)
    clock.advance(1e6)

    assert await journal.receive(an_intent()) == (first, False)


async def test_what_may_be_on_its_way_is_never_taken_over_however_long_ago(journal: Journal, clock: FakeClock) -> None:
    first = await sending(journal)
    clock.advance(1e6)

    assert await journal.receive(an_intent()) == (first, False)


# ------------------------------------------------------------------ holding


async def test_a_target_that_is_held_is_told_with_who_holds_it(journal: Journal, other: Journal) -> None:
    first, second = await received(journal, "first"), await received(journal, "second")

    assert await journal.hold(first, ["order/1"]) is None
    assert await other.hold(second, ["order/1"]) == first


async def test_targets_of_two_sources_have_nothing_to_do_with_each_other(journal: Journal) -> None:
    here, there = await received(journal, "here"), await received(journal, "there", source="pos")

    assert await journal.hold(here, ["order/1"]) is None
    assert await journal.hold(there, ["order/1"]) is None


async def test_who_does_not_get_all_targets_holds_none(journal: Journal) -> None:
    first, second, third = [await received(journal, key) for key in ("first", "second", "third")]
    await journal.hold(first, ["number/5"])

    assert await journal.hold(second, ["customer/1", "number/5", "order/1"]) == first
    assert await journal.hold(third, ["customer/1", "order/1"]) is None


async def test_who_holds_a_target_may_ask_again_and_for_more(journal: Journal) -> None:
    first, second = await received(journal, "first"), await received(journal, "second")

    assert await journal.hold(first, ["order/1"]) is None
    assert await journal.hold(first, ["order/1", "order/2", "order/2"]) is None
    assert await journal.hold(first, []) is None
    assert await journal.hold(second, ["order/2"]) == first


async def test_holding_renews_the_lease_and_leaves_the_revision(journal: Journal, clock: FakeClock) -> None:
    attempt = await received(journal)
    clock.advance(5)

    await journal.hold(attempt, ["order/1"])

    assert await journal.find("billing", "key") == replace(attempt, lease_until=NOW + timedelta(seconds=15))


@pytest.mark.parametrize("outcome", KNOWN)
async def test_once_settled_an_attempt_holds_nothing(journal: Journal, outcome: MutationOutcome) -> None:
    first, second = await received(journal, "first"), await received(journal, "second")
    await journal.hold(first, ["order/1"])

    await journal.settle(first, Settlement(outcome=outcome))

    assert await journal.hold(second, ["order/1"]) is None


async def test_an_unknown_outcome_keeps_its_targets_until_it_is_known(journal: Journal, clock: FakeClock) -> None:
    first = await received(journal, "first")
    await journal.hold(first, ["order/1"])
    sent = await journal.send(first, body="", subject=None, number=None, result=None)
    assert sent is not None
    unknown = await journal.settle(sent, Settlement(outcome=MutationOutcome.UNKNOWN))
    clock.advance(1e6)
    second = await received(journal, "second")

    assert await journal.hold(second, ["order/1"]) == unknown
    await journal.settle(unknown, Settlement(outcome=MutationOutcome.APPLIED))
    assert await journal.hold(second, ["order/1"]) is None


async def test_what_may_be_on_its_way_keeps_its_targets_however_long_ago(journal: Journal, clock: FakeClock) -> None:
    first = await received(journal, "first")
    await journal.hold(first, ["order/1"])
    sent = await journal.send(first, body="", subject=None, number=None, result=None)
    clock.advance(1e6)

    assert await journal.hold(await received(journal, "second"), ["order/1"]) == sent


async def test_who_died_before_sending_loses_its_targets_and_can_no_longer_send(journal: Journal, other: Journal, clock: FakeClock) -> None:
    slow = await received(journal, "slow")
    await journal.hold(slow, ["order/1", "order/2"])
    clock.advance(LEASE_SECONDS)
    quick = await received(other, "quick")

    assert await other.hold(quick, ["order/1"]) is None

    later = NOW + LEASE
    broken = replace(slow, revision=2, state=AttemptState.SETTLED, outcome=MutationOutcome.NOT_APPLIED, settled_at=later)
    assert await journal.find("billing", "slow") == broken
    assert await journal.send(slow, body="", subject=None, number=None, result=None) is None
    assert await other.hold(quick, ["order/2"]) is None
    third = await received(other, "third")
    assert [await other.hold(third, [target]) for target in ("order/1", "order/2")] == [quick, quick]


async def test_a_lease_that_is_not_over_keeps_its_targets(journal: Journal, clock: FakeClock) -> None:
    slow = await received(journal, "slow")
    clock.advance(5)
    await journal.hold(slow, ["order/1"])
    clock.advance(LEASE_SECONDS - 0.001)
    quick = await received(journal, "quick")

    assert await journal.hold(quick, ["order/1"]) == replace(slow, lease_until=NOW + timedelta(seconds=5) + LEASE)


async def test_who_lost_the_attempt_is_told_so_and_holds_nothing(journal: Journal, other: Journal, clock: FakeClock) -> None:
    slow = await received(journal, "slow")
    clock.advance(LEASE_SECONDS)
    taken, _ = await other.receive(an_intent("slow"))

    assert await journal.hold(slow, ["order/1"]) == taken
    assert await journal.hold(await received(journal, "quick"), ["order/1"]) is None


async def test_who_takes_an_attempt_over_does_not_hold_its_targets_yet(journal: Journal, clock: FakeClock) -> None:
    await journal.hold(await received(journal, "slow"), ["order/1"])
    clock.advance(LEASE_SECONDS)
    await journal.receive(an_intent("slow"))

    assert await journal.hold(await received(journal, "quick"), ["order/1"]) is None


async def test_of_many_who_want_the_same_targets_in_any_order_exactly_one_gets_them(journal: Journal, other: Journal) -> None:
    attempts = [await received(journal, f"key {number}") for number in range(12)]
    orders = (["a", "b", "c"], ["c", "b", "a"], ["b", "a"])

    answers = await asyncio.gather(
        *((journal, other)[number % 2].hold(attempt, orders[number % 3]) for number, attempt in enumerate(attempts))
    )

    winners = {attempt.id for attempt, answer in zip(attempts, answers, strict=True) if answer is None}
    assert len(winners) == 1
    assert {answer.id for answer in answers if answer is not None} == winners


@pytest.mark.parametrize("target", ["number/" + "9" * 100_000, "number/\x00", "number/\ud800", "number/№ 5 ü"])
async def test_a_target_may_be_any_text(journal: Journal, target: str) -> None:
    first, second, third = [await received(journal, key) for key in ("first", "second", "third")]

    assert await journal.hold(first, [target]) is None
    assert await journal.hold(second, [target]) == first
    assert await journal.hold(third, [target + "9"]) is None


# ------------------------------------------------------------------ sending


async def test_what_is_about_to_be_sent_is_taken_down_for_every_process_to_see(journal: Journal, other: Journal, clock: FakeClock) -> None:
    attempt = await received(journal)
    clock.advance(3)
    result = Ref("shop", Kind.INVOICE, "77", hint="dropped")

    sent = await journal.send(attempt, body="POST", subject="order 5", number="A№ 1", result=result, mentions=[("c", "1"), ("c", "1")])

    later = NOW + timedelta(seconds=3)
    expected = replace(
        attempt,
        revision=2,
        state=AttemptState.SENDING,
        sent_at=later,
        lease_until=later + LEASE,
        subject="order 5",
        number="A№ 1",
        result=Ref("shop", Kind.INVOICE, "77"),
    )
    assert sent == expected
    found = await other.find("billing", "key")
    assert found == expected
    assert found is not None
    assert found.result is not None
    assert found.result.hint is None
    assert await other.bodies([attempt.id]) == {attempt.id: Bodies("POST", None)}


async def test_an_attempt_is_sent_once(journal: Journal) -> None:
    attempt = await received(journal)

    answers = await asyncio.gather(
        *(journal.send(attempt, body=str(number), subject=None, number=None, result=None) for number in range(5))
    )

    sent = [answer for answer in answers if answer is not None]
    assert len(sent) == 1
    again = await journal.send(sent[0], body="again", subject=None, number=None, result=None)
    assert again is None


async def test_who_lost_the_attempt_sends_nothing_and_takes_nothing_down(journal: Journal, other: Journal, clock: FakeClock) -> None:
    slow = await received(journal)
    clock.advance(LEASE_SECONDS)
    taken, _ = await other.receive(an_intent())

    assert await journal.send(slow, body="late", subject="late", number="1", result=None) is None
    assert await journal.find("billing", "key") == taken
    assert await journal.bodies([slow.id]) == {}


# ------------------------------------------------------------------ settling


async def test_how_it_ended_is_taken_down(journal: Journal, other: Journal, clock: FakeClock) -> None:
    sent = await sending(journal, subject="order 5", number="1")
    clock.advance(2)
    made = Ref("shop", Kind.INVOICE, "42")

    ended = await journal.settle(sent, Settlement(outcome=MutationOutcome.APPLIED, upstream_status=201, result=made, body="Created"))

    expected = replace(
        sent,
        revision=3,
        state=AttemptState.SETTLED,
        outcome=MutationOutcome.APPLIED,
        settled_at=NOW + timedelta(seconds=2),
        upstream_status=201,
        result=made,
    )
    assert ended == expected
    assert await other.find("billing", "key") == expected
    assert await other.bodies([sent.id]) == {sent.id: Bodies("sent by key", "Created")}


async def test_what_a_settlement_does_not_say_stays_as_it_is(journal: Journal) -> None:
    made = Ref("shop", Kind.INVOICE, "42")
    sent = await sending(journal, result=made)
    unknown = await journal.settle(sent, Settlement(outcome=MutationOutcome.UNKNOWN, upstream_status=500, body="Oh"))

    ended = await journal.settle(unknown, Settlement(outcome=MutationOutcome.REJECTED))

    assert (ended.upstream_status, ended.result) == (500, made)
    assert await journal.bodies([sent.id]) == {sent.id: Bodies("sent by key", "Oh")}


async def test_an_attempt_that_is_not_sent_is_settled_too_and_nothing_ever_left(journal: Journal) -> None:
    attempt = await received(journal)

    ended = await journal.settle(attempt, Settlement(outcome=MutationOutcome.REJECTED, body="why"))

    assert (ended.state, ended.outcome, ended.sent_at, ended.settled_at) == (AttemptState.SETTLED, MutationOutcome.REJECTED, None, NOW)
    assert await journal.bodies([attempt.id]) == {attempt.id: Bodies(None, "why")}


async def test_each_look_at_an_unknown_outcome_is_taken_down(journal: Journal, clock: FakeClock) -> None:
    unknown = await settled(journal, outcome=MutationOutcome.UNKNOWN)
    clock.advance(60)

    again = await journal.settle(unknown, Settlement(outcome=MutationOutcome.UNKNOWN, body="still"))

    assert again == replace(unknown, revision=4, settled_at=NOW + timedelta(seconds=60))


@pytest.mark.parametrize("outcome", KNOWN)
async def test_what_is_known_for_good_never_changes(journal: Journal, outcome: MutationOutcome) -> None:
    ended = await settled(journal, outcome=outcome)

    for wanted in MutationOutcome:
        assert await journal.settle(ended, Settlement(outcome=wanted, body="other")) == ended
    assert await journal.bodies([ended.id]) == {ended.id: Bodies("sent by key", "answer to key")}


async def test_who_settles_what_another_has_settled_meanwhile_is_given_what_stands(journal: Journal, other: Journal) -> None:
    sent = await sending(journal)
    theirs = await other.settle(sent, Settlement(outcome=MutationOutcome.UNKNOWN, body="theirs"))

    assert await journal.settle(sent, Settlement(outcome=MutationOutcome.APPLIED, body="mine")) == theirs
    assert await journal.bodies([sent.id]) == {sent.id: Bodies("sent by key", "theirs")}


async def test_of_many_who_settle_at_once_one_does_and_all_are_given_the_same(journal: Journal, other: Journal) -> None:
    sent = await sending(journal)
    outcomes = [MutationOutcome.APPLIED, MutationOutcome.REJECTED] * 4

    answers = await asyncio.gather(
        *((journal, other)[number % 2].settle(sent, Settlement(outcome=outcome)) for number, outcome in enumerate(outcomes))
    )

    assert {answer.revision for answer in answers} == {3}
    assert len({answer.outcome for answer in answers}) == 1


# ------------------------------------------------------------------ what a database does to values


async def test_instants_are_exact_to_the_microsecond_and_in_utc(opener: Opener) -> None:
    moment = datetime(2026, 3, 29, 3, 30, 0, 123_457, tzinfo=timezone(timedelta(hours=2)))
    opener.clock = FakeClock(moment)
    journal = await opener.open()

    await journal.receive(an_intent())

    found = await journal.find("billing", "key")
    assert found is not None
    assert found.received_at == moment
    assert found.received_at.isoformat() == "2026-03-29T01:30:00.123457+00:00"


async def test_a_caller_who_leaves_breaks_nothing_off(journal: Journal) -> None:
    for number in range(20):
        leaving = asyncio.ensure_future(journal.receive(an_intent(f"key {number}")))
        for _ in range(number):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])

    answers = [await journal.receive(an_intent(f"key {number}", request_id="again")) for number in range(20)]

    assert {attempt.state for attempt, _ in answers} == {AttemptState.RECEIVED}
    assert {attempt.revision for attempt, _ in answers} == {1}


async def test_a_journal_waits_for_what_is_under_way_before_it_closes(opener: Opener) -> None:
    journal = await opener.open()
    leaving = asyncio.ensure_future(journal.receive(an_intent()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await journal.aclose()

    again = await opener.open()
    assert await again.find("billing", "key") is not None
