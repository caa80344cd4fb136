"""The five published operations end to end: GraphQL over HTTP in, real HTTP out to the emulated systems, good and bad answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.recording import RecordedRequest
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

Payload = dict[str, Any]

ANSWER = """
    outcome confirmation replayed userErrors { code field message upstream { status code message } }
    request { method path body sent }"""
CREATE_INVOICE = f"""
mutation ($source: String!, $input: CreateInvoiceInput!, $key: String!, $dryRun: Boolean!) {{
  createInvoice(source: $source, input: $input, idempotencyKey: $key, dryRun: $dryRun) {{
    {ANSWER}
    invoice {{ number totals {{ total {{ amount currency }} }} warnings {{ code }} origin {{ nativeId fetchedAt }} }}
    order {{ number }}
  }}
}}"""
CREATE_INVOICE_FROM_ORDER = f"""
mutation ($order: Lookup!, $key: String!, $dryRun: Boolean!) {{
  createInvoiceFromOrder(order: $order, idempotencyKey: $key, dryRun: $dryRun) {{
    {ANSWER}
    invoice {{
      number issueDate updatedAt currency totals {{ inclVat {{ amount }} exclVat {{ amount }} }} document {{ fileId }} origin {{ nativeId }}
    }}
    order {{ number origin {{ nativeId }} }}
  }}
}}"""
SETTINGS = """
  version customer { number } invoiceRecipient { number } currency sourceCurrency { field code label }
  paymentTerms { field code label } invoiceType { field code } interestType { field code } invoiceCycle { field code }
  creditAccount { field code } retainsInvoiceType paysInvoiceFee allowInvoicePaymentFromOrder sendInvoiceFromOrderAsEmail
  invoiceEmail reverseTax warnings { code field }"""
SET_INVOICE_SETTINGS = f"""
mutation (
  $customer: Lookup!, $settings: InvoiceSettingsInput!, $mode: SettingsWriteMode!, $version: String, $key: String!, $dryRun: Boolean!
) {{
  setInvoiceSettings(
    customer: $customer, settings: $settings, mode: $mode, expectedVersion: $version, idempotencyKey: $key, dryRun: $dryRun
  ) {{
    {ANSWER}
    settings {{ {SETTINGS} }}
    previous {{ {SETTINGS} }}
  }}
}}"""
READ_SETTINGS = f"query ($customer: Lookup!) {{ customer(by: $customer) {{ invoiceSettings {{ {SETTINGS} }} }} }}"


def fresh_key() -> str:
    """Make an idempotency key that was never used."""
    return str(uuid4())


def native(source: str, native_id: str) -> Payload:
    return {"native": {"source": source, "id": native_id}}


def number(source: str, text: str) -> Payload:
    return {"number": {"source": source, "number": text}}


async def create_invoice(graph: Graph, source: str, given: Payload, *, key: str | None = None, dry_run: bool = False) -> Payload:
    """Ask for an invoice; without `key` under one that was never used, as below."""
    answer = await graph.data(CREATE_INVOICE, {"source": source, "input": given, "key": key or fresh_key(), "dryRun": dry_run})
    made: Payload = answer["createInvoice"]
    return made


async def create_from_order(graph: Graph, order: Payload, *, key: str | None = None, dry_run: bool = False) -> Payload:
    answer = await graph.data(CREATE_INVOICE_FROM_ORDER, {"order": order, "key": key or fresh_key(), "dryRun": dry_run})
    made: Payload = answer["createInvoiceFromOrder"]
    return made


async def set_settings(
    graph: Graph,
    settings: Payload,
    *,
    source: str = "subscriptions",
    customer: str = "40017",
    mode: str = "MERGE",
    version: str | None = None,
    key: str | None = None,
    dry_run: bool = False,
) -> Payload:
    variables = {
        "customer": native(source, customer),
        "settings": settings,
        "mode": mode,
        "version": version,
        "key": key or fresh_key(),
        "dryRun": dry_run,
    }
    made: Payload = (await graph.data(SET_INVOICE_SETTINGS, variables))["setInvoiceSettings"]
    return made


async def read_settings(graph: Graph, customer: str = "40017") -> Payload | None:
    found: Payload | None = (await graph.data(READ_SETTINGS, {"customer": native("subscriptions", customer)}))["customer"][
        "invoiceSettings"
    ]
    return found


def mistakes(made: Payload) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["field"]) for error in made["userErrors"]]


def settled(made: Payload) -> tuple[str, str | None]:
    return made["outcome"], made["confirmation"]


def posted(graph: Graph, system: str, operation: str) -> list[RecordedRequest]:
    return graph.running.sandbox.requests.of(system, operation)


def bodies(graph: Graph, system: str, operation: str) -> list[str]:
    return [request.body for request in posted(graph, system, operation)]


def fault(graph: Graph, system: str, operation: str, kind: Any, **more: Any) -> None:  # noqa: ANN401  (fields of Fault)
    graph.running.sandbox.faults.add(Fault(system=system, operation=operation, kind=kind, **more))


# ------------------------------------------------------------------ what holds for each write


@dataclass(frozen=True)
class Published:
    """One published write: who takes it, how to ask for it through the graph, and the read that a look makes."""

    system: str
    operation: str
    ask: Callable[..., Awaitable[Payload]]
    look: str
    looks_before: int
    """Reads of the same operation that are made before the write is sent."""
    method_and_path: tuple[str, str]
    body: str | None
    sources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    switches: Mapping[str, object] = field(default_factory=dict)

    @asynccontextmanager
    async def opened(self, graph: Graph) -> AsyncIterator[Graph]:
        """Give a gateway that is configured for this write: the given one, or another over the same sandbox."""
        graph.running.sandbox.change_switches(self.system, self.switches)
        if not self.sources:
            yield graph
            return
        async with open_graph(graph.running, sources=self.sources) as other:
            yield other

    def sent(self, graph: Graph) -> int:
        return len(posted(graph, self.system, self.operation))


CUSTOMER = "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"
ORDER = "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"
OPEN_ORDER = "07c01dba-3aba-5ba8-8592-fc6f329e5648"
OUTLET = "5b1f7c0e-2a64-4a1d-9a53-0f6f2a0b8e11"
TILL = "9c2e61d4-77b0-4f0a-8f8e-3f1f6d5b7a20"
SHOP_ORDER = "54712"

INVOICE_ID = "41f83e66-5ef3-4365-95e3-2a2fb099ee33"
NIMPOS_INVOICE: Payload = {
    "nativeId": INVOICE_ID,
    "customer": native("pos", CUSTOMER),
    "orders": [native("pos", ORDER)],
    "number": "30001",
    "createdAt": "2026-06-21T22:48:27+02:00",
    "total": {"amount": "1250.50"},
    "nimpos": {"outletId": OUTLET, "terminalId": TILL},
}
NIMPOS_BODY = (
    f'{{"Id":"{INVOICE_ID}","InvoiceNumber":30001,"CustomerId":"{CUSTOMER}","InvoiceTotal":1250.50,"OutletId":"{OUTLET}",'
    f'"TerminalId":"{TILL}","CreationDate":"2026-06-21T22:48:27+02:00","OrdersGuid":["{ORDER}"]}}'
)
NORCE_INVOICE: Payload = {
    "orders": [number("commerce", "N-100341")],
    "number": "T-1",
    "issueDate": "2026-01-17",
    "total": {"amount": "6000.00"},
}
NORCE_BODY = (
    '{"ClientOrderRef":448120,"CurrencyCode":"SEK","ErpOrderNo":"N-100341","InvoiceDate":"2026-01-17T00:00:00+01:00",'
    '"InvoiceNo":"T-1","TotalAmount":6000.00,"SuppressPspCall":true}'
)
INSERTED: Payload = {"InvoiceNo": "T-1", "OrderId": "70213", "OrderNo": "N-100341", "InvoiceAmountIncVat": 6000, "IsDebit": True}
INSERT = {"commerce": {"create_via": "insert-invoice"}}
SETTINGS_BODY = (
    '{"CustomerNumber":40017,"RetainsInvoiceType":true,"CurrencyId":1,"TermsOfPaymentId":4,"PaysInvoiceFee":true,"InvoiceTypeId":2,'
    '"InterestTypeId":1,"InvoiceCycleId":1,"InvoiceRecipientCustomerNumber":40017,"CreditAccountId":1,'
    '"AllowInvoicePaymentFromOrder":true,"SendInvoiceFromOrderAsEmail":true,'
    '"InvoiceOrderPaymentEmailAddress":"faktura@malarakeri.example","ReverseTax":true}'
)

WRITES = {
    "PostCustomerInvoice": Published(
        "nimpos",
        "PostCustomerInvoice",
        lambda graph, **more: create_invoice(graph, "pos", NIMPOS_INVOICE, **more),
        "GetOrderById",
        1,
        ("POST", "/api/Order/PostCustomerInvoice"),
        NIMPOS_BODY,
    ),
    "POST customers/invoice": Published(
        "compilator",
        "PostCustomerInvoice",
        lambda graph, **more: set_settings(graph, {"paymentTermsId": 4, "reverseTax": True}, **more),
        "GetCustomerInvoice",
        1,
        ("POST", "/api/customers/invoice"),
        SETTINGS_BODY,
    ),
    "POST Orders/{id}/Invoices": Published(
        "shopctrl",
        "CreateOrderInvoice",
        lambda graph, **more: create_from_order(graph, native("shop", SHOP_ORDER), **more),
        "GetOrderInvoices",
        1,
        ("POST", "/v1/Orders/54712/Invoices"),
        None,
    ),
    "CreateInvoice": Published(
        "norce",
        "CreateInvoice",
        lambda graph, **more: create_invoice(graph, "commerce", NORCE_INVOICE, **more),
        "GetInvoiceByNo",
        1,
        ("POST", "/commerce/connect/4.0/Order/CreateInvoice"),
        NORCE_BODY,
    ),
    "InsertInvoice": Published(
        "norce",
        "InsertInvoice",
        lambda graph, **more: create_invoice(graph, "commerce", {"norce": {"insertInvoice": INSERTED}}, **more),
        "GetInvoiceByNo",
        1,
        ("POST", "/commerce/order/1.1/InsertInvoice"),
        '{"InvoiceNo":"T-1","OrderId":"70213","OrderNo":"N-100341","IsDebit":true,"InvoiceAmountIncVat":6000}',
        INSERT,
        {"insert_invoice": True},
    ),
}
each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@each_write
async def test_a_dry_run_shows_the_request_that_the_write_then_sends_and_sends_nothing(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        shown = await write.ask(asked, dry_run=True)
        method, path = write.method_and_path
        body = None if write.body is None else json.loads(write.body, parse_float=Decimal)
        assert (settled(shown), shown["userErrors"]) == (("VALIDATED", None), [])
        assert shown["request"] == {"method": method, "path": path, "body": body, "sent": False}
        assert write.sent(asked) == 0
        made = await write.ask(asked)
        assert (made["outcome"], made["request"]) == ("APPLIED", {**shown["request"], "sent": True})
        assert bodies(asked, write.system, write.operation) == [write.body or ""]


STATUSES = {
    **dict.fromkeys((401, 403, 429), ("NOT_APPLIED", "SOURCE_UNAVAILABLE")),
    **dict.fromkeys((400, 404, 409, 422), ("REJECTED", "UPSTREAM_REJECTED")),
    **dict.fromkeys((500, 503), ("REJECTED", "UPSTREAM_REJECTED")),  # a look proves that it is not there
}


@each_write
async def test_each_refusing_status_has_its_outcome_and_is_shown(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        for status, (outcome, code) in STATUSES.items():
            fault(asked, write.system, write.operation, "status", status=status, times=1)
            made = await write.ask(asked)
            assert (made["outcome"], made["request"]["sent"]) == (outcome, True)
            assert [(error["code"], error["upstream"]["status"]) for error in made["userErrors"]] == [(code, status)]
        assert write.sent(asked) == len(STATUSES)


@each_write
async def test_a_server_error_that_no_look_explains_leaves_the_outcome_unknown(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        fault(asked, write.system, write.operation, "status", status=500)
        fault(asked, write.system, write.look, "status", status=503, after=write.looks_before)
        made = await write.ask(asked)
        assert (settled(made), mistakes(made)) == (("UNKNOWN", None), [("OUTCOME_UNKNOWN", None)])
        assert write.sent(asked) == 1


@each_write
async def test_a_write_whose_answer_is_lost_is_found_by_a_look_and_sent_once(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        fault(asked, write.system, write.operation, "lost_answer")
        made = await write.ask(asked)
        assert (settled(made), made["userErrors"]) == (("APPLIED", "READ_BACK"), [])
        assert made["request"]["sent"] is True
        assert write.sent(asked) == 1


@each_write
async def test_a_connection_that_drops_before_the_write_is_done_leaves_it_unknown(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        fault(asked, write.system, write.operation, "drop")
        made = await write.ask(asked)
        assert (settled(made), mistakes(made)) == (("UNKNOWN", None), [("OUTCOME_UNKNOWN", None)])
        assert "may still come: look again before sending it under a new key" in made["userErrors"][0]["message"]
        assert made["request"]["sent"] is True
        assert write.sent(asked) == 1


@each_write
async def test_a_write_that_is_repeated_under_its_key_is_answered_from_the_journal_and_sent_once(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        key = fresh_key()
        made = await write.ask(asked, key=key)
        again = await write.ask(asked, key=key)
        assert (made["outcome"], made["replayed"]) == ("APPLIED", False)
        assert {**again, "replayed": False} == made
        assert again["replayed"] is True
        assert write.sent(asked) == 1


@each_write
async def test_a_source_that_fails_while_a_write_is_prepared_is_sent_nothing(write: Published, graph: Graph) -> None:
    async with write.opened(graph) as asked:
        fault(asked, write.system, write.look, "status", status=503)
        made = await write.ask(asked)
        assert (settled(made), mistakes(made)) == (("NOT_APPLIED", None), [("SOURCE_UNAVAILABLE", None)])
        assert made["userErrors"][0]["message"].endswith("it answered 503; nothing was sent")
        assert (made["request"], write.sent(asked)) == (None, 0)


async def test_a_source_that_asks_for_time_is_passed_on(graph: Graph) -> None:
    fault(graph, "nimpos", "PostCustomerInvoice", "status", status=429, headers={"Retry-After": "12"})
    made = await create_invoice(graph, "pos", NIMPOS_INVOICE)
    assert made["userErrors"][0]["message"] == "the source answered 429; try again after 12 s"


async def test_a_source_that_cannot_do_a_write_says_unsupported(graph: Graph) -> None:
    unsupported = [
        await create_from_order(graph, native("pos", ORDER)),
        await create_from_order(graph, native("subscriptions", "5512/12")),
        await create_from_order(graph, native("commerce", "70213")),
        await create_invoice(graph, "shop", {"number": "1"}),
        await create_invoice(graph, "subscriptions", {"number": "1"}),
        *[
            await set_settings(graph, {}, source=source, customer=customer)
            for source, customer in (("pos", CUSTOMER), ("shop", "20411"), ("commerce", "customer/31877"))
        ],
    ]
    assert [(made["outcome"], mistakes(made), made["request"]) for made in unsupported] == [
        ("UNSUPPORTED", [("UNSUPPORTED_OPERATION", None)], None)
    ] * len(unsupported)
    assert graph.calls() == {}


async def test_a_write_to_a_source_that_is_not_there_is_rejected(graph: Graph) -> None:
    made = await create_invoice(graph, "nowhere", NIMPOS_INVOICE)
    assert (made["outcome"], mistakes(made), graph.calls()) == ("REJECTED", [("NOT_FOUND", ["source"])], {})


# ------------------------------------------------------------------ NIMPOS PostCustomerInvoice


async def test_an_invoice_is_posted_with_every_field_under_its_published_name(graph: Graph) -> None:
    made = await create_invoice(
        graph,
        "pos",
        {
            "nativeId": INVOICE_ID.upper(),
            "customer": native("pos", CUSTOMER.upper()),
            "orders": [native("pos", ORDER), native("pos", OPEN_ORDER), native("pos", ORDER)],
            "number": "30001",
            "dueDate": "2026-07-21",
            "createdAt": "2026-06-21T22:48:27.9745441+02:00",
            "total": {"amount": "1250.50", "currency": "SEK"},
            "note": 'Bröd, "vecka" 25',
            "nimpos": {
                "outletId": OUTLET,
                "terminalId": TILL,
                "paymentStatusCode": 6,
                "paidAt": "2026-06-22T09:00:00Z",
                "emailSent": True,
                "sentAt": "2026-06-22T09:00:00.5+02:00",
                "foreignInvoiceNumber": "10",
                "deleted": False,
                "synced": True,
                "exportStatusCode": 12,
                "exportError": "x" * 500,
                "paidStatusLabel": "Okänd",
            },
        },
    )
    assert (settled(made), made["userErrors"]) == (("APPLIED", "READ_BACK"), [])
    (request,) = posted(graph, "nimpos", "PostCustomerInvoice")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.body == (
        f'{{"Id":"{INVOICE_ID}","InvoiceNumber":30001,"CustomerId":"{CUSTOMER}","Remarks":"Bröd, \\"vecka\\" 25","InvoiceTotal":1250.50,'
        '"PaymentStatus":6,"PaidDate":"2026-06-22T11:00:00+02:00","DueDate":"2026-07-21T00:00:00+02:00","EmailSent":true,'
        f'"SentDate":"2026-06-22T09:00:00.500000+02:00","OutletId":"{OUTLET}","TerminalId":"{TILL}","ForeignInvoiceNumber":10,'
        f'"Deleted":false,"ExportStatus":12,"ExportError":"{"x" * 500}","CreationDate":"2026-06-21T22:48:27.974544+02:00","Synced":true,'
        f'"OrdersGuid":["{ORDER}","{OPEN_ORDER}"],"PaidStatus":"Okänd"}}'
    )


async def test_an_invoice_with_the_required_fields_is_posted_with_these_and_its_date_alone(graph: Graph) -> None:
    required = {name: value for name, value in NIMPOS_INVOICE.items() if name != "createdAt"}
    await create_invoice(graph, "pos", required)
    (body,) = bodies(graph, "nimpos", "PostCustomerInvoice")
    assert list(json.loads(body)) == [
        "Id",
        "InvoiceNumber",
        "CustomerId",
        "InvoiceTotal",
        "OutletId",
        "TerminalId",
        "CreationDate",
        "OrdersGuid",
    ]


async def test_a_posted_invoice_is_answered_as_submitted_since_nothing_lists_it(graph: Graph) -> None:
    made = await create_invoice(graph, "pos", NIMPOS_INVOICE)
    assert made["invoice"] == {
        "number": "30001",
        "totals": {"total": {"amount": "1250.50", "currency": "SEK"}},
        "warnings": [{"code": "VAT_BASIS_UNKNOWN"}, {"code": "DERIVED"}, {"code": "AS_SUBMITTED"}],
        "origin": {"nativeId": INVOICE_ID, "fetchedAt": None},
    }
    assert graph.calls() == {"nimpos.GetOrderById": 2, "nimpos.PostCustomerInvoice": 1}


async def test_an_amount_is_written_as_a_number_with_the_scale_given(graph: Graph) -> None:
    amounts: Payload = {
        "5.0": "5.0",
        "0.10": "0.10",
        "1e2": "100",
        "-12.50": "-12.50",
        "12345678901234567890.12": "12345678901234567890.12",
    }
    for count, amount in enumerate((*amounts, 7)):
        given = {**NIMPOS_INVOICE, "nativeId": None, "number": str(30001 + count), "total": {"amount": amount}}
        await create_invoice(graph, "pos", given)
    written = [body.partition('"InvoiceTotal":')[2].partition(",")[0] for body in bodies(graph, "nimpos", "PostCustomerInvoice")]
    assert written == [*amounts.values(), "7"]


async def test_a_due_date_is_written_as_local_midnight_in_the_offset_of_that_day(graph: Graph) -> None:
    days = ("2026-01-31", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26")
    made = [await create_invoice(graph, "pos", {**NIMPOS_INVOICE, "dueDate": day}, dry_run=True) for day in days]
    assert [one["request"]["body"]["DueDate"] for one in made] == [
        "2026-01-31T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        "2026-10-25T00:00:00+02:00",
        "2026-10-26T00:00:00+01:00",
    ]


async def test_an_order_that_is_not_there_is_named_by_its_place_and_nothing_is_posted(graph: Graph) -> None:
    given = {**NIMPOS_INVOICE, "orders": [native("pos", ORDER), native("pos", INVOICE_ID)]}
    for way in ("null", "empty", "204", "404"):
        graph.running.sandbox.change_switches("nimpos", {"order_absent": way})
        made = await create_invoice(graph, "pos", given)
        assert (made["outcome"], mistakes(made)) == ("REJECTED", [("NOT_FOUND", ["input", "orders", "1"])])
    assert bodies(graph, "nimpos", "PostCustomerInvoice") == []


LINE: Payload = {"itemNumber": "STOL-09", "quantity": 1, "unitPriceExclVat": "1200.00"}


async def rejections(graph: Graph, source: str, base: Payload, changes: Sequence[Payload]) -> list[list[tuple[str, list[str] | None]]]:
    """Try changes of an input that are all rejected before anything is sent, and give the mistakes of each."""
    made = [await create_invoice(graph, source, {**base, **change}) for change in changes]
    assert {(one["outcome"], one["request"]) for one in made} == {("REJECTED", None)}
    return [mistakes(one) for one in made]


async def test_each_field_that_nimpos_needs_or_does_not_take_is_named_at_once(graph: Graph) -> None:
    needed, refused = await rejections(
        graph,
        "pos",
        {},
        [
            {},
            {
                **NIMPOS_INVOICE,
                "issueDate": "2026-06-21",
                "vat": {"amount": "250"},
                "creditedInvoiceNumber": "7",
                "lines": [LINE],
                "norce": {"groupKey": "G"},
            },
        ],
    )
    assert needed == [
        ("REQUIRED", ["input", "customer"]),
        ("REQUIRED", ["input", "orders"]),
        ("REQUIRED", ["input", "number"]),
        ("REQUIRED", ["input", "total"]),
        ("REQUIRED", ["input", "nimpos", "outletId"]),
        ("REQUIRED", ["input", "nimpos", "terminalId"]),
    ]
    assert refused == [
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "issueDate"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "vat"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "creditedInvoiceNumber"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "lines"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "norce"]),
    ]
    assert bodies(graph, "nimpos", "PostCustomerInvoice") == []


async def test_each_value_that_nimpos_cannot_have_is_named(graph: Graph) -> None:
    own = NIMPOS_INVOICE["nimpos"]
    found = await rejections(
        graph,
        "pos",
        NIMPOS_INVOICE,
        [
            {"nimpos": {**own, "exportError": "x" * 501}},
            {"customer": native("shop", "20411")},
            {"orders": [native("pos", ORDER), native("shop", "55012")]},
            {"number": "F-1"},
            {"number": "0"},
            {"number": "9223372036854775808"},
            {"nativeId": "00000000-0000-0000-0000-000000000000"},
            {"total": {"amount": "1", "currency": "EUR"}},
            {"nimpos": {**own, "foreignInvoiceNumber": "A1"}},
            {"customer": native("pos", "1042")},
        ],
    )
    assert found == [
        [("TOO_LONG", ["input", "nimpos", "exportError"])],
        [("CROSS_SOURCE_REFERENCE", ["input", "customer"])],
        [("CROSS_SOURCE_REFERENCE", ["input", "orders", "1"])],
        [("INVALID", ["input", "number"])],
        [("INVALID", ["input", "number"])],
        [("INVALID", ["input", "number"])],
        [("INVALID", ["input", "nativeId"])],
        [("CURRENCY_MISMATCH", ["input", "total", "currency"])],
        [("INVALID", ["input", "nimpos", "foreignInvoiceNumber"])],
        [("INVALID", ["input", "customer"])],
    ]
    assert bodies(graph, "nimpos", "PostCustomerInvoice") == []


async def test_a_customer_that_an_empty_list_proves_nothing_of_is_no_mistake_of_the_caller(graph: Graph) -> None:
    graph.running.sandbox.change_switches("nimpos", {"reads_fail_empty": True})
    made = await create_invoice(graph, "pos", {**NIMPOS_INVOICE, "customer": number("pos", "1042")})
    assert (made["outcome"], mistakes(made), made["request"]) == ("NOT_APPLIED", [("SOURCE_UNAVAILABLE", None)], None)
    assert bodies(graph, "nimpos", "PostCustomerInvoice") == []


async def test_an_empty_417_is_a_refusal_once_the_orders_show_that_nothing_was_written(graph: Graph) -> None:
    graph.running.sandbox.change_switches("nimpos", {"post_fails_417": True})
    made = await create_invoice(graph, "pos", NIMPOS_INVOICE)
    assert (settled(made), mistakes(made)) == (("REJECTED", None), [("UPSTREAM_REJECTED", None)])
    assert made["userErrors"][0]["upstream"] == {"status": 417, "code": None, "message": None}
    assert graph.calls() == {"nimpos.GetOrderById": 2, "nimpos.PostCustomerInvoice": 1}


async def test_a_417_whose_orders_cannot_be_read_names_what_to_look_for(graph: Graph) -> None:
    graph.running.sandbox.change_switches("nimpos", {"post_fails_417": True})
    fault(graph, "nimpos", "GetOrderById", "status", status=500, after=1)
    made = await create_invoice(graph, "pos", NIMPOS_INVOICE)
    assert (settled(made), mistakes(made)) == (("UNKNOWN", None), [("OUTCOME_UNKNOWN", None)])
    assert f"invoice 30001 with the Id {INVOICE_ID}" in made["userErrors"][0]["message"]


async def test_a_success_that_no_order_shows_rests_on_the_status_alone(graph: Graph) -> None:
    fault(graph, "nimpos", "GetOrderById", "status", status=500, after=1)
    made = await create_invoice(graph, "pos", NIMPOS_INVOICE)
    assert (settled(made), made["userErrors"]) == (("APPLIED", "STATUS_ONLY"), [])
    assert (made["invoice"]["number"], made["invoice"]["warnings"][-1]) == ("30001", {"code": "AS_SUBMITTED"})


async def test_the_text_of_a_refusal_is_given_as_the_upstreams_own(graph: Graph) -> None:
    graph.running.sandbox.change_switches("nimpos", {"remarks_limited": True})
    made = await create_invoice(graph, "pos", {**NIMPOS_INVOICE, "note": "x" * 251})
    said = {"status": 400, "code": None, "message": "The request is invalid. Remarks: longer than 250 characters"}
    assert [(error["message"], error["upstream"]) for error in made["userErrors"]] == [("the source refused; see upstream", said)]


# ------------------------------------------------------------------ Compilator customers/invoice


SETTINGS_ID = Ref("subscriptions", Kind.INVOICE_SETTINGS, "40017").global_id


async def test_invoicing_settings_are_read_in_one_call_and_one_for_the_currency(graph: Graph) -> None:
    whole = f"query ($id: ID!) {{ node(id: $id) {{ ... on InvoiceSettings {{ {SETTINGS} }} }} }}"
    found = (await graph.data(whole, {"id": SETTINGS_ID}))["node"]
    assert len(found.pop("version")) == 32
    assert found == {
        "customer": {"number": "40017"},
        "invoiceRecipient": None,
        "currency": "SEK",
        "sourceCurrency": {"field": "CurrencyId", "code": "1", "label": None},
        "paymentTerms": {"field": "TermsOfPaymentId", "code": "30", "label": None},
        "invoiceType": {"field": "InvoiceTypeId", "code": "2"},
        "interestType": {"field": "InterestTypeId", "code": "1"},
        "invoiceCycle": {"field": "InvoiceCycleId", "code": "1"},
        "creditAccount": {"field": "CreditAccountId", "code": "1"},
        "retainsInvoiceType": True,
        "paysInvoiceFee": True,
        "allowInvoicePaymentFromOrder": True,
        "sendInvoiceFromOrderAsEmail": True,
        "invoiceEmail": "faktura@malarakeri.example",
        "reverseTax": None,
        "warnings": [{"code": "WRITE_ONLY_FIELD", "field": ["reverseTax"]}],
    }
    assert graph.calls() == {"compilator.GetCustomerInvoice": 1, "compilator.GetCurrency": 1}
    (request,) = posted(graph, "compilator", "GetCustomerInvoice")
    assert (request.method, request.path, request.query) == ("GET", "/api/customers/invoice", "customerNumber=40017")


async def test_a_currency_and_labels_that_are_configured_need_no_call(sandbox: RunningSandbox) -> None:
    own = {"currencies": {"1": "NOK"}, "labels": {"TermsOfPaymentId": {"30": "30 dagar netto"}}}
    query = "query ($id: ID!) { node(id: $id) { ... on InvoiceSettings { currency paymentTerms { label } } } }"
    async with open_graph(sandbox, sources={"subscriptions": own}) as graph:
        found = (await graph.data(query, {"id": SETTINGS_ID}))["node"]
        assert found == {"currency": "NOK", "paymentTerms": {"label": "30 dagar netto"}}
        assert graph.calls() == {"compilator.GetCustomerInvoice": 1}


async def test_another_recipient_of_invoices_is_a_customer_of_its_own(graph: Graph) -> None:
    found = await read_settings(graph, "40002")
    assert found is not None
    assert (found["customer"], found["invoiceRecipient"]) == ({"number": "40002"}, {"number": "40001"})


async def test_a_customer_without_settings_has_none_however_the_site_says_so(graph: Graph) -> None:
    for way in ("204", "404", "null", "empty_list"):
        graph.running.sandbox.change_switches("compilator", {"settings_absent": way})
        assert await read_settings(graph, "40007") is None


async def test_a_read_that_fails_is_an_error_at_its_field_and_no_null_that_looks_like_none(graph: Graph) -> None:
    for kind, more, code in [
        ("status", {"status": 500}, "UPSTREAM_UNAVAILABLE"),
        ("status", {"status": 401}, "UPSTREAM_AUTH"),
        ("malformed", {}, "UPSTREAM_BAD_RESPONSE"),
        ("drop", {}, "UPSTREAM_UNAVAILABLE"),
    ]:
        graph.running.sandbox.faults.clear()
        fault(graph, "compilator", "GetCustomerInvoice", kind, **more)
        answer = await graph.ask(READ_SETTINGS, {"customer": native("subscriptions", "40017")})
        assert answer["data"] == {"customer": {"invoiceSettings": None}}
        assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [(["customer", "invoiceSettings"], code)]


async def test_a_merge_keeps_what_was_not_given_and_sends_all_fourteen_fields(graph: Graph) -> None:
    before = await read_settings(graph)
    made = await set_settings(graph, {"paymentTermsId": 4, "reverseTax": True})
    assert (settled(made), made["userErrors"]) == (("APPLIED", "READ_BACK"), [])
    assert bodies(graph, "compilator", "PostCustomerInvoice") == [SETTINGS_BODY]
    assert len(json.loads(SETTINGS_BODY)) == 14
    assert made["previous"] == before
    assert made["settings"] == await read_settings(graph)
    assert before is not None
    assert made["settings"] == {
        **before,
        "paymentTerms": {"field": "TermsOfPaymentId", "code": "4", "label": None},
        "version": made["settings"]["version"],
    }
    assert made["settings"]["version"] != before["version"]


async def test_a_merge_needs_the_reverse_tax_that_the_site_does_not_return(graph: Graph) -> None:
    made = await set_settings(graph, {"paymentTermsId": 4})
    assert (made["outcome"], mistakes(made)) == ("REJECTED", [("REQUIRED", ["settings", "reverseTax"])])
    assert bodies(graph, "compilator", "PostCustomerInvoice") == []


async def test_a_merge_keeps_the_reverse_tax_that_the_site_returns(graph: Graph) -> None:
    graph.running.sandbox.change_switches("compilator", {"settings_return_reverse_tax": True})
    made = [await set_settings(graph, settings) for settings in ({"reverseTax": True}, {"paymentTermsId": 4})]
    assert [settled(one) for one in made] == [("APPLIED", "READ_BACK")] * 2
    assert bodies(graph, "compilator", "PostCustomerInvoice")[1] == SETTINGS_BODY
    assert [(one["settings"]["reverseTax"], one["settings"]["warnings"]) for one in made] == [(True, [])] * 2


async def test_a_replace_sends_what_is_given_and_the_customer_alone(graph: Graph) -> None:
    before = await read_settings(graph)
    made = await set_settings(graph, {"currencyId": 2, "paysInvoiceFee": False}, mode="REPLACE")
    assert (settled(made), made["previous"]) == (("APPLIED", "READ_BACK"), before)
    assert bodies(graph, "compilator", "PostCustomerInvoice") == ['{"CustomerNumber":40017,"CurrencyId":2,"PaysInvoiceFee":false}']
    assert (made["settings"]["paymentTerms"], made["settings"]["currency"]) == (None, "EUR")  # the site resets what is not sent


async def test_the_first_settings_of_a_customer_are_written_as_given(graph: Graph) -> None:
    made = await set_settings(graph, {"currencyId": 1}, customer="40007")
    assert (settled(made), made["previous"]) == (("APPLIED", "READ_BACK"), None)
    assert bodies(graph, "compilator", "PostCustomerInvoice") == ['{"CustomerNumber":40007,"CurrencyId":1}']


async def test_null_clears_a_setting(graph: Graph) -> None:
    settings: Payload = {
        "retainsInvoiceType": None,
        "paymentTermsId": None,
        "invoiceRecipient": None,
        "invoiceEmail": None,
        "reverseTax": None,
    }
    made = await set_settings(graph, settings, customer="40002", mode="REPLACE")
    assert settled(made) == ("APPLIED", "READ_BACK")
    assert bodies(graph, "compilator", "PostCustomerInvoice") == [
        (
            '{"CustomerNumber":40002,"RetainsInvoiceType":null,"TermsOfPaymentId":null,"InvoiceRecipientCustomerNumber":40002,'
            '"InvoiceOrderPaymentEmailAddress":"","ReverseTax":null}'
        )
    ]
    cleared = made["settings"]
    assert [cleared[name] for name in ("invoiceRecipient", "paymentTerms", "invoiceEmail")] == [None, None, None]


async def test_each_setting_that_cannot_be_is_named_and_nothing_is_posted(graph: Graph) -> None:
    rejected = [
        await set_settings(graph, {"reverseTax": True, "invoiceEmail": "a" * 43 + "@b.test"}),
        await set_settings(graph, {"reverseTax": True, "invoiceEmail": "a" * 44 + "@b.test"}, dry_run=True),
        await set_settings(graph, {"reverseTax": True, "invoiceRecipient": native("shop", "20411")}),
        await set_settings(graph, {"reverseTax": True, "invoiceRecipient": number("subscriptions", "1")}),
        await set_settings(graph, {"reverseTax": True, "invoiceRecipient": native("subscriptions", "x")}),
    ]
    assert [mistakes(made) for made in rejected] == [
        [],
        [("TOO_LONG", ["settings", "invoiceEmail"])],
        [("CROSS_SOURCE_REFERENCE", ["settings", "invoiceRecipient"])],
        [("NOT_FOUND", ["settings", "invoiceRecipient"])],
        [("INVALID", ["settings", "invoiceRecipient"])],
    ]
    assert len(posted(graph, "compilator", "PostCustomerInvoice")) == 1


async def test_the_version_that_was_read_guards_the_write(graph: Graph) -> None:
    read = await read_settings(graph)
    assert read is not None
    first = await set_settings(graph, {"paymentTermsId": 4, "reverseTax": True}, version=read["version"])
    stale = await set_settings(graph, {"paymentTermsId": 5, "reverseTax": True}, version=read["version"])
    gone = await set_settings(graph, {"paymentTermsId": 5}, customer="40007", version=read["version"])
    assert [first["outcome"], stale["outcome"], gone["outcome"]] == ["APPLIED", "REJECTED", "REJECTED"]
    assert mistakes(stale) == mistakes(gone) == [("STALE_VERSION", ["expectedVersion"])]
    assert stale["userErrors"][0]["message"] == f"the settings have changed: their version is now {first['settings']['version']}"
    assert len(posted(graph, "compilator", "PostCustomerInvoice")) == 1


async def test_a_success_false_in_the_body_is_a_refusal_whatever_the_status(graph: Graph) -> None:
    for status in (200, 400, 500):
        graph.running.sandbox.change_switches("compilator", {"failures_as": str(status)})
        made = await set_settings(graph, {"currencyId": 99, "reverseTax": True})
        assert (settled(made), mistakes(made)) == (("REJECTED", None), [("UPSTREAM_REJECTED", None)])
        assert made["userErrors"][0]["upstream"] == {"status": status, "code": "1", "message": "Valuta 99 saknas"}


async def test_each_entry_of_errors_becomes_a_user_error(graph: Graph) -> None:
    entries = [{"ErrorCode": 1, "ErrorMessage": "Ett fel"}, {"ErrorCode": 7, "ErrorMessage": "Ett till"}]
    fault(graph, "compilator", "PostCustomerInvoice", "status", status=200, body={"Errors": entries, "Success": False})
    made = await set_settings(graph, {"reverseTax": True})
    assert made["outcome"] == "REJECTED"
    assert [error["upstream"] for error in made["userErrors"]] == [
        {"status": 200, "code": "1", "message": "Ett fel"},
        {"status": 200, "code": "7", "message": "Ett till"},
    ]


async def test_a_200_that_cannot_be_read_is_settled_by_a_look(graph: Graph) -> None:
    for kind in ("malformed", "empty", "wrong_type"):
        graph.running.sandbox.faults.clear()
        fault(graph, "compilator", "PostCustomerInvoice", kind)
        made = await set_settings(graph, {"paymentTermsId": 4, "reverseTax": True})
        assert (settled(made), mistakes(made)) == (("REJECTED", None), [("UPSTREAM_REJECTED", None)])


async def test_a_lost_answer_about_a_field_that_is_never_returned_stays_unknown(graph: Graph) -> None:
    fault(graph, "compilator", "PostCustomerInvoice", "lost_answer")
    made = await set_settings(graph, {"reverseTax": True})  # nothing that can be read changes
    assert (settled(made), mistakes(made)) == (("UNKNOWN", None), [("OUTCOME_UNKNOWN", None)])
    assert "GET api/customers/invoice?customerNumber=40017" in made["userErrors"][0]["message"]


# ------------------------------------------------------------------ ShopCtrl POST Orders/{id}/Invoices


def shop_invoice(native_id: str, code: str, file_id: str) -> Payload:
    return {
        "number": code,
        "issueDate": "2026-11-22",
        "updatedAt": "2026-11-22T12:00:00+01:00",
        "currency": "EUR",
        "totals": {"inclVat": {"amount": "228.72"}, "exclVat": {"amount": "195.52"}},
        "document": {"fileId": file_id},
        "origin": {"nativeId": native_id},
    }


@pytest.mark.parametrize("profile", ["2021", "demo", "sales"])
async def test_what_is_left_of_an_order_is_invoiced_by_a_post_without_a_body(graph: Graph, profile: str) -> None:
    graph.running.sandbox.change_switches("shopctrl", {"profile": profile, "now": "2026-11-22T12:00:00+01:00"})
    made = await create_from_order(graph, number("shop", "UTR-2025-00131"))
    assert (settled(made), made["userErrors"]) == (("APPLIED", "ECHO"), [])
    assert made["invoice"] == shop_invoice("88401", "F2026-0397", "991001")
    assert made["order"] == {"number": "UTR-2025-00131", "origin": {"nativeId": SHOP_ORDER}}
    (request,) = posted(graph, "shopctrl", "CreateOrderInvoice")
    assert (request.method, request.path, request.query, request.body) == ("POST", "/v1/Orders/54712/Invoices", "", "")
    assert "content-type" not in request.headers
    assert request.headers.get("content-length", "0") == "0"


async def test_nothing_left_to_invoice_is_a_success_however_the_source_says_so(graph: Graph) -> None:
    assert settled(await create_from_order(graph, native("shop", SHOP_ORDER))) == ("APPLIED", "ECHO")
    for way in ("null", "204", "empty"):
        graph.running.sandbox.change_switches("shopctrl", {"nothing_left": way})
        made = await create_from_order(graph, native("shop", SHOP_ORDER))
        assert (settled(made), made["userErrors"], made["invoice"]) == (("NOTHING_TO_DO", "ECHO"), [], None)
        assert made["order"] == {"number": "UTR-2025-00131", "origin": {"nativeId": SHOP_ORDER}}
    assert len(posted(graph, "shopctrl", "CreateOrderInvoice")) == 4


async def test_an_order_that_the_shop_does_not_have_is_not_posted_to(graph: Graph) -> None:
    orders = [native("shop", "1"), number("shop", "UTR-1"), native("shop", "x"), {"id": "nonsense"}]
    made = [await create_from_order(graph, order) for order in orders]
    assert [(one["outcome"], mistakes(one)) for one in made] == [
        ("REJECTED", [("NOT_FOUND", ["order"])]),
        ("REJECTED", [("NOT_FOUND", ["order"])]),
        ("REJECTED", [("INVALID", ["order"])]),
        ("REJECTED", [("INVALID", ["order"])]),
    ]
    assert posted(graph, "shopctrl", "CreateOrderInvoice") == []


async def test_an_invoice_that_was_there_before_is_never_taken_for_the_lost_answer(graph: Graph) -> None:
    order = native("shop", "54716")  # has one invoice and rows that are not on it
    graph.running.sandbox.change_switches("shopctrl", {"now": "2026-11-22T12:00:00+01:00"})
    fault(graph, "shopctrl", "CreateOrderInvoice", "lost_answer")
    made = await create_from_order(graph, order)
    assert (settled(made), made["invoice"]["origin"]) == (("APPLIED", "READ_BACK"), {"nativeId": "88401"})
    assert len(posted(graph, "shopctrl", "CreateOrderInvoice")) == 1


async def test_a_2xx_without_an_invoice_that_can_be_read_is_settled_by_a_look(graph: Graph) -> None:
    for kind in ("malformed", "wrong_type"):
        graph.running.sandbox.faults.clear()
        fault(graph, "shopctrl", "CreateOrderInvoice", kind)
        made = await create_from_order(graph, native("shop", SHOP_ORDER))
        assert (settled(made), mistakes(made)) == (("REJECTED", None), [("UPSTREAM_REJECTED", None)])


async def test_the_fields_that_the_created_invoice_lacks_are_read_when_asked_for(graph: Graph) -> None:
    query = CREATE_INVOICE_FROM_ORDER.replace(
        "number issueDate", "charges { kind } lines { itemNumber } customer { number } number issueDate"
    )
    await graph.data(query, {"order": native("shop", SHOP_ORDER), "key": fresh_key(), "dryRun": False})
    calls = graph.calls()
    assert (calls["shopctrl.GetInvoice"], calls["shopctrl.GetInvoiceRows"], calls["shopctrl.CreateOrderInvoice"]) == (1, 1, 1)


# ------------------------------------------------------------------ Norce CreateInvoice and InsertInvoice


def captures(graph: Graph) -> list[Payload]:
    taken: list[Payload] = graph.running.sandbox.switches("norce")["captures"]
    return taken


PAID: Payload = {
    "paymentCode": 77,
    "paymentReference": "REF-1",
    "paymentMethodCode": "INV",
    "amount": "3000.00",
    "currency": "SEK",
}


async def test_an_invoice_is_created_with_every_field_under_its_published_name(graph: Graph) -> None:
    made = await create_invoice(
        graph,
        "commerce",
        {
            "orders": [number("commerce", "N-100341")],
            "number": "T-1",
            "issueDate": "2026-07-17",
            "dueDate": "2026-12-24",
            "total": {"amount": "3000.00", "currency": "SEK"},
            "vat": {"amount": "600.00"},
            "note": "Tack för köpet",
            "creditedInvoiceNumber": "F-2026-0088",
            "lines": [
                {
                    **LINE,
                    "position": 1,
                    "name": "Pinnstol",
                    "description": "Ek",
                    "discount": "0.0",
                    "netAmount": "2400.00",
                    "vatPercent": 25,
                },
                {**LINE, "quantity": "1.5"},
            ],
            "norce": {
                "clientOrderRef": 448120,
                "erpOrderNumber": "N-100341",
                "isLastInvoiceForOrder": True,
                "payment": PAID,
                "paymentMethodCode": "INV",
                "groupKey": "G-1",
            },
        },
    )
    assert (settled(made), made["userErrors"]) == (("APPLIED", "READ_BACK"), [])
    assert bodies(graph, "norce", "CreateInvoice") == [
        (
            '{"ClientOrderRef":448120,"CurrencyCode":"SEK","ErpOrderNo":"N-100341","InvoiceDate":"2026-07-17T00:00:00+02:00","InvoiceNo":"T-1",'
            '"Comment":"Tack för köpet","GroupCode":"G-1","CreditedInvoiceNo":"F-2026-0088","InvoiceDueDate":"2026-12-24T00:00:00+01:00",'
            '"TotalAmount":3000.00,"Vat":600.00,"IsLastInvoiceForOrder":true,"Items":[{"PartNo":"STOL-09","Quantity":1,"UnitPrice":1200.00,'
            '"Description":"Ek","Discount":0.0,"LineAmount":2400.00,"LineNo":1,"ProductName":"Pinnstol","VatRate":25},'
            '{"PartNo":"STOL-09","Quantity":1.5,"UnitPrice":1200.00}],"Payment":{"PaymentCode":77,"PaymentMethodCode":"INV",'
            '"PaymentRef":"REF-1","Amount":3000.00,"CurrencyCode":"SEK"},"PaymentMethodCode":"INV","SuppressPspCall":true}'
        )
    ]


async def test_a_created_invoice_is_read_back_by_its_number(graph: Graph) -> None:
    made = await create_invoice(graph, "commerce", NORCE_INVOICE)
    assert settled(made) == ("APPLIED", "READ_BACK")
    assert made["invoice"]["number"] == "T-1"
    assert made["invoice"]["totals"] == {"total": {"amount": "6000.00", "currency": "SEK"}}
    assert made["invoice"]["origin"]["fetchedAt"] is not None
    assert made["order"] == {"number": "N-100341"}
    assert bodies(graph, "norce", "CreateInvoice") == [NORCE_BODY]


async def test_no_payment_is_captured_unless_it_is_asked_for(graph: Graph) -> None:
    await create_invoice(graph, "commerce", NORCE_INVOICE)
    await create_invoice(graph, "commerce", {**NORCE_INVOICE, "number": "T-2", "lines": [LINE], "norce": {"payment": PAID}})
    assert ([json.loads(body)["SuppressPspCall"] for body in bodies(graph, "norce", "CreateInvoice")], captures(graph)) == (
        [True, True],
        [],
    )


async def test_a_payment_is_captured_when_it_is_asked_for(graph: Graph) -> None:
    given = {**NORCE_INVOICE, "lines": [LINE], "norce": {"capturePayment": True, "payment": {"paymentReference": "REF-1"}}}
    await create_invoice(graph, "commerce", given, dry_run=True)
    assert captures(graph) == []
    made = await create_invoice(graph, "commerce", given)
    assert settled(made) == ("APPLIED", "READ_BACK")
    (body,) = bodies(graph, "norce", "CreateInvoice")
    assert (json.loads(body)["SuppressPspCall"], json.loads(body)["Payment"]) == (False, {"PaymentRef": "REF-1"})
    assert [(capture["InvoiceNo"], capture["PaymentRef"]) for capture in captures(graph)] == [("T-1", "REF-1")]


async def test_each_field_that_norce_needs_or_does_not_take_is_named_at_once(graph: Graph) -> None:
    needed, refused, capturing, too_long = await rejections(
        graph,
        "commerce",
        {},
        [
            {"norce": {}},
            {
                **NORCE_INVOICE,
                "nativeId": INVOICE_ID,
                "customer": native("commerce", "customer/31877"),
                "createdAt": "2026-01-17T00:00:00Z",
                "nimpos": {"outletId": OUTLET, "terminalId": TILL},
                "norce": {"insertInvoice": INSERTED},
                "orders": [number("commerce", "N-100341"), number("commerce", "N-100342")],
            },
            {**NORCE_INVOICE, "norce": {"capturePayment": True}},
            {
                **NORCE_INVOICE,
                "number": "x" * 51,
                "note": "x" * 251,
                "creditedInvoiceNumber": "x" * 51,
                "norce": {"groupKey": "x" * 51, "payment": {"amount": 1}},
            },
        ],
    )
    assert needed == [
        ("REQUIRED", ["input", "norce", "clientOrderRef"]),
        ("REQUIRED", ["input", "norce", "erpOrderNumber"]),
        ("REQUIRED", ["input", "number"]),
        ("REQUIRED", ["input", "issueDate"]),
        ("REQUIRED", ["input", "total"]),
    ]
    assert refused == [
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "nativeId"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "customer"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "createdAt"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "nimpos"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "norce", "insertInvoice"]),
        ("NOT_ACCEPTED_BY_SOURCE", ["input", "orders", "1"]),
    ]
    assert capturing == [("REQUIRED", ["input", "norce", "payment"]), ("REQUIRED", ["input", "lines"])]
    assert too_long == [
        ("TOO_LONG", ["input", "number"]),
        ("TOO_LONG", ["input", "note"]),
        ("TOO_LONG", ["input", "creditedInvoiceNumber"]),
        ("TOO_LONG", ["input", "norce", "groupKey"]),
        ("REQUIRED", ["input", "norce", "payment", "paymentCode"]),
    ]
    assert posted(graph, "norce", "CreateInvoice") == []


async def test_each_value_that_norce_cannot_have_is_named(graph: Graph) -> None:
    found = await rejections(
        graph,
        "commerce",
        NORCE_INVOICE,
        [
            {"number": "F-2026-0088"},
            {"orders": [number("commerce", "N-1")]},
            {"orders": [native("commerce", "1")]},
            {"orders": [native("shop", "55012")]},
            {"total": {"amount": "1", "currency": "EUR"}},
            {"vat": {"amount": "1", "currency": "EUR"}},
            {"norce": {"clientOrderRef": 1}},
        ],
    )
    assert found == [
        [("DUPLICATE_NUMBER", ["input", "number"])],
        [("NOT_FOUND", ["input", "orders", "0"])],
        [
            ("NOT_FOUND", ["input", "orders", "0"]),
            ("REQUIRED", ["input", "norce", "clientOrderRef"]),
            ("REQUIRED", ["input", "norce", "erpOrderNumber"]),
        ],
        [("CROSS_SOURCE_REFERENCE", ["input", "orders", "0"])],
        [("CURRENCY_MISMATCH", ["input", "total", "currency"])],
        [("CURRENCY_MISMATCH", ["input", "vat", "currency"])],
        [("INVALID", ["input", "norce", "clientOrderRef"])],
    ]
    assert posted(graph, "norce", "CreateInvoice") == []


async def test_the_messages_of_a_refusal_are_given_as_the_upstreams_own(graph: Graph) -> None:
    given = {**NORCE_INVOICE, "orders": None, "norce": {"clientOrderRef": 1, "erpOrderNumber": "N-1"}}
    made = await create_invoice(graph, "commerce", given)
    message = "There is no order with this ClientOrderRef and ErpOrderNo."
    assert (made["outcome"], mistakes(made)) == ("REJECTED", [("UPSTREAM_REJECTED", None)])
    assert made["userErrors"][0]["upstream"] == {"status": 400, "code": "ClientOrderRef", "message": message}


async def test_a_created_invoice_that_cannot_be_read_back_rests_on_the_status_alone(graph: Graph) -> None:
    graph.running.sandbox.change_switches("norce", {"connect_stores": False})
    made = await create_invoice(graph, "commerce", NORCE_INVOICE)
    assert (settled(made), made["userErrors"], made["invoice"]) == (("APPLIED", "STATUS_ONLY"), [], None)


async def test_the_answer_of_connect_is_not_published_and_not_looked_at(graph: Graph) -> None:
    for position, answer in enumerate(("empty", "null", "id", "invoice")):
        graph.running.sandbox.change_switches("norce", {"connect_answer": answer})
        made = await create_invoice(graph, "commerce", {**NORCE_INVOICE, "number": f"T-{position}"})
        assert settled(made) == ("APPLIED", "READ_BACK")


async def test_the_older_installation_is_written_to_by_its_paths_and_its_spelling(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("norce", {"connect_profile": "storm"})
    async with open_graph(sandbox, sources={"commerce": {"paths": "storm", "create_spelling": "storm"}}) as graph:
        made = await create_invoice(graph, "commerce", NORCE_INVOICE)
        assert settled(made) == ("APPLIED", "READ_BACK")
        (request,) = posted(graph, "norce", "CreateInvoice")
        assert request.path == "/4.0/api/Order/CreateInvoice"
        assert request.body == NORCE_BODY.replace('"InvoiceNo"', '"InoviceNo"')


async def test_the_write_that_is_published_as_not_implemented_says_so_beforehand(sandbox: RunningSandbox) -> None:
    query = '{ source(key: "commerce") { capabilities { operation support upstreamOperation } } }'
    found = []
    for own in ({}, INSERT):
        async with open_graph(sandbox, sources=own) as graph:
            capabilities = (await graph.data(query))["source"]["capabilities"]
            found += [item for item in capabilities if item["operation"] == "CREATE_INVOICE"]
    assert [(item["support"], item["upstreamOperation"]) for item in found] == [
        ("SUPPORTED", "POST Order/CreateInvoice"),
        ("NOT_IMPLEMENTED_UPSTREAM", "POST InsertInvoice"),
    ]


async def test_a_whole_invoice_is_inserted_as_it_was_given_and_echoed(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("norce", {"insert_invoice": True})
    invoice = {**INSERTED, "Items": [{"ItemNo": "STOL-09", "Quantity": 4, "VatRate": 1}], "Info": [], "Comment": "Tack för köpet"}
    async with open_graph(sandbox, sources=INSERT) as graph:
        made = await create_invoice(graph, "commerce", {"norce": {"insertInvoice": invoice}})
        assert (settled(made), made["userErrors"]) == (("APPLIED", "ECHO"), [])
        assert (made["invoice"]["number"], made["invoice"]["totals"]["total"]["amount"]) == ("T-1", "6000")
        assert bodies(graph, "norce", "InsertInvoice") == [
            (
                '{"InvoiceNo":"T-1","OrderId":"70213","OrderNo":"N-100341","Items":[{"ItemNo":"STOL-09","Quantity":4,"VatRate":1}],"Info":[],'
                '"IsDebit":true,"Comment":"Tack för köpet","InvoiceAmountIncVat":6000}'
            )
        ]


async def test_the_numbers_of_a_whole_invoice_keep_their_scale(sandbox: RunningSandbox) -> None:
    invoice = '{InvoiceNo: "T-1", OrderFreight: 5.0, VatAmount: 1e2, InvoiceAmountIncVat: 12345678901234567890.10}'
    query = f'mutation {{ createInvoice(source: "commerce", input: {{norce: {{insertInvoice: {invoice}}}}}, dryRun: true) {{ {ANSWER} }} }}'
    async with open_graph(sandbox, sources=INSERT) as graph:
        text = (await graph.send(query)).text
    assert '{"InvoiceNo":"T-1","OrderFreight":5.0,"VatAmount":100,"InvoiceAmountIncVat":12345678901234567890.10}' in text


async def test_an_insert_that_is_not_implemented_is_rejected_once_a_look_finds_nothing(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources=INSERT) as graph:
        made = await create_invoice(graph, "commerce", {"norce": {"insertInvoice": INSERTED}})
        assert (settled(made), mistakes(made)) == (("REJECTED", None), [("UPSTREAM_REJECTED", None)])
        assert made["userErrors"][0]["upstream"]["status"] == 500
        assert graph.calls() == {"norce.GetInvoiceByNo": 2, "norce.InsertInvoice": 1}


async def test_each_mistake_in_an_invoice_to_insert_is_named(sandbox: RunningSandbox) -> None:
    def insert(**changes: object) -> Payload:
        return {"norce": {"insertInvoice": {**INSERTED, **changes}}}

    async with open_graph(sandbox, sources=INSERT) as graph:
        own = ["input", "norce", "insertInvoice"]
        found = await rejections(
            graph,
            "commerce",
            {},
            [
                {},
                {"norce": {"insertInvoice": [1]}},
                insert(InvoiceNo=None),
                insert(InvoiceNo="F-2026-0088"),
                insert(InvoiceNumber="T-1"),
                insert(InvoiceText="x" * 256, Comment="x" * 251, GroupByKey="x" * 51),
                insert(InvoiceAmountIncVat="lots"),
                {**insert(), "number": "T-2", "total": {"amount": 1}},
            ],
        )
    assert found == [
        [("REQUIRED", own)],
        [("INVALID", own)],
        [("REQUIRED", [*own, "InvoiceNo"])],
        [("DUPLICATE_NUMBER", [*own, "InvoiceNo"])],
        [("NOT_ACCEPTED_BY_SOURCE", [*own, "InvoiceNumber"])],
        [("TOO_LONG", [*own, "InvoiceText"]), ("TOO_LONG", [*own, "GroupByKey"]), ("TOO_LONG", [*own, "Comment"])],
        [("INVALID", own)],
        [("NOT_ACCEPTED_BY_SOURCE", ["input", "total"]), ("INVALID", ["input", "number"])],
    ]
