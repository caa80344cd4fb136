from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from gateway.errors import (
    GatewayError,
    InvalidInput,
    LookupUnsupported,
    MalformedAnswer,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.model import (
    UNREAD,
    Confirmation,
    CreateInvoice,
    CreateInvoiceFromOrder,
    Currency,
    CurrencyOrigin,
    Customer,
    DataWarningCode,
    Invoice,
    Kind,
    LineDraft,
    MoneyDraft,
    MutationOutcome,
    Operation,
    Order,
    OrderStatus,
    Ref,
    SupportLevel,
    UserError,
    UserErrorCode,
)
from gateway.sources.base import Answer, Claims, Fetch, Prepared, Refused
from gateway.sources.decode import decode_tree
from gateway.sources.norce import SPEC, NorceOptions, NorceSource
from gateway.transport import Response, Scope
from gateway.transport.wire import WireRequest, WireTimeout
from tests.fakes import FakeClock, FakeWire, answer, make_parts, make_scope
from tests.sources.norce.samples import (
    BILL_TO,
    BUYER_ROW,
    CUSTOMER,
    CUSTOMER_ROW,
    INVOICE,
    INVOICE_ROW,
    ITEM_ROW,
    ORDER,
    ROW_2,
    ROW_3,
    edited,
    page_of,
    with_more,
)

pytestmark = pytest.mark.anyio

Said = str | Response | Callable[[dict[str, str]], str | Response]
METADATA = '<Schema><EntityContainer><EntitySet Name="Orders" EntityType="O"/><EntitySet EntityType="I" Name="Invoices"/></EntityContainer>'
ROW_FIELDS = frozenset({"number", "status", "source_statuses", "ordered_at", "lines", "customer", "delivery_method", "warnings"})
NORCE_INPUT: dict[str, object] = {"client_order_ref": 448120, "erp_order_number": "N-100341", "capture_payment": False}


def operation_of(request: WireRequest) -> str:
    return urlsplit(request.url).path.rsplit("/", 1)[-1]


def query_of(request: WireRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def make_source(said: Mapping[str, Said], options: Mapping[str, object] | None = None, **profile: object) -> tuple[NorceSource, FakeWire]:
    """Build a source whose upstream answers by the last segment of the path."""

    def handle(request: WireRequest) -> Response:
        what = said[operation_of(request)]
        if callable(what):
            what = what(query_of(request))
        return what if isinstance(what, Response) else answer(what)

    fields: dict[str, Any] = {"key": "commerce", "system": "NORCE", "default_currency": "SEK", **profile}
    parts, wire = make_parts(NorceOptions.model_validate({"application_id": 7, **(options or {})}), handle, **fields)
    return NorceSource(parts), wire


def calls(wire: FakeWire) -> list[str]:
    return [operation_of(request) for request in wire.requests]


def order_ref(native_id: str = "70213", hint: str | None = None) -> Ref:
    return Ref("commerce", Kind.ORDER, native_id, hint=hint)


def customer_ref(native_id: str) -> Ref:
    return Ref("commerce", Kind.CUSTOMER, native_id)


def invoice_ref(native_id: str = "50911") -> Ref:
    return Ref("commerce", Kind.INVOICE, native_id)


def as_order(found: Answer) -> Order:
    assert isinstance(found, Order)
    return found


def codes_of(record: Order) -> list[DataWarningCode]:
    assert isinstance(record.warnings, tuple)
    return [warning.code for warning in record.warnings]


def create(norce: Mapping[str, object] = NORCE_INPUT, **fields: object) -> CreateInvoice:
    given: dict[str, Any] = {
        "native_id": UUID(int=1),
        "native_id_given": False,
        "number": "F-2026-0088",
        "issue_date": date(2026, 1, 17),
        "total": MoneyDraft(Decimal("6000.00"), "SEK"),
        "system": {"norce": norce},
        **fields,
    }
    return CreateInvoice(**given)


async def prepared_by(source: NorceSource, write: CreateInvoice) -> Prepared:
    prepared = await source.prepare(write, make_scope())
    assert isinstance(prepared, Prepared)
    return prepared


def said_by(refused: Prepared | Refused) -> list[tuple[str, tuple[str, ...] | None]]:
    assert isinstance(refused, Refused)
    return [(error.code.value, error.field) for error in refused.errors]


def no_query(_query: dict[str, str]) -> Response:
    return answer(status=500)


async def test_the_spec_builds_a_source_of_this_system() -> None:
    assert (SPEC.name, SPEC.system, SPEC.options, SPEC.build) == ("norce", "NORCE", NorceOptions, NorceSource)


async def test_invoices_are_read_one_call_each_and_a_missing_one_is_null() -> None:
    source, wire = make_source({"GetInvoice": lambda query: INVOICE if query["id"] == "50911" else "null"})
    found = await source.fetch_many(Fetch.INVOICE, [invoice_ref(), invoice_ref("1")], make_scope())
    assert isinstance(found[0], Invoice)
    assert (found[0].number, found[1]) == ("F-2026-0088", None)
    assert found[0].raw == INVOICE.encode()
    assert calls(wire) == ["GetInvoice", "GetInvoice"]
    assert wire.requests[0].headers["application-id"] == "7"


async def test_one_invoice_that_fails_leaves_the_others() -> None:
    bodies: dict[str, str | Response] = {"50911": INVOICE, "2": answer("[]"), "3": answer(status=500), "4": answer("<html>"), "5": INVOICE}
    source, _ = make_source({"GetInvoice": lambda query: bodies[query["id"]]})
    found = await source.fetch_many(Fetch.INVOICE, [invoice_ref(native_id) for native_id in bodies], make_scope())
    assert [type(each) for each in found] == [Invoice, MalformedAnswer, UpstreamUnavailable, MalformedAnswer, MalformedAnswer]


async def test_orders_cost_one_query_for_all_and_one_read_each() -> None:
    source, wire = make_source(
        {
            "Orders": page_of(ROW_2, '{"Id": 70214, "OrderNo": "N-2", "StatusId": 1}'),
            "GetOrderByNo": lambda query: ORDER if query["orderno"] == "N-100341" else edited(ORDER, Id="70214", OrderNo="N-2"),
        }
    )
    found = await source.fetch_many(Fetch.ORDER, [order_ref(), order_ref("70214"), order_ref("9")], make_scope())
    assert [as_order(each).status for each in found[:2]] == [OrderStatus.INVOICED, OrderStatus.OPEN]
    assert (as_order(found[0]).raw, found[2]) == (ORDER.encode(), None)
    assert calls(wire) == ["Orders", "GetOrderByNo", "GetOrderByNo"]
    assert query_of(wire.requests[0])["$filter"] == "Id eq 70213 or Id eq 70214 or Id eq 9"


async def test_version_3_of_query_is_read_in_its_own_spelling() -> None:
    source, wire = make_source({"Orders": page_of(ROW_3), "GetOrderByNo": ORDER}, {"query_version": "3.0"})
    assert as_order((await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope()))[0]).status == OrderStatus.INVOICED
    assert query_of(wire.requests[0])["$filter"] == "id eq 70213"


async def test_query_is_asked_in_chunks_of_fifty() -> None:
    source, wire = make_source({"Orders": page_of()})
    found = await source.fetch_many(Fetch.ORDER, [order_ref(str(number)) for number in range(1, 102)], make_scope())
    assert found == [None] * 101
    assert [query_of(request)["$filter"].count("eq") for request in wire.requests] == [50, 50, 1]


async def test_next_pages_are_followed_on_our_own_host_until_all_is_found() -> None:
    link = "https://elsewhere.example/commerce/query/2.0/Orders/Orders?$skip=500"
    source, wire = make_source(
        {
            "Orders": lambda query: page_of(ROW_2, next_link=link) if "$skip" in query else page_of(next_link=link),
            "GetOrderByNo": ORDER,
        }
    )
    assert as_order((await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope()))[0]).number == "N-100341"
    assert calls(wire) == ["Orders", "Orders", "GetOrderByNo"]
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"upstream.example"}


