"""Batching: what is asked in one tick becomes one batch a source, and every key gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AbsenceUnproven, AmbiguousLookup, LookupUnsupported, UpstreamUnavailable
from gateway.model import Customer, Invoice, Kind, Line, Order, Record, Ref
from gateway.sources.base import Answer, Fetch
from tests.loaders.memory_source import MemorySource, loaders_over

pytestmark = pytest.mark.anyio

MAKERS = {Kind.CUSTOMER: Customer, Kind.ORDER: Order, Kind.INVOICE: Invoice}
SOURCES = ("one", "two", "three")
KEYS = ("a", "b", "c", "d", "e", "absent", "broken")
REFS = st.builds(Ref, st.sampled_from((*SOURCES, "nowhere")), st.sampled_from(tuple(MAKERS)), st.sampled_from(KEYS))


def invoice(native_id: str, source: str = "one", number: str | None = None) -> Invoice:
    return Invoice(ref=Ref(source, Kind.INVOICE, native_id), native_type="Invoice", number=number)


def unavailable(source: str = "one") -> UpstreamUnavailable:
    return UpstreamUnavailable("it answered 503", source=source, operation="GetInvoice")


def source_of(*records: Record, key: str = "one") -> MemorySource:
    return MemorySource(key, {record.ref: record for record in records})


def full_source(key: str) -> MemorySource:
    """Make a source that has every kind under `a` to `e`, nothing under `absent`, and fails at `broken`."""
    records: dict[Ref, Record | Exception] = {}
    for kind, maker in MAKERS.items():
        for native_id in KEYS[:5]:
            records[Ref(key, kind, native_id)] = maker(ref=Ref(key, kind, native_id), native_type=kind.name)
        records[Ref(key, kind, "broken")] = unavailable(key)
    return MemorySource(key, records)


# ------------------------------------------------------------------ batches


async def test_keys_asked_at_once_are_one_batch_in_the_order_asked() -> None:
    source = source_of(invoice("1"), invoice("2"), invoice("3"))
    loaders = loaders_over(source)

    found = await asyncio.gather(*(loaders.load_record(Ref("one", Kind.INVOICE, key)) for key in ("3", "1", "2")))

    assert found == [invoice("3"), invoice("1"), invoice("2")]
    assert source.batches == [(Fetch.INVOICE, ("3", "1", "2"))]


async def test_a_key_asked_twice_is_asked_once_of_the_source() -> None:
    source = source_of(invoice("1"))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    at_once = await asyncio.gather(loaders.load_record(ref), loaders.load_record(ref))
    later = await loaders.load_record(ref)

    assert [*at_once, later] == [invoice("1")] * 3
    assert source.batches == [(Fetch.INVOICE, ("1",))]


async def test_a_key_that_comes_with_another_hint_is_the_same_key() -> None:
    source = source_of(Order(ref=Ref("one", Kind.ORDER, "1"), native_type="Order"))
    loaders = loaders_over(source)

    await asyncio.gather(
        loaders.load_record(Ref("one", Kind.ORDER, "1", hint="N-1")),
        loaders.load_record(Ref("one", Kind.ORDER, "1")),
    )

    assert source.batches == [(Fetch.ORDER, ("1",))]


async def test_all_sources_are_asked_at_the_same_time() -> None:
    meeting = asyncio.Barrier(2)
    sources = [MemorySource(key, {Ref(key, Kind.INVOICE, "1"): invoice("1", key)}, meeting=meeting) for key in ("one", "two")]
    loaders = loaders_over(*sources)

    async with asyncio.timeout(5):  # one after the other would never meet
        found = await asyncio.gather(*(loaders.load_record(Ref(key, Kind.INVOICE, "1")) for key in ("one", "two")))

    assert found == [invoice("1", "one"), invoice("1", "two")]


async def test_each_kind_of_thing_is_a_batch_of_its_own() -> None:
    line = Line(quantity=Decimal(1))
    invoice_ref, order_ref = Ref("one", Kind.INVOICE, "1"), Ref("one", Kind.ORDER, "1")
    source = MemorySource("one", {invoice_ref: invoice("1")}, {invoice_ref: (line,), order_ref: ()})
    loaders = loaders_over(source)

    found: list[object] = [
        *await asyncio.gather(loaders.load_record(invoice_ref), loaders.load_lines(invoice_ref), loaders.load_lines(order_ref))
    ]

    assert found == [invoice("1"), (line,), ()]
    assert sorted(source.batches) == [(Fetch.INVOICE, ("1",)), (Fetch.INVOICE_LINES, ("1",)), (Fetch.ORDER_LINES, ("1",))]


async def test_keys_of_a_source_that_is_not_there_are_answered_without_asking_anybody() -> None:
    source = source_of(invoice("1"))

    assert await loaders_over(source).load_record(Ref("elsewhere", Kind.INVOICE, "1")) is None
    assert source.batches == []


@given(st.lists(REFS, max_size=40))
async def test_any_mix_of_keys_is_answered_completely_in_order_and_each_key_is_asked_once(refs: list[Ref]) -> None:
    sources = {key: full_source(key) for key in SOURCES}
    loaders = loaders_over(*sources.values())

    answers = await asyncio.gather(*(loaders.load_record(ref) for ref in refs), return_exceptions=True)

    for ref, answer in zip(refs, answers, strict=True):
        if ref.native_id == "broken" and ref.source in SOURCES:
            assert isinstance(answer, UpstreamUnavailable)
            assert answer.source == ref.source
        elif ref.native_id == "absent" or ref.source not in SOURCES:
            assert answer is None
        else:
            assert answer == MAKERS[ref.kind](ref=ref, native_type=ref.kind.name)
    for key, source in sources.items():
        asked = [(fetch, native_id) for fetch, batch in source.batches for native_id in batch]
        fetch_of = {Kind.CUSTOMER: Fetch.CUSTOMER, Kind.ORDER: Fetch.ORDER, Kind.INVOICE: Fetch.INVOICE}
        assert sorted(asked) == sorted({(fetch_of[ref.kind], ref.native_id) for ref in refs if ref.source == key})
        assert len(source.batches) == len({ref.kind for ref in refs if ref.source == key})


# ------------------------------------------------------------------ failures


async def test_a_failure_is_raised_to_those_who_asked_for_that_key_only() -> None:
    failure = unavailable()
    source = MemorySource("one", {Ref("one", Kind.INVOICE, "1"): invoice("1"), Ref("one", Kind.INVOICE, "2"): failure})
    loaders = loaders_over(source)

    found = await asyncio.gather(*(loaders.load_record(Ref("one", Kind.INVOICE, key)) for key in "123"), return_exceptions=True)

    assert found == [invoice("1"), failure, None]


async def test_a_key_that_failed_fails_again_without_another_call() -> None:
    source = MemorySource("one", {Ref("one", Kind.INVOICE, "1"): unavailable()})
    loaders = loaders_over(source)

    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await loaders.load_record(Ref("one", Kind.INVOICE, "1"))

    assert source.batches == [(Fetch.INVOICE, ("1",))]


async def test_absence_that_is_not_proven_is_a_failure_and_not_nothing() -> None:
    unproven = AbsenceUnproven("it may be there", source="one", operation="GetInvoices")

    with pytest.raises(AbsenceUnproven):
        await loaders_over(MemorySource("one", {Ref("one", Kind.INVOICE, "1"): unproven})).load_record(Ref("one", Kind.INVOICE, "1"))


def _raises(refs: Sequence[Ref]) -> Sequence[Answer]:
    raise KeyError(refs[0].native_id)


def _too_few(refs: Sequence[Ref]) -> Sequence[Answer]:
    return [None] * (len(refs) - 1)


def _too_many(refs: Sequence[Ref]) -> Sequence[Answer]:
    return [None] * (len(refs) + 1)


@pytest.mark.parametrize(("bug", "raised"), [(_raises, KeyError), (_too_few, ValueError), (_too_many, ValueError)])
async def test_a_bug_in_one_source_is_the_problem_of_those_who_asked_that_source(bug: object, raised: type[Exception]) -> None:
    broken = MemorySource("one", bug=bug)  # type: ignore[arg-type]  # one of the three above
    loaders = loaders_over(broken, source_of(invoice("1", "two"), key="two"))

    found = await asyncio.gather(
        loaders.load_record(Ref("one", Kind.INVOICE, "1")),
        loaders.load_record(Ref("two", Kind.INVOICE, "1")),
        loaders.load_record(Ref("one", Kind.INVOICE, "2")),
        return_exceptions=True,
    )

    assert [type(found[0]), found[1], type(found[2])] == [raised, invoice("1", "two"), raised]


# ------------------------------------------------------------------ numbers


async def test_a_number_leads_to_the_one_object_that_has_it() -> None:
    source = source_of(invoice("1", number="F-1"), invoice("2", number="F-2"))

    assert await loaders_over(source).load_by_number(source, Kind.INVOICE, "F-2") == invoice("2", number="F-2")


async def test_a_number_that_nothing_has_leads_to_nothing() -> None:
    source = source_of(invoice("1", number="F-1"))

    assert await loaders_over(source).load_by_number(source, Kind.INVOICE, "F-9") is None
    assert await loaders_over(source).load_by_number(source, Kind.ORDER, "F-1") is None


async def test_a_number_that_several_objects_have_is_refused_with_their_ids() -> None:
    same = [invoice("1", number="F-1"), invoice("2", number="F-1")]
    source = source_of(*same)

    with pytest.raises(AmbiguousLookup) as refused:
        await loaders_over(source).load_by_number(source, Kind.INVOICE, "F-1")

    assert refused.value.message == "2 objects of one have this number"
    assert refused.value.ids == tuple(record.ref.global_id for record in same)
    assert (refused.value.source, refused.value.operation) == ("one", "find")


async def test_a_number_asked_twice_is_searched_once_and_a_failed_search_is_its_own_only() -> None:
    source = MemorySource(
        "one", {Ref("one", Kind.INVOICE, "1"): invoice("1", number="F-1"), Ref("one", Kind.INVOICE, "F-2"): unavailable()}
    )
    loaders = loaders_over(source)

    found = await asyncio.gather(*(loaders.load_by_number(source, Kind.INVOICE, n) for n in ("F-1", "F-2", "F-1")), return_exceptions=True)

    assert [found[0], type(found[1]), found[2]] == [invoice("1", number="F-1"), UpstreamUnavailable, invoice("1", number="F-1")]
    assert source.searches == ["F-1", "F-2"]


@pytest.mark.parametrize("error", [KeyError("a bug"), LookupUnsupported("no", source="one", operation="find")])
async def test_whatever_goes_wrong_in_a_search_reaches_the_one_who_searched(error: Exception) -> None:
    broken = MemorySource("one", {Ref("one", Kind.INVOICE, "F-1"): error})
    fine = source_of(invoice("1", "two", "F-1"), key="two")
    loaders = loaders_over(broken, fine)

    found: list[object] = [
        *await asyncio.gather(
            loaders.load_by_number(broken, Kind.INVOICE, "F-1"), loaders.load_by_number(fine, Kind.INVOICE, "F-1"), return_exceptions=True
        )
    ]

    assert found == [error, invoice("1", "two", "F-1")]


# ------------------------------------------------------------------ wanted attributes


async def test_attributes_wanted_in_one_tick_are_read_together() -> None:
    source = source_of(invoice("1"))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    await asyncio.gather(loaders.load_record(ref, frozenset({"number"})), loaders.load_record(ref, frozenset({"totals"})))

    assert source.fields == [frozenset({"number", "totals"})]


async def test_a_record_that_has_the_wanted_attributes_is_not_read_again() -> None:
    source = source_of(invoice("1", number="7"))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    await loaders.load_record(ref, frozenset({"totals"}))
    await loaders.load_record(ref, frozenset({"totals"}))
    await loaders.load_record(ref, frozenset({"number"}))

    assert source.fields == [frozenset({"totals"})]


async def test_a_record_without_a_wanted_attribute_is_read_again_for_it() -> None:
    source = source_of(invoice("1"))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    await loaders.load_record(ref, frozenset({"number"}))
    await loaders.load_record(ref, frozenset({"totals"}))
    await loaders.load_record(ref)

    assert source.fields == [frozenset({"number"}), frozenset({"totals"}), None]


async def test_who_asks_while_a_read_is_under_way_waits_for_it() -> None:
    source = MemorySource("one", {invoice("1").ref: invoice("1", number="7")}, meeting=asyncio.Barrier(2))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    first = asyncio.create_task(loaders.load_record(ref, frozenset({"number"})))
    for _ in range(5):  # turns of the loop until its batch is asked for
        await asyncio.sleep(0)
    assert len(source.batches) == 1
    second = asyncio.create_task(loaders.load_record(ref, frozenset({"number"})))
    assert source.meeting is not None
    await source.meeting.wait()

    assert await first == await second == invoice("1", number="7")
    assert len(source.batches) == 1


@given(turns=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(("number", "totals", "lines"))), min_size=2, max_size=8))
async def test_whoever_asks_for_whatever_at_whatever_moment_is_answered(turns: list[tuple[int, str]]) -> None:
    source = source_of(invoice("1"))
    loaders = loaders_over(source)
    ref = Ref("one", Kind.INVOICE, "1")

    async def later(ticks: int, name: str) -> Record | None:
        for _ in range(ticks):
            await asyncio.sleep(0)
        return await loaders.load_record(ref, frozenset({name}))

    found = await asyncio.gather(*(later(*turn) for turn in turns))

    assert found == [invoice("1")] * len(turns)


# ------------------------------------------------------------------ nobody waits any more


async def test_what_is_still_read_at_the_end_stops() -> None:
    source = MemorySource("one", {invoice("1").ref: invoice("1")}, meeting=asyncio.Barrier(2))
    loaders, before = loaders_over(source), asyncio.all_tasks()
    reading = asyncio.create_task(loaders.load_record(invoice("1").ref))
    for _ in range(5):  # turns of the loop until its batch is asked for
        await asyncio.sleep(0)
    assert len(source.batches) == 1
    reading.cancel()

    await loaders.aclose()

    assert asyncio.all_tasks() <= before | {reading}
    assert source.meeting is not None
    assert source.meeting.n_waiting == 0


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_a_batch_that_has_not_begun_at_the_end_is_never_asked_for(turns: int) -> None:
    source = source_of(invoice("1", number="7"))
    loaders, before = loaders_over(source), asyncio.all_tasks()
    readings = [
        asyncio.create_task(loaders.load_record(invoice("1").ref)),
        asyncio.create_task(loaders.load_by_number(source, Kind.INVOICE, "7")),
    ]
    for _ in range(turns):
        await asyncio.sleep(0)
    asked = len(source.batches)
    for reading in readings:
        reading.cancel()

    await loaders.aclose()
    for _ in range(5):  # turns of the loop in which a batch would begin
        await asyncio.sleep(0)

    assert (asked, source.batches, source.searches) == (0, [], [])
    assert asyncio.all_tasks() <= before
