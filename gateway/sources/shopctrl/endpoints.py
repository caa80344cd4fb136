"""Arguments -> `Request`, pure. Each is named as on the vendor's help pages (https://api.demo.shopctrl.com/Help)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.transport import Request, path_of

ORDERS: Final = "GET v1/Shops/{shopId}/Orders"


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """What the list of orders can be narrowed by; `email` is the one the order is billed to."""

    changed_from: datetime | None = None
    main_status_id: str | None = None
    email: str | None = None

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Give the parameters by the names on the page, in its order."""
        pairs = (
            ("fromDateChanged", None if self.changed_from is None else self.changed_from.isoformat()),
            ("mainStatusId", self.main_status_id),
            ("emailAddress", self.email),
        )
        return tuple((name, value) for name, value in pairs if value is not None)


def customer(customer_id: str) -> Request:
    """Read a customer: page `GET v1/Customers/{id}`."""
    return _get("GET v1/Customers/{id}", path_of("/v1/Customers/{id}", id=customer_id))


def customers_by_code(shop_owner_id: int, code: str) -> Request:
    """Read the customers that share a code: page `GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}`."""
    path = path_of("/v1/ShopOwners/{owner}/Customers/CustomerCode/{code}", owner=shop_owner_id, code=code)
    return _get("GET v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}", path)


def order(order_id: str) -> Request:
    """Read an order by id: not published; seen in a public client, and every read below it is published."""
    return _get("GET v1/Orders/{id}", path_of("/v1/Orders/{id}", id=order_id))


def order_by_code(shop_id: int | str, code: str) -> Request:
    """Read an order by its number: page `GET v1/Shops/{shopId}/Orders/{orderCode}`."""
    return _get("GET v1/Shops/{shopId}/Orders/{orderCode}", path_of("/v1/Shops/{shop}/Orders/{code}", shop=shop_id, code=code))


def order_rows(order_id: str) -> Request:
    """Read the rows of an order: page `GET v1/Orders/{orderId}/Rows`."""
    return _get("GET v1/Orders/{orderId}/Rows", path_of("/v1/Orders/{id}/Rows", id=order_id))


def order_invoices(order_id: str) -> Request:
    """Read the invoices of an order, unpaged: page `GET v1/Orders/{orderId}/Invoices`."""
    return _get("GET v1/Orders/{orderId}/Invoices", path_of("/v1/Orders/{id}/Invoices", id=order_id))


def invoice(invoice_id: str) -> Request:
    """Read an invoice, a deleted one too: page `GET v1/Invoices/{invoiceId}?includeDeleted={includeDeleted}`."""
    path = path_of("/v1/Invoices/{id}", id=invoice_id)
    return _get("GET v1/Invoices/{invoiceId}", path, ("includeDeleted", "true"))


def invoice_rows(invoice_id: str) -> Request:
    """Read the rows of an invoice: page `GET v1/Invoices/{invoiceId}/Rows`."""
    return _get("GET v1/Invoices/{invoiceId}/Rows", path_of("/v1/Invoices/{id}/Rows", id=invoice_id))


def invoice_what_is_left(order_id: str) -> Request:
    """Write: invoice every row of an order that is not invoiced yet; no body: page `POST v1/Orders/{orderId}/Invoices`."""
    path = path_of("/v1/Orders/{id}/Invoices", id=order_id)
    return Request(operation="POST v1/Orders/{orderId}/Invoices", method="POST", path=path)


def shop_status() -> Request:
    """Read which shops the API user sees: page `GET v1/Shops/ShopStatus`."""
    return _get("GET v1/Shops/ShopStatus", "/v1/Shops/ShopStatus")


def orders(shop_id: int, filters: OrderFilters, page_number: int, page_size: int) -> Request:
    """Read one page of the order summaries of a shop, the first is number 1: page `GET v1/Shops/{shopId}/Orders`."""
    paging = (("pageSize", str(page_size)), ("pageNumber", str(page_number)))
    return _get(ORDERS, path_of("/v1/Shops/{shop}/Orders", shop=shop_id), *filters.query, *paging)


def order_payments(order_id: str) -> Request:
    """Read the payments of an order, unpaged: page `GET v1/Orders/{orderId}/Payments`."""
    return _get("GET v1/Orders/{orderId}/Payments", path_of("/v1/Orders/{id}/Payments", id=order_id))


def file(file_id: str) -> Request:
    """Read a file with its content as Base64: page `GET v1/Files/{fileId}`."""
    return _get("GET v1/Files/{fileId}", path_of("/v1/Files/{id}", id=file_id))


def invoice_status(status_id: str) -> Request:
    """Read what the tenant calls a status of invoices: page `GET v1/InvoiceStatuses/{id}`."""
    return _get("GET v1/InvoiceStatuses/{id}", path_of("/v1/InvoiceStatuses/{id}", id=status_id))


def order_status(status_id: str) -> Request:
    """Read what the tenant calls a status of orders: page `GET v1/OrderStatuses/{id}`."""
    return _get("GET v1/OrderStatuses/{id}", path_of("/v1/OrderStatuses/{id}", id=status_id))


def _get(operation: str, path: str, *query: tuple[str, str]) -> Request:
    return Request(operation=operation, method="GET", path=path, query=query)
