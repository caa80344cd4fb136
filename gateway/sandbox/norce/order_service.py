"""OrderService 1.1: orders and invoices one at a time, light lists of them, and the invoice write that does nothing.

Both path forms of an operation are one operation. What does not exist is 200 with null.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.emulator import read_json
from gateway.sandbox.norce.answers import answer
from gateway.sandbox.norce.data import STATUS_NAMES
from gateway.sandbox.norce.fields import to_instant, wrong_fields
from gateway.sandbox.norce.parameters import ServiceError, read_moment_or_none, read_text, read_whole_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from gateway.sandbox.norce.data import OrderRecord, Payload
    from gateway.sandbox.norce.parameters import ServiceRoutes
    from gateway.sandbox.norce.store import Store

_PREFIXES: Final = ("/commerce/order/1.1", "/api/1.1/OrderService.svc/rest", "/OrderService.svc/rest")
_ORDER_LIST_FIELDS: Final = (
    "Id", "QuotationId", "OrderNo", "OrderDate", "Status", "Source", "Currency", "OrderTotalIncVat", "OrderTotalExVat", "TypeId",
)  # fmt: skip
_INVOICE_LIST_FIELDS: Final = (
    "Id", "InvoiceNo", "InvoiceDate", "InvoiceDueDate", "InvoiceText", "OrderNo", "OrderDate", "Source", "DeliveryDate", "DeliveryMethod",
    "PaymentMethod", "BillTo", "InvoiceAmountExVat", "VatAmount", "InvoiceNoPsp", "IsDebit", "GroupByKey",
)  # fmt: skip
_INVOICE_KINDS: Final = {
    **dict.fromkeys(("Id", "InvoiceNo", "InvoiceText", "OrderId", "OrderNo", "Source", "DeliveryMethod", "PaymentMethod"), "string"),
    **dict.fromkeys(("InvoiceNoPsp", "CreditedInvoiceNo", "GroupByKey", "Comment"), "string"),
    **dict.fromkeys(("InvoiceDate", "InvoiceDueDate", "OrderDate", "DeliveryDate"), "moment"),
    **dict.fromkeys(("OrderFreight", "InvoiceCharge", "InvoiceAmountExVat", "VatAmount", "InvoiceAmountIncVat"), "number"),
    **dict.fromkeys(("Items", "Info"), "objects"),
    "BillTo": "object",
    "IsDebit": "bool",
}
_ITEM_KINDS: Final = {
    "RowNumber": "number",
    **dict.fromkeys(("ItemNo", "ItemDescription"), "string"),
    **dict.fromkeys(("Quantity", "UnitPrice", "UnitDiscount", "RowAmount", "RowAmountVat"), "number"),
    "DeliveryDate": "moment",
    **dict.fromkeys(("VatRate", "UnitPriceIncVat"), "number"),
}
_PARTY_KINDS: Final = {**dict.fromkeys(("Company", "Customer", "Address"), "object"), "DropPointCode": "string"}
_STATUS_NAMES_IN_ENGLISH: Final = {
    "Skapad": "Created",
    "Reserverad": "Allocation",
    "Bekräftad": "Confirmed",
    "Levererad": "Delivered",
    "Fakturerad": "Invoiced",
    "Makulerad": "Cancelled",
    "Delvis levererad": "Partly delivered",
}


class OrderService:
    """The service over one store."""

    def __init__(self, store: Store, switches: MutableMapping[str, Any]) -> None:
        self._store: Final = store
        self._switches: Final = switches

    def routes(self, routes: ServiceRoutes) -> list[Route]:
        """Give every operation below each of its prefixes."""
        reads = {
            "GetInvoice": self._get_invoice,
            "GetInvoiceByNo": self._get_invoice_by_no,
            "ListInvoices": self._list_invoices,
            "GetOrderByNo": self._get_order_by_no,
            "GetOrderByBasket": self._get_order_by_basket,
            "ListOrders3": self._list_orders,
            "ListOrderStatuses": self._list_order_statuses,
        }
        return routes.make(_PREFIXES, reads, "GET") + routes.make(_PREFIXES, {"InsertInvoice": self._insert_invoice}, "POST")

    async def _get_invoice(self, request: Request) -> Response:
        return answer(request, self._store.invoice_by_id(read_text(request, "id")), "Invoice")

    async def _get_invoice_by_no(self, request: Request) -> Response:
        return answer(request, self._store.invoice_by_no(read_text(request, "invoiceNo")), "Invoice")

    async def _list_invoices(self, request: Request) -> Response:
        """List an order's, a company's or a customer's invoices; the page flags all three as required and means one."""
        order_id = request.query_params.get("orderId")
        company_id, customer_id = read_whole_or_none(request, "companyId"), read_whole_or_none(request, "customerId")
        if not order_id and company_id is None and customer_id is None:
            raise ServiceError("One of orderId, companyId and customerId must be given.")
        found = (
            invoice
            for invoice in self._store.invoices
            if (not order_id or invoice["OrderId"] == order_id) and _is_of(invoice["BillTo"], company_id, customer_id)
        )
        dated = _between(found, "InvoiceDate", read_moment_or_none(request, "fromDate"), read_moment_or_none(request, "toDate"))
        page = _page(request, [_invoice_list_item(invoice) for invoice in dated])
        return answer(request, page, "InvoicePagedList")

    async def _insert_invoice(self, request: Request) -> Response:
        if not self._switches["insert_invoice"]:
            raise ServiceError("Not implemented. Invoices are inserted through integrations.")
        body = await _read_body(request)
        _check_invoice(body)
        invoice_no = body.get("InvoiceNo")
        if invoice_no and self._store.invoice_by_no(invoice_no) and self._switches["duplicate_invoice_no"] != "stored":
            raise ServiceError("InvoiceNo is taken.")
        return answer(request, self._store.add_invoice(_to_stored_invoice(body)), "Invoice")

    async def _get_order_by_no(self, request: Request) -> Response:
        """Find an order by number; the parameter is all lower case, unlike every other."""
        return answer(request, _in_culture(request, self._store.order_by_no(read_text(request, "orderno"))), "Order")

    async def _get_order_by_basket(self, request: Request) -> Response:
        basket_id = read_whole_or_none(request, "basketId")
        if basket_id is None:
            raise ServiceError("The parameter basketId is missing.")
        return answer(request, _in_culture(request, self._store.order_by_basket(basket_id)), "Order")

    async def _list_orders(self, request: Request) -> Response:
        """List orders lightly by one of five parents; the page flags all five as required and means one."""
        company_id, customer_id = read_whole_or_none(request, "companyId"), read_whole_or_none(request, "customerId")
        division_code, source = request.query_params.get("divisionCode"), request.query_params.get("source")
        since, until = read_moment_or_none(request, "fromDate"), read_moment_or_none(request, "toDate")
        if not division_code and all(parent is None for parent in (company_id, customer_id, since, until)):
            raise ServiceError("One of companyId, customerId, divisionCode, fromDate and toDate must be given.")
        status_ids = _status_ids(request)
        found = (
            _in_culture(request, record)
            for record in self._store.orders
            if _is_of(record.payload["SellTo"], company_id, customer_id)
            and (not division_code or record.division_code == division_code)
            and (not source or record.payload["Source"] == source)
            and (status_ids is None or record.status_id in status_ids)
        )
        dated = _between((order for order in found if order is not None), "OrderDate", since, until)
        return answer(request, _page(request, [{name: order[name] for name in _ORDER_LIST_FIELDS} for order in dated]), "OrderPagedList")

    async def _list_order_statuses(self, request: Request) -> Response:
        """List the statuses; neither the parameters nor the shape of this answer is published."""
        statuses = [{"Id": status_id, "Name": _status_name(request, name)} for status_id, name in STATUS_NAMES.items()]
        return answer(request, statuses, "ArrayOfOrderStatus")


