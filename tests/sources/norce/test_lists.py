from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import fields as fields_of
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app import make_gateway, settings_from
from gateway.errors import InvalidCursor, ListUnsupported, MalformedAnswer, UpstreamRateLimited
from gateway.model import UNREAD, Criteria, Customer, Invoice, InvoiceType, Kind, Order, OrderStatus, Record, Ref, SourcePage
from gateway.sandbox.server import RunningSandbox
from gateway.sources.base import Fetch
from gateway.sources.norce import NorceSource
from gateway.transport import Response, Scope
from tests.fakes import FakeWire, answer, make_scope
from tests.sources.norce.samples import (
    COMPANY_ROW,
    CUSTOMER,
    CUSTOMER_ROW,
    HIT,
    INVOICE,
    INVOICE_ROW,
    LISTED_INVOICE,
    LISTED_ORDER,
    ORDER,
    ROW_2,
    edited,
    page_of,
)
from tests.sources.norce.test_source import METADATA, calls, customer_ref, make_source, order_ref, query_of

pytestmark = pytest.mark.anyio

ORDERS = Criteria(kind=Kind.ORDER)
CUSTOMERS = Criteria(kind=Kind.CUSTOMER)
OF_PERSON = Criteria(kind=Kind.INVOICE, customer=Ref("commerce", Kind.CUSTOMER, "customer/31877"))
OF_ORDER = Criteria(kind=Kind.INVOICE, order=Ref("commerce", Kind.ORDER, "70213", hint="N-100341"))
OFF: dict[str, object] = {"query_version": "off"}


def query_over(rows: Sequence[str], *, cap: int = 500, refuses: str | None = None) -> Callable[[dict[str, str]], str | Response]:
    """Answer as Query does: rows in the order of ids, `Id gt`, `$top` lowered to the cap, `$skip`."""

    def answer_page(query: dict[str, str]) -> str | Response:
        if refuses is not None and refuses in str(query):
            return answer(status=400)
        after = re.search(r"Id gt (\d+)", query.get("$filter", ""))
        left = [row for row in rows if after is None or json.loads(row).get("Id", 0) > int(after[1])]
        start, top = int(query.get("$skip", 0)), min(int(query["$top"]), cap)
        more = len(left) > start + top and int(query["$top"]) > cap
        return page_of(*left[start : start + top], next_link="https://u.example/?$skip=500" if more else None)

    return answer_page


def row(row_id: int, **fields: object) -> str:
    return edited(ROW_2, **{"Id": row_id, "OrderNo": f"N-{row_id}", **fields})


def services_over(rows: list[str]) -> Callable[[dict[str, str]], str]:
    """Answer as the lists of the Services do."""

    def answer_page(query: dict[str, str]) -> str:
        size = int(query["pageSize"])
        start = (int(query["pageNo"]) - 1) * size
        return f'{{"ItemCount": {len(rows)}, "Items": [{", ".join(rows[start : start + size])}]}}'

    return answer_page


async def page_of_source(source: NorceSource, criteria: Criteria, position: str | None = None, size: int = 10) -> SourcePage:
    page = await source.fetch_page(criteria, position, size, make_scope())
    assert len(page.positions) == len(page.records) <= size
    return page


def keys(page: SourcePage) -> list[str]:
    return [record.ref.native_id for record in page.records]


def filter_of(wire: FakeWire) -> str:
    return query_of(wire.requests[-1])["$filter"]


STEPS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), min_size=1, max_size=8)
"""Of each page: its size, after how many rows the gateway goes on at most, and whether a new object is added behind."""


async def walk(source: NorceSource, criteria: Criteria, steps: Sequence[tuple[int, int, bool]], add: Callable[[], object]) -> list[str]:
    """Page to the end, going on within pages too."""
    seen: list[str] = []
    position: str | None = None
    for size, at_most, is_added in cycle(steps):
        page = await page_of_source(source, criteria, position, size)
        taken = keys(page)[:at_most]
        seen += taken
        is_whole = len(taken) == len(page.records)
        if is_whole and page.next_position is None:
            break
        position = page.next_position if is_whole else page.positions[len(taken) - 1]
        if is_added and len(seen) < 40:
            add()
    return seen