async def test_pages_without_end_are_a_malformed_answer() -> None:
    source, wire = make_source({"Orders": page_of(next_link="https://u.example/?$skip=1")})
    found = await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope())
    assert (type(found[0]), len(wire.requests)) == (MalformedAnswer, 2)


async def test_an_order_without_a_number_is_read_by_its_basket() -> None:
    source, wire = make_source({"Orders": page_of('{"Id": 70213, "QuotationId": 448120, "StatusId": 0}'), "GetOrderByBasket": ORDER})
    assert as_order((await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope()))[0]).status == OrderStatus.OPEN
    assert query_of(wire.requests[1]) == {"basketId": "448120"}


async def test_an_order_that_only_query_shows_is_given_from_there() -> None:
    for rows, reads in (('{"Id": 70213, "StatusId": 0}', {}), (ROW_2, {"GetOrderByNo": "null"})):
        source, _ = make_source({"Orders": page_of(rows), **reads})
        record = as_order((await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope()))[0])
        assert (record.native_type, record.totals, record.raw) == ("Order", None, rows.encode())


async def test_a_failing_query_leaves_orders_whose_number_is_known() -> None:
    source, _ = make_source({"Orders": no_query, "GetOrderByNo": ORDER})
    known, unknown = await source.fetch_many(Fetch.ORDER, [order_ref(hint="N-100341"), order_ref("70214")], make_scope())
    assert as_order(known).status == OrderStatus.UNKNOWN
    assert codes_of(as_order(known)) == [DataWarningCode.UNMAPPED_VALUE]
    assert isinstance(unknown, UpstreamUnavailable)


async def test_without_query_an_order_is_read_by_the_number_that_came_along() -> None:
    source, wire = make_source({"GetOrderByNo": ORDER}, {"query_version": "off"})
    known, unknown = await source.fetch_many(Fetch.ORDER, [order_ref(hint="N-100341"), order_ref("70214")], make_scope())
    assert as_order(known).number == "N-100341"
    assert isinstance(unknown, LookupUnsupported)
    assert calls(wire) == ["GetOrderByNo"]


@pytest.mark.parametrize("native_id", ["A-1", "0070213", "99999999999999999999"])
async def test_an_order_id_that_is_no_int64_is_never_put_into_a_query(native_id: str) -> None:
    source, wire = make_source({})
    assert isinstance((await source.fetch_many(Fetch.ORDER, [order_ref(native_id)], make_scope()))[0], LookupUnsupported)
    assert wire.requests == []


