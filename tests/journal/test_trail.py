"""What the journal tells later, and what it stops keeping."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.journal import Bodies, Cleaned, Forgotten, Journal
from gateway.model import Attempt, AttemptQuery, Kind, MutationOutcome, Ref, Settlement
from tests.fakes import FakeClock
from tests.journal.stage import LEASE_SECONDS, an_intent, received, sending, settled

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = 86_400.0
KNOWN = sorted(set(MutationOutcome) - {MutationOutcome.UNKNOWN})
INVOICE = Ref("shop", Kind.INVOICE, "42")


async def keys(journal: Journal, query: AttemptQuery, *, before: int | None = None, size: int = 100) -> list[str]:
    return [attempt.intent.key for attempt in await journal.attempts(query, before=before, size=size)]


# ------------------------------------------------------------------ an invoice number written before


@pytest.mark.parametrize("outcome", [MutationOutcome.APPLIED, MutationOutcome.UNKNOWN])
async def test_an_invoice_number_that_was_written_or_may_have_been_is_remembered(journal: Journal, outcome: MutationOutcome) -> None:
    attempt = await settled(journal, outcome=outcome, number="№ 5")

    assert await journal.earlier("shop", "№ 5") == attempt


async def test_an_invoice_number_that_is_about_to_be_written_counts(journal: Journal) -> None:
    attempt = await sending(journal, number="5")

    assert await journal.earlier("shop", "5") == attempt


@pytest.mark.parametrize("outcome", sorted(set(KNOWN) - {MutationOutcome.APPLIED}))
async def test_an_invoice_number_that_was_not_written_is_free(journal: Journal, outcome: MutationOutcome) -> None:
    await settled(journal, outcome=outcome, number="5")

    assert await journal.earlier("shop", "5") is None


async def test_the_newest_of_several_with_a_number_is_told_and_never_oneself(journal: Journal) -> None:
    first, second = await settled(journal, "first", number="5"), await settled(journal, "second", number="5")

    assert await journal.earlier("shop", "5") == second
    assert await journal.earlier("shop", "5", besides=second.id) == first
    assert await journal.earlier("pos", "5") is None
    assert await journal.earlier("shop", "6") is None


# ------------------------------------------------------------------ bodies


async def test_bodies_are_told_of_several_attempts_at_once(journal: Journal) -> None:
    first, second, third = await settled(journal, "first"), await sending(journal, "second"), await received(journal, "third")

    assert await journal.bodies([first.id, second.id, third.id, 999]) == {
        first.id: Bodies("sent by first", "answer to first"),
        second.id: Bodies("sent by second", None),
    }
    assert await journal.bodies([]) == {}


async def test_a_body_of_a_megabyte_comes_back_as_it_was(journal: Journal) -> None:
    body = '{"note": "naïve \\u0000 🧾"}' * 40_000
    attempt = await received(journal)

    await journal.send(attempt, body=body, subject=None, number=None, result=None)

    assert await journal.bodies([attempt.id]) == {attempt.id: Bodies(body, None)}


# ------------------------------------------------------------------ unsettled


async def test_unsettled_is_what_is_unknown_or_was_left_behind_on_its_way_oldest_first(journal: Journal, clock: FakeClock) -> None:
    left_behind = await sending(journal, "left behind")
    unknown = await settled(journal, "unknown", MutationOutcome.UNKNOWN)
    for outcome in KNOWN:
        await settled(journal, outcome, outcome)
    clock.advance(LEASE_SECONDS)
    await received(journal, "new")
    await sending(journal, "under way")

    assert await journal.unsettled() == [left_behind, unknown]


# ------------------------------------------------------------------ the trail


async def test_the_trail_is_told_newest_first_in_pages(journal: Journal) -> None:
    attempts = [await received(journal, f"key {number}") for number in range(5)]
    newest_first = attempts[::-1]

    everything = AttemptQuery()
    assert await journal.attempts(everything, before=None, size=2) == newest_first[:2]
    assert await journal.attempts(everything, before=newest_first[1].id, size=2) == newest_first[2:4]
    assert await journal.attempts(everything, before=newest_first[3].id, size=2) == newest_first[4:]
    assert await journal.attempts(everything, before=newest_first[4].id, size=2) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AttemptQuery(), ["pos", "unknown", "applied", "in flight"]),
        (AttemptQuery(sources=frozenset({"pos", "gone"})), ["pos"]),
        (AttemptQuery(sources=frozenset()), []),
        (AttemptQuery(caller="night job"), ["pos"]),
        (AttemptQuery(outcomes=frozenset({MutationOutcome.APPLIED, MutationOutcome.UNKNOWN})), ["unknown", "applied"]),
        (AttemptQuery(outcomes=frozenset()), []),
        (AttemptQuery(in_flight=True), ["pos", "in flight"]),
        (AttemptQuery(in_flight=False), ["unknown", "applied"]),
        (AttemptQuery(result=INVOICE), ["applied"]),
        (AttemptQuery(result=Ref("pos", Kind.INVOICE, "42")), []),
        (AttemptQuery(result=Ref("shop", Kind.ORDER, "42")), []),
        (AttemptQuery(since=NOW + timedelta(minutes=1)), ["pos", "unknown", "applied"]),
        (AttemptQuery(until=NOW + timedelta(minutes=1)), ["in flight"]),
        (AttemptQuery(since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=3)), ["unknown", "applied"]),
        (AttemptQuery(caller="billing", in_flight=False, outcomes=frozenset({MutationOutcome.UNKNOWN})), ["unknown"]),
    ],
)
async def test_a_query_tells_only_what_it_asks_for(journal: Journal, clock: FakeClock, query: AttemptQuery, expected: list[str]) -> None:
    await sending(journal, "in flight")
    clock.advance(60)
    await settled(journal, "applied", result=INVOICE)
    clock.advance(60)
    await settled(journal, "unknown", MutationOutcome.UNKNOWN)
    clock.advance(60)
    await journal.receive(an_intent("pos", caller="night job", source="pos"))

    assert await keys(journal, query) == expected


# ------------------------------------------------------------------ invoices made


async def test_invoices_made_are_told_oldest_first_with_their_bodies(journal: Journal) -> None:
    first = await settled(journal, "first", number="5", result=INVOICE)
    second = await settled(journal, "second", number="6", result=replace(INVOICE, native_id="43"))
    third = await settled(journal, "third", number="5", result=replace(INVOICE, native_id="44"))

    made = {attempt.id: (attempt, Bodies(f"sent by {key}", f"answer to {key}")) for attempt, key in ((first, "first"), (second, "second"))}
    assert await journal.made("shop", size=2) == [made[first.id], made[second.id]]
    assert [attempt for attempt, _ in await journal.made("shop", after=second.id)] == [third]
    assert [attempt for attempt, _ in await journal.made("shop", number="5")] == [first, third]
    assert [attempt for attempt, _ in await journal.made("shop", native_ids=["43", "44", "99"])] == [second, third]
    assert await journal.made("shop", native_ids=[]) == []
    assert await journal.made("pos") == []


async def test_invoices_made_are_told_by_what_they_are_about(journal: Journal) -> None:
    mentions = {"first": [("o", "1")], "second": [("o", "2"), ("c", "1")], "third": [("o", "1"), ("o", "2")]}
    first, second, third = [await settled(journal, key, result=INVOICE, mentions=about) for key, about in mentions.items()]

    assert [attempt for attempt, _ in await journal.made("shop", mention=("o", "1"))] == [first, third]
    assert [attempt for attempt, _ in await journal.made("shop", mention=("o", "2"))] == [second, third]
    assert await journal.made("shop", mention=("c", "2")) == []


async def test_what_was_written_under_a_former_key_of_a_source_is_its_own_after_adoption(journal: Journal) -> None:
    made = await settled(journal, "made", source="old", number="5", result=Ref("old", Kind.INVOICE, "42"))
    unknown = await received(journal, "unknown", source="old")
    assert await journal.hold(unknown, ["order/1"]) is None
    await journal.adopt("old", "shop")

    earlier = await journal.earlier("shop", "5")
    assert earlier is not None
    assert (earlier.id, earlier.result) == (made.id, INVOICE)
    assert [attempt.id for attempt, _ in await journal.made("shop")] == [made.id]
    in_the_way = await journal.hold(await received(journal, "next"), ["order/1"])
    assert in_the_way is not None
    assert in_the_way.id == unknown.id
    assert await journal.earlier("old", "5") is None


async def test_only_what_was_applied_made_an_invoice_and_has_its_body_counts_as_made(journal: Journal, clock: FakeClock) -> None:
    await settled(journal, "cleaned", result=INVOICE)
    clock.advance(31 * DAY)
    await journal.clean(keep_days=30, audit_days=2600)
    await settled(journal, "settings", result=Ref("shop", Kind.INVOICE_SETTINGS, "42"))
    await settled(journal, "nothing made")
    await journal.settle(await received(journal, "not sent"), Settlement(outcome=MutationOutcome.APPLIED, result=INVOICE, body="answer"))
    await sending(journal, "under way", result=INVOICE)
    for outcome in sorted(set(MutationOutcome) - {MutationOutcome.APPLIED}):
        await settled(journal, outcome, outcome, result=INVOICE)

    assert await journal.made("shop") == []


# ------------------------------------------------------------------ cleaning


@pytest.mark.parametrize("outcome", KNOWN)
async def test_bodies_are_kept_for_some_days_after_settling_and_the_key_for_good(
    journal: Journal, clock: FakeClock, outcome: MutationOutcome
) -> None:
    attempt = await settled(journal, outcome=outcome, subject="A-1", number="5", result=INVOICE)
    clock.advance(30 * DAY - 0.001)

    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=0, trails=0)
    clock.advance(0.001)
    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=1, trails=0)
    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=0, trails=0)

    assert await journal.bodies([attempt.id]) == {}
    assert await journal.attempts(AttemptQuery(), before=None, size=10) == [attempt]


async def test_when_the_trail_is_over_only_the_key_and_what_became_of_it_are_left(journal: Journal, clock: FakeClock) -> None:
    attempt = await settled(journal, subject="A-1", number="5", result=INVOICE)
    clock.advance(2600 * DAY)

    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=1, trails=1)
    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=0, trails=0)

    bare = replace(attempt, intent=replace(attempt.intent, request_id=""), subject=None, number=None, result=None)
    assert await journal.find("billing", "key") == bare
    assert await journal.receive(an_intent()) == (bare, False)
    assert await journal.attempts(AttemptQuery(), before=None, size=10) == []


async def test_a_key_that_is_used_again_after_its_trail_was_over_is_told_of_again(journal: Journal, clock: FakeClock) -> None:
    await settled(journal, outcome=MutationOutcome.NOT_APPLIED)
    clock.advance(2600 * DAY)
    await journal.clean(keep_days=30, audit_days=2600)

    again, is_mine = await journal.receive(an_intent(request_id="again"))

    assert is_mine
    assert await journal.attempts(AttemptQuery(), before=None, size=10) == [again]


async def test_what_is_unknown_or_in_flight_is_never_cleaned(journal: Journal, clock: FakeClock) -> None:
    unknown = await settled(journal, "unknown", MutationOutcome.UNKNOWN, subject="A-1", number="5", result=INVOICE, mentions=[("c", "7")])
    on_its_way = await sending(journal, "sending", subject="A-2", mentions=[("c", "7")])
    waiting = await received(journal, "received")
    clock.advance(1_000_000 * 60)

    assert await journal.clean(keep_days=0, audit_days=0) == Cleaned(bodies=0, trails=0)

    assert await journal.attempts(AttemptQuery(), before=None, size=10) == [waiting, on_its_way, unknown]
    assert await journal.bodies([unknown.id, on_its_way.id]) == {
        unknown.id: Bodies("sent by unknown", "answer to unknown"),
        on_its_way.id: Bodies("sent by sending", None),
    }
    assert (await journal.forget("shop", "7")).kept == (unknown, on_its_way)


async def test_days_count_from_when_an_unknown_outcome_became_known(journal: Journal, clock: FakeClock) -> None:
    unknown = await settled(journal, outcome=MutationOutcome.UNKNOWN)
    clock.advance(29 * DAY)
    await journal.settle(unknown, Settlement(outcome=MutationOutcome.APPLIED))
    clock.advance(29 * DAY)

    assert await journal.clean(keep_days=30, audit_days=2600) == Cleaned(bodies=0, trails=0)


async def test_writers_get_in_between_while_much_is_cleaned(journal: Journal, other: Journal, clock: FakeClock) -> None:
    for number in range(210):
        await journal.settle(await received(journal, f"old {number}"), Settlement(outcome=MutationOutcome.REJECTED, body="why"))
    clock.advance(31 * DAY)
    finished: list[str] = []

    async def clean() -> Cleaned:
        cleaned = await journal.clean(keep_days=30, audit_days=30)
        finished.append("clean")
        return cleaned

    async def write(writer: Journal, key: str) -> None:
        await received(writer, key)
        finished.append(key)

    cleaned, _, _ = await asyncio.gather(clean(), write(journal, "here"), write(other, "elsewhere"))

    assert cleaned == Cleaned(bodies=210, trails=210)
    assert finished[-1] == "clean"


# ------------------------------------------------------------------ forgetting


async def test_what_mentions_an_object_is_forgotten_and_what_mentions_others_is_kept(journal: Journal) -> None:
    about = await settled(journal, "about", subject="7", mentions=[("c", "7"), ("o", "5")])
    made = await settled(journal, "made", subject="A-1", result=replace(INVOICE, native_id="7"))
    others = await settled(journal, "others", subject="8", mentions=[("c", "8")])
    elsewhere = await settled(journal, "elsewhere", source="pos", subject="7", mentions=[("c", "7")])

    assert await journal.forget("shop", "7") == Forgotten(bodies=2, subjects=1, kept=())
    assert await journal.forget("shop", "7") == Forgotten(bodies=0, subjects=0, kept=())

    assert set(await journal.bodies([about.id, made.id, others.id, elsewhere.id])) == {others.id, elsewhere.id}
    assert await journal.attempts(AttemptQuery(), before=None, size=10) == [elsewhere, others, made, replace(about, subject=None)]


async def test_a_subject_is_forgotten_also_when_its_bodies_are_gone_already(journal: Journal, clock: FakeClock) -> None:
    attempt = await settled(journal, subject="7", mentions=[("c", "7")])
    clock.advance(31 * DAY)
    await journal.clean(keep_days=30, audit_days=2600)

    assert await journal.forget("shop", "7") == Forgotten(bodies=0, subjects=1, kept=())
    assert await journal.find("billing", "key") == replace(attempt, subject=None)


async def test_what_must_still_be_found_out_is_not_forgotten_and_said_to_be_kept(journal: Journal) -> None:
    kept: list[Attempt] = [
        await settled(journal, "unknown", MutationOutcome.UNKNOWN, subject="7", mentions=[("c", "7")]),
        await sending(journal, "sending", mentions=[("c", "7")]),
        await sending(journal, "making", result=replace(INVOICE, native_id="7")),
        await sending(journal, "named", subject="7"),
    ]
    await settled(journal, "unknown elsewhere", MutationOutcome.UNKNOWN, source="pos", mentions=[("c", "7")])

    assert await journal.forget("shop", "7") == Forgotten(bodies=0, subjects=0, kept=tuple(kept))
    assert len(await journal.bodies([attempt.id for attempt in kept])) == 4

    await journal.settle(kept[0], Settlement(outcome=MutationOutcome.APPLIED))
    assert await journal.forget("shop", "7") == Forgotten(bodies=1, subjects=1, kept=tuple(kept[1:]))
