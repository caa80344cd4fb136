"""Requests to Norce: arguments -> `Request`, pure.

Pages below https://docs.norce.io/: `api-reference/services/orderservice`, `api-reference/services/customerservice`,
`api-reference/query/queryorders`, `api-reference/connect/orderservice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, path_of

Family = Literal["order", "customer"]

CHUNK_SIZE: Final = 50
"""Keys of one Query call: the length of a URL caps it, at about 50 to 100 `eq` terms."""

_SERVICES: Final = {"order": "OrderService", "customer": "CustomerService"}
_ORDER_FIELDS: Final = (
    "Id",
    "OrderNo",
    "QuotationId",
    "StatusId",
    "OrderDate",
    "CurrencyId",
    "DeliveryMode",
    "PayerCustomerId",
    "PayerCompanyId",
    "BuyerCustomerId",
    "BuyerCompanyId",
)


def get_invoice(options: NorceOptions, invoice_id: str) -> Request:
    """OrderService `GetInvoice`: one invoice by its internal id, 200 with null when there is none."""
    return _service_read(options, "order", "GetInvoice", ("id", invoice_id))


def get_invoice_by_no(options: NorceOptions, number: str) -> Request:
    """OrderService `GetInvoiceByNo`: one invoice by its outside number, or null."""
    return _service_read(options, "order", "GetInvoiceByNo", ("invoiceNo", number))


def get_order_by_no(options: NorceOptions, number: str) -> Request:
    """OrderService `GetOrderByNo`: one order by its outside number, or null; the parameter is lower case on the page."""
    return _service_read(options, "order", "GetOrderByNo", ("orderno", number))


def get_order_by_basket(options: NorceOptions, basket_id: str) -> Request:
    """OrderService `GetOrderByBasket`: the order that a basket (quotation) became, or null."""
    return _service_read(options, "order", "GetOrderByBasket", ("basketId", basket_id))


def get_customer(options: NorceOptions, customer_id: str) -> Request:
    """CustomerService `GetCustomer`: one customer by its internal id, or null. The page does not print the name `id`: assumed."""
    return _service_read(options, "customer", "GetCustomer", ("id", customer_id), ("includeCompanies", "true"))


def get_customer_by_code(options: NorceOptions, code: str) -> Request:
    """CustomerService `GetCustomerByCode`: one customer by its outside code, or null. The name `code` is assumed."""
    return _service_read(options, "customer", "GetCustomerByCode", ("code", code), ("includeCompanies", "true"))


def query_orders(options: NorceOptions, ids: Sequence[str]) -> Request:
    """Query `Orders/Orders` of at most `CHUNK_SIZE` integer ids; `in` is OData 4.01, so `eq` joined by `or`."""
    spelled = _camel if options.query_version == "3.0" else str
    terms = " or ".join(f"{spelled('Id')} eq {order_id}" for order_id in ids)
    return Request(
        operation="Orders/Orders",
        method="GET",
        path=path_of("/commerce/query/{version}/Orders/Orders", version=options.query_version),
        query=(("$filter", terms), ("$select", ",".join(spelled(name) for name in _ORDER_FIELDS))),
        headers=_headers(options),
    )


def next_page(request: Request, next_link: str) -> Request:
    """Ask for the page that `@odata.nextLink` names: only its query is taken, over our own, so that a link leads nowhere else."""
    return replace(request, query=tuple({**dict(request.query), **dict(parse_qsl(urlsplit(next_link).query))}.items()))


def create_invoice(options: NorceOptions, body: dict[str, object]) -> Request:
    """Connect `Order/CreateInvoice`: takes in an invoice; captures the payment unless `SuppressPspCall` is true."""
    path = "/4.0/api/Order/CreateInvoice" if options.paths == "storm" else "/commerce/connect/4.0/Order/CreateInvoice"
    return Request(operation="Order/CreateInvoice", method="POST", path=path, headers=_headers(options), json=body)


def insert_invoice(options: NorceOptions, body: dict[str, object]) -> Request:
    """OrderService `InsertInvoice`: published as obsolete and not implemented."""
    path = _service_path(options, "order", "InsertInvoice")
    return Request(operation="InsertInvoice", method="POST", path=path, headers=_headers(options), json=body)


def _service_read(options: NorceOptions, family: Family, operation: str, *query: tuple[str, str]) -> Request:
    culture = () if options.culture_code is None else (("cultureCode", options.culture_code),)
    return Request(
        operation=operation,
        method="GET",
        path=_service_path(options, family, operation),
        query=(*query, *culture),
        headers=_headers(options),
    )


def _service_path(options: NorceOptions, family: Family, operation: str) -> str:
    if options.paths == "storm":
        return path_of("/api/1.1/{service}.svc/rest/{operation}", service=_SERVICES[family], operation=operation)
    return path_of("/commerce/{family}/1.1/{operation}", family=family, operation=operation)


def _headers(options: NorceOptions) -> dict[str, str]:
    return {"application-id": str(options.application_id)}


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]