async def test_another_order_than_the_one_asked_for_is_a_malformed_answer() -> None:
    source, _ = make_source({"Orders": page_of(ROW_2), "GetOrderByNo": edited(ORDER, Id="1")})
    assert isinstance((await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope()))[0], MalformedAnswer)


async def test_a_row_that_cannot_be_read_never_makes_an_order_absent() -> None:
    source, _ = make_source({"Orders": page_of(ROW_2, '{"Id": {}}'), "GetOrderByNo": ORDER})
    found, other = await source.fetch_many(Fetch.ORDER, [order_ref(), order_ref("70214")], make_scope())
    assert as_order(found).number == "N-100341"
    assert isinstance(other, MalformedAnswer)


def rows_asked(template: str) -> Callable[[dict[str, str]], str]:
    """Answer each id of the filter with a row of its own."""

    def answer_rows(query: dict[str, str]) -> str:
        ids = [term.split(" ")[2] for term in query["$filter"].split(" or ")]
        return page_of(*(template.replace("70213", row_id).replace("31877", row_id).replace("50911", row_id) for row_id in ids))

    return answer_rows


async def test_a_hundred_orders_with_lines_and_customers_are_two_calls() -> None:
    source, wire = make_source({"Orders": rows_asked(with_more(ROW_3, items=f"[{ITEM_ROW}]", buyer=BUYER_ROW))}, {"query_version": "3.0"})
    refs = [order_ref(str(number), hint="N") for number in range(1, 101)]
    found = await source.fetch_many(Fetch.ORDER, refs, make_scope(), ROW_FIELDS | {"name_of_another_type"})
    assert [as_order(each).ref for each in found] == refs
    assert [(len(each.lines or ()), each.totals) for each in map(as_order, found)] == [(1, UNREAD)] * 100
    assert calls(wire) == ["Orders", "Orders"]
    assert query_of(wire.requests[0])["$expand"] == "items,buyer"


async def test_what_query_cannot_say_is_read_order_by_order_with_nothing_expanded() -> None:
    source, wire = make_source({"Orders": page_of(ROW_2), "GetOrderByNo": ORDER})
    (found,) = await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope(), ROW_FIELDS | {"totals"})
    assert (as_order(found).native_type, as_order(found).status) == ("Order", OrderStatus.INVOICED)
    assert calls(wire) == ["Orders", "GetOrderByNo"]
    assert "$expand" not in query_of(wire.requests[0])


async def test_a_currency_is_read_from_query_only_by_the_configured_table() -> None:
    fields = frozenset({"number", "currency"})
    source, wire = make_source({"Orders": page_of(ROW_3)}, {"query_version": "3.0"}, currencies={"2": "EUR"})
    (found,) = await source.fetch_many(Fetch.ORDER, [order_ref(hint="N-100341")], make_scope(), fields)
    assert (as_order(found).currency or None, calls(wire)) == (Currency("EUR", CurrencyOrigin.RECORD), ["Orders"])
    source, wire = make_source({"GetOrderByNo": ORDER})
    (found,) = await source.fetch_many(Fetch.ORDER, [order_ref(hint="N-100341")], make_scope(), fields)
    assert (as_order(found).currency or None, calls(wire)) == (Currency("SEK", CurrencyOrigin.RECORD), ["GetOrderByNo"])
    assert (as_order(found).status, as_order(found).source_statuses, codes_of(as_order(found))) == (UNREAD, UNREAD, [])


async def test_a_number_that_came_along_and_leads_nowhere_is_looked_up_by_id() -> None:
    source, wire = make_source(
        {"GetOrderByNo": lambda query: ORDER if query["orderno"] == "N-100341" else "null", "Orders": page_of(ROW_2)}
    )
    (found,) = await source.fetch_many(Fetch.ORDER, [order_ref(hint="N-old")], make_scope(), frozenset({"totals"}))
    assert (as_order(found).number, calls(wire)) == ("N-100341", ["GetOrderByNo", "Orders", "GetOrderByNo"])


@pytest.mark.parametrize(("status", "asked_again"), [(400, ["Orders"]), (500, ["Orders", "Orders"])])
async def test_an_installation_that_takes_no_expansion_is_asked_without_and_the_lines_come_from_order_service(
    status: int, asked_again: list[str]
) -> None:
    source, wire = make_source(
        {"Orders": lambda query: answer(status=status) if "$expand" in query else page_of(ROW_2), "GetOrderByNo": ORDER}
    )
    for asked in (["Orders", "Orders"], asked_again):
        del wire.requests[:]
        (found,) = await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope(), frozenset({"lines"}))
        assert len(as_order(found).lines or ()) == 1
        assert calls(wire) == [*asked, "GetOrderByNo"]


async def test_query_that_is_rate_limited_is_said_to_be_so() -> None:
    source, _ = make_source({"Orders": answer(status=429)})
    (found,) = await source.fetch_many(Fetch.ORDER, [order_ref()], make_scope(), ROW_FIELDS)
    assert isinstance(found, UpstreamRateLimited)


