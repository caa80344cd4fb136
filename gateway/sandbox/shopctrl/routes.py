"""The paths, and what holds for every call: who it is, how refusals are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from gateway.sandbox.emulator import json_response
from gateway.sandbox.parties import Party
from gateway.sandbox.recording import UNMATCHED
from gateway.sandbox.shopctrl import reads, writes
from gateway.sandbox.shopctrl.calls import NOT_FOUND, Call, Refusal, user_of
from gateway.sandbox.shopctrl.data import build_store
from gateway.sandbox.shopctrl.dialect import Answer, write_answer

Operation = Callable[[Call], Answer | Response]

_OPERATIONS: Final[tuple[tuple[str, str, str, Operation], ...]] = (
    ("GetCustomers", "GET", "/v1/Customers", reads.get_customers),
    ("PostCustomer", "POST", "/v1/Customers", writes.post_customer),
    ("GetCustomer", "GET", "/v1/Customers/{id}", reads.get_customer),
    ("GetCustomersByCode", "GET", "/v1/ShopOwners/{shopOwnerId}/Customers/CustomerCode/{customerCode}", reads.get_customers_by_code),
    ("GetShops", "GET", "/v1/Shops", reads.get_shops),
    ("GetShopStatus", "GET", "/v1/Shops/ShopStatus", reads.get_shop_status),
    ("GetPaymentTerms", "GET", "/v1/Shops/{shopId}/PaymentTerms", reads.get_payment_terms),
    ("GetPaymentTypes", "GET", "/v1/Shops/{shopId}/PaymentTypes", reads.get_payment_types),
    ("ListOrders", "GET", "/v1/Shops/{shopId}/Orders", reads.list_orders),
    ("PostOrder", "POST", "/v1/Shops/{shopId}/Orders", writes.post_order),
    ("GetOrderByCode", "GET", "/v1/Shops/{shopId}/Orders/{orderCode}", reads.get_order_by_code),
    ("GetOrder", "GET", "/v1/Orders/{id}", reads.get_order),
    ("GetOrderRows", "GET", "/v1/Orders/{orderId}/Rows", reads.get_order_rows),
    ("GetOrderPayments", "GET", "/v1/Orders/{orderId}/Payments", reads.get_order_payments),
    ("PostPayment", "POST", "/v1/Orders/{orderId}/Payments", writes.post_payment),
    ("GetOrderInvoices", "GET", "/v1/Orders/{orderId}/Invoices", reads.get_order_invoices),
    ("CreateOrderInvoice", "POST", "/v1/Orders/{orderId}/Invoices", writes.create_order_invoice),
    ("PutCustomStatus", "PUT", "/v1/Orders/{orderId}/CustomStatus", writes.put_custom_status),
    ("GetOrderRowParameter", "GET", "/v1/OrderRows/{id}/Parameters/{key}", reads.get_order_row_parameter),
    ("GetInvoice", "GET", "/v1/Invoices/{invoiceId}", reads.get_invoice),
    ("GetInvoiceRows", "GET", "/v1/Invoices/{invoiceId}/Rows", reads.get_invoice_rows),
    ("CreateInvoiceDocument", "POST", "/v1/InvoiceDocuments/{invoiceId}/Create", writes.create_invoice_document),
    ("GetFile", "GET", "/v1/Files/{fileId}", reads.get_file),
    ("GetInvoiceStatus", "GET", "/v1/InvoiceStatuses/{id}", reads.get_invoice_status),
    ("GetOrderStatus", "GET", "/v1/OrderStatuses/{id}", reads.get_order_status),
    ("GetBaseOrderStatuses", "GET", "/v1/BaseOrderStatuses", reads.get_base_order_statuses),
    ("GetCurrencies", "GET", "/v1/Currencies", reads.get_currencies),
    ("GetCultures", "GET", "/v1/Cultures", reads.get_cultures),
    ("GetCountries", "GET", "/v1/Countries", reads.get_countries),
)
_ANY_METHOD: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# Only seen in a public client (github.com/afosto/shopctrl), not on the vendor's pages: an installation may lack them.
_SWITCH_OF_OPERATION: Final = {
    "GetOrder": "get_order_by_id",
    "GetCustomers": "seen_routes",
    "GetShops": "seen_routes",
    "GetPaymentTypes": "seen_routes",
    "GetBaseOrderStatuses": "seen_routes",
    "CreateInvoiceDocument": "document_upload",
}


class Installation:
    """The running system: its records and its switches, both brought back by `reset`."""

    def __init__(self, parties: tuple[Party, ...], seed: int, switches: dict[str, Any]) -> None:
        self._parties = parties
        self._seed = seed
        self._first_switches = dict(switches)
        self.switches = switches
        self._store = build_store(parties, seed)
        self._may_be_written = False
        self.routes = [
            Route(path, self._endpoint(name, operation), methods=[method], name=name) for name, method, path, operation in _OPERATIONS
        ]
        self.routes.append(Route("/{path:path}", self._endpoint(UNMATCHED, self._refuse), methods=_ANY_METHOD, name=UNMATCHED))

    def reset(self) -> None:
        """Bring records and switches back to what the seed gave."""
        self.switches.clear()
        self.switches.update(self._first_switches)
        if self._may_be_written:
            self._store = build_store(self._parties, self._seed)
            self._may_be_written = False

    def _endpoint(self, name: str, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        switch = _SWITCH_OF_OPERATION.get(name)

        async def endpoint(request: Request) -> Response:
            user = user_of(request.headers.get("authorization"))
            if user is None:
                body = {"Message": "Authorization has been denied for this request."}
                return json_response(body, 401, {"WWW-Authenticate": 'Basic realm="ShopCtrl"'})
            self._may_be_written |= request.method not in {"GET", "HEAD"}
            call = Call(request, await request.body(), user, self._store, self.switches)
            is_there = switch is None or self.switches[switch]
            return _answer(call, operation if is_there else _refuse_route)

        return endpoint

    def _refuse(self, call: Call) -> Answer:
        """Refuse a call that no operation takes: 405 when its path takes another method, else 404."""
        if any(route.matches(call.request.scope)[0] is Match.PARTIAL for route in self.routes):
            raise Refusal(405, f"The requested resource does not support http method '{call.request.method}'.")
        return _refuse_route(call)


def _refuse_route(call: Call) -> Answer:
    raise Refusal(NOT_FOUND, f"No HTTP resource was found that matches the request URI '{call.request.url}'.")


def _answer(call: Call, operation: Operation) -> Response:
    status = 200
    try:
        answer = operation(call)
    except Refusal as refusal:
        status, answer = refusal.status, Answer("Error", refusal.body)
    if isinstance(answer, Response):
        return answer
    return write_answer(answer, status, call.request.headers.get("accept"), call.switches)
