"""Lists over several sources: order, cursors, what each source says of itself, and what is applied here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, InvalidCursor, ListUnsupported, UpstreamTimeout, UpstreamUnavailable
from gateway.loaders import Lister, MergedLister, Page
from gateway.model import (
    Criteria,
    Currency,
    CurrencyOrigin,
    Customer,
    Invoice,
    Kind,
    Money,
    Order,
    PaymentStatus,
    Record,
    Ref,
    SourceResultStatus,
    Totals,
    VatBasis,
)
from tests.loaders.memory_source import SCOPE, MemorySource

pytestmark = pytest.mark.anyio

INVOICES = Criteria(kind=Kind.INVOICE)


def invoice(source: str, number: int, **fields: Any) -> Invoice:  # noqa: ANN401  (fields of the record)
    total = Money(Decimal(number), Currency("SEK", CurrencyOrigin.RECORD))
    known: dict[str, Any] = {"number": str(number), "totals": Totals(vat_basis=VatBasis.UNKNOWN, total=total), **fields}
    return Invoice(ref=Ref(source, Kind.INVOICE, str(number)), native_type="Invoice", **known)


def listing(key: str, count: int, **more: Any) -> MemorySource:  # noqa: ANN401  (fields of the source)
    return MemorySource(key, listed=[invoice(key, number) for number in range(1, count + 1)], **more)


def lister(*sources: MemorySource, criteria: Criteria = INVOICES) -> Lister:
    return Lister(criteria, sources, SCOPE, asked_for=None)


def ids(page: Page) -> list[str]:
    return [f"{edge.node.ref.source}/{edge.node.ref.native_id}" for edge in page.edges]


def statuses(page: Page) -> dict[str, SourceResultStatus]:
    return {result.source.profile.key: result.status for result in page.results}


def unavailable(source: str = "b") -> UpstreamUnavailable:
    return UpstreamUnavailable("it answered 503", source=source, operation="List")


async def all_pages(reader: Lister | MergedLister, first: int) -> list[str]:
    found: list[str] = []
    after: str | None = None
    for _ in range(1000):
        page = await reader.page(first, after)
        found += ids(page)
        if not page.has_next_page:
            return found
        after = page.end_cursor
    raise AssertionError("the list does not end")


# ------------------------------------------------------------------ order and cursors


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4), first=st.integers(1, 7), cap=st.integers(1, 5))
async def test_every_object_comes_once_in_the_order_of_the_sources(sizes: list[int], first: int, cap: int) -> None:
    sources = [listing(f"s{index}", size, page_cap=cap) for index, size in enumerate(sizes)]

    found = await all_pages(lister(*sources), first)

    assert found == [f"s{index}/{number}" for index, size in enumerate(sizes) for number in range(1, size + 1)]


@given(first=st.integers(1, 6), other=st.integers(1, 6))
async def test_a_cursor_holds_for_another_page_size(first: int, other: int) -> None:
    reader = lister(listing("a", 5), listing("b", 5))
    page = await reader.page(first, None)

    rest = await reader.page(other, page.edges[-1].cursor)

    expected = [f"{key}/{number}" for key in "ab" for number in range(1, 6)]
    assert ids(rest) == expected[first : first + other]


async def test_each_edge_can_be_gone_on_from() -> None:
    reader = lister(listing("a", 3), listing("b", 3))
    page = await reader.page(5, None)

    rests = [ids(await reader.page(9, edge.cursor)) for edge in page.edges]

    whole = ["a/1", "a/2", "a/3", "b/1", "b/2", "b/3"]
    assert rests == [whole[index + 1 :] for index in range(5)]


@pytest.mark.parametrize("text", ["", "x", "W10", "WzEsMl0", "a" * 5000])
async def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        await lister(listing("a", 3)).page(2, text)


async def test_a_cursor_of_another_list_is_refused() -> None:
    page = await lister(listing("a", 3)).page(2, None)

    with pytest.raises(InvalidCursor):
        await lister(listing("a", 3), criteria=Criteria(kind=Kind.INVOICE, number="1")).page(2, page.end_cursor)


async def test_objects_added_at_the_end_meanwhile_come_once_and_disturb_nothing() -> None:
    source = listing("a", 4)
    reader = lister(source)
    page = await reader.page(3, None)
    source.listed.append(invoice("a", 5))

    rest = await reader.page(3, page.end_cursor)

    assert ids(page) + ids(rest) == ["a/1", "a/2", "a/3", "a/4", "a/5"]


async def test_page_fifty_costs_what_page_two_costs() -> None:
    source = listing("a", 500)
    reader = lister(source)
    after: str | None = None
    costs: list[int] = []
    for _ in range(50):
        before = len(source.pages)
        after = (await reader.page(10, after)).end_cursor
        costs.append(len(source.pages) - before)

    assert set(costs) == {1}


@pytest.mark.parametrize(("looks_ahead", "asked"), [(True, 11), (False, 10)])
async def test_one_row_more_is_asked_only_where_somebody_wants_to_know_what_follows(*, looks_ahead: bool, asked: int) -> None:
    source = listing("a", 30)

    page = await Lister(INVOICES, [source], SCOPE, asked_for=None, looks_ahead=looks_ahead).page(10, None)

    assert (ids(page), source.pages) == ([f"a/{number}" for number in range(1, 11)], [(None, asked)])


async def test_pages_that_do_not_look_ahead_give_every_object_once_too() -> None:
    sources = [listing("a", 4), listing("b", 3)]
    reader = Lister(INVOICES, sources, SCOPE, asked_for=None, looks_ahead=False)
    found: list[str] = []
    page = await reader.page(2, None)
    while page.edges:
        found += ids(page)
        page = await reader.page(2, page.end_cursor)

    assert found == ["a/1", "a/2", "a/3", "a/4", "b/1", "b/2", "b/3"]


async def test_no_objects_are_an_empty_last_page() -> None:
    page = await lister(listing("a", 0), listing("b", 0)).page(5, None)

    assert (ids(page), page.has_next_page, page.has_previous_page, page.end_cursor) == ([], False, False, None)


# ------------------------------------------------------------------ what each source says of itself


async def test_a_source_behind_a_full_page_is_not_reached() -> None:
    page = await lister(listing("a", 5), listing("b", 5)).page(3, None)

    assert statuses(page) == {"a": SourceResultStatus.OK, "b": SourceResultStatus.NOT_REACHED}
    assert [result.count for result in page.results] == [3, 0]


async def test_every_source_is_said_on_every_page() -> None:
    reader = lister(listing("a", 2), listing("b", 2), listing("c", 2))
    first = await reader.page(3, None)

    second = await reader.page(1, first.end_cursor)

    assert statuses(second) == {"a": SourceResultStatus.OK, "b": SourceResultStatus.OK, "c": SourceResultStatus.NOT_REACHED}


async def test_a_source_that_is_down_does_not_look_empty_and_takes_nothing_from_the_others() -> None:
    page = await lister(listing("a", 2), listing("b", 2, list_failure=unavailable()), listing("c", 2)).page(10, None)

    assert ids(page) == ["a/1", "a/2", "c/1", "c/2"]
    assert statuses(page) == {"a": SourceResultStatus.OK, "b": SourceResultStatus.FAILED, "c": SourceResultStatus.OK}
    failed = page.results[1]
    assert (failed.code, failed.message, failed.count) == ("UPSTREAM_UNAVAILABLE", "it answered 503", 0)


async def test_a_failure_is_still_said_on_later_pages() -> None:
    reader = lister(listing("a", 2, list_failure=unavailable("a")), listing("b", 4))
    first = await reader.page(3, None)

    second = await reader.page(3, first.end_cursor)

    assert ids(second) == ["b/4"]
    assert statuses(second) == {"a": SourceResultStatus.FAILED, "b": SourceResultStatus.OK}
    assert second.results[0].code == "UPSTREAM_UNAVAILABLE"


async def test_the_resume_cursor_goes_on_where_a_source_failed() -> None:
    source = listing("a", 6, list_failure=unavailable("a"), fails_from=3, page_cap=3)
    reader = lister(source)
    page = await reader.page(10, None)
    source.list_failure = None

    rest = await reader.page(10, page.results[0].resume_cursor)

    assert (ids(page), ids(rest)) == (["a/1", "a/2", "a/3"], ["a/4", "a/5", "a/6"])


async def test_the_resume_cursor_goes_on_with_its_source_alone() -> None:
    page = await lister(listing("a", 3, list_failure=unavailable("a")), listing("b", 3)).page(10, None)
    mended = [listing("a", 3), listing("b", 3)]

    first = await lister(*mended).page(2, page.results[0].resume_cursor)
    second = await lister(*mended).page(2, first.end_cursor)

    assert (ids(first), ids(second)) == (["a/1", "a/2"], ["a/3"])
    assert second.has_next_page is False
    assert statuses(second) == {"a": SourceResultStatus.OK}


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ListUnsupported("no such list", source="a", operation="List"), SourceResultStatus.UNSUPPORTED),
        (UpstreamTimeout("no answer", source="a", operation="List"), SourceResultStatus.TIMED_OUT),
        (unavailable("a"), SourceResultStatus.FAILED),
    ],
)
async def test_each_kind_of_failure_has_its_status_on_every_page(failure: GatewayError, status: SourceResultStatus) -> None:
    reader = lister(listing("a", 2, list_failure=failure), listing("b", 9))
    first = await reader.page(5, None)
    second = await reader.page(3, first.end_cursor)

    for page in (first, second):
        assert (page.results[0].status, page.results[0].code) == (status, failure.code)
        assert (page.results[0].resume_cursor is None) == (status is SourceResultStatus.UNSUPPORTED)


async def test_rows_that_cannot_be_read_make_their_source_partial() -> None:
    page = await lister(listing("a", 2, unreadable=3, left_out=("those before 2020",))).page(5, None)

    result = page.results[0]
    assert (result.status, result.code) == (SourceResultStatus.PARTIAL, "UPSTREAM_BAD_RESPONSE")
    assert result.message == "those before 2020; 3 rows cannot be read"


async def test_the_total_is_what_the_source_says_of_the_whole_filter() -> None:
    criteria = Criteria(kind=Kind.INVOICE, number="1")

    applied = await lister(listing("a", 2, applied=frozenset({"number"})), criteria=criteria).page(5, None)
    open_ = await lister(listing("a", 2), criteria=criteria).page(5, None)

    assert (applied.results[0].total, open_.results[0].total) == (2, None)


# ------------------------------------------------------------------ criteria that are applied here


def paid(number: int, status: PaymentStatus | None) -> Invoice:
    return invoice("a", number, payment_status=status)


async def test_criteria_that_the_source_did_not_apply_are_applied_here() -> None:
    rows: list[Record] = [paid(1, PaymentStatus.PAID), paid(2, PaymentStatus.UNPAID), paid(3, PaymentStatus.UNKNOWN), paid(4, None)]
    criteria = Criteria(kind=Kind.INVOICE, payment_status=frozenset({PaymentStatus.UNPAID, PaymentStatus.PARTIALLY_PAID}))

    page = await lister(MemorySource("a", listed=rows), criteria=criteria).page(5, None)

    assert ids(page) == ["a/2"]
    assert page.results[0].undecided == 2


async def test_unknown_can_be_asked_for_by_name() -> None:
    rows: list[Record] = [paid(1, PaymentStatus.PAID), paid(2, PaymentStatus.UNKNOWN)]
    criteria = Criteria(kind=Kind.INVOICE, payment_status=frozenset({PaymentStatus.UNKNOWN}))

    assert ids(await lister(MemorySource("a", listed=rows), criteria=criteria).page(5, None)) == ["a/2"]


async def test_bounds_are_inclusive() -> None:
    rows: list[Record] = [invoice("a", day, issue_date=date(2026, 3, day)) for day in range(1, 6)]
    criteria = Criteria(kind=Kind.INVOICE, issued_from=date(2026, 3, 2), issued_to=date(2026, 3, 4))

    assert ids(await lister(MemorySource("a", listed=rows), criteria=criteria).page(5, None)) == ["a/2", "a/3", "a/4"]


async def test_references_are_compared_by_key() -> None:
    customer = Customer(ref=Ref("a", Kind.CUSTOMER, "7"), native_type="Customer")
    order = Order(ref=Ref("a", Kind.ORDER, "9"), native_type="Order")
    rows: list[Record] = [invoice("a", 1, customer=customer, orders=(order,)), invoice("a", 2, customer=None, orders=())]
    by_customer = Criteria(kind=Kind.INVOICE, customer=customer.ref)
    by_order = Criteria(kind=Kind.INVOICE, order=Ref("a", Kind.ORDER, "9", hint="N-9"))

    found = [ids(await lister(MemorySource("a", listed=rows), criteria=criteria).page(5, None)) for criteria in (by_customer, by_order)]

    assert found == [["a/1"], ["a/1"]]


async def test_a_criterion_that_nobody_can_apply_makes_the_source_partial_and_is_named() -> None:
    page = await lister(listing("a", 2), criteria=Criteria(kind=Kind.INVOICE, search="x")).page(5, None)

    assert ids(page) == ["a/1", "a/2"]
    assert (page.results[0].status, page.results[0].message) == (SourceResultStatus.PARTIAL, "search cannot be applied to this source")


@pytest.mark.parametrize(("include", "expected"), [(False, ["a/2"]), (True, ["a/1", "a/2"])])
async def test_deleted_ones_are_left_out_unless_asked_for(*, include: bool, expected: list[str]) -> None:
    rows: list[Record] = [invoice("a", 1, is_deleted=True), invoice("a", 2, is_deleted=False)]
    criteria = Criteria(kind=Kind.INVOICE, include_deleted=include)

    assert ids(await lister(MemorySource("a", listed=rows), criteria=criteria).page(5, None)) == expected


async def test_a_long_run_of_rows_that_fail_the_filter_can_be_gone_on_from_and_nothing_overtakes_it() -> None:
    long = MemorySource("a", listed=[invoice("a", number) for number in range(1, 1502)], page_cap=100)
    short = MemorySource("b", listed=[invoice("b", 1500)])
    criteria = Criteria(kind=Kind.INVOICE, number="1500")

    first = await lister(long, short, criteria=criteria).page(5, None)
    found = await all_pages(lister(long, short, criteria=criteria), 5)

    assert (ids(first), first.has_next_page) == ([], True)
    assert statuses(first) == {"a": SourceResultStatus.OK, "b": SourceResultStatus.NOT_REACHED}
    assert found == ["a/1500", "b/1500"]


async def test_more_rows_are_asked_for_where_many_were_dropped() -> None:
    source = MemorySource("a", listed=[invoice("a", number) for number in range(1, 200)])

    await lister(source, criteria=Criteria(kind=Kind.INVOICE, number="199")).page(5, None)

    assert [size for _, size in source.pages] == [6, 12, 24, 48, 96, 101]


# ------------------------------------------------------------------ merged by date


def dated(source: str, number: int, day: date | None) -> Invoice:
    return invoice(source, number, issue_date=day)


DAYS = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 9))


@given(one=st.lists(DAYS, max_size=8), two=st.lists(DAYS, max_size=8), first=st.integers(1, 5))
async def test_merged_pages_have_every_invoice_once_the_newest_first(one: list[date | None], two: list[date | None], first: int) -> None:
    sources = [
        MemorySource(key, listed=[dated(key, index, day) for index, day in enumerate(days)]) for key, days in (("a", one), ("b", two))
    ]
    days = {f"{key}/{index}": day for key, list_ in (("a", one), ("b", two)) for index, day in enumerate(list_)}

    found = await all_pages(MergedLister(INVOICES, sources, SCOPE, asked_for=None), first)

    assert sorted(found) == sorted(days)
    shown = [days[key] for key in found]
    known = [day for day in shown if day is not None]
    assert known == sorted(known, reverse=True)
    assert shown == [*known, *([None] * (len(shown) - len(known)))]


async def test_a_source_with_too_many_matches_cannot_be_merged_and_says_so() -> None:
    many = MemorySource("a", listed=[dated("a", index, date(2026, 1, 1)) for index in range(1001)])
    few = MemorySource("b", listed=[dated("b", 1, date(2026, 1, 1))])

    page = await MergedLister(INVOICES, [many, few], SCOPE, asked_for=None).page(5, None)

    assert ids(page) == ["b/1"]
    assert statuses(page) == {"a": SourceResultStatus.UNSUPPORTED, "b": SourceResultStatus.OK}
    assert page.results[0].message == "it has more than 1000 matches and cannot sort them itself; narrow the filter"


async def test_a_source_that_is_down_is_said_in_a_merged_list_too() -> None:
    down = MemorySource("a", list_failure=unavailable("a"), listed=[])
    up = MemorySource("b", listed=[dated("b", 1, date(2026, 1, 1))])

    page = await MergedLister(INVOICES, [down, up], SCOPE, asked_for=None).page(5, None)

    assert ids(page) == ["b/1"]
    assert statuses(page) == {"a": SourceResultStatus.FAILED, "b": SourceResultStatus.OK}