async def test_lines_alone_are_read_in_chunks_too() -> None:
    source, wire = make_source({"Orders": rows_asked(with_more(ROW_2, Items=f"[{ITEM_ROW}]"))})
    refs = [order_ref(str(number)) for number in range(1, 51)]
    found = await source.fetch_many(Fetch.ORDER_LINES, refs, make_scope())
    assert [len(each) for each in found if isinstance(each, tuple)] == [1] * 50
    assert calls(wire) == ["Orders"]
    source, _ = make_source({"Orders": page_of(), "GetInvoice": INVOICE})
    assert await source.fetch_many(Fetch.ORDER_LINES, [order_ref()], make_scope()) == [None]
    (lines,) = await source.fetch_many(Fetch.INVOICE_LINES, [invoice_ref()], make_scope())
    assert isinstance(lines, tuple)


async def test_number_email_and_phone_of_customers_are_read_in_chunks_and_all_else_one_by_one() -> None:
    fields = frozenset({"number", "email", "phone"})
    refs = [customer_ref(f"customer/{number}") for number in range(1, 61)]
    source, wire = make_source({"Customers": rows_asked(CUSTOMER_ROW), "GetCustomer": lambda query: edited(CUSTOMER, Id=int(query["id"]))})
    found = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(), fields)
    assert [each.ref for each in found if isinstance(each, Customer)] == refs
    assert calls(wire) == ["Customers", "Customers"]
    del wire.requests[:]
    await source.fetch_many(Fetch.CUSTOMER, refs[:3], make_scope(), fields | {"name"})
    await source.fetch_many(Fetch.CUSTOMER, refs[:1], make_scope(), fields)
    assert calls(wire) == ["GetCustomer"] * 4


@pytest.mark.parametrize("said", [answer(status=500), page_of(), page_of('{"id": 1}')])
async def test_customers_that_query_does_not_give_are_read_one_by_one(said: Said) -> None:
    source, wire = make_source({"Customers": said, "GetCustomer": lambda query: edited(CUSTOMER, Id=int(query["id"]))})
    refs = [customer_ref("customer/1"), customer_ref("customer/2")]
    found = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope(), frozenset({"number"}))
    assert [each.number for each in found if isinstance(each, Customer)] == ["C-31877", "C-31877"]
    assert calls(wire) == ["Customers", "GetCustomer", "GetCustomer"]


async def test_only_keys_that_rows_do_not_answer_are_read_one_by_one_and_answers_keep_the_order_asked() -> None:
    rows = page_of('{"Id": 1, "CustomerCode": "C-1"}', '{"Id": 3, "CustomerCode": null}')
    one = {key: edited(CUSTOMER, Id=int(key), Code=f"C-{key}") for key in "23"}
    source, wire = make_source({"Customers": rows, "GetCustomer": lambda query: one[query["id"]]})
    fields = frozenset({"number"})
    found = await source.fetch_many(Fetch.CUSTOMER, [customer_ref(f"customer/{key}") for key in "312"], make_scope(), fields)
    assert [customer.number for customer in found if isinstance(customer, Customer)] == ["C-3", "C-1", "C-2"]
    assert calls(wire) == ["Customers", "GetCustomer", "GetCustomer"]


INVOICE_FIELDS = frozenset({"number", "issue_date", "due_date", "orders", "customer", "group_key", "source_statuses"})


async def test_a_hundred_invoices_are_two_calls_where_the_metadata_shows_a_set_which_is_looked_up_once() -> None:
    source, wire = make_source({"$metadata": METADATA, "Invoices": rows_asked(INVOICE_ROW)}, {"query_version": "3.0"})
    refs = [invoice_ref(str(number)) for number in range(1, 101)]
    asked = [source.fetch_many(Fetch.INVOICE, refs, make_scope(), INVOICE_FIELDS) for _ in range(2)]
    for found in await asyncio.gather(*asked):
        assert [each.ref for each in found if isinstance(each, Invoice)] == refs
    assert sorted(calls(wire)) == ["$metadata", *["Invoices"] * 2]  # asked twice at the same time, sent once


async def test_without_a_set_of_invoices_each_is_read() -> None:
    for metadata in (METADATA.replace("Invoices", "Shipments"), answer(status=500)):
        source, wire = make_source({"$metadata": metadata, "GetInvoice": lambda query: edited(INVOICE, Id=query["id"])})
        refs = [invoice_ref(str(number)) for number in range(1, 101)]
        found = await source.fetch_many(Fetch.INVOICE, refs, make_scope(), INVOICE_FIELDS)
        assert [each.ref for each in found if isinstance(each, Invoice)] == refs
        assert sorted(calls(wire)) == ["$metadata", *["GetInvoice"] * 100]


async def test_what_the_set_of_invoices_does_not_say_is_read_one_by_one_without_asking_it() -> None:
    source, wire = make_source({"GetInvoice": lambda query: edited(INVOICE, Id=query["id"])})
    await source.fetch_many(Fetch.INVOICE, [invoice_ref("1"), invoice_ref("2")], make_scope(), INVOICE_FIELDS | {"totals"})
    assert calls(wire) == ["GetInvoice", "GetInvoice"]


