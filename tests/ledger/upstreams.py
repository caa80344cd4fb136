"""The gateway over one faked upstream that answers with one page's sample, and what each page is asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from gateway.app import create_app, settings_from
from gateway.model import Kind, Ref
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import BASE_URL, FakeClock, FakeWire, answer

Tree = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
NOTHING = answer("null")
_LONG = 86_400.0
"""Seconds between two questions, so that nothing a source keeps for a while is answered."""
_GUID = "00000000-0000-4000-8000-00000000000{}"

INVOICE = """
  origin { nativeId } type number externalNumbers { value } issueDate dueDate createdAt updatedAt currency
  totals { total { amount currency } inclVat { amount } exclVat { amount } vat { amount } signedTotal { amount } }
  charges { kind amount { amount } } paymentStatus paidAt sourceStatuses { code } isDeleted emailSent sentAt deliveryDate
  notes { role text } customer { name origin { nativeId } }
  orders { number orderedAt deliveryMethod paymentMethod origin { nativeId } } creditedInvoice { number } groupKey
  lines { itemNumber quantity vatPercent } document { fileId } customFields { code value }
  details {
    ... on NimposInvoiceDetails { outletId terminalId paymentStatusCode paidStatusLabel exportStatusCode exportError synced }
    ... on ShopctrlInvoiceDetails { currencyId mainStatusId }
    ... on NorceInvoiceDetails { createdBySource deliveryMethod paymentMethod dropPointCode }
  }"""
SETTINGS = """
  origin { nativeId } customer { number } invoiceRecipient { number } currency sourceCurrency { code } paymentTerms { code }
  invoiceType { code } interestType { code } invoiceCycle { code } creditAccount { code } retainsInvoiceType paysInvoiceFee
  allowInvoicePaymentFromOrder sendInvoiceFromOrderAsEmail invoiceEmail reverseTax"""
PAYLOAD = "outcome userErrors { code message upstream { code message } } request { path body }"
READ_INVOICE = f"query ($id: ID!) {{ answer: node(id: $id) {{ ... on Invoice {{ {INVOICE} }} }} }}"
READ_SETTINGS = f"query ($id: ID!) {{ answer: node(id: $id) {{ ... on InvoiceSettings {{ {SETTINGS} }} }} }}"
CREATE_INVOICE = (
    f'mutation ($input: CreateInvoiceInput!) {{ answer: createInvoice(source: "src", input: $input, dryRun: true) {{ {PAYLOAD} }} }}'
)
SET_SETTINGS = f"""mutation ($customer: Lookup!, $settings: InvoiceSettingsInput!, $dryRun: Boolean! = true, $key: String) {{
  answer: setInvoiceSettings(customer: $customer, settings: $settings, mode: REPLACE, dryRun: $dryRun, idempotencyKey: $key) {{ {PAYLOAD} }}
}}"""


@dataclass(frozen=True)
class Page:
    """One published page: the source behind it, how its sample is served, and how the graph is asked.

    `served` gives the answer to a request, from the sample as it is now. `variables` are those of a write that is valid and
    leaves out what need not be given.
    """

    table: Mapping[str, object]
    served: Callable[[Tree, WireRequest], Response]
    query: str
    key: tuple[Kind, str] | None = None
    """Kind and upstream field of the key that the sample is read by; None: it is the answer to a write."""
    mutation: str | None = None
    variables: Tree = field(default_factory=dict)

    def read_variables(self, sample: Tree) -> Tree:
        """Give the variables that ask for the sample."""
        if self.key is None:
            return {**self.variables, "dryRun": False, "key": str(uuid4())}
        kind, name = self.key
        return {"id": Ref("src", kind, str(sample[name])).global_id}


def to_json(tree: object) -> bytes:
    """Write JSON, a `Decimal` as a number with its scale."""
    return _ENCODER.encode(tree)


def _nimpos(sample: Tree, request: WireRequest) -> Response:
    if "/GetCustomerInvoice?" in request.url:
        return answer(to_json([sample]))
    if "/GetCustomers?" in request.url:
        return answer(to_json([{"Id": _GUID.format(9)}]))
    order_id = request.url.partition("/GetOrderById?id=")[2]
    return answer(to_json({"Id": order_id})) if order_id else NOTHING


def _compilator(sample: Tree, request: WireRequest) -> Response:
    if "/customers/invoice" in request.url:
        return answer(to_json(sample))
    if "/Currencies/" in request.url:
        row = request.url.rpartition("/")[2]
        return answer(to_json({"Id": int(row), "CurrencyCode": {"2": "EUR", "3": "SEK"}[row]}))
    rows = [{"CustomerNo": number} for number in (1, 40018)]
    return answer(to_json({"CustomerReponse": rows, "TotalPages": 1}))


def _compilator_write(sample: Tree, request: WireRequest) -> Response:
    return answer(to_json(sample if request.method == "POST" else {"CustomerNumber": 1, "PaysInvoiceFee": True}))


def _shopctrl(sample: Tree, request: WireRequest) -> Response:
    if "/v1/Invoices/" in request.url and not request.url.endswith("/Rows"):
        return answer(to_json(sample))
    return answer(to_json({"Id": 4})) if request.url.endswith("/v1/Orders/4") else NOTHING


def _norce(sample: Tree, request: WireRequest) -> Response:
    return answer(to_json(sample)) if "/GetInvoice?" in request.url else NOTHING


def _lookup(native_id: str) -> Tree:
    return {"native": {"source": "src", "id": native_id}}


_COMPILATOR = {"system": "compilator"}
_SET: Tree = {"customer": _lookup("1"), "settings": {}}
PAGES = {
    "nimpos-invoice": Page(
        {"system": "nimpos", "terminal_ids": [_GUID.format(1)]},
        _nimpos,
        READ_INVOICE,
        (Kind.INVOICE, "Id"),
        CREATE_INVOICE,
        {
            "input": {
                "customer": _lookup(_GUID.format(2)),
                "orders": [_lookup(_GUID.format(3))],
                "number": "1",
                "createdAt": "2026-01-01T00:00:00Z",
                "total": {"amount": 1},
                "nimpos": {"outletId": _GUID.format(4), "terminalId": _GUID.format(5)},
            }
        },
    ),
    "compilator-settings": Page(_COMPILATOR, _compilator, READ_SETTINGS, (Kind.INVOICE_SETTINGS, "CustomerNumber"), SET_SETTINGS, _SET),
    "compilator-write-answer": Page(_COMPILATOR, _compilator_write, SET_SETTINGS, variables=_SET),
    "shopctrl-invoice": Page({"system": "shopctrl", "shop_ids": [3], "shop_owner_id": 1}, _shopctrl, READ_INVOICE, (Kind.INVOICE, "Id")),
    "norce-invoice": Page(
        {"system": "norce", "application_id": 1, "create_via": "insert-invoice", "query_version": "off"},
        _norce,
        READ_INVOICE,
        (Kind.INVOICE, "Id"),
        CREATE_INVOICE,
        {"input": {"norce": {"insertInvoice": {"InvoiceNo": "T-1"}}}},
    ),
}


@dataclass
class Asking:
    """Asks a gateway whose one source, `src`, is a page with its `sample` as it is now."""

    page: Page
    client: httpx.AsyncClient
    wire: FakeWire
    clock: FakeClock
    sample: Tree = field(default_factory=dict)

    async def ask(self, query: str, variables: Tree) -> Tree:
        """Give what stands at `answer`."""
        self.clock.advance(_LONG)
        content = to_json({"query": query, "variables": variables})
        response = await self.client.post("/graphql", content=content, headers={"content-type": "application/json"})
        whole = json.loads(response.content, parse_float=Decimal)
        assert "errors" not in whole, whole["errors"]
        found: Tree = whole["data"]["answer"]
        return found

    async def read(self, sample: Tree) -> Tree:
        """Give what the graph shows of a sample."""
        self.sample = sample
        return await self.ask(self.page.query, self.page.read_variables(sample))

    async def write(self, variables: Tree) -> Tree:
        """Give the body that a dry run of the page's mutation shows; there is nothing upstream yet."""
        assert self.page.mutation is not None
        self.sample = {}
        shown = await self.ask(self.page.mutation, variables)
        assert (shown["outcome"], shown["userErrors"]) == ("VALIDATED", [])
        body: Tree = shown["request"]["body"]
        return body

    @property
    def lines(self) -> list[str]:
        """What was asked of the upstream: method and URL below its base."""
        return [f"{request.method} {request.url.removeprefix(BASE_URL)}" for request in self.wire.requests]


@asynccontextmanager
async def opened(page: Page) -> AsyncIterator[Asking]:
    """Open a gateway over a page."""
    wire = FakeWire(lambda request: page.served(asking.sample, request))
    clock = FakeClock()
    tables = {"server": {"state": "sqlite://"}, "sources": {"src": {"base_url": BASE_URL, **page.table}}}
    app = create_app(settings_from(tables), wire, clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        asking = Asking(page, client, wire, clock)
        yield asking
