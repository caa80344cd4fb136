"""Requests to Norce: arguments -> `Request`, pure.

Pages below https://docs.norce.io/: `api-reference/services/orderservice`, `api-reference/services/customerservice`,
`api-reference/query/queryorders`, `api-reference/connect/orderservice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import parse_qsl

from gateway.sources.norce.settings import NorceOptions
from gateway.transport import Request, path_of

Family = Literal["order", "customer"]
Dates = tuple[datetime | None, datetime | None]
"""From and to; None: without this bound."""

CHUNK_SIZE: Final = 50
"""Keys of one Query call: the length of a URL caps it, at about 50 to 100 `eq` terms."""

_SERVICES: Final = {"order": "OrderService", "customer": "CustomerService"}
_PARTIES: Final = ("PayerCustomerId", "PayerCompanyId", "BuyerCustomerId", "BuyerCompanyId")

Term = tuple[str, Literal["eq", "gt", "ge", "le"], str]
"""A property in PascalCase, an operator, a literal as `quoted`, `instant` or a number spell it."""
Where = Sequence[Sequence[Term]]
"""All of these groups, and of each group at least one term."""


@dataclass(frozen=True, slots=True)
class QuerySet:
    """An entity set of Query, and the properties that are asked of its rows, in PascalCase."""

    namespace: str
    name: str
    properties: tuple[str, ...]

    @property
    def operation(self) -> str:
        """The name of the set as the vendor writes it."""
        return f"{self.namespace}/{self.name}"


ORDERS: Final = QuerySet(
    "Orders",
    "Orders",
    (
        "Id",
        "OrderNo",
        "QuotationId",
        "StatusId",
        "OrderDate",
        "CurrencyId",
        "DeliveryMode",
        *_PARTIES,
        "PayerCustomerCode",
        "PayerCompanyCode",
        "BuyerCustomerCode",
        "BuyerCompanyCode",
    ),
)
CUSTOMERS: Final = QuerySet("Customers", "Customers", ("Id", "CustomerCode", "EmailAddress", "PhoneNumber", "CellPhoneNumber"))
INVOICES: Final = QuerySet(
    "Orders",
    "Invoices",
    ("Id", "InvoiceNo", "ReferenceOrderId", "InvoiceDate", "InvoiceDueDate", "GroupCode", "CurrencyId", *_PARTIES),
)
"""Only its schemas are published; `$metadata` says whether the set is there."""


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
    """CustomerService `GetCustomerByCode`: one customer by its outside code, or null. The name `code` is assumed, and no other is known."""
    return _service_read(options, "customer", "GetCustomerByCode", ("code", code))


def list_invoices(options: NorceOptions, parent: tuple[str, str], *, page_no: int, page_size: int, dates: Dates = (None, None)) -> Request:
    """OrderService `ListInvoices`: invoices of one parent (`orderId`, `customerId`, `companyId`); light rows, `ItemCount` is the total."""
    return _service_read(options, "order", "ListInvoices", parent, *_between(dates), *_page(page_no, page_size))


def list_orders(
    options: NorceOptions, chosen: Sequence[tuple[str, str]], *, page_no: int, page_size: int, dates: Dates = (None, None)
) -> Request:
    """OrderService `ListOrders3`: orders of a customer or company, or of a range of dates; `statusSeed` has ids joined by commas."""
    return _service_read(options, "order", "ListOrders3", *chosen, *_between(dates), *_page(page_no, page_size))


def search_customers(options: NorceOptions, text: str, size: int) -> Request:
    """CustomerService `SearchCustomer2`: the first `size` hits as a plain array; the text has at least 2 characters."""
    return _service_read(options, "customer", "SearchCustomer2", ("searchString", text), ("size", str(size)))


def list_companies_by_org_no(options: NorceOptions, number: str) -> Request:
    """CustomerService `ListCompaniesByOrgNo`: all companies with an organisation number, as a plain array."""
    return _service_read(options, "customer", "ListCompaniesByOrgNo", ("orgNo", number))


def query_by_id(options: NorceOptions, of: QuerySet, ids: Sequence[str], expand: Sequence[str] = ()) -> Request:
    """Query at most `CHUNK_SIZE` rows by their integer ids; `in` is OData 4.01, so `eq` joined by `or`."""
    return _query(options, of, [[("Id", "eq", row_id) for row_id in ids]], expand)


def query_page(
    options: NorceOptions, of: QuerySet, where: Where, *, top: int, skip: int | None = None, expand: Sequence[str] = ()
) -> Request:
    """Query rows in the order of their ids."""
    paging = (("$orderby", _spelled(options, "Id")), ("$top", str(top)), *(() if skip is None else (("$skip", str(skip)),)))
    request = _query(options, of, where, expand)
    return replace(request, query=(*request.query, *paging))


def query_metadata(options: NorceOptions) -> Request:
    """Query `Orders/$metadata`: which sets this installation has, as XML."""
    path = path_of("/commerce/query/{version}/Orders/", version=options.query_version) + "$metadata"
    return Request(operation="Orders/$metadata", method="GET", path=path, headers={**_headers(options), "accept": "application/xml"})


def quoted(text: str) -> str:
    """Spell an OData string: in quotes, each quote of its own doubled."""
    return "'" + text.replace("'", "''") + "'"


def instant(moment: datetime) -> str:
    """Spell an instant in UTC, with a fraction only where it has one."""
    return _utc(moment).isoformat().replace("+00:00", "Z")


def next_page(request: Request, next_link: str) -> Request:
    """Ask for the page that `@odata.nextLink` names: only its query is taken, over our own, so that a link leads nowhere else."""
    query = next_link.partition("#")[0].partition("?")[2]
    return replace(request, query=tuple({**dict(request.query), **dict(parse_qsl(query))}.items()))


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


def _query(options: NorceOptions, of: QuerySet, where: Where, expand: Sequence[str]) -> Request:
    groups = [" or ".join(f"{_spelled(options, name)} {operator} {literal}" for name, operator, literal in group) for group in where]
    wrapped = (
        groups if len(groups) == 1 else [f"({group})" if len(terms) > 1 else group for group, terms in zip(groups, where, strict=True)]
    )
    expanded = (("$expand", ",".join(_spelled(options, name) for name in expand)),) if expand else ()
    return Request(
        operation=of.operation,
        method="GET",
        path=path_of("/commerce/query/{version}/{namespace}/{name}", version=options.query_version, namespace=of.namespace, name=of.name),
        query=(
            *((("$filter", " and ".join(wrapped)),) if wrapped else ()),
            ("$select", ",".join(_spelled(options, name) for name in of.properties)),
            *expanded,
        ),
        headers=_headers(options),
    )


def _between(dates: Dates) -> tuple[tuple[str, str], ...]:
    bounds = zip(("fromDate", "toDate"), dates, strict=True)
    return tuple((name, _milliseconds(moment)) for name, moment in bounds if moment is not None)


def _page(page_no: int, page_size: int) -> tuple[tuple[str, str], ...]:
    return ("pageNo", str(page_no)), ("pageSize", str(page_size))


def _milliseconds(moment: datetime) -> str:
    """Spell an instant as the list parameters have it, `yyyy-mm-ddThh:mm:ss.nnnz`."""
    return _utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first or last day there is, which has no neighbour
        return moment.replace(tzinfo=UTC)


def _headers(options: NorceOptions) -> dict[str, str]:
    return {"application-id": str(options.application_id)}


def _spelled(options: NorceOptions, name: str) -> str:
    """Spell a property: PascalCase in 2.0, camelCase in 3.0."""
    return name[:1].lower() + name[1:] if options.query_version == "3.0" else name