async def test_a_metadata_that_failed_is_asked_again_after_a_minute_and_one_that_answered_after_an_hour() -> None:
    said: list[Response] = [answer(status=500), answer(METADATA), answer(METADATA)]
    parts, wire = make_parts(NorceOptions(application_id=7), lambda request: _either(request, said), key="commerce")
    source, clock = NorceSource(parts), parts.clock
    assert isinstance(clock, FakeClock)
    counts = []
    for seconds in (0.0, 59.0, 2.0, 3590.0, 20.0):
        clock.advance(seconds)
        scope = Scope(request_id="test", deadline=clock.monotonic() + 10)
        await source.fetch_many(Fetch.INVOICE, [invoice_ref(), invoice_ref("2")], scope, INVOICE_FIELDS)
        counts.append(calls(wire).count("$metadata"))
    assert counts == [1, 1, 2, 2, 3]


def _either(request: WireRequest, said: list[Response]) -> Response:
    return said.pop(0) if operation_of(request) == "$metadata" else answer(page_of())


async def test_customers_are_read_by_id_companies_cannot_and_guests_come_from_their_order() -> None:
    guest = {**BILL_TO, "Customer": None, "Company": None}
    source, wire = make_source(
        {
            "GetCustomer": lambda query: CUSTOMER if query["id"] == "31877" else "null",
            "Orders": page_of(ROW_2),
            "GetOrderByNo": edited(ORDER, BillTo=guest),
        }
    )
    refs = [customer_ref(key) for key in ("customer/31877", "customer/1", "company/902", "order/70213/billto", "order/9/billto")]
    person, nobody, company, bill_to, no_order = await source.fetch_many(Fetch.CUSTOMER, refs, make_scope())
    assert isinstance(person, Customer)
    assert (person.number, nobody, no_order) == ("C-31877", None, None)
    assert isinstance(company, LookupUnsupported)
    assert isinstance(bill_to, Customer)
    assert bill_to.ref == refs[3]
    assert sorted(calls(wire)) == ["GetCustomer", "GetCustomer", "GetOrderByNo", "Orders"]


async def test_an_order_that_fails_fails_its_bill_to_party_and_one_without_a_party_has_none() -> None:
    source, _ = make_source({"Orders": no_query, "GetOrderByNo": ORDER})
    failed = await source.fetch_many(Fetch.CUSTOMER, [customer_ref("order/70213/billto")], make_scope())
    assert isinstance(failed[0], UpstreamUnavailable)
    source, _ = make_source({"Orders": page_of(ROW_2), "GetOrderByNo": edited(ORDER, SellTo=None)})
    assert await source.fetch_many(Fetch.CUSTOMER, [customer_ref("order/70213/billto")], make_scope()) == [None]


@pytest.mark.parametrize("fetch", [Fetch.INVOICE_SETTINGS, Fetch.CURRENCY, Fetch.LABEL, Fetch.PAYMENTS, Fetch.DOCUMENT])
async def test_what_the_source_does_not_have_is_none_without_a_call(fetch: Fetch) -> None:
    source, wire = make_source({})
    assert list(await source.fetch_many(fetch, [order_ref(), order_ref("2")], make_scope())) == [None, None]
    assert wire.requests == []


async def test_invoice_and_customer_are_found_by_their_number_and_nothing_is_empty() -> None:
    source, wire = make_source({"GetInvoiceByNo": INVOICE, "GetCustomerByCode": CUSTOMER})
    invoices = await source.find(Kind.INVOICE, "F-2026-0088", make_scope())
    customers = await source.find(Kind.CUSTOMER, "C-31877", make_scope())
    assert [record.ref.native_id for record in (*invoices, *customers)] == ["50911", "customer/31877"]
    assert [query_of(request) for request in wire.requests] == [{"invoiceNo": "F-2026-0088"}, {"code": "C-31877"}]
    source, _ = make_source({"GetInvoiceByNo": "null", "GetCustomerByCode": "null", "GetOrderByNo": "null"})
    assert [await source.find(kind, "x", make_scope()) for kind in (Kind.INVOICE, Kind.CUSTOMER, Kind.ORDER)] == [(), (), ()]


async def test_an_order_is_found_by_its_number_and_query_adds_the_status() -> None:
    source, wire = make_source({"GetOrderByNo": ORDER, "Orders": page_of(ROW_2)})
    (found,) = await source.find(Kind.ORDER, "N-100341", make_scope())
    assert isinstance(found, Order)
    assert (found.status, found.warnings, calls(wire)) == (OrderStatus.INVOICED, (), ["GetOrderByNo", "Orders"])


@pytest.mark.parametrize("options", [{}, {"query_version": "off"}])
async def test_an_order_found_while_query_cannot_say_has_an_unknown_status(options: dict[str, object]) -> None:
    source, _ = make_source({"GetOrderByNo": ORDER, "Orders": no_query}, options)
    (found,) = await source.find(Kind.ORDER, "N-100341", make_scope())
    assert isinstance(found, Order)
    assert (found.status, codes_of(found)) == (OrderStatus.UNKNOWN, [DataWarningCode.UNMAPPED_VALUE])


async def test_other_kinds_are_not_found_by_number_and_upstream_errors_are_raised() -> None:
    source, _ = make_source({"GetInvoiceByNo": answer(status=400)})
    with pytest.raises(LookupUnsupported):
        await source.find(Kind.INVOICE_SETTINGS, "1", make_scope())
    with pytest.raises(UpstreamRejected):
        await source.find(Kind.INVOICE, "1", make_scope())


