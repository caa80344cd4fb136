"""The routes, as ASP.NET would choose among them: whatever the case of their letters, literal ones before open ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from gateway.sandbox.compilator import reads, writes
from gateway.sandbox.compilator.binding import Call, read_body
from gateway.sandbox.compilator.dialect import Answer, Refused, error, write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.sandbox.compilator.state import State

    Operation = Callable[[State, Call], Answer]

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

# `orders/{id}/{branchId}` and `orders/{customerNumber}/{fromDate}` differ by the integer alone.
_TABLE: Final[tuple[tuple[str, str, str, Operation], ...]] = (
    ("GetCustomersByLicensePlate", "GET", "/api/customers/licensePlate/{licensePlate}", reads.get_customers_by_license_plate),
    ("GetCustomerInvoice", "GET", "/api/customers/invoice", reads.get_customer_invoice),
    ("PostCustomerInvoice", "POST", "/api/customers/invoice", writes.post_customer_invoice),
    ("PutCustomerInvoice", "PUT", "/api/customers/invoice", writes.put_customer_invoice),
    ("DeleteCustomerInvoice", "DELETE", "/api/customers/invoice", writes.delete_customer_invoice),
    ("GetAccountsReceivable", "GET", "/api/customers/accountsreceivable", reads.get_accounts_receivable),
    ("GetDeliveryAddress", "GET", "/api/customers/deliveryaddress", reads.get_delivery_address),
    ("PostDeliveryAddress", "POST", "/api/customers/deliveryaddress", writes.post_delivery_address),
    ("DeleteDeliveryAddress", "DELETE", "/api/customers/deliveryaddress", writes.delete_delivery_address),
    ("GetCustomersChangedSince", "GET", "/api/customers/{date}", reads.get_customers_changed_since),
    ("GetOrdersOfBranch", "GET", "/api/orders/search/{branchId}/{fromDate}/{toDate}", reads.get_orders_of_branch),
    ("GetOrder", "GET", "/api/orders/{id:int}/{branchId:int}", reads.get_order),
    ("GetOrdersOfCustomer", "GET", "/api/orders/{customerNumber:int}/{fromDate}", reads.get_orders_of_customer),
    ("GetOrdersOfCustomer", "GET", "/api/orders/{customerNumber:int}/{fromDate}/{toDate}", reads.get_orders_of_customer),
    ("GetOpenOrdersOfCustomer", "GET", "/api/orders/{customerNumber:int}", reads.get_open_orders_of_customer),
    ("PostOrder", "POST", "/api/orders", writes.post_order),
    ("GetInvoice", "GET", "/api/invoice/{invoiceNo}", reads.get_invoice),
    ("GetInvoice", "GET", "/api/invoice/{invoiceNo}/{includeInternal}", reads.get_invoice),
    ("GetCurrency", "GET", "/api/currencies/{id}", reads.get_currency),
    ("GetContact", "GET", "/api/contacts/{contactID}", reads.get_contact),
)


class AnyCaseRoute(Route):
    """A route that takes its path in any case, as ASP.NET does."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, name: str, methods: list[str]) -> None:
        super().__init__(path, endpoint, name=name, methods=methods)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def make_routes(state: State) -> tuple[Route, ...]:
    """Make all routes; the last one answers what no other takes."""
    routes = tuple(AnyCaseRoute(path, _endpoint(state, operation), name=name, methods=[method]) for name, method, path, operation in _TABLE)

    def refuse(_state: State, call: Call) -> Answer:
        if any(route.path_regex.match(f"/{call.parts['rest']}") for route in routes):
            raise Refused(error(405, "The requested resource does not support this http method."))
        raise reads.no_resource(call)

    return (*routes, Route("/{rest:path}", _endpoint(state, refuse, has_body=False), name="NoRoute", methods=list(_METHODS)))


def _endpoint(state: State, operation: Operation, *, has_body: bool = True) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            state.check_caller(request)
            state.may_be_written |= request.method not in {"GET", "HEAD"}
            body = await read_body(request) if has_body and request.method in {"POST", "PUT"} else {}
            answer = operation(state, Call(request.url, _parts(request), body))
        except Refused as refusal:
            answer, headers = refusal.answer, refusal.headers
        return write(answer, request.headers.get("accept", ""), str(state.switches["json_dates"]), headers)

    return respond


def _parts(request: Request) -> dict[str, str]:
    query = {name.lower(): value for name, value in request.query_params.items()}
    return query | {name.lower(): str(value) for name, value in request.path_params.items()}
