"""The source as a whole, over a fake wire: answers and the calls they cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from pydantic import ValidationError

from gateway.errors import (
    AbsenceUnproven,
    GatewayError,
    InvalidInput,
    LookupUnsupported,
    MalformedAnswer,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.model import (
    Confirmation,
    CreateInvoice,
    CreateInvoiceFromOrder,
    Criteria,
    Customer,
    DataWarningCode,
    Invoice,
    Kind,
    Line,
    MoneyDraft,
    MutationOutcome,
    Operation,
    Order,
    Ref,
    SourceHealth,
    SupportLevel,
    UserErrorCode,
)
from gateway.sources.base import Answer, Fetch, Prepared, Refused
from gateway.sources.nimpos import SPEC, NimposOptions, NimposSource
from gateway.transport import Response
from gateway.transport.wire import WireFailed, WireRequest
from tests.fakes import FakeWire, answer, make_scope
from tests.sources.nimpos.samples import (
    BRANCH,
    CUSTOMER,
    CUSTOMERS,
    INVOICE,
    INVOICES,
    NOBODY,
    ORDER,
    ORDER_17,
    OTHER_ORDER,
    OTHER_TILL,
    OUTLET,
    SETTINGS,
    TILL,
    an_order,
    make_source,
)

pytestmark = pytest.mark.anyio

CUSTOMER_REF = Ref("pos", Kind.CUSTOMER, CUSTOMER)
ORDER_REF = Ref("pos", Kind.ORDER, ORDER)
OTHER_ORDER_REF = Ref("pos", Kind.ORDER, OTHER_ORDER)
INVOICE_REF = Ref("pos", Kind.INVOICE, INVOICE)
WRITE = CreateInvoice(
    native_id=UUID(INVOICE),
    native_id_given=False,
    customer=CUSTOMER_REF,
    orders=(ORDER_REF, OTHER_ORDER_REF),
    number="20117",
    total=MoneyDraft(Decimal("1250.00")),
    system={"nimpos": {"outlet_id": UUID(OUTLET), "terminal_id": UUID(TILL)}},
)


def query_of(request: WireRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def operation_of(request: WireRequest) -> str:
    return urlsplit(request.url).path.rpartition("/")[2]


def paths(wire: FakeWire) -> list[str]:
    return [operation_of(request) for request in wire.requests]


def always(body: str, status: int = 200) -> Callable[[WireRequest], Response]:
    return lambda _: answer(body, status)


def by_till(**answers: Response) -> Callable[[WireRequest], Response]:
    tills = {"first": TILL, "second": OTHER_TILL}
    known = {tills[name]: response for name, response in answers.items()}
    return lambda request: known[query_of(request)["TerminalId"]]


def orders_carrying(invoices: dict[str, str | None]) -> Callable[[WireRequest], Response]:
    """Answer GetOrderById; the dict may change between calls, and what is not in it does not exist."""

    def handle(request: WireRequest) -> Response:
        if request.method == "POST":
            return answer("")
        order_id = query_of(request)["id"]
        return answer(an_order(order_id, invoices[order_id])) if order_id in invoices else answer("null")

    return handle


async def fetched(source: NimposSource, fetch: Fetch, *refs: Ref) -> list[Answer]:
    return list(await source.fetch_many(fetch, refs, make_scope()))


async def prepared(source: NimposSource, write: CreateInvoice = WRITE) -> Prepared:
    ready = await source.prepare(write, make_scope())
    assert isinstance(ready, Prepared)
    return ready


def test_the_spec_names_the_system_and_its_options() -> None:
    assert (SPEC.name, SPEC.system, SPEC.options, SPEC.build) == ("nimpos", "NIMPOS", NimposOptions, NimposSource)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"terminal_ids": []},
        {"terminal_ids": ["till"]},
        {"terminal_ids": [TILL], "colour": 1},
        {"terminal_ids": [TILL], "total_vat_basis": "net"},
        {"terminal_ids": [TILL], "window_ttl_seconds": -1},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NimposOptions.model_validate(options)


def test_every_capability_that_is_named_is_honest_and_none_is_named_twice() -> None:
    source, _ = make_source(always("[]"))
    support = {capability.operation: capability.support for capability in source.capabilities}
    assert len(support) == len(source.capabilities)
    assert set(support) == set(Operation)
    assert support == {
        Operation.READ_CUSTOMER: SupportLevel.PARTIAL,
        Operation.READ_ORDER: SupportLevel.SUPPORTED,
        Operation.READ_INVOICE: SupportLevel.PARTIAL,
        Operation.LIST_CUSTOMERS: SupportLevel.PARTIAL,
        Operation.LIST_ORDERS: SupportLevel.PARTIAL,
        Operation.LIST_INVOICES: SupportLevel.PARTIAL,
        Operation.READ_INVOICE_LINES: SupportLevel.NOT_OFFERED,
        Operation.READ_INVOICE_DOCUMENT: SupportLevel.NOT_OFFERED,
        Operation.READ_INVOICE_SETTINGS: SupportLevel.NOT_OFFERED,
        Operation.CREATE_INVOICE: SupportLevel.SUPPORTED,
        Operation.CREATE_INVOICE_FROM_ORDER: SupportLevel.NOT_OFFERED,
        Operation.SET_INVOICE_SETTINGS: SupportLevel.NOT_OFFERED,
    }


@pytest.mark.parametrize("spelling", [INVOICE, INVOICE.upper(), f"{{{INVOICE}}}", f" {INVOICE} ", INVOICE.replace("-", "")])
def test_a_guid_has_one_spelling(spelling: str) -> None:
    source, _ = make_source(always("[]"))
    assert source.canonical(Kind.INVOICE, spelling) == INVOICE


@pytest.mark.parametrize(("kind", "key"), [(Kind.ORDER, "17"), (Kind.CUSTOMER, NOBODY), (Kind.INVOICE, ""), (Kind.CURRENCY, INVOICE)])
def test_a_key_that_cannot_exist_is_invalid_input(kind: Kind, key: str) -> None:
    source, _ = make_source(always("[]"))
    with pytest.raises(InvalidInput):
        source.canonical(kind, key)


async def test_any_number_of_customers_costs_one_window() -> None:
    source, wire = make_source(always(CUSTOMERS), TILL, OTHER_TILL)
    kringlan, nobody, branch = await fetched(
        source, Fetch.CUSTOMER, CUSTOMER_REF, Ref("pos", Kind.CUSTOMER, ORDER), Ref("pos", Kind.CUSTOMER, BRANCH)
    )
    assert isinstance(kringlan, Customer)
    assert isinstance(branch, Customer)
    assert (kringlan.name, nobody, branch.number) == ("Bageri Kringlan AB", None, "1043")
    assert kringlan.raw is not None
    assert b'"CustomerNo":"1042"' in kringlan.raw
    assert paths(wire) == ["GetCustomers"]
    assert query_of(wire.requests[0]) == {
        "LastExecutedDate": "2020-01-01T00:00:00+01:00",
        "CurrentDate": "2026-11-23T13:00:00+01:00",
        "TerminalId": TILL,
        "SharedDB": "false",
    }


async def test_an_empty_window_of_customers_proves_no_absence() -> None:
    source, _ = make_source(always("[]"))
    (nobody,) = await fetched(source, Fetch.CUSTOMER, CUSTOMER_REF)
    assert isinstance(nobody, AbsenceUnproven)


async def test_a_customer_row_without_an_id_may_be_the_one_that_is_missing() -> None:
    source, _ = make_source(always(f'[{{"Name": "?"}}, {{"Id": "{CUSTOMER}"}}]'))
    found, missing = await fetched(source, Fetch.CUSTOMER, CUSTOMER_REF, Ref("pos", Kind.CUSTOMER, BRANCH))
    assert isinstance(found, Customer)
    assert isinstance(missing, AbsenceUnproven)


async def test_a_customer_that_cannot_be_read_fails_alone() -> None:
    source, _ = make_source(always(f'[{{"Id": "{CUSTOMER}", "Name": 5}}, {{"Id": "{BRANCH}"}}]'))
    broken, found = await fetched(source, Fetch.CUSTOMER, CUSTOMER_REF, Ref("pos", Kind.CUSTOMER, BRANCH))
    assert isinstance(broken, MalformedAnswer)
    assert isinstance(found, Customer)


@pytest.mark.parametrize("body", ["", "null", "{}", "[", "<html>"])
async def test_a_window_that_is_no_list_is_a_bad_answer_for_every_key(body: str) -> None:
    source, _ = make_source(always(body))
    answers = await fetched(source, Fetch.CUSTOMER, CUSTOMER_REF, Ref("pos", Kind.CUSTOMER, BRANCH))
    assert [type(each) for each in answers] == [MalformedAnswer, MalformedAnswer]


async def test_orders_cost_one_call_each_and_bring_their_lines() -> None:
    source, wire = make_source(always(ORDER_17))
    (order,) = await fetched(source, Fetch.ORDER, ORDER_REF)
    assert isinstance(order, Order)
    assert (order.number, order.lines) == ("17", (Line(quantity=Decimal("25.0")),))
    assert await fetched(source, Fetch.ORDER_LINES, ORDER_REF) == [order.lines]
    assert [query_of(request) for request in wire.requests] == [{"id": ORDER}, {"id": ORDER}]


@pytest.mark.parametrize(("body", "status"), [("null", 200), ("", 200), ("", 204), ("", 404), ('{"Message": "No"}', 404)])
async def test_every_way_to_say_that_there_is_no_such_order_is_none(body: str, status: int) -> None:
    source, _ = make_source(always(body, status))
    assert await fetched(source, Fetch.ORDER, ORDER_REF) == [None]


@pytest.mark.parametrize("body", ["[]", "{}", an_order(OTHER_ORDER), f'{{"Id": "{ORDER}", "OrderTotal": "much"}}'])
async def test_anything_but_the_order_that_was_asked_for_is_a_bad_answer(body: str) -> None:
    source, _ = make_source(always(body))
    (broken,) = await fetched(source, Fetch.ORDER, ORDER_REF)
    assert isinstance(broken, MalformedAnswer)
    assert (broken.source, broken.operation) == ("pos", "GetOrderById")


async def test_one_failing_order_takes_nothing_away_from_another() -> None:
    source, _ = make_source(lambda request: answer(ORDER_17) if query_of(request)["id"] == ORDER else answer("", 400))
    found, failed = await fetched(source, Fetch.ORDER, ORDER_REF, OTHER_ORDER_REF)
    assert isinstance(found, Order)
    assert isinstance(failed, UpstreamRejected)


async def test_any_number_of_invoices_costs_one_window_a_till() -> None:
    elsewhere = INVOICES.replace(ORDER, OTHER_ORDER)
    source, wire = make_source(by_till(first=answer(INVOICES), second=answer(elsewhere)), TILL, OTHER_TILL, TILL)
    found, missing = await fetched(source, Fetch.INVOICE, INVOICE_REF, Ref("pos", Kind.INVOICE, ORDER))
    assert isinstance(found, Invoice)
    assert isinstance(found.orders, tuple)
    assert [order.ref.native_id for order in found.orders] == [ORDER, OTHER_ORDER]
    assert isinstance(missing, AbsenceUnproven)
    assert paths(wire) == ["GetCustomerInvoice", "GetCustomerInvoice"]


async def test_a_till_that_fails_takes_nothing_away_from_what_the_other_shows() -> None:
    source, _ = make_source(by_till(first=answer("", 503), second=answer(INVOICES)), TILL, OTHER_TILL)
    found, missing = await fetched(source, Fetch.INVOICE, INVOICE_REF, Ref("pos", Kind.INVOICE, ORDER))
    assert isinstance(found, Invoice)
    assert isinstance(missing, UpstreamUnavailable)


async def test_an_invoice_that_one_till_shows_broken_is_a_bad_answer() -> None:
    source, _ = make_source(always(INVOICES.replace("1250.0", '"NaN"')))
    (broken,) = await fetched(source, Fetch.INVOICE, INVOICE_REF)
    assert isinstance(broken, MalformedAnswer)
    assert broken.operation == "GetCustomerInvoice"


@pytest.mark.parametrize("fetch", [Fetch.INVOICE_SETTINGS, Fetch.CURRENCY, Fetch.INVOICE_LINES])
async def test_what_nimpos_does_not_have_is_none_without_a_call(fetch: Fetch) -> None:
    source, wire = make_source(always("[]"))
    assert await fetched(source, fetch, INVOICE_REF) == [None]
    assert wire.requests == []


async def test_customers_are_found_by_their_number() -> None:
    source, wire = make_source(always(CUSTOMERS))
    (found,) = await source.find(Kind.CUSTOMER, " 1043 ", make_scope())
    assert found.ref == Ref("pos", Kind.CUSTOMER, BRANCH)
    assert await source.find(Kind.CUSTOMER, "9", make_scope()) == ()
    assert paths(wire) == ["GetCustomers"]


async def test_a_customer_number_in_an_empty_window_is_not_proven_absent() -> None:
    source, _ = make_source(always("[]"))
    with pytest.raises(AbsenceUnproven):
        await source.find(Kind.CUSTOMER, "1042", make_scope())


async def test_all_invoices_with_a_number_are_found() -> None:
    twin = INVOICES.replace("6A1D2F3E", "7a1d2f3e")
    source, _ = make_source(by_till(first=answer(INVOICES), second=answer(twin)), TILL, OTHER_TILL)
    found = await source.find(Kind.INVOICE, "20117", make_scope())
    assert [invoice.ref.native_id for invoice in found] == [INVOICE, INVOICE.replace("6a1d2f3e", "7a1d2f3e")]


@pytest.mark.parametrize("number", ["1", "", "0", "None"])
async def test_an_invoice_number_that_is_not_seen_is_not_proven_absent(number: str) -> None:
    source, _ = make_source(always(INVOICES.replace("20117", "0")))
    with pytest.raises(AbsenceUnproven):
        await source.find(Kind.INVOICE, number, make_scope())


async def test_a_number_is_not_looked_up_in_half_of_the_tills() -> None:
    source, _ = make_source(by_till(first=answer(INVOICES), second=answer("", 503)), TILL, OTHER_TILL)
    with pytest.raises(UpstreamUnavailable):
        await source.find(Kind.INVOICE, "20117", make_scope())


async def test_an_order_cannot_be_found_by_its_number_of_the_day() -> None:
    source, wire = make_source(always("[]"))
    with pytest.raises(LookupUnsupported):
        await source.find(Kind.ORDER, "17", make_scope())
    assert wire.requests == []


async def test_a_valid_write_says_what_it_would_send_and_sends_nothing() -> None:
    source, wire = make_source(orders_carrying({ORDER: None, OTHER_ORDER: NOBODY.replace("0", "1")}))
    ready = await prepared(source)
    assert paths(wire) == ["GetOrderById", "GetOrderById"]
    assert (ready.operation, ready.subject, ready.result) == (Operation.CREATE_INVOICE, "20117", INVOICE_REF)
    assert ready.before == {ORDER: None, OTHER_ORDER: NOBODY.replace("0", "1")}
    assert ready.request.target == "/api/Order/PostCustomerInvoice"
    assert ready.request.json == {
        "Id": INVOICE,
        "InvoiceNumber": 20117,
        "CustomerId": CUSTOMER,
        "InvoiceTotal": Decimal("1250.00"),
        "OutletId": OUTLET,
        "TerminalId": TILL,
        "CreationDate": "2026-11-22T13:00:00+01:00",
        "OrdersGuid": [ORDER, OTHER_ORDER],
    }
    invoice = ready.submitted
    assert isinstance(invoice, Invoice)
    assert (invoice.number, invoice.fetched_at, invoice.raw) == ("20117", None, None)
    assert isinstance(invoice.warnings, tuple)
    assert invoice.warnings[-1].code is DataWarningCode.AS_SUBMITTED


async def test_mistakes_and_unknown_orders_are_reported_together() -> None:
    source, _ = make_source(orders_carrying({ORDER: None}))
    refused = await source.prepare(dataclasses.replace(WRITE, number="A1"), make_scope())
    assert isinstance(refused, Refused)
    assert not refused.unsupported
    assert [(error.code, error.field) for error in refused.errors] == [
        (UserErrorCode.INVALID, ("input", "number")),
        (UserErrorCode.NOT_FOUND, ("input", "orders", "1")),
    ]


async def test_an_order_that_cannot_be_checked_stops_a_valid_write_only() -> None:
    source, _ = make_source(always("", 503))
    with pytest.raises(UpstreamUnavailable):
        await source.prepare(WRITE, make_scope())
    refused = await source.prepare(dataclasses.replace(WRITE, customer=None), make_scope())
    assert isinstance(refused, Refused)
    assert [error.code for error in refused.errors] == [UserErrorCode.REQUIRED]


async def test_an_order_of_another_source_is_not_asked_for() -> None:
    source, wire = make_source(always("null"))
    refused = await source.prepare(dataclasses.replace(WRITE, orders=(Ref("shop", Kind.ORDER, "1"),)), make_scope())
    assert isinstance(refused, Refused)
    assert [error.code for error in refused.errors] == [UserErrorCode.CROSS_SOURCE_REFERENCE]
    assert wire.requests == []


async def test_an_invoice_that_is_there_already_is_not_written_over() -> None:
    source, _ = make_source(orders_carrying({ORDER: None, OTHER_ORDER: INVOICE}))
    refused = await source.prepare(dataclasses.replace(WRITE, native_id_given=True), make_scope())
    assert isinstance(refused, Refused)
    assert [(error.code, error.field, error.message) for error in refused.errors] == [
        (
            UserErrorCode.INVALID,
            ("input", "nativeId"),
            f"order {OTHER_ORDER} carries an invoice with this id, which would be written over",
        )
    ]
    assert refused.existing is not None
    assert refused.existing.ref == INVOICE_REF


async def test_nimpos_cannot_make_an_invoice_from_an_order() -> None:
    source, wire = make_source(always("[]"))
    refused = await source.prepare(CreateInvoiceFromOrder(order=ORDER_REF), make_scope())
    assert isinstance(refused, Refused)
    assert refused.unsupported
    assert [error.code for error in refused.errors] == [UserErrorCode.UNSUPPORTED_OPERATION]
    assert wire.requests == []


async def test_a_write_goes_out_once_and_an_order_confirms_it() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    source, wire = make_source(orders_carrying(invoices))
    ready = await prepared(source)
    response = await source.send(ready, make_scope())
    invoices[OTHER_ORDER] = INVOICE
    settled = await source.settle(ready, response, make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.READ_BACK)
    assert settled.record == ready.submitted
    assert [request.method for request in wire.requests].count("POST") == 1


WINDOWS = ["GetCustomerInvoice", "GetCustomerDebts", "GetCustomers"]


async def read_windows(source: NimposSource) -> None:
    await fetched(source, Fetch.INVOICE, INVOICE_REF)
    await fetched(source, Fetch.PAYMENTS, INVOICE_REF)
    await fetched(source, Fetch.CUSTOMER, CUSTOMER_REF)


@pytest.mark.parametrize("is_lost", [False, True])
async def test_after_a_write_no_window_shows_what_it_knew_before(*, is_lost: bool) -> None:
    shown: list[str] = ["[]"]

    def handle(request: WireRequest) -> Response:
        operation = operation_of(request)
        if operation == "PostCustomerInvoice":
            shown.append(INVOICES)
            if is_lost:
                raise WireFailed("the connection was lost")
        if operation in WINDOWS:
            return answer({"GetCustomerInvoice": shown[-1], "GetCustomers": CUSTOMERS}.get(operation, "[]"))
        return answer(an_order(query_of(request)["id"])) if request.method == "GET" else answer("")

    source, wire = make_source(handle)
    ready = await prepared(source)
    await read_windows(source)
    assert isinstance((await fetched(source, Fetch.INVOICE, INVOICE_REF))[0], AbsenceUnproven)
    with pytest.raises(UpstreamUnavailable) if is_lost else nullcontext():
        await source.send(ready, make_scope())
    sent_at = len(wire.requests)
    assert isinstance((await fetched(source, Fetch.INVOICE, INVOICE_REF))[0], Invoice)
    assert [invoice.ref for invoice in await source.find(Kind.INVOICE, "20117", make_scope())] == [INVOICE_REF]
    page = await source.fetch_page(Criteria(kind=Kind.INVOICE), None, 10, make_scope())
    assert [record.ref for record in page.records] == [INVOICE_REF]
    await read_windows(source)
    assert [path for path in paths(wire)[sent_at:] if path in WINDOWS] == ["GetCustomerInvoice", "GetCustomerDebts"]


async def test_a_write_that_a_look_finds_later_shows_in_the_windows_from_then_on() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    carrying = orders_carrying(invoices)
    source, wire = make_source(lambda request: answer("[]") if operation_of(request) in WINDOWS else carrying(request))
    ready = await prepared(source)
    await source.send(ready, make_scope())
    await fetched(source, Fetch.INVOICE, INVOICE_REF)
    await source.look(ready, make_scope())
    await fetched(source, Fetch.INVOICE, INVOICE_REF)
    assert paths(wire).count("GetCustomerInvoice") == 1
    invoices[ORDER] = INVOICE
    await source.look(ready, make_scope())
    await fetched(source, Fetch.INVOICE, INVOICE_REF)
    assert paths(wire).count("GetCustomerInvoice") == 2


@pytest.mark.parametrize("before", [None, INVOICE])
async def test_a_success_that_no_order_newly_shows_rests_on_its_status(before: str | None) -> None:
    source, _ = make_source(orders_carrying({ORDER: before, OTHER_ORDER: before}))
    ready = await prepared(source)
    settled = await source.settle(ready, answer(""), make_scope())
    assert (settled.outcome, settled.confirmation) == (MutationOutcome.APPLIED, Confirmation.STATUS_ONLY)
    assert settled.record == ready.submitted


async def test_a_look_at_an_order_that_got_another_invoice_since_proves_nothing() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    source, _ = make_source(orders_carrying(invoices))
    ready = await prepared(source)
    invoices[ORDER] = invoices[OTHER_ORDER] = NOBODY.replace("0", "1")
    assert (await source.look(ready, make_scope())).outcome is MutationOutcome.UNKNOWN


async def test_a_look_finds_a_write_that_happened() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    source, _ = make_source(orders_carrying(invoices))
    ready = await prepared(source)
    invoices[ORDER] = INVOICE
    settled = await source.look(ready, make_scope())
    assert (settled.outcome, settled.confirmation, settled.record) == (MutationOutcome.APPLIED, Confirmation.READ_BACK, ready.submitted)


async def test_a_look_that_reads_every_order_in_vain_proves_that_nothing_happened() -> None:
    source, _ = make_source(orders_carrying({ORDER: None, OTHER_ORDER: None}))
    settled = await source.look(await prepared(source), make_scope())
    assert settled.outcome is MutationOutcome.REJECTED
    assert [error.code for error in settled.errors] == [UserErrorCode.UPSTREAM_REJECTED]


async def test_an_invoice_that_all_orders_carried_before_proves_nothing() -> None:
    source, _ = make_source(orders_carrying({ORDER: INVOICE, OTHER_ORDER: INVOICE}))
    settled = await source.look(await prepared(source), make_scope())
    assert settled.outcome is MutationOutcome.UNKNOWN


async def test_a_look_at_an_unreadable_upstream_is_unknown_and_says_where_to_look() -> None:
    invoices: dict[str, str | None] = {ORDER: None, OTHER_ORDER: None}
    down = False

    def handle(request: WireRequest) -> Response:
        if down:
            raise WireFailed("no connection")
        return orders_carrying(invoices)(request)

    source, _ = make_source(handle)
    ready = await prepared(source)
    down = True
    settled = await source.look(ready, make_scope())
    assert settled.outcome is MutationOutcome.UNKNOWN
    (error,) = settled.errors
    assert error.code is UserErrorCode.OUTCOME_UNKNOWN
    assert error.message == (
        f"look in NIMPOS for invoice 20117 with the Id {INVOICE}, or at CustomerInvoiceId of its orders: {ORDER}, {OTHER_ORDER}"
    )
    assert source.health is SourceHealth.DOWN


async def test_a_refusal_of_417_has_its_status() -> None:
    source, _ = make_source(always("[]"))
    (refusal,) = source.refusals(answer("", 417))
    assert (refusal.status, refusal.code, refusal.message) == (417, None, None)


@pytest.mark.parametrize(
    ("tills", "body", "line"),
    [
        ((TILL,), SETTINGS, "GetSettings answers and names every configured till"),
        ((TILL, OTHER_TILL), SETTINGS, f"GetSettings answers; it does not name the configured till {OTHER_TILL}"),
        ((TILL,), "{}", "GetSettings answers; it names no tills"),
        ((TILL,), '{"Terminals": 5}', "GetSettings answers; it names no tills"),
        ((TILL,), "null", "GetSettings answers; it names no tills"),
    ],
)
async def test_a_probe_says_whether_the_configured_tills_are_known(tills: tuple[str, ...], body: str, line: str) -> None:
    source, wire = make_source(always(body), *tills)
    assert await source.probe(make_scope()) == line
    assert paths(wire) == ["GetSettings"]
    assert query_of(wire.requests[0])["LastExecutedDate"] == "2026-11-22T13:00:00+01:00"


async def test_a_probe_of_an_installation_without_settings_reads_invoices_from_now_on() -> None:
    source, wire = make_source(lambda request: answer("", 404) if "GetSettings" in request.url else answer("[]"))
    assert (
        await source.probe(make_scope())
        == "GetCustomerInvoice answers; GetSettings does not, so that nothing confirms the configured tills"
    )
    assert paths(wire) == ["GetSettings", "GetCustomerInvoice"]
    assert query_of(wire.requests[1])["LastExecutedDate"] == "2026-11-22T13:00:00+01:00"


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_a_probe_of_an_installation_that_refuses_everything_raises(status: int) -> None:
    source, _ = make_source(always("", status))
    with pytest.raises(GatewayError):
        await source.probe(make_scope())


async def test_a_probe_that_fails_raises() -> None:
    source, _ = make_source(always("<html>"))
    with pytest.raises(GatewayError):
        await source.probe(make_scope())