@pytest.mark.parametrize(
    ("kind", "given", "key"),
    [
        (Kind.INVOICE, " 50911 ", "50911"),
        (Kind.ORDER, "70213", "70213"),
        (Kind.CUSTOMER, "customer/0031877", "customer/31877"),
        (Kind.CUSTOMER, "company/902", "company/902"),
        (Kind.CUSTOMER, "order/70213/billto", "order/70213/billto"),
    ],
)
async def test_a_key_has_one_spelling(kind: Kind, given: str, key: str) -> None:
    source, _ = make_source({})
    assert source.canonical(kind, given) == key
    assert source.canonical(kind, key) == key


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Kind.INVOICE, " "),
        (Kind.ORDER, "1\n2"),
        (Kind.ORDER, "1 or 2"),
        (Kind.CUSTOMER, "31877"),
        (Kind.CUSTOMER, "customer/0"),
        (Kind.CUSTOMER, "customer/x"),
        (Kind.CUSTOMER, "order//billto"),
        (Kind.INVOICE_SETTINGS, "1"),
        (Kind.CURRENCY, "1"),
    ],
)
async def test_a_key_that_cannot_exist_is_refused(kind: Kind, given: str) -> None:
    source, _ = make_source({})
    with pytest.raises(InvalidInput):
        source.canonical(kind, given)


async def test_social_security_numbers_are_named_in_every_spelling() -> None:
    source, _ = make_source({})
    assert source.personal_fields == {"SSN", "ssn", "socialSecurityNumber", "SocialSecurityNumber"}


@pytest.mark.parametrize(
    ("options", "create_support", "order_support"),
    [
        ({}, SupportLevel.SUPPORTED, SupportLevel.SUPPORTED),
        ({"create_via": "insert-invoice", "query_version": "off"}, SupportLevel.NOT_IMPLEMENTED_UPSTREAM, SupportLevel.PARTIAL),
    ],
)
async def test_capabilities_say_what_this_configuration_can_do(
    options: dict[str, object], create_support: SupportLevel, order_support: SupportLevel
) -> None:
    source, wire = make_source({}, options)
    support = {capability.operation: capability.support for capability in source.capabilities}
    assert set(support) == set(Operation)
    assert support[Operation.LIST_ORDERS] is order_support
    assert (support[Operation.CREATE_INVOICE], support[Operation.READ_ORDER]) == (create_support, order_support)
    assert wire.requests == []


async def test_the_probe_proves_the_services_with_one_read() -> None:
    source, wire = make_source({"GetInvoice": "null"})
    assert await source.probe(make_scope()) == "signed in; OrderService answers; Query 2.0 is configured"
    assert [query_of(request) for request in wire.requests] == [{"id": "0"}]
    source, _ = make_source({"GetInvoice": "<html>"}, {"query_version": "off"})
    with pytest.raises(MalformedAnswer):
        await source.probe(make_scope())


async def test_a_write_names_its_number_and_is_not_sent_while_it_is_prepared() -> None:
    source, wire = make_source({"GetInvoiceByNo": "null"})
    prepared = await prepared_by(source, create())
    assert (prepared.operation, prepared.subject, prepared.request.operation) == (
        Operation.CREATE_INVOICE,
        "F-2026-0088",
        "Order/CreateInvoice",
    )
    assert calls(wire) == ["GetInvoiceByNo"]


async def test_the_order_of_the_input_fills_in_basket_number_and_currency() -> None:
    source, wire = make_source({"GetInvoiceByNo": "null", "Orders": page_of(ROW_2), "GetOrderByNo": ORDER})
    write = create({"capture_payment": False}, orders=(order_ref(),), total=MoneyDraft(Decimal("6000.00")))
    prepared = await prepared_by(source, write)
    assert prepared.request.content is not None
    assert decode_tree(prepared.request.content) == {
        "ClientOrderRef": 448120,
        "CurrencyCode": "SEK",
        "ErpOrderNo": "N-100341",
        "InvoiceDate": "2026-01-17T00:00:00+01:00",
        "InvoiceNo": "F-2026-0088",
        "TotalAmount": Decimal("6000.00"),
        "SuppressPspCall": True,
    }
    assert calls(wire) == ["Orders", "GetOrderByNo", "GetInvoiceByNo"]


async def test_an_order_that_came_with_its_number_fills_in_without_query() -> None:
    source, wire = make_source({"GetOrderByNo": ORDER, "GetInvoiceByNo": "null"})
    prepared = await source.prepare(create({"capture_payment": False}, orders=(order_ref(hint="N-100341"),)), make_scope())
    assert isinstance(prepared, Prepared)
    assert calls(wire) == ["GetOrderByNo", "GetInvoiceByNo"]


async def test_all_mistakes_are_named_with_the_unknown_order_and_the_taken_number() -> None:
    source, _ = make_source({"GetInvoiceByNo": INVOICE, "Orders": page_of()})
    refused = await source.prepare(create({}, orders=(order_ref(),), issue_date=None), make_scope())
    assert said_by(refused) == [
        ("NOT_FOUND", ("input", "orders", "0")),
        ("REQUIRED", ("input", "norce", "clientOrderRef")),
        ("REQUIRED", ("input", "norce", "erpOrderNumber")),
        ("REQUIRED", ("input", "issueDate")),
        ("DUPLICATE_NUMBER", ("input", "number")),
    ]