@pytest.mark.parametrize("by_skip", [False, True])
@given(ids=st.sets(st.integers(1, 10**15), max_size=25), steps=STEPS)
@settings(max_examples=40, deadline=None)
async def test_pages_of_any_size_give_every_order_once_in_order_while_new_ones_come_at_the_end(
    by_skip: bool,  # noqa: FBT001  (parametrized)
    ids: set[int],
    steps: Sequence[tuple[int, int, bool]],
) -> None:
    rows = [row(row_id) for row_id in sorted(ids)]
    source, wire = make_source({"Orders": query_over(rows, refuses="Id gt" if by_skip else None)})
    seen = await walk(source, ORDERS, steps, lambda: rows.append(row(json.loads(rows[-1])["Id"] + 1)))
    assert seen == [str(json.loads(each)["Id"]) for each in rows]
    assert len(wire.requests) <= len(rows) + (4 if by_skip else 2)


@given(count=st.integers(0, 25), steps=STEPS)
@settings(max_examples=60, deadline=None)
async def test_pages_of_any_size_give_every_invoice_of_a_parent_once(count: int, steps: Sequence[tuple[int, int, bool]]) -> None:
    rows = [edited(LISTED_INVOICE, Id=str(number)) for number in range(1, count + 1)]
    source, wire = make_source({"ListInvoices": services_over(rows)}, OFF)
    seen = await walk(source, OF_PERSON, steps, lambda: rows.append(edited(LISTED_INVOICE, Id=str(len(rows) + 1))))
    assert seen == [str(number) for number in range(1, len(rows) + 1)]
    assert len(wire.requests) <= len(rows) + 1


async def test_a_list_of_orders_is_of_this_application_with_the_buyer_and_without_what_another_call_gives() -> None:
    buyer = {"FirstName": "Ida", "EmailAddress": "ida@x.example"}
    source, wire = make_source({"Orders": query_over([row(1, Buyer=buyer), row(2, Buyer=None)])})
    page = await page_of_source(source, ORDERS)
    assert (keys(page), page.next_position, page.positions, page.total) == (["1", "2"], None, ("id:1", "id:2"), None)
    first, second = page.records
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert isinstance(first.customer, Customer)
    assert (first.customer.ref.native_id, first.customer.name, second.customer) == ("order/1/billto", "Ida", None)
    assert (first.totals, first.lines, first.currency, first.payment_method, first.fetched_at is None) == (*[UNREAD] * 4, False)
    query = query_of(wire.requests[0])
    assert (query["$filter"], query["$expand"], query["$orderby"], query["$top"]) == ("ApplicationId eq 7 and Id gt 0", "Buyer", "Id", "11")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"number": "N-'1"}, "OrderNo eq 'N-''1'"),
        ({"customer": customer_ref("customer/9")}, "(BuyerCustomerId eq 9 or PayerCustomerId eq 9)"),
        ({"customer": customer_ref("company/9")}, "(BuyerCompanyId eq 9 or PayerCompanyId eq 9)"),
        ({"customer": customer_ref("order/9/billto")}, "Id eq 9"),
        ({"status": OrderStatus.DELIVERED}, "(StatusId eq 4 or StatusId eq 8)"),
        ({"source_status": ("StatusId", "5")}, "StatusId eq 5"),
        ({"status": OrderStatus.OPEN, "source_status": ("StatusId", "1")}, "StatusId eq 1"),
        (
            {"ordered_from": datetime(2026, 1, 1, tzinfo=UTC), "ordered_to": datetime(2026, 2, 1, tzinfo=UTC)},
            "OrderDate ge 2026-01-01T00:00:00Z and OrderDate le 2026-02-01T00:00:00Z",
        ),
    ],
)
async def test_criteria_of_orders_are_passed_on_and_named(fields: Mapping[str, Any], expected: str) -> None:
    source, wire = make_source({"Orders": query_over([row(1)])})
    page = await page_of_source(source, Criteria(kind=Kind.ORDER, **fields))
    assert (filter_of(wire), {*page.applied}) == (f"ApplicationId eq 7 and {expected} and Id gt 0", set(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": OrderStatus.DELETED},
        {"source_status": ("MainStatusId", "1")},
        {"source_status": ("StatusId", "x or 1 eq 1")},
        {"status": OrderStatus.OPEN, "source_status": ("StatusId", "5")},
    ],
)
async def test_a_status_that_no_order_can_have_is_an_empty_list_without_a_call(fields: Mapping[str, Any]) -> None:
    for options in ({}, OFF):
        source, wire = make_source({}, options)
        dates: dict[str, Any] = {"ordered_from": datetime(2026, 1, 1, tzinfo=UTC)}
        page = await page_of_source(source, Criteria(kind=Kind.ORDER, **fields, **dates))
        assert (page.records, page.next_position, {*page.applied}, wire.requests) == ((), None, {*fields, *dates}, [])


