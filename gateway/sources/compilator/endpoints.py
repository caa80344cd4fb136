"""The calls of DDAPI that the gateway makes: arguments to `Request`, pure. Operations are named as the Help pages name them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from gateway.transport import Request, path_of

CUSTOMERS: Final = "GET api/customers/{date}"
CUSTOMER_ORDERS: Final = "GET api/orders/{customerNumber}/{fromDate}/{toDate}"
BRANCH_ORDERS: Final = "GET api/orders/search/{branchId}/{fromDate}/{toDate}"


def customers_since(day: date, page_size: int, page: int | None = None) -> Request:
    """List customers changed since a day; `page` None is the first one. Help page `GET-api-customers-date`.

    The page takes three forms of the day; `YYYY-MM-DD` is the one that cannot be misread.
    """
    number = () if page is None else (("pageNumber", str(page)),)
    return Request(
        operation=CUSTOMERS,
        method="GET",
        path=path_of("/api/customers/{day}", day=day.isoformat()),
        query=(*number, ("pageSize", str(page_size))),
    )


def order(order_id: str, branch_id: str) -> Request:
    """Read one order; both parts are its key. Help page `GET-api-orders-id-branchId`."""
    return Request(
        operation="GET api/orders/{id}/{branchId}",
        method="GET",
        path=path_of("/api/orders/{order_id}/{branch_id}", order_id=order_id, branch_id=branch_id),
    )


def customer_orders(customer_number: str, first: date, last: date) -> Request:
    """List the orders of a customer by order date. Help page `GET-api-orders-customerNumber-fromDate-toDate`.

    The page lets `toDate` be left out; without it the path would be that of one order.
    """
    path = path_of("/api/orders/{number}/{first}/{last}", number=customer_number, first=first.isoformat(), last=last.isoformat())
    return Request(operation=CUSTOMER_ORDERS, method="GET", path=path)


def branch_orders(branch_id: str, first: date, last: date) -> Request:
    """List the orders of a branch by order date. Help page `GET-api-orders-search-branchId-fromDate-toDate`.

    The page's example swaps two words of the path (`api/search/orders`); this is its route.
    """
    path = path_of("/api/orders/search/{branch}/{first}/{last}", branch=branch_id, first=first.isoformat(), last=last.isoformat())
    return Request(operation=BRANCH_ORDERS, method="GET", path=path)


def invoice(number: str, *, include_internal: bool) -> Request:
    """Read one invoice by number; 204 when there is none. Help page `GET-api-invoice-invoiceNo-includeInternal`."""
    return Request(
        operation="GET api/invoice/{invoiceNo}/{includeInternal}",
        method="GET",
        path=path_of("/api/invoice/{number}/{internal}", number=number, internal="true" if include_internal else "false"),
    )


def currency(currency_id: str) -> Request:
    """Read one currency row; 404 when there is none. Help page `GET-api-Currencies-id`."""
    return Request(operation="GET api/Currencies/{id}", method="GET", path=path_of("/api/Currencies/{row}", row=currency_id))


def customer_invoice(customer_number: str) -> Request:
    """Read the invoicing settings of a customer. Help page `GET-api-customers-invoice_customerNumber`."""
    return Request(
        operation="GET api/customers/invoice?customerNumber={customerNumber}",
        method="GET",
        path="/api/customers/invoice",
        query=(("customerNumber", customer_number),),
    )


def set_customer_invoice(body: Mapping[str, object]) -> Request:
    """Add or update the invoicing settings of the customer that the body names. Help page `POST-api-customers-invoice`."""
    return Request(operation="POST api/customers/invoice", method="POST", path="/api/customers/invoice", json=dict(body))