async def test_a_number_that_is_taken_is_refused_with_the_invoice_that_has_it() -> None:
    source, wire = make_source({"GetInvoiceByNo": INVOICE})
    refused = await source.prepare(create(), make_scope())
    assert isinstance(refused, Refused)
    assert [error.message for error in refused.errors] == ["the source has an invoice with this number already: its id is 50911"]
    assert refused.existing is not None
    assert (refused.existing.ref, refused.unsupported) == (invoice_ref(), False)
    assert calls(wire) == ["GetInvoiceByNo"]


async def test_an_answer_about_another_number_is_no_answer() -> None:
    source, _ = make_source({"GetInvoiceByNo": edited(INVOICE, InvoiceNo="F-2026-0089")})
    with pytest.raises(MalformedAnswer):
        await source.prepare(create(), make_scope())


async def test_a_number_that_was_taken_meanwhile_is_said_after_a_refusal() -> None:
    bodies: list[str | Response] = ["null", INVOICE, "null", answer(status=500)]
    source, _ = make_source({"GetInvoiceByNo": lambda _: bodies.pop(0)})
    prepared = await prepared_by(source, create())
    found = await source.conflict(prepared, make_scope())
    assert found is not None
    assert [(error.code, error.field, error.message) for error in found.errors] == [
        (UserErrorCode.DUPLICATE_NUMBER, None, "the source has an invoice with this number already: its id is 50911")
    ]
    assert found.existing is not None
    assert found.existing.ref == invoice_ref()
    assert await source.conflict(prepared, make_scope()) is None
    assert await source.conflict(prepared, make_scope()) is None


def test_a_write_is_about_its_number_also_where_that_is_inside_the_body() -> None:
    source, _ = make_source({})
    write = create({"insert_invoice": {"InvoiceNo": "F-1"}}, number=None)
    assert source.claims(write) == Claims(targets=frozenset({"number/F-1"}), number="F-1")
    both = create({"insert_invoice": {"InvoiceNo": "F-1"}}, number="F-1", orders=(order_ref(),))
    assert source.claims(both) == Claims(targets=frozenset({"number/F-1", "order/70213"}), number="F-1")
    bodies: tuple[object, ...] = (None, [], {}, {"InvoiceNo": 7})
    for body in bodies:
        assert source.claims(create({"insert_invoice": body}, number=None)) == Claims(targets=frozenset())
    assert source.claims(CreateInvoiceFromOrder(order=order_ref())) == Claims(targets=frozenset({"order/70213"}))


WHETHER = "look there whether it is the one"


async def test_an_invoice_of_another_order_under_the_number_proves_nothing() -> None:
    bodies: list[str | Response] = ["null", edited(INVOICE, OrderNo="N-5")]
    source, _ = make_source({"GetInvoiceByNo": lambda _: bodies.pop(0)})
    prepared = await prepared_by(source, create())
    settled = await source.look(prepared, make_scope())
    assert settled.outcome is MutationOutcome.UNKNOWN
    assert [error.message for error in settled.errors] == [
        f"the invoice F-2026-0088 that Norce has (id 50911) is of another order than the one that was sent: {WHETHER}"
    ]


async def test_an_order_that_cannot_be_looked_up_is_refused_and_one_that_fails_is_raised() -> None:
    source, _ = make_source({"GetInvoiceByNo": "null"}, {"query_version": "off"})
    refused = await source.prepare(create(orders=(order_ref(),)), make_scope())
    assert said_by(refused) == [("NOT_ACCEPTED_BY_SOURCE", ("input", "orders", "0"))]
    source, _ = make_source({"Orders": no_query})
    with pytest.raises(UpstreamUnavailable):
        await source.prepare(create(orders=(order_ref(),)), make_scope())


async def test_an_unknown_field_of_the_own_input_is_refused() -> None:
    source, wire = make_source({})
    assert said_by(await source.prepare(create({"nonsense": 1}), make_scope())) == [("INVALID", ("input", "norce"))]
    assert wire.requests == []


async def test_other_writes_are_unsupported_without_a_call() -> None:
    source, wire = make_source({})
    refused = await source.prepare(CreateInvoiceFromOrder(order=order_ref()), make_scope())
    assert isinstance(refused, Refused)
    assert (refused.unsupported, said_by(refused)) == (True, [("UNSUPPORTED_OPERATION", None)])
    assert wire.requests == []


async def test_a_write_is_sent_once_and_settled_by_reading_back() -> None:
    stored: list[str] = []

    def store(_query: dict[str, str]) -> str:
        stored.append(INVOICE)
        return ""

    source, wire = make_source({"GetInvoiceByNo": lambda _: stored[0] if stored else "null", "CreateInvoice": store})
    prepared = await prepared_by(source, create())
    settled = await source.settle(prepared, await source.send(prepared, make_scope()), make_scope())
    assert (settled.outcome, settled.confirmation, settled.errors) == (MutationOutcome.APPLIED, Confirmation.READ_BACK, ())
    assert settled.record is not None
    assert settled.order is not None
    assert (settled.record.ref, settled.order.ref) == (invoice_ref(), order_ref())
    assert calls(wire) == ["GetInvoiceByNo", "CreateInvoice", "GetInvoiceByNo"]
    assert wire.requests[1].method == "POST"


