"""The windows that are kept for all requests, and the lists: what they give and the calls they cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import AbsenceUnproven, InvalidCursor, ListUnsupported, UpstreamUnavailable
from gateway.model import (
    UNREAD,
    Criteria,
    Currency,
    CurrencyOrigin,
    Customer,
    Invoice,
    InvoicePayments,
    Kind,
    Line,
    Money,
    Order,
    OrderStatus,
    Payment,
    Ref,
    SourcePage,
)
from gateway.sandbox.server import RunningSandbox
from gateway.sources.base import Fetch
from gateway.sources.nimpos import NimposOptions, NimposSource
from gateway.sources.nimpos.windows import from_position, to_place, to_position
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, FakeWire, answer, make_parts, make_scope
from tests.graph import Graph, open_graph
from tests.sources.nimpos.samples import (
    BRANCH,
    CUSTOMER,
    CUSTOMERS,
    INVOICE,
    INVOICES,
    ORDER,
    ORDER_17,
    OTHER_ORDER,
    OTHER_TILL,
    TILL,
    an_order,
)

pytestmark = pytest.mark.anyio

POSTED = "invoices posted to NIMPOS never list"
EMPTY = "the window is empty, and NIMPOS answers so on errors, too"
WHICH_DATE = "orders that lie in the range by another of their dates: NIMPOS does not say which one it goes by"
SEK = Currency("SEK", CurrencyOrigin.SOURCE_DEFAULT)
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def guid(number: int) -> str:
    return str(UUID(int=number))


def query_of(request: WireRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def calls(wire: FakeWire) -> list[str]:
    return [urlsplit(request.url).path.rpartition("/")[2] for request in wire.requests]


def pos(kind: Kind, key: str) -> Ref:
    return Ref("pos", kind, key)


def opened(bodies: dict[str, Any], *tills: str, **options: object) -> tuple[NimposSource, FakeWire, FakeClock]:
    """Open a source whose upstream answers by operation: text, a response, a list or object to write as JSON, or a function."""

    def handle(request: WireRequest) -> Response:
        body = bodies.get(urlsplit(request.url).path.rpartition("/")[2], [])
        content = body(request) if callable(body) else body
        return content if isinstance(content, Response) else answer(content if isinstance(content, str) else json.dumps(content))

    model = NimposOptions.model_validate({"terminal_ids": tills or (TILL,), **options})
    parts, wire = make_parts(model, handle, key="pos", system="NIMPOS", default_currency="SEK")
    assert isinstance(parts.clock, FakeClock)
    return NimposSource(parts), wire, parts.clock


async def listed(source: NimposSource, criteria: Criteria, *sizes: int) -> list[SourcePage]:
    """Read all pages, the sizes one after the other and again."""
    pages = [await source.fetch_page(criteria, None, sizes[0], make_scope(10_000))]
    while (position := pages[-1].next_position) is not None:
        pages.append(await source.fetch_page(criteria, position, sizes[len(pages) % len(sizes)], make_scope(10_000)))
    return pages


def keys_of(pages: Sequence[SourcePage]) -> list[str]:
    return [record.ref.native_id for page in pages for record in page.records]


def days_later(days: int) -> str:
    return (datetime(2026, 3, 1, 9, tzinfo=STOCKHOLM) + timedelta(days=days)).isoformat()


CUSTOMER_LIST = Criteria(kind=Kind.CUSTOMER)
ORDER_LIST = Criteria(kind=Kind.ORDER)
INVOICE_LIST = Criteria(kind=Kind.INVOICE)


# what is kept


async def test_a_hundred_customers_in_fifty_requests_at_once_cost_one_window_and_nothing_within_the_ttl() -> None:
    rows = [{"Id": guid(number), "Updated": days_later(number)} for number in range(1, 101)]
    source, wire, clock = opened({"GetCustomers": rows})
    pairs = [[pos(Kind.CUSTOMER, guid(number)), pos(Kind.CUSTOMER, guid(number + 1))] for number in range(1, 101, 2)]
    for _ in range(2):
        found = await asyncio.gather(*(source.fetch_many(Fetch.CUSTOMER, pair, make_scope(10_000)) for pair in pairs))
        assert [record.ref for records in found for record in records if isinstance(record, Customer)] == [r for p in pairs for r in p]
    assert calls(wire) == ["GetCustomers"]
    clock.advance(60)
    await source.fetch_many(Fetch.CUSTOMER, pairs[0], make_scope(100))
    await source.find(Kind.CUSTOMER, "9", make_scope(100))
    assert [query_of(request)["LastExecutedDate"] for request in wire.requests] == [
        "2020-01-01T00:00:00+01:00",
        "2026-06-09T08:59:59+02:00",  # before the last known change, so that an honest answer is never empty
    ]


async def test_any_number_of_requests_for_invoices_at_once_cost_one_window_a_till() -> None:
    source, wire, clock = opened({"GetCustomerInvoice": INVOICES}, TILL, OTHER_TILL)
    refs = [pos(Kind.INVOICE, INVOICE)]
    await asyncio.gather(*(source.fetch_many(Fetch.INVOICE, refs, make_scope(10_000)) for _ in range(50)))
    await source.find(Kind.INVOICE, "20117", make_scope(10_000))
    await source.fetch_page(INVOICE_LIST, None, 10, make_scope(10_000))
    assert sorted(query_of(request)["TerminalId"] for request in wire.requests) == [OTHER_TILL, TILL]
    clock.advance(60)
    await source.fetch_many(Fetch.INVOICE, refs, make_scope(100))
    assert [query_of(request)["LastExecutedDate"] for request in wire.requests] == ["2020-01-01T00:00:00+01:00"] * 4


async def test_the_ttl_is_as_configured() -> None:
    source, wire, _ = opened({"GetCustomers": CUSTOMERS}, window_ttl_seconds=0)
    for _ in range(2):
        await source.fetch_many(Fetch.CUSTOMER, [pos(Kind.CUSTOMER, CUSTOMER)], make_scope(10_000))
    assert calls(wire) == ["GetCustomers", "GetCustomers"]


async def test_a_customer_says_when_its_row_was_read() -> None:
    bodies: dict[str, Any] = {"GetCustomers": CUSTOMERS}
    source, _, clock = opened(bodies)
    start = clock.now()
    await source.fetch_many(Fetch.CUSTOMER, [pos(Kind.CUSTOMER, CUSTOMER)], make_scope(10_000))
    clock.advance(60)
    bodies["GetCustomers"] = [{"Id": BRANCH, "Name": "Uppsala", "Updated": days_later(300)}]
    refs = [pos(Kind.CUSTOMER, CUSTOMER), pos(Kind.CUSTOMER, BRANCH)]
    kept, changed = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(100))
    assert isinstance(kept, Customer)
    assert isinstance(changed, Customer)
    assert (kept.name, kept.fetched_at) == ("Bageri Kringlan AB", start)
    assert (changed.name, changed.fetched_at) == ("Uppsala", start + timedelta(seconds=60))


async def test_a_failing_window_takes_nothing_from_what_is_known() -> None:
    bodies: dict[str, Any] = {"GetCustomers": CUSTOMERS}
    source, _, clock = opened(bodies)
    refs = [pos(Kind.CUSTOMER, CUSTOMER)]
    await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(10_000))
    clock.advance(60)
    bodies["GetCustomers"] = answer("", 503)
    (failure,) = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(100))
    assert isinstance(failure, UpstreamUnavailable)
    bodies["GetCustomers"] = []
    (found,) = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(100))
    assert isinstance(found, Customer)


# lists of customers and invoices


async def test_customers_are_listed_by_their_last_change_and_each_is_read_whole() -> None:
    rows = [{"Id": guid(1), "Updated": days_later(2)}, {"Id": guid(3), "Updated": days_later(1)}, {"Id": guid(2), "Updated": days_later(1)}]
    source, wire, _ = opened({"GetCustomers": rows})
    (page,) = await listed(source, CUSTOMER_LIST, 10)
    assert keys_of([page]) == [guid(2), guid(3), guid(1)]
    assert (page.next_position, page.applied, page.total, page.unreadable, page.left_out) == (None, frozenset(), None, 0, ())
    assert page.positions[0] == f"2026-03-02T08:00:00.000000+00:00|{guid(2)}"
    assert isinstance(page.records[0], Customer)
    assert UNREAD not in (page.records[0].name, page.records[0].billing_address, page.records[0].warnings)
    assert calls(wire) == ["GetCustomers"]


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(1, 5), min_size=1, max_size=4))
async def test_any_page_sizes_give_every_customer_once_and_in_order(days: list[int], sizes: list[int]) -> None:
    rows = [{"Id": guid(number + 1), **({"Updated": days_later(day)} if day else {})} for number, day in enumerate(days)]
    source, wire, _ = opened({"GetCustomers": rows})
    pages = await listed(source, CUSTOMER_LIST, *sizes)
    assert keys_of(pages) == [guid(number + 1) for _, number in sorted((day, number) for number, day in enumerate(days))]
    assert all(len(page.records) == sizes[number % len(sizes)] for number, page in enumerate(pages[:-1]))
    assert len(wire.requests) == 1


@given(st.integers(0, 11), st.integers(1, 5))
async def test_going_on_behind_any_row_gives_the_rest(taken: int, size: int) -> None:
    rows = [{"Id": guid(number), "CreationDate": days_later(number % 4)} for number in range(1, 13)]
    source, _, _ = opened({"GetCustomerInvoice": rows})
    (whole,) = await listed(source, INVOICE_LIST, 100)
    rest = await source.fetch_page(INVOICE_LIST, whole.positions[taken], size, make_scope(10_000))
    assert rest.records == whole.records[taken + 1 :][:size]


async def test_customers_that_are_added_meanwhile_come_at_the_end_once() -> None:
    rows = [{"Id": guid(number), "Updated": days_later(number)} for number in range(1, 6)]
    source, _, clock = opened({"GetCustomers": lambda _: rows})
    first = await source.fetch_page(CUSTOMER_LIST, None, 3, make_scope(10_000))
    rows.append({"Id": guid(9), "Updated": days_later(9)})
    clock.advance(60)
    second = await source.fetch_page(CUSTOMER_LIST, first.next_position, 3, make_scope(100))
    assert keys_of([first, second]) == [guid(number) for number in (1, 2, 3, 4, 5, 9)]


@pytest.mark.parametrize("kind", [Kind.CUSTOMER, Kind.ORDER, Kind.INVOICE])
@pytest.mark.parametrize("position", ["", "3", "|", f"|{guid(1)} ", f"yesterday|{guid(1)}", f"2026-03-02|{guid(1)}", f"{guid(1)}|"])
async def test_a_position_of_another_make_is_refused_without_a_call(kind: Kind, position: str) -> None:
    source, wire, _ = opened({})
    with pytest.raises(InvalidCursor):
        await source.fetch_page(Criteria(kind=kind), position, 10, make_scope(10_000))
    assert wire.requests == []


@given(st.datetimes(timezones=st.just(UTC)) | st.none(), st.integers(1, 2**128 - 1))
def test_a_place_survives_being_written_down(instant: datetime | None, number: int) -> None:
    place = to_place(None if instant is None else instant.isoformat(), guid(number), STOCKHOLM)
    assert from_position(to_position(place)) == place


@pytest.mark.parametrize(
    "date", ["soon", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-01:00", 5, None]
)
def test_a_row_without_a_date_that_can_be_read_stands_first(date: object) -> None:
    assert to_place(date, CUSTOMER, STOCKHOLM) == ("", CUSTOMER)


async def test_customers_that_were_never_changed_are_read_again_like_any_other() -> None:
    source, _, clock = opened({"GetCustomers": [{"Id": guid(1), "Updated": "0001-01-01T00:00:00Z"}]})
    for _ in range(2):
        assert keys_of(await listed(source, CUSTOMER_LIST, 5)) == [guid(1)]
        clock.advance(60)


@pytest.mark.parametrize(("sent", "expected"), [("16556812-3344", [CUSTOMER]), ("556812-3344", [CUSTOMER]), ("16556812-3345", [])])
async def test_an_organization_number_may_be_sent_with_its_century(sent: str, expected: list[str]) -> None:
    source, _, _ = opened({"GetCustomers": [{"Id": CUSTOMER, "OrgNo": sent}]})
    assert keys_of(await listed(source, Criteria(kind=Kind.CUSTOMER, organization_number="5568123344"), 5)) == expected


async def test_a_customer_that_cannot_be_read_is_counted_and_the_page_is_full_all_the_same() -> None:
    rows = [{"Id": guid(number), "Name": 5 if number == 2 else "x", "Updated": days_later(number)} for number in range(1, 5)]
    source, _, _ = opened({"GetCustomers": rows})
    pages = await listed(source, CUSTOMER_LIST, 2)
    assert [keys_of([page]) for page in pages] == [[guid(1), guid(3)], [guid(4)]]
    assert [page.unreadable for page in pages] == [1, 0]


async def test_an_empty_window_is_said_to_be_one() -> None:
    source, _, _ = opened({}, TILL)
    assert await listed(source, CUSTOMER_LIST, 5) == [SourcePage(left_out=(EMPTY,))]
    assert await listed(source, INVOICE_LIST, 5) == [SourcePage(left_out=(POSTED, EMPTY))]


async def test_a_list_with_a_row_without_a_key_is_said_to_be_incomplete() -> None:
    source, _, _ = opened({"GetCustomers": [{"Id": CUSTOMER}, {"Name": "?"}]})
    (page,) = await listed(source, CUSTOMER_LIST, 5)
    assert (keys_of([page]), page.left_out) == ([CUSTOMER], ("the window could not be completed",))


async def test_customers_changed_since_an_instant_are_picked_by_the_source() -> None:
    rows = [{"Id": guid(number), "Updated": days_later(number)} for number in range(1, 5)] + [{"Id": guid(9)}]
    source, _, _ = opened({"GetCustomers": rows})
    criteria = Criteria(kind=Kind.CUSTOMER, updated_since=datetime.fromisoformat(days_later(3)))
    pages = await listed(source, criteria, 1)
    assert keys_of(pages) == [guid(3), guid(4)]
    assert {(page.applied, page.left_out) for page in pages} == {(frozenset({"updated_since"}), ("customers without a date of change",))}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Criteria(kind=Kind.CUSTOMER, number="1043"), [BRANCH]),
        (Criteria(kind=Kind.CUSTOMER, organization_number="5568123344"), [CUSTOMER, BRANCH]),
        (Criteria(kind=Kind.CUSTOMER, email="EKONOMI@kringlan.example"), [CUSTOMER, BRANCH]),
        (Criteria(kind=Kind.CUSTOMER, email="a@b.example"), [BRANCH]),
    ],
)
async def test_of_customers_only_those_come_that_do_not_certainly_fail(criteria: Criteria, expected: list[str]) -> None:
    source, _, _ = opened({"GetCustomers": CUSTOMERS})
    pages = await listed(source, criteria, 5)
    assert (keys_of(pages), pages[0].applied) == (expected, frozenset())


async def test_the_invoices_of_a_customer_are_found_among_many_on_one_page() -> None:
    rows = [
        {"Id": guid(number), "CustomerId": CUSTOMER if number % 100 == 0 else BRANCH, "CreationDate": days_later(1)}
        for number in range(1, 301)
    ]
    source, wire, _ = opened({"GetCustomerInvoice": rows})
    (page,) = await listed(source, Criteria(kind=Kind.INVOICE, customer=pos(Kind.CUSTOMER, CUSTOMER)), 5)
    assert (keys_of([page]), page.applied, page.left_out) == ([guid(100), guid(200), guid(300)], frozenset(), (POSTED,))
    assert len(wire.requests) == 1


async def test_the_invoices_of_all_tills_are_one_list_and_an_invoice_of_two_tills_comes_once() -> None:
    def by_till(request: WireRequest) -> list[dict[str, object]]:
        number, order = (1, ORDER) if query_of(request)["TerminalId"] == TILL else (3, OTHER_ORDER)
        shared: dict[str, object] = {"Id": guid(2), "CreationDate": days_later(2), "OrdersGuid": [order]}
        return [{"Id": guid(number), "CreationDate": days_later(number), "Deleted": True}, shared]

    source, _, _ = opened({"GetCustomerInvoice": by_till}, TILL, OTHER_TILL)
    pages = await listed(source, INVOICE_LIST, 2)
    assert keys_of(pages) == [guid(1), guid(2), guid(3)]
    shared = pages[0].records[1]
    assert isinstance(shared, Invoice)
    assert isinstance(shared.orders, tuple)
    assert [order.ref.native_id for order in shared.orders] == [ORDER, OTHER_ORDER]


async def test_a_till_that_fails_is_left_out_and_said_to_be_unless_all_do() -> None:
    bodies: dict[str, Any] = {"GetCustomerInvoice": lambda r: answer("", 503) if query_of(r)["TerminalId"] == OTHER_TILL else INVOICES}
    source, _, _ = opened(bodies, TILL, OTHER_TILL)
    (page,) = await listed(source, INVOICE_LIST, 5)
    assert (keys_of([page]), page.left_out) == ([INVOICE], (POSTED, "a till that could not be read (UPSTREAM_UNAVAILABLE)"))
    source, _, _ = opened({"GetCustomerInvoice": answer("", 503)}, TILL, OTHER_TILL)
    with pytest.raises(UpstreamUnavailable):
        await listed(source, INVOICE_LIST, 5)


async def test_a_till_that_shows_nothing_is_said_to() -> None:
    source, _, _ = opened({"GetCustomerInvoice": lambda r: [] if query_of(r)["TerminalId"] == OTHER_TILL else INVOICES}, TILL, OTHER_TILL)
    (page,) = await listed(source, INVOICE_LIST, 5)
    assert (keys_of([page]), page.left_out) == ([INVOICE], (POSTED, EMPTY))


async def test_the_invoice_of_an_order_costs_the_order_and_the_windows() -> None:
    source, wire, _ = opened({"GetOrderById": ORDER_17, "GetCustomerInvoice": INVOICES})
    criteria = Criteria(kind=Kind.INVOICE, order=pos(Kind.ORDER, ORDER))
    (page,) = await listed(source, criteria, 5)
    assert (keys_of([page]), page.applied, page.left_out) == ([INVOICE], frozenset({"order"}), ())
    assert calls(wire) == ["GetOrderById", "GetCustomerInvoice"]
    behind = await source.fetch_page(criteria, page.positions[0], 5, make_scope(10_000))
    assert behind.records == ()


@pytest.mark.parametrize("order", [an_order(ORDER), "null"])
async def test_an_order_without_an_invoice_has_none_and_costs_one_call(order: str) -> None:
    source, wire, _ = opened({"GetOrderById": order})
    (page,) = await listed(source, Criteria(kind=Kind.INVOICE, order=pos(Kind.ORDER, ORDER)), 5)
    assert page == SourcePage(applied=frozenset({"order"}))
    assert calls(wire) == ["GetOrderById"]


async def test_an_invoice_that_an_order_carries_and_no_window_shows_is_said_to_be_left_out() -> None:
    source, _, _ = opened({"GetOrderById": an_order(ORDER, guid(7)), "GetCustomerInvoice": INVOICES})
    (page,) = await listed(source, Criteria(kind=Kind.INVOICE, order=pos(Kind.ORDER, ORDER)), 5)
    assert page == SourcePage(applied=frozenset({"order"}), left_out=(POSTED,))


async def test_what_nimpos_has_no_list_of_is_refused() -> None:
    source, _, _ = opened({})
    with pytest.raises(ListUnsupported):
        await source.fetch_page(Criteria(kind=Kind.CURRENCY), None, 5, make_scope(10_000))


# lists of orders


def some_orders(count: int) -> list[dict[str, object]]:
    return [{"Id": guid(number), "CreationDate": days_later(number // 2), "CustomerId": CUSTOMER} for number in range(count, 0, -1)]


async def test_a_page_of_orders_costs_one_call_over_the_whole_window() -> None:
    source, wire, _ = opened({"GetOrders": some_orders(7)})
    pages = await listed(source, ORDER_LIST, 3, 2)
    assert keys_of(pages) == [guid(number) for number in range(1, 8)]
    assert calls(wire) == ["GetOrders"] * 3
    assert [query_of(request) for request in wire.requests] == [
        {"dtFrom": "2020-01-01T00:00:00+01:00", "dtTo": "2026-11-23T13:00:00+01:00"}
    ] * 3
    assert (pages[0].applied, pages[0].left_out) == (frozenset(), ())


async def test_a_range_is_asked_for_with_a_day_to_spare_and_is_not_trusted() -> None:
    source, wire, _ = opened({"GetOrders": some_orders(7)})
    criteria = Criteria(
        kind=Kind.ORDER, ordered_from=datetime.fromisoformat(days_later(1)), ordered_to=datetime.fromisoformat(days_later(2))
    )
    pages = await listed(source, criteria, 2)
    assert keys_of(pages) == [guid(number) for number in (2, 3, 4, 5)]
    assert {(page.applied, page.left_out) for page in pages} == {(frozenset(), (WHICH_DATE,))}
    assert query_of(wire.requests[0]) == {"dtFrom": "2026-03-01T09:00:00+01:00", "dtTo": "2026-03-04T09:00:00+01:00"}


async def test_a_range_from_the_first_to_the_last_instant_there_is_is_none() -> None:
    source, wire, _ = opened({"GetOrders": some_orders(1)})
    criteria = Criteria(kind=Kind.ORDER, ordered_from=datetime.min.replace(tzinfo=UTC), ordered_to=datetime.max.replace(tzinfo=UTC))
    assert keys_of(await listed(source, criteria, 2)) == [guid(1)]
    assert query_of(wire.requests[0])["dtFrom"] == "2020-01-01T00:00:00+01:00"


async def test_orders_bring_their_lines_and_one_without_leaves_them_to_be_asked_for() -> None:
    same_line = f'{{"Id": "{OTHER_ORDER}", "CreationDate": "2027-01-01T00:00:00Z", "OrderLines": [{{"$ref": "2"}}]}}'
    body = f"[{ORDER_17}, {same_line}, {an_order(guid(1))}]"
    source, wire, _ = opened({"GetOrders": body})
    (page,) = await listed(source, ORDER_LIST, 5)
    lines = {record.ref.native_id: record.lines for record in page.records if isinstance(record, Order)}
    assert lines == {ORDER: (Line(quantity=Decimal("25.0")),), OTHER_ORDER: (Line(quantity=Decimal("25.0")),), guid(1): UNREAD}
    assert all(record.fetched_at is not None and record.raw is not None for record in page.records)
    assert len(wire.requests) == 1


async def test_orders_that_cannot_be_read_or_have_no_key_are_counted_once() -> None:
    rows = [{"Id": guid(1)}, {"Id": guid(2), "OrderTotal": "much"}, {"Status": 3}, {"Id": guid(3)}, {"Id": guid(4)}]
    source, _, _ = opened({"GetOrders": rows})
    pages = await listed(source, ORDER_LIST, 2)
    assert [keys_of([page]) for page in pages] == [[guid(1), guid(3)], [guid(4)]]
    assert [page.unreadable for page in pages] == [2, 0]


async def test_no_orders_at_all_may_be_an_error() -> None:
    source, _, _ = opened({"GetOrders": []})
    assert await listed(source, ORDER_LIST, 2) == [SourcePage(left_out=(EMPTY,))]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (Criteria(kind=Kind.ORDER, customer=pos(Kind.CUSTOMER, CUSTOMER)), [1, 3]),
        (Criteria(kind=Kind.ORDER, status=OrderStatus.OPEN), [1, 3]),
        (Criteria(kind=Kind.ORDER, number="17"), [1, 2, 3]),
        (Criteria(kind=Kind.ORDER, number="18"), [2, 3]),
        (Criteria(kind=Kind.ORDER, source_status=("Status", "13")), [2]),
    ],
)
async def test_of_orders_only_those_come_that_do_not_certainly_fail(criteria: Criteria, expected: list[int]) -> None:
    rows: list[dict[str, object]] = [
        {"Id": guid(1), "CustomerId": CUSTOMER, "Status": 3, "OrderNoOfDay": "17"},
        {"Id": guid(2), "CustomerId": BRANCH, "Status": 13},
        {"Id": guid(3), "Status": 99},
    ]
    source, wire, _ = opened({"GetOrders": rows})
    pages = await listed(source, criteria, 5)
    assert (keys_of(pages), pages[0].applied, len(wire.requests)) == ([guid(number) for number in expected], frozenset(), 1)


# what is owed and paid


DEBTS: list[dict[str, object]] = [
    {"Id": guid(1), "InvoiceNumber": 20117, "CustomerId": CUSTOMER, "Balance": 1000.50, "Updated": days_later(1)},
    {"Id": guid(2), "InvoiceNumber": 20117, "CustomerId": None, "Balance": 0.25, "Updated": days_later(1)},
    {"Id": guid(3), "InvoiceNumber": 20117, "CustomerId": BRANCH, "Balance": 7, "Updated": days_later(1)},
    {"Id": guid(4), "InvoiceNumber": 20118, "CustomerId": CUSTOMER, "Balance": 9, "Updated": days_later(1)},
]
INVOICE_REF = pos(Kind.INVOICE, INVOICE)


def order_paid(*payments: object) -> Callable[[WireRequest], dict[str, object]]:
    return lambda request: {"Id": query_of(request)["id"], "Payments": list(payments)}


async def paid(source: NimposSource, *fields: str, ref: Ref = INVOICE_REF) -> object:
    (answered,) = await source.fetch_many(Fetch.PAYMENTS, [ref], make_scope(10_000), frozenset(fields) or None)
    return answered


async def test_what_is_due_is_the_sum_of_the_debts_with_the_number_and_party_of_the_invoice() -> None:
    source, wire, _ = opened({"GetCustomerInvoice": INVOICES, "GetCustomerDebts": DEBTS})
    for _ in range(2):
        assert await paid(source, "amount_due") == InvoicePayments(Money(Decimal("1000.75"), SEK), None)
    assert calls(wire) == ["GetCustomerInvoice", "GetCustomerDebts"]


@pytest.mark.parametrize(
    "debts",
    [
        [],
        DEBTS[3:],
        [*DEBTS, {"Name": "no key"}],
        [*DEBTS, {"Id": guid(9), "Balance": "much"}],
        [*DEBTS, {"Id": guid(9), "InvoiceNumber": 20117}],
    ],
)
async def test_where_the_debts_do_not_say_it_nothing_is_said_to_be_due(debts: list[dict[str, object]]) -> None:
    source, _, _ = opened({"GetCustomerInvoice": INVOICES, "GetCustomerDebts": debts})
    assert await paid(source, "amount_due") == InvoicePayments(None, None)


async def test_a_debt_that_is_settled_and_no_longer_listed_is_not_due() -> None:
    bodies: dict[str, Any] = {"GetCustomerInvoice": INVOICES, "GetCustomerDebts": DEBTS}
    source, wire, clock = opened(bodies)
    await paid(source, "amount_due")
    bodies["GetCustomerDebts"] = DEBTS[3:]
    clock.advance(60)
    answers = await source.fetch_many(Fetch.PAYMENTS, [INVOICE_REF], make_scope(100), frozenset({"amount_due"}))
    assert answers == [InvoicePayments(None, None)]
    assert {query_of(request)["LastExecutedDate"] for request in wire.requests} == {"2020-01-01T00:00:00+01:00"}


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        ([], ()),
        ([{"PaidAmount": 100.0, "PaymentDate": "2026-07-01T00:00:00+02:00", "Reference": "OCR 1"}],
         (Payment(Money(Decimal("100.0"), SEK), datetime(2026, 7, 1, tzinfo=UTC).date(), "OCR 1"),)),
        ([{"Amount": 5}, {"Amount": 6, "PaidDate": "soon"}], (Payment(Money(Decimal(5), SEK)), Payment(Money(Decimal(6), SEK)))),
        ([{"Amount": 5}, {"Sum": 6}], None),
        ([7], None),
    ],
)  # fmt: skip
async def test_payments_are_those_of_the_orders_where_all_are_recognised(payments: list[object], expected: object) -> None:
    source, wire, _ = opened({"GetCustomerInvoice": INVOICES, "GetOrderById": order_paid(*payments)})
    assert await paid(source, "payments") == InvoicePayments(None, expected)  # type: ignore[arg-type]  # as the table has it
    assert calls(wire) == ["GetCustomerInvoice", "GetOrderById"]


async def test_payments_of_an_order_that_is_not_there_are_not_known_and_one_that_cannot_be_read_fails() -> None:
    source, _, _ = opened({"GetCustomerInvoice": INVOICES, "GetOrderById": "null"})
    assert await paid(source) == InvoicePayments(None, None)
    source, _, _ = opened({"GetCustomerInvoice": INVOICES, "GetOrderById": answer("", 503)})
    assert isinstance(await paid(source), UpstreamUnavailable)


async def test_an_order_of_two_invoices_is_asked_once() -> None:
    rows = [{"Id": INVOICE, "OrdersGuid": [ORDER]}, {"Id": guid(2), "OrdersGuid": [ORDER]}]
    source, wire, _ = opened({"GetCustomerInvoice": rows, "GetOrderById": order_paid()})
    refs = [INVOICE_REF, pos(Kind.INVOICE, guid(2))]
    assert await source.fetch_many(Fetch.PAYMENTS, refs, make_scope(10_000)) == [InvoicePayments(None, ())] * 2
    assert sorted(calls(wire)) == ["GetCustomerDebts", "GetCustomerInvoice", "GetOrderById"]


async def test_what_is_paid_of_an_invoice_that_is_not_listed_is_not_proven() -> None:
    source, wire, _ = opened({"GetCustomerInvoice": INVOICES, "GetCustomerDebts": DEBTS})
    assert isinstance(await paid(source, ref=pos(Kind.INVOICE, guid(5))), AbsenceUnproven)
    assert "GetOrderById" not in calls(wire)


@pytest.mark.parametrize("fetch", [Fetch.DOCUMENT, Fetch.LABEL])
async def test_documents_and_labels_are_none_without_a_call(fetch: Fetch) -> None:
    source, wire, _ = opened({})
    assert await source.fetch_many(fetch, [INVOICE_REF], make_scope(10_000)) == [None]
    assert wire.requests == []


# over the sandbox


LISTED = """query ($keys: [String!], $after: String) {
  list: %s(first: 50, after: $after, filter: {sources: $keys}) {edges {node {id}} pageInfo {hasNextPage endCursor}}
}"""
NAMED = """query ($ids: [ID!]!) {nodes(ids: $ids) {... on Customer {name} ... on Invoice {number customer {name}}}}"""


async def all_ids(graph: Graph, kind: str) -> list[str]:
    """Page through everything of a kind."""
    (key,) = [source["key"] for source in (await graph.data("{sources(system: NIMPOS) {key}}"))["sources"]]
    ids: list[str] = []
    after, goes_on = None, True
    while goes_on:
        page = (await graph.data(LISTED % kind, {"keys": [key], "after": after}))["list"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        after, goes_on = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert len(set(ids)) == len(ids)
    return ids


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("customers", {"nimpos.GetCustomers": 1}), ("invoices", {"nimpos.GetCustomerInvoice": 3, "nimpos.GetCustomers": 1})],
)
async def test_a_hundred_in_fifty_requests_at_once_cost_one_window_and_then_none(
    graph: Graph, sandbox: RunningSandbox, kind: str, expected: dict[str, int]
) -> None:
    ids = (await all_ids(graph, kind))[:100]
    async with open_graph(sandbox) as cold:
        sandbox.sandbox.reset_calls()
        for _ in range(2):
            answers = await asyncio.gather(*(cold.data(NAMED, {"ids": ids[n : n + 2]}) for n in range(0, 100, 2)))
            assert all(node is not None for answered in answers for node in answered["nodes"])
        assert cold.calls() == expected


async def test_all_orders_are_listed_once_and_a_page_costs_one_call(graph: Graph) -> None:
    orders = await all_ids(graph, "orders")
    assert graph.calls() == {"nimpos.GetOrders": -(-len(orders) // 50)}


async def test_what_is_due_of_the_emulated_invoices_is_what_their_debts_say(sandbox: RunningSandbox, graph: Graph) -> None:
    ids = (await all_ids(graph, "invoices"))[-20:]
    query = "query ($ids: [ID!]!) {nodes(ids: $ids) {... on Invoice {number amountDue {amount currency}}}}"
    due = {node["number"]: node["amountDue"] for node in (await graph.data(query, {"ids": ids}))["nodes"]}
    assert graph.calls()["nimpos.GetCustomerDebts"] == 1
    debts = await read_raw(sandbox, "GetCustomerDebts")
    owed = {str(debt["InvoiceNumber"]): debt["Balance"] for debt in debts}
    assert {number: None if money is None else Decimal(money["amount"]) for number, money in due.items()} == {
        number: owed.get(number) for number in due
    }
    assert any(due.values())


async def read_raw(sandbox: RunningSandbox, action: str) -> list[dict[str, Any]]:
    """Ask the emulated system itself, with all the gateway left out."""
    async with httpx.AsyncClient(base_url=f"{sandbox.base_url}/nimpos") as client:
        form = {"grant_type": "password", "userName": "demo", "password": "demo"}
        token = (await client.post("/Token", data=form)).json()["access_token"]
        window = {
            "LastExecutedDate": "2020-01-01T00:00:00Z",
            "CurrentDate": "2040-01-01T00:00:00Z",
            "TerminalId": TILL,
            "SharedDB": "false",
        }
        response = await client.get(f"/api/Customer/{action}", params=window, headers={"authorization": f"bearer {token}"})
        rows: list[dict[str, Any]] = json.loads(response.content, parse_float=Decimal)
        return rows