def _status_ids(request: Request) -> frozenset[int] | None:
    """Read `statusSeed`, a comma separated list of status ids; None when it is not given."""
    value = request.query_params.get("statusSeed")
    if not value:
        return None
    parts = [part.strip() for part in value.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
        raise ServiceError("statusSeed is not a list of status ids.")
    return frozenset(int(part) for part in parts)


async def _read_body(request: Request) -> Payload:
    try:
        body = await read_json(request)
    except ValueError as error:
        raise ServiceError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise ServiceError("The body is not an Invoice.")
    return body


def _check_invoice(body: Payload) -> None:
    wrong = wrong_fields(body, _INVOICE_KINDS)
    if not wrong:
        wrong = wrong_fields(body.get("BillTo") or {}, _PARTY_KINDS, "BillTo.")
        for place, item in enumerate(body.get("Items") or []):
            wrong |= wrong_fields(item, _ITEM_KINDS, f"Items[{place}].")
    if wrong:
        raise ServiceError("; ".join(f"{name}: {message}" for name, message in wrong.items()))


def _to_stored_invoice(body: Payload) -> Payload:
    """Give every field of the model: what was not sent is null, in a row a number that was not sent is 0."""
    items = [
        {name: (0 if kind == "number" else None) if item.get(name) is None else item[name] for name, kind in _ITEM_KINDS.items()}
        for item in body.get("Items") or []
    ]
    return {**{name: body.get(name) for name in _INVOICE_KINDS}, "Items": items}


def _is_of(party: Payload | None, company_id: int | None, customer_id: int | None) -> bool:
    """Say whether a snapshot is of the company and the customer that are given; a guest's has no ids."""
    company, customer = (party or {}).get("Company") or {}, (party or {}).get("Customer") or {}
    return (company_id is None or company.get("Id") == company_id) and (customer_id is None or customer.get("Id") == customer_id)


def _between(found: Iterable[Payload], name: str, since: datetime | None, until: datetime | None) -> list[Payload]:
    """Keep what is dated from `since` to `until`, both included; without a bound also what has no date."""
    if since is None and until is None:
        return list(found)
    dated = ((to_instant(entry[name]), entry) for entry in found if entry[name])
    return [entry for moment, entry in dated if (since is None or since <= moment) and (until is None or moment <= until)]


def _page(request: Request, found: Sequence[Payload]) -> Payload:
    """Cut a page; `pageNo` counts from 1 and means nothing without `pageSize`, and ItemCount is always the total."""
    page_no, page_size = read_whole_or_none(request, "pageNo"), read_whole_or_none(request, "pageSize")
    if page_size is None:
        return {"ItemCount": len(found), "Items": list(found)}
    page_no = 1 if page_no is None else page_no
    if page_no < 1 or page_size < 1:
        raise ServiceError("pageNo and pageSize start at 1.")
    start = (page_no - 1) * page_size
    return {"ItemCount": len(found), "Items": list(found[start : start + page_size])}


def _invoice_list_item(invoice: Payload) -> Payload:
    """Give what a list shows of an invoice: no rows, no order id, no amount including VAT, and of the bill-to party the company."""
    item = {name: invoice[name] for name in _INVOICE_LIST_FIELDS}
    if item["BillTo"] is not None:
        item["BillTo"] = {"Company": item["BillTo"].get("Company"), "Customer": None, "Address": None, "DropPointCode": None}
    return item


def _in_culture(request: Request, record: OrderRecord | None) -> Payload | None:
    """Give an order with its status in the language asked for."""
    if record is None:
        return None
    return {**record.payload, "Status": _status_name(request, record.payload["Status"])}


def _status_name(request: Request, name: str) -> str:
    return _STATUS_NAMES_IN_ENGLISH[name] if request.query_params.get("cultureCode", "").lower().startswith("en") else name