@pytest.mark.parametrize("read_back", ["null", answer(status=503), "<html>"])
async def test_a_success_that_cannot_be_read_back_is_confirmed_by_its_status_alone(read_back: str | Response) -> None:
    asked: list[str] = []

    def look(_query: dict[str, str]) -> str | Response:
        asked.append("")
        return "null" if len(asked) == 1 else read_back

    source, _ = make_source({"GetInvoiceByNo": look})
    prepared = await prepared_by(source, create())
    settled = await source.settle(prepared, answer(), make_scope())
    assert (settled.outcome, settled.confirmation, settled.record) == (MutationOutcome.APPLIED, Confirmation.STATUS_ONLY, None)


async def test_a_look_proves_a_write_done_or_absent_and_else_says_where_to_look() -> None:
    bodies: list[str | Response] = ["null", INVOICE, "null", answer(status=500)]
    source, wire = make_source({"GetInvoiceByNo": lambda _: bodies.pop(0)})
    prepared = await prepared_by(source, create())
    settled = [await source.look(prepared, make_scope()) for _ in range(3)]
    assert [each.outcome for each in settled] == [MutationOutcome.APPLIED, MutationOutcome.REJECTED, MutationOutcome.UNKNOWN]
    assert settled[0].confirmation is Confirmation.READ_BACK

    def first(errors: tuple[UserError, ...]) -> tuple[str, bool]:
        return errors[0].code.value, "F-2026-0088" in errors[0].message

    assert [first(each.errors) for each in settled[1:]] == [("UPSTREAM_REJECTED", True), ("OUTCOME_UNKNOWN", True)]
    assert set(calls(wire)) == {"GetInvoiceByNo"}


async def test_a_missing_invoice_does_not_prove_that_no_payment_was_captured() -> None:
    source, _ = make_source({"GetInvoiceByNo": "null"})
    payment = {"payment_code": 7781}
    lines = (LineDraft(item_number="STOL-09", quantity=Decimal(4), unit_price_excl_vat=Decimal(1200)),)
    prepared = await source.prepare(create({**NORCE_INPUT, "capture_payment": True, "payment": payment}, lines=lines), make_scope())
    assert isinstance(prepared, Prepared)
    settled = await source.look(prepared, make_scope())
    assert (settled.outcome, [error.code for error in settled.errors]) == (MutationOutcome.UNKNOWN, [UserErrorCode.OUTCOME_UNKNOWN])
    assert "payment" in settled.errors[0].message


async def test_a_look_that_gets_no_answer_raises_nothing() -> None:
    def lost(_query: dict[str, str]) -> str:
        raise WireTimeout("no answer")

    source, _ = make_source({"GetInvoiceByNo": "null"})
    prepared = await prepared_by(source, create())
    source, _ = make_source({"GetInvoiceByNo": lost})
    assert (await source.look(prepared, make_scope())).outcome is MutationOutcome.UNKNOWN


async def test_an_echo_of_insert_invoice_is_the_result() -> None:
    source, wire = make_source({"GetInvoiceByNo": "null", "InsertInvoice": INVOICE}, {"create_via": "insert-invoice"})
    body = {"InvoiceNo": "F-2026-0088", "InvoiceAmountIncVat": Decimal("6000.00")}
    write = create({"insert_invoice": body, "capture_payment": False}, issue_date=None, total=None)
    prepared = await prepared_by(source, write)
    assert prepared.request.content == b'{"InvoiceNo":"F-2026-0088","InvoiceAmountIncVat":6000.00}'
    settled = await source.settle(prepared, await source.send(prepared, make_scope()), make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.ECHO)
    assert settled.record is not None
    assert settled.record.ref == invoice_ref()
    assert calls(wire) == ["GetInvoiceByNo", "InsertInvoice"]


@pytest.mark.parametrize("echo", ["null", "{}", "<html>", edited(INVOICE, InvoiceNo="F-1")])
async def test_insert_invoice_without_an_echo_proves_nothing_by_its_status(echo: str) -> None:
    source, _ = make_source({"GetInvoiceByNo": "null"}, {"create_via": "insert-invoice"})
    write = create({"insert_invoice": {"InvoiceNo": "F-2026-0088"}}, issue_date=None, total=None)
    prepared = await prepared_by(source, write)
    assert (await source.settle(prepared, answer(echo), make_scope())).outcome is MutationOutcome.REJECTED


async def test_an_insert_of_a_taken_number_is_refused() -> None:
    source, _ = make_source({"GetInvoiceByNo": INVOICE}, {"create_via": "insert-invoice"})
    write = create({"insert_invoice": {"InvoiceNo": "F-2026-0088"}}, issue_date=None, total=None)
    assert said_by(await source.prepare(write, make_scope())) == [("DUPLICATE_NUMBER", ("input", "norce", "insertInvoice", "InvoiceNo"))]


async def test_a_failure_says_its_operation_and_nothing_that_the_upstream_wrote() -> None:
    source, _ = make_source({"GetInvoice": '{"Id": "50911", "InvoiceDate": "hemligt"}'})
    (failed,) = await source.fetch_many(Fetch.INVOICE, [invoice_ref()], make_scope())
    assert isinstance(failed, GatewayError)
    assert failed.extensions == {"code": "UPSTREAM_BAD_RESPONSE", "source": "commerce", "operation": "GetInvoice", "retryable": False}
    assert "hemligt" not in failed.message