async def test_a_status_that_a_configured_text_may_mean_is_left_to_the_gateway_and_a_text_cannot_be_listed_by() -> None:
    source, wire = make_source({"Orders": query_over([])}, order_status={"Levererad": OrderStatus.DELIVERED})
    page = await page_of_source(source, Criteria(kind=Kind.ORDER, status=OrderStatus.DELIVERED))
    assert (filter_of(wire), {*page.applied}) == ("ApplicationId eq 7 and Id gt 0", set())
    with pytest.raises(ListUnsupported):
        await page_of_source(source, Criteria(kind=Kind.ORDER, source_status=("Status", "Levererad")))


async def test_a_row_that_cannot_be_read_is_counted_once_and_the_others_stay() -> None:
    rows = [row(1), row(2, OrderDate="x"), row(3, OrderNo=[]), "7", row(4), row(5)]
    source, _ = make_source({"Orders": lambda _: page_of(*rows)})
    page = await page_of_source(source, ORDERS)
    assert (keys(page), page.unreadable, page.next_position) == (["1", "4", "5"], 3, None)


async def test_rows_out_of_order_or_without_end_are_a_malformed_answer() -> None:
    for said in (page_of(row(2), row(1)), page_of("7", "8", "9", "10"), page_of(next_link="https://u.example/?$skip=1")):
        source, _ = make_source({"Orders": said})
        with pytest.raises(MalformedAnswer):
            await page_of_source(source, ORDERS, size=3)


async def test_a_page_larger_than_the_cap_is_read_in_parts() -> None:
    source, wire = make_source({"Orders": query_over([row(number) for number in range(1, 1201)])})
    page = await page_of_source(source, ORDERS, size=600)
    assert (len(page.records), page.next_position) == (600, "id:600")
    assert [query_of(request)["$top"] for request in wire.requests] == ["500", "101"]


async def test_an_installation_that_takes_neither_expansion_nor_ranges_of_ids_is_paged_by_skipping() -> None:
    rows = [row(number) for number in range(1, 6)]
    source, wire = make_source({"Orders": query_over(rows, refuses="Id gt")})
    first = await page_of_source(source, ORDERS, size=2)
    assert (keys(first), first.next_position) == (["1", "2"], "skip:2")
    del wire.requests[:]
    assert keys(await page_of_source(source, ORDERS, "skip:2", size=3)) == ["3", "4", "5"]
    assert len(wire.requests) == 1


@pytest.mark.parametrize("position", ["", "x", "id:", "id:-1", "id:01", "row:1", "id:1 or 1 eq 1", "id:\u0663"])
async def test_a_position_of_another_list_is_refused(position: str) -> None:
    source, wire = make_source({})
    with pytest.raises(InvalidCursor):
        await page_of_source(source, ORDERS, position)
    with pytest.raises(InvalidCursor):
        await page_of_source(source, Criteria(kind=Kind.CUSTOMER, search="no"), "id:1")
    assert wire.requests == []


async def test_a_list_that_is_rate_limited_says_so() -> None:
    source, _ = make_source({"Orders": answer(status=429)})
    with pytest.raises(UpstreamRateLimited):
        await page_of_source(source, ORDERS)


