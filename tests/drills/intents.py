"""The writes that a drill asks for: each with a key of its own, and a target of its own in the sandbox's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from gateway.sandbox.compilator.data import make_data as make_compilator_data
from gateway.sandbox.nimpos import samples as nimpos
from gateway.sandbox.nimpos.data import make_demo_company
from gateway.sandbox.norce.data import make_data as make_norce_data
from gateway.sandbox.parties import make_parties
from gateway.sandbox.shopctrl.data import build_store

Payload = dict[str, Any]

_ANSWER: Final = "outcome confirmation replayed userErrors { code message }"
CREATE_INVOICE: Final = f"""
mutation ($source: String!, $input: CreateInvoiceInput!, $key: String!) {{
  made: createInvoice(source: $source, input: $input, idempotencyKey: $key) {{ {_ANSWER} }}
}}"""
_FROM_ORDER: Final = f"""
mutation ($order: Lookup!, $key: String!) {{
  made: createInvoiceFromOrder(order: $order, idempotencyKey: $key) {{ {_ANSWER} }}
}}"""
_SETTINGS: Final = f"""
mutation ($customer: Lookup!, $settings: InvoiceSettingsInput!, $key: String!) {{
  made: setInvoiceSettings(customer: $customer, settings: $settings, idempotencyKey: $key) {{ {_ANSWER} }}
}}"""
_CUSTOMER: Final = "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01"


@dataclass(frozen=True, slots=True)
class Way:
    """One of the published writes, as the sandbox counts it; `look` is the read that tells whether it happened."""

    title: str
    system: str
    operation: str
    look: str


NIMPOS: Final = Way("createInvoice, NIMPOS", "nimpos", "PostCustomerInvoice", "GetOrderById")
NORCE: Final = Way("createInvoice, Norce Connect", "norce", "CreateInvoice", "GetInvoiceByNo")
SHOPCTRL: Final = Way("createInvoiceFromOrder, ShopCtrl", "shopctrl", "CreateOrderInvoice", "GetOrderInvoices")
COMPILATOR: Final = Way("setInvoiceSettings, Compilator", "compilator", "PostCustomerInvoice", "GetCustomerInvoice")
WAYS: Final = (NIMPOS, NORCE, SHOPCTRL, COMPILATOR)


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that somebody wants once.

    `mark` and `look_mark` are texts that only its requests carry, in path, query or body: of the write, and of the look.
    """

    way: Way
    key: str
    query: str
    variables: Payload
    target: str
    """Key of the order or customer, or number of the invoice, that says in the sandbox whether it happened."""
    before: str | int | None
    """What it says there as long as it has not: the order's invoice (NIMPOS), how many it has (ShopCtrl); None elsewhere."""
    mark: str
    look_mark: str


_Maker = Callable[[int, int], Iterator[Intent]]


def make_intents(seed: int, batch: int) -> dict[Way, list[Intent]]:
    """Make as many intents of each write as the sandbox of this seed has targets; another batch has other keys and numbers."""
    makers: dict[Way, _Maker] = {
        NIMPOS: _nimpos_intents,
        NORCE: _norce_intents,
        SHOPCTRL: _shopctrl_intents,
        COMPILATOR: _compilator_intents,
    }
    return {way: list(make(seed, batch)) for way, make in makers.items()}


def _native(source: str, native_id: str) -> Payload:
    return {"native": {"source": source, "id": native_id}}


def _nimpos_intents(seed: int, batch: int) -> Iterator[Intent]:
    for place, (order_id, order) in enumerate(make_demo_company(make_parties(seed), seed).orders.items()):
        number = str(7_000_000 + 1000 * batch + place)
        given = {
            "customer": _native("pos", _CUSTOMER),
            "orders": [_native("pos", order_id)],
            "number": number,
            "total": {"amount": "1250.50"},
            "nimpos": {"outletId": nimpos.OUTLET, "terminalId": nimpos.TERMINAL},
        }
        key = f"drill-pos-{number}"
        variables = {"source": "pos", "input": given, "key": key}
        yield Intent(NIMPOS, key, CREATE_INVOICE, variables, order_id, order["CustomerInvoiceId"], order_id, order_id)


def _norce_intents(seed: int, batch: int) -> Iterator[Intent]:
    orders = [record.payload for record in make_norce_data(make_parties(seed), seed).orders]
    for place, order in enumerate(order for order in orders if order["QuotationId"]):
        number = f"DRILL-{batch}-{place:04d}"
        given = {
            "orders": [_native("commerce", str(order["Id"]))],
            "number": number,
            "issueDate": "2026-11-22",
            "total": {"amount": "6000.00"},
        }
        key = f"drill-commerce-{number}"
        yield Intent(NORCE, key, CREATE_INVOICE, {"source": "commerce", "input": given, "key": key}, number, None, number, number)


def _shopctrl_intents(seed: int, batch: int) -> Iterator[Intent]:
    store = build_store(make_parties(seed), seed)
    for order_id in store.orders:
        if store.rows_to_invoice(order_id):
            key = f"drill-shop-{batch}-{order_id}"
            shown = sum(not invoice["Deleted"] for invoice in store.invoices_of[order_id])
            variables = {"order": _native("shop", str(order_id)), "key": key}
            mark = f"/Orders/{order_id}/Invoices"
            yield Intent(SHOPCTRL, key, _FROM_ORDER, variables, str(order_id), shown, mark, mark)


def _compilator_intents(seed: int, batch: int) -> Iterator[Intent]:
    data = make_compilator_data(make_parties(seed), seed)
    for number in data.customers:
        key = f"drill-subscriptions-{batch}-{number}"
        address = f"{key}@drill.example"
        settings = {"invoiceEmail": address, "reverseTax": True}
        variables = {"customer": _native("subscriptions", str(number)), "settings": settings, "key": key}
        yield Intent(COMPILATOR, key, _SETTINGS, variables, str(number), None, address, f"customerNumber={number}")
