"""Arguments -> `Request`, pure. Each is named as on the vendor's help pages (https://api.demo.shopctrl.com/Help)."""

from __future__ import annotations

from gateway.transport import Request, path_of


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


def first_order(shop_id: int) -> Request:
    """Read one order summary of a shop: page `GET v1/Shops/{shopId}/Orders`."""
    return _get("GET v1/Shops/{shopId}/Orders", path_of("/v1/Shops/{shop}/Orders", shop=shop_id), ("pageSize", "1"))


def _get(operation: str, path: str, *query: tuple[str, str]) -> Request:
    return Request(operation=operation, method="GET", path=path, query=query)