async def test_without_query_orders_are_listed_by_a_parent_or_dates_with_the_statuses_as_a_seed() -> None:
    source, wire = make_source({"ListOrders3": services_over([LISTED_ORDER])}, OFF)
    person = Criteria(kind=Kind.ORDER, customer=customer_ref("customer/9"), status=OrderStatus.DELIVERED)
    page = await page_of_source(source, person)
    assert (keys(page), {*page.applied}, page.total) == (["70213"], {"customer", "status"}, 1)
    assert query_of(wire.requests[-1]) == {"customerId": "9", "statusSeed": "4,8", "pageNo": "1", "pageSize": "10"}
    dates = Criteria(kind=Kind.ORDER, ordered_from=datetime(2026, 1, 1, tzinfo=UTC))
    page = await page_of_source(source, dates)
    assert ({*page.applied}, page.total) == (set(), None)
    assert query_of(wire.requests[-1]) == {"fromDate": "2026-01-01T00:00:00.000Z", "pageNo": "1", "pageSize": "10"}
    source, wire = make_source({"GetOrderByNo": ORDER}, OFF)
    page = await page_of_source(source, Criteria(kind=Kind.ORDER, number="N-100341"))
    assert (keys(page), {*page.applied}) == (["70213"], {"number"})


@pytest.mark.parametrize("criteria", [ORDERS, Criteria(kind=Kind.ORDER, customer=customer_ref("order/9/billto")), CUSTOMERS])
async def test_without_query_there_is_no_list_of_all(criteria: Criteria) -> None:
    source, wire = make_source({}, OFF)
    with pytest.raises(ListUnsupported):
        await page_of_source(source, criteria)
    assert wire.requests == []


async def test_a_page_shorter_than_its_count_promises_is_a_malformed_answer() -> None:
    source, _ = make_source({"ListInvoices": '{"ItemCount": 3, "Items": []}'}, OFF)
    with pytest.raises(MalformedAnswer):
        await page_of_source(source, OF_PERSON)


async def test_lists_without_a_count_end_with_the_first_page_that_is_not_full() -> None:
    rows = [edited(LISTED_INVOICE, Id=str(number)) for number in range(1, 4)]
    with_count = services_over(rows)
    source, _ = make_source({"ListInvoices": lambda query: with_count(query).replace("ItemCount", "Other")}, OFF)
    first = await page_of_source(source, OF_PERSON, size=2)
    second = await page_of_source(source, OF_PERSON, first.next_position, size=2)
    assert (keys(first), keys(second), second.next_position, first.total) == (["1", "2"], ["3"], None, None)


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({"order": order_ref()}, {"orderId": "70213"}),
        ({"customer": customer_ref("customer/9")}, {"customerId": "9"}),
        ({"customer": customer_ref("company/9")}, {"companyId": "9"}),
        ({"customer": customer_ref("order/70213/billto")}, {"orderId": "70213"}),
    ],
)
async def test_invoices_are_listed_for_one_parent(fields: Mapping[str, Any], parent: dict[str, str]) -> None:
    source, wire = make_source({"$metadata": "<x/>", "ListInvoices": services_over([LISTED_INVOICE, "7"])})
    page = await page_of_source(source, Criteria(kind=Kind.INVOICE, **fields))
    assert (keys(page), {*page.applied}, page.total, page.unreadable) == (["50911"], set(fields), 2, 1)
    assert query_of(wire.requests[-1]) == {**parent, "pageNo": "1", "pageSize": "10"}
    assert calls(wire) == ["$metadata", "ListInvoices"]


@pytest.mark.parametrize("asked", [{"type": InvoiceType.CREDIT_NOTE}, {"is_credit": True}])
async def test_credits_of_a_parent_are_listed_where_rows_say_what_is_a_credit(asked: Mapping[str, Any]) -> None:
    source, wire = make_source({"$metadata": METADATA, "ListInvoices": services_over([edited(LISTED_INVOICE, IsDebit=False)])})
    page = await page_of_source(source, Criteria(kind=Kind.INVOICE, customer=customer_ref("company/9"), **asked))
    assert [(record.type, record.is_credit) for record in page.records if isinstance(record, Invoice)] == [(InvoiceType.CREDIT_NOTE, True)]
    assert calls(wire) == ["ListInvoices"]


async def test_a_list_that_is_null_is_empty() -> None:
    source, _ = make_source({"ListInvoices": "null", "ListOrders3": "null"}, OFF)
    for kind in (Kind.INVOICE, Kind.ORDER):
        page = await page_of_source(source, Criteria(kind=kind, customer=customer_ref("customer/9")))
        assert (page.records, page.next_position, page.total) == ((), None, 0)


