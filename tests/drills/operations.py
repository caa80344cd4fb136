"""Every upstream operation that the gateway calls, each with a question over GraphQL that cannot be answered without it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from tests.drills.intents import CREATE_INVOICE, NORCE, WAYS, Intent, make_intents

ASKED: Final = "asked"
"""The name, in each question, of the field that needs the operation."""
OTHERS: Final[Mapping[str, str]] = {
    "nimpos": 'till: order(by: {native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}}) { number status }',
    "compilator": 'tyre: invoice(by: {number: {source: "subscriptions", number: "910234"}}) { number issueDate }',
    "shopctrl": 'shop: invoice(by: {native: {source: "shop", id: "88121"}}) { number issueDate }',
    "norce": 'web: invoice(by: {native: {source: "commerce", id: "50911"}}) { number issueDate }',
}
"""What is asked of the other sources at the same time, by system."""
SOURCES: Final = {"nimpos": "pos", "compilator": "subscriptions", "shopctrl": "shop", "norce": "commerce"}
NOT_DRILLED: Final = {
    "nimpos.GetSettings": "the probe of `check --live` alone",
    "shopctrl.GetShopStatus": "the probe of `check --live` alone",
}
"""Operations that the gateway calls, and that no request makes it call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, as the sandbox names it, and how to ask for it.

    `selection` is a field of a query, `path` that of a document, `write` a mutation: one of the three. What it needs to be called at all:
    `options` of the gateway's source, `switches` of the sandbox's system, and `spoilt` answers on the way.
    """

    system: str
    name: str
    selection: str | None = None
    path: str | None = None
    write: Intent | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    switches: Mapping[str, object] = field(default_factory=dict)
    spoilt: tuple[Fault, ...] = ()

    @property
    def title(self) -> str:
        """Give it as calls are counted."""
        return f"{self.system}.{self.name}"

    @property
    def query(self) -> str:
        """Ask for it, where a query can, and for what the other sources have."""
        asked = "" if self.selection is None else f"{ASKED}: {self.selection} "
        return "{ " + asked + " ".join(text for system, text in OTHERS.items() if system != self.system) + " }"


_RESULTS: Final = "sourceResults { status code message }"
_TILL_INVOICE: Final = 'invoice(by: {native: {source: "pos", id: "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6"}})'
_TILL_ORDER: Final = 'order(by: {native: {source: "pos", id: "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6"}})'
_SHOP_INVOICE: Final = 'invoice(by: {native: {source: "shop", id: "88121"}})'
_SHOP_ORDER: Final = 'order(by: {native: {source: "shop", id: "55012"}})'
_TYRE_SETTINGS: Final = 'customer(by: {native: {source: "subscriptions", id: "40017"}})'
_WEB_ORDER: Final = 'order(by: {native: {source: "commerce", id: "70213"}})'
_WITHOUT_QUERY: Final = {"query_version": "off"}
_WITHOUT_LABEL: Final = {
    "GetInvoice": {"Id": 88121, "OrderId": 55012, "InvoiceCode": "F2026-0117", "MainStatusId": 31},
    "GetOrder": {"Id": 55012, "OrderCode": "UTR-2026-00431", "MainStatusId": 12},
}
_WITHOUT_NUMBER: Final = {"value": [{"Id": 70213, "QuotationId": 448120, "StatusId": 0}]}


def _listed(kind: str, system: str, filters: str = "", shown: str = "number") -> str:
    return f'{kind}(filter: {{sources: ["{SOURCES[system]}"] {filters}}}, first: 2) {{ nodes {{ {shown} }} {_RESULTS} }}'


_NIMPOS: Final = {
    "Token": f"{_TILL_ORDER} {{ number }}",
    "GetCustomers": 'customer(by: {number: {source: "pos", number: "1042"}}) { name }',
    "GetCustomerInvoice": f"{_TILL_INVOICE} {{ number }}",
    "GetCustomerDebts": f"{_TILL_INVOICE} {{ number amountDue {{ amount }} }}",
    "GetOrders": _listed("orders", "nimpos"),
    "GetOrderById": f"{_TILL_ORDER} {{ number }}",
}
_COMPILATOR: Final = {
    "GetCustomersChangedSince": 'customer(by: {number: {source: "subscriptions", number: "40017"}}) { name }',
    "GetOrder": 'order(by: {native: {source: "subscriptions", id: "5512/12"}}) { number status }',
    "GetOrdersOfCustomer": _listed("orders", "compilator", 'customer: {native: {source: "subscriptions", id: "40017"}}'),
    "GetInvoice": 'invoice(by: {number: {source: "subscriptions", number: "910234"}}) { number }',
    "GetCurrency": f"{_TYRE_SETTINGS} {{ invoiceSettings {{ currency }} }}",
    "GetCustomerInvoice": f"{_TYRE_SETTINGS} {{ invoiceSettings {{ invoiceEmail }} }}",
}
_SHOPCTRL: Final = {
    "GetCustomer": 'customer(by: {native: {source: "shop", id: "20411"}}) { name }',
    "GetCustomersByCode": _listed("customers", "shopctrl", 'number: "K-20430"', "name"),
    "GetOrderByCode": 'order(by: {number: {source: "shop", number: "UTR-2026-00431"}}) { number }',
    "GetOrder": f"{_SHOP_ORDER} {{ number status }}",
    "GetOrderRows": f"{_SHOP_ORDER} {{ lines {{ itemNumber }} }}",
    "GetOrderInvoices": f"{_SHOP_ORDER} {{ invoices {{ nodes {{ number }} {_RESULTS} }} }}",
    "GetInvoice": f"{_SHOP_INVOICE} {{ number }}",
    "GetInvoiceRows": f"{_SHOP_INVOICE} {{ lines {{ itemNumber }} }}",
    "ListOrders": _listed("orders", "shopctrl"),
    "GetOrderPayments": f"{_SHOP_INVOICE} {{ payments {{ amount {{ amount }} }} }}",
}
_NORCE: Final = {
    "Token": 'invoice(by: {native: {source: "commerce", id: "50911"}}) { number }',
    "GetInvoice": 'invoice(by: {native: {source: "commerce", id: "50911"}}) { number }',
    "GetInvoiceByNo": 'invoice(by: {number: {source: "commerce", number: "F-2026-0088"}}) { number }',
    "ListInvoices": f"{_WEB_ORDER} {{ invoices {{ nodes {{ number }} {_RESULTS} }} }}",
    "GetOrderByNo": 'order(by: {number: {source: "commerce", number: "N-100341"}}) { number totals { total { amount } } }',
    "QueryOrders": f"{_WEB_ORDER} {{ number status }}",
    "QueryCustomers": _listed("customers", "norce", shown="number email"),
    "GetCustomer": 'customer(by: {native: {source: "commerce", id: "customer/31877"}}) { name }',
    "GetCustomerByCode": 'customer(by: {number: {source: "commerce", number: "C-31000"}}) { name }',
    "SearchCustomer2": _listed("customers", "norce", 'search: "Nordvik"', "name"),
    "ListCompaniesByOrgNo": _listed("customers", "norce", 'organizationNumber: "556764-7986"', "name"),
}


def operations() -> list[Operation]:
    """Give all of them, in the order of the systems."""
    intents = {way: intents[0] for way, intents in make_intents(1, 1).items()}
    tables = {"nimpos": _NIMPOS, "compilator": _COMPILATOR, "shopctrl": _SHOPCTRL, "norce": _NORCE}
    plain = [Operation(system=system, name=name, selection=text) for system, table in tables.items() for name, text in table.items()]
    writes = [Operation(system=way.system, name=way.operation, write=intents[way]) for way in WAYS]
    order = list(tables)
    return sorted([*plain, *_special(), *writes], key=lambda operation: order.index(operation.system))


def _special() -> list[Operation]:
    ids = [Ref(SOURCES["norce"], Kind.INVOICE, native_id).global_id for native_id in ("50911", "50912")]
    both = f"nodes(ids: {json.dumps(ids)}) {{ ... on Invoice {{ number issueDate }} }}"
    document = Ref(SOURCES["shopctrl"], Kind.INVOICE, "88121").global_id
    basket = Fault(system="norce", operation="QueryOrders", kind="status", status=200, body=_WITHOUT_NUMBER)
    inserted: dict[str, Any] = {"InvoiceNo": "DRILL-INSERT", "OrderId": "70213", "OrderNo": "N-100341", "InvoiceAmountIncVat": 6000}
    return [
        Operation(system="compilator", name="GetOrdersOfBranch", selection=_listed("orders", "compilator"), options={"branch_ids": [12]}),
        _labelled("GetInvoiceStatus", _SHOP_INVOICE, "GetInvoice"),
        _labelled("GetOrderStatus", _SHOP_ORDER, "GetOrder"),
        Operation(system="shopctrl", name="GetFile", path=f"/documents/{document}"),
        Operation(system="norce", name="QueryMetadata", selection=both, switches={"invoice_set": True}),
        Operation(system="norce", name="QueryInvoices", selection=both, switches={"invoice_set": True}),
        Operation(
            system="norce",
            name="GetOrderByBasket",
            selection=f"{_WEB_ORDER} {{ number totals {{ total {{ amount }} }} }}",
            spoilt=(basket,),
        ),
        Operation(
            system="norce",
            name="ListOrders3",
            selection=_listed("orders", "norce", 'customer: {native: {source: "commerce", id: "customer/31877"}}'),
            options=_WITHOUT_QUERY,
        ),
        Operation(
            system="norce",
            name="InsertInvoice",
            write=_insert(inserted),
            options={"create_via": "insert-invoice"},
            switches={"insert_invoice": True},
        ),
    ]


def _labelled(name: str, record: str, read: str) -> Operation:
    """Ask for the name of a status that does not come along with its record."""
    spoilt = Fault(system="shopctrl", operation=read, kind="status", status=200, body=_WITHOUT_LABEL[read])
    return Operation(system="shopctrl", name=name, selection=f"{record} {{ sourceStatuses {{ label }} }}", spoilt=(spoilt,))


def _insert(invoice: Mapping[str, object]) -> Intent:
    number = str(invoice["InvoiceNo"])
    variables = {"source": "commerce", "input": {"norce": {"insertInvoice": invoice}}, "key": "drill-insert"}
    return Intent(NORCE, "drill-insert", CREATE_INVOICE, variables, number, None, number, number)