async def test_days_of_invoices_are_passed_on_a_day_wider_and_left_to_the_gateway() -> None:
    days: dict[str, Any] = {"issued_from": date(2026, 1, 2), "issued_to": date(2026, 1, 31)}
    source, wire = make_source({"$metadata": "<x/>", "ListInvoices": services_over([])})
    page = await page_of_source(source, Criteria(kind=Kind.INVOICE, customer=OF_PERSON.customer, **days))
    query = query_of(wire.requests[-1])
    assert (query["fromDate"], query["toDate"]) == ("2025-12-31T23:00:00.000Z", "2026-02-01T23:00:00.000Z")
    assert ({*page.applied}, page.total) == ({"customer"}, None)
    await page_of_source(source, Criteria(kind=Kind.INVOICE, customer=OF_PERSON.customer, issued_from=date.min, issued_to=date.max))
    assert query_of(wire.requests[-1]) == {"customerId": "31877", "pageNo": "1", "pageSize": "10"}


async def test_all_invoices_are_listed_only_where_the_metadata_shows_them() -> None:
    source, wire = make_source({"$metadata": METADATA, "Invoices": lambda _: page_of(INVOICE_ROW)})
    page = await page_of_source(source, Criteria(kind=Kind.INVOICE, issued_from=date(2026, 1, 2)))
    assert (keys(page), {*page.applied}) == (["50911"], set())
    assert filter_of(wire) == "InvoiceDate ge 2025-12-31T23:00:00Z and Id gt 0"
    both = Criteria(kind=Kind.INVOICE, order=order_ref(), customer=customer_ref("company/9"))
    assert {*(await page_of_source(source, both)).applied} == {"order", "customer"}
    assert filter_of(wire) == "ReferenceOrderId eq 70213 and (BuyerCompanyId eq 9 or PayerCompanyId eq 9) and Id gt 0"
    source, _ = make_source({"$metadata": "<x/>"})
    with pytest.raises(ListUnsupported, match="a customer or an order"):
        await page_of_source(source, Criteria(kind=Kind.INVOICE))


async def test_an_invoice_is_listed_by_its_number_and_read_whole() -> None:
    source, wire = make_source({"GetInvoiceByNo": lambda query: INVOICE if query["invoiceNo"] == "F-2026-0088" else "null"})
    page = await page_of_source(source, Criteria(kind=Kind.INVOICE, number="F-2026-0088"))
    (found,) = page.records
    assert isinstance(found, Invoice)
    assert (found.lines is UNREAD, {*page.applied}, page.total, page.next_position) == (False, {"number"}, 1, None)
    assert (await page_of_source(source, Criteria(kind=Kind.INVOICE, number="x"))).records == ()
    assert len(wire.requests) == 2


async def test_persons_are_listed_from_query_by_number_and_email() -> None:
    source, wire = make_source({"Customers": lambda _: page_of(CUSTOMER_ROW)})
    page = await page_of_source(source, Criteria(kind=Kind.CUSTOMER, number="C-1", email="o'x@y.example"))
    assert filter_of(wire) == "CustomerCode eq 'C-1' and EmailAddress eq 'o''x@y.example' and Id gt 0"
    assert (keys(page), {*page.applied}) == (["customer/31877"], {"number", "email"})
    source, wire = make_source({"GetCustomerByCode": CUSTOMER}, OFF)
    page = await page_of_source(source, Criteria(kind=Kind.CUSTOMER, number="C-31877"))
    assert (keys(page), {*page.applied}, calls(wire)) == (["customer/31877"], {"number"}, ["GetCustomerByCode"])


async def test_a_search_asks_for_as_many_hits_as_the_page_needs() -> None:
    hits = [edited(HIT, Id=number) for number in range(1, 8)]
    source, wire = make_source({"SearchCustomer2": lambda query: f"[{','.join(hits[: int(query['size'])])}]"}, OFF)
    search = Criteria(kind=Kind.CUSTOMER, search=" no ")
    first = await page_of_source(source, search, size=3)
    assert (keys(first), first.next_position, first.total) == (["customer/1", "customer/2", "customer/3"], "row:3", None)
    last = await page_of_source(source, search, "row:3", size=9)
    assert (len(last.records), last.next_position, last.total, {*last.applied}) == (4, None, 7, {"search"})
    assert [query_of(request) for request in wire.requests] == [
        {"searchString": "no", "size": "4"},
        {"searchString": "no", "size": "13"},
    ]
    with pytest.raises(ListUnsupported, match="2 characters"):
        await page_of_source(source, Criteria(kind=Kind.CUSTOMER, search=" n"))


async def test_a_search_that_is_cut_says_so() -> None:
    source, _ = make_source({"SearchCustomer2": f"[{','.join([HIT] * 500)}]"})
    page = await page_of_source(source, Criteria(kind=Kind.CUSTOMER, search="no"), "row:490")
    assert (len(page.records), page.next_position, page.left_out) == (10, None, ("the search gives its first 500 hits",))


async def test_companies_are_listed_by_their_organisation_number() -> None:
    source, wire = make_source({"ListCompaniesByOrgNo": f"[{COMPANY_ROW}, {{}}]"})
    page = await page_of_source(source, Criteria(kind=Kind.CUSTOMER, organization_number="5590123456"))
    assert (keys(page), {*page.applied}, page.unreadable) == (["company/902"], {"organization_number"}, 1)
    assert query_of(wire.requests[0]) == {"orgNo": "5590123456"}


async def test_other_kinds_are_not_listed() -> None:
    source, _ = make_source({})
    with pytest.raises(ListUnsupported):
        await page_of_source(source, Criteria(kind=Kind.INVOICE_SETTINGS))


@pytest.fixture
async def over_sandbox(sandbox: RunningSandbox) -> AsyncIterator[NorceSource]:
    """A source over real HTTP, as the demo configures it."""
    tables = sandbox.sandbox.source_tables(sandbox.base_url)
    own = {key: table for key, table in tables.items() if table["system"] == "norce"}
    gateway = make_gateway(settings_from({"sources": own}))
    (source,) = gateway.sources
    assert isinstance(source, NorceSource)
    yield source
    await gateway.aclose()


def long_scope() -> Scope:
    return Scope(request_id="test", deadline=time.monotonic() + 60)


async def all_of(source: NorceSource, criteria: Criteria, size: int) -> list[Record]:
    found: list[Record] = []
    position: str | None = None
    while True:
        page = await source.fetch_page(criteria, position, size, long_scope())
        found += page.records
        position = page.next_position
        if position is None:
            return found


async def test_query_and_order_service_say_the_same_of_an_order_and_a_hundred_cost_two_calls(
    over_sandbox: NorceSource, sandbox: RunningSandbox
) -> None:
    refs = [record.ref for record in await all_of(over_sandbox, ORDERS, 100)][:100]
    before = dict(sandbox.sandbox.calls.by_operation)
    fields = frozenset({"number", "ordered_at", "status", "delivery_method", "lines", "customer"})
    rows = await over_sandbox.fetch_many(Fetch.ORDER, refs, long_scope(), fields)
    assert sum(sandbox.sandbox.calls.by_operation.values()) - sum(before.values()) == 2
    for row_, whole in zip(rows, await over_sandbox.fetch_many(Fetch.ORDER, refs, long_scope()), strict=True):
        assert isinstance(row_, Order)
        assert isinstance(whole, Order)
        assert said_of(row_) == said_of(whole)
        assert known_of(row_.customer).items() <= known_of(whole.customer).items()


def said_of(order: Order) -> list[object]:
    """Give what both reads say; the currency of lines is asked of the order where Query does not say it."""
    lines = [[getattr(value, "amount", value) for value in astuple_of(line)] for line in order.lines or ()]
    return [order.number, order.ordered_at, order.status, order.delivery_method, lines]


def astuple_of(record: object) -> list[object]:
    return [getattr(record, field.name) for field in fields_of(record)]  # type: ignore[arg-type]  # lines and customers are dataclasses


def known_of(customer: object) -> dict[str, object]:
    if not isinstance(customer, Customer):
        return {}
    names = ("ref", "number", "name", "kind", "email", "phone", "organization_number")
    return {name: value for name in names if (value := getattr(customer, name)) is not UNREAD}


async def test_every_order_and_person_of_the_sandbox_is_listed_once_whatever_the_size(over_sandbox: NorceSource) -> None:
    for criteria in (ORDERS, CUSTOMERS):
        small, large = [[record.ref for record in await all_of(over_sandbox, criteria, size)] for size in (37, 100)]
        assert small == large
        assert len(set(small)) == len(small) > 100
