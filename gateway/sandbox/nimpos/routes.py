"""The server's actions over HTTP: token, window reads, order reads and the two writes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.sandbox.emulator import json_response, read_json
from gateway.sandbox.nimpos.company import Company
from gateway.sandbox.nimpos.json_net import UNSET, Moment, Row, document, to_moment
from gateway.sandbox.nimpos.models import CUSTOMER, CUSTOMER_INVOICE, ZERO_GUID, Refused, read_model, to_guid, utf16_length

FIRST_SWITCHES: Final[dict[str, Any]] = {
    "customers_require_token": True,  # nosec B105  # a switch, as the next two
    "token_generation": 1,  # nosec B105
    "token_life_seconds": 1_209_599,  # nosec B105
    "trim_email": False,
    "posted_invoices_listed": False,
    "open_orders_ignore_dates": False,
    "orders_dated_by": "CreationDate",
    "orders_with_lines": True,
    "updated_orders_by_terminal": True,
    "order_absent": "null",
    "reads_fail_empty": False,
    "post_fails_417": False,
    "remarks_limited": False,
}

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REMARKS_LIMIT: Final = 250
_NO_LINES: Final[Mapping[str, object]] = {"OrderLines": [], "Payments": [], "Receipts": []}

_Read = Callable[[Company, QueryParams], Response]
_Write = Callable[[Company, Any], None]
_Answer = Callable[[Request, Company], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Session:
    """What a token stands for."""

    username: str
    generation: int
    expires_at: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Window:
    """The query that most reads share; a date that is not sent is 0001-01-01 and a terminal the zero GUID."""

    after: Moment
    until: Moment
    terminal: str


class Server:
    """The running server: its companies by user, its tokens and its switches."""

    def __init__(self, make_companies: Callable[[], dict[str, Company]], passwords: dict[str, str]) -> None:
        self.switches: MutableMapping[str, Any] = {}
        self._make_companies = make_companies
        self._passwords = passwords
        self._companies = make_companies()
        self._may_be_written = False
        self._sessions: dict[str, Session] = {}
        self._token_numbers = itertools.count(1)
        self.reset()

    def reset(self) -> None:
        """Bring rows and switches back; who is signed in stays so."""
        if self._may_be_written:
            self._companies = self._make_companies()
            self._may_be_written = False
        self.switches.clear()
        self.switches.update(FIRST_SWITCHES)

    def routes(self) -> list[Route]:
        """Give a route for each action."""
        return [
            Route("/Token", self._token, methods=_METHODS, name="Token"),
            self._read("Customer", "GetCustomers", self._get_customers, failed=[]),
            self._read("Customer", "GetCustomerDebts", self._get_customer_debts, failed=[]),
            self._read("Setting", "GetSettings", self._get_settings, failed=None),
            self._read("Order", "GetOrderById", self._get_order_by_id, failed=None),
            self._read("Order", "GetOrders", self._get_orders, failed=[]),
            self._read("Order", "GetOpenOrder", self._get_open_order, failed=[]),
            self._read("Order", "GetUpdatedOrders", self._get_updated_orders, failed=[]),
            self._read("Order", "GetCustomerInvoice", self._get_customer_invoice, failed=[]),
            self._write("Order", "PostCustomerInvoice", self._post_customer_invoice),
            self._write("Customer", "PostCustomer", self._post_customer),
        ]

    # Tokens

    async def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return _method_not_allowed(request, "POST")
        form = await _read_form(request)
        if form.get("grant_type") != "password":
            return json_response({"error": "unsupported_grant_type"}, 400)
        username = form.get("username", "")
        if self._passwords.get(username) is None or self._passwords[username] != form.get("password"):
            return json_response({"error": "invalid_grant"}, 400)
        return json_response(self._issue(username), headers={"Cache-Control": "no-cache"})

    def _issue(self, username: str) -> Row:
        life = self.switches["token_life_seconds"]
        token = f"nimpos-{username}-{next(self._token_numbers)}"
        self._sessions[token] = Session(username, self.switches["token_generation"], time.monotonic() + life)
        return {"access_token": token, "token_type": "bearer", "expires_in": life}  # nosec B105  # a kind

    def _company(self, request: Request) -> Company | None:
        """Find the company of the token's user; None without a token that counts."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session = self._sessions.get(token)
        if scheme.lower() != "bearer" or session is None:
            return None
        is_valid = session.generation == self.switches["token_generation"] and time.monotonic() < session.expires_at
        return self._companies[session.username] if is_valid else None

    # What all actions share

    def _action(self, method: str, controller: str, name: str, answer: _Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.method != method:
                return _method_not_allowed(request, method)
            company = self._company(request)
            if company is None:
                return self._without_company(method, controller)
            try:
                return await answer(request, company)
            except Refused as refusal:
                return _message(f"The request is invalid. {refusal}", 400)

        return Route(f"/api/{controller}/{name}", endpoint, methods=_METHODS, name=name)

    def _without_company(self, method: str, controller: str) -> Response:
        """Deny; on customers the older server had the check taken out, so that a read finds nothing and a write fails."""
        if controller == "Customer" and not self.switches["customers_require_token"]:
            return json_response([]) if method == "GET" else Response(status_code=417)
        denied = _message("Authorization has been denied for this request.", 401)
        denied.headers["WWW-Authenticate"] = "Bearer"
        return denied

    def _read(self, controller: str, name: str, read: _Read, *, failed: object) -> Route:
        async def answer(request: Request, company: Company) -> Response:
            if self.switches["reads_fail_empty"]:
                return json_response(failed)
            return read(company, request.query_params)

        return self._action("GET", controller, name, answer)

    def _write(self, controller: str, name: str, write: _Write) -> Route:
        async def answer(request: Request, company: Company) -> Response:
            if _media_type(request) not in {"application/json", "text/json"}:
                return _message("The request entity's media type is not supported for this resource.", 415)
            try:
                body = await read_json(request)
            except (ValueError, RecursionError):
                raise Refused("The body is not JSON.") from None
            if self.switches["post_fails_417"]:
                return Response(status_code=417)
            self._may_be_written = True
            write(company, body)
            return Response(status_code=200)

        return self._action("POST", controller, name, answer)

    # Customers and settings

    def _get_customers(self, company: Company, query: QueryParams) -> Response:
        window = _window(query)
        rows = company.customers_updated(window.after, window.until)
        return json_response(document(rows, {"Email": None} if self.switches["trim_email"] else None))

    def _get_customer_debts(self, company: Company, query: QueryParams) -> Response:
        window = _window(query)
        return json_response(document(company.debts_updated(window.after, window.until)))

    def _get_settings(self, company: Company, query: QueryParams) -> Response:
        _window(query)
        return json_response(document(company.settings()))

    def _post_customer(self, company: Company, body: object) -> None:
        company.put_customer(read_model(CUSTOMER, body))

    # Orders

    def _get_order_by_id(self, company: Company, query: QueryParams) -> Response:
        if len(query.getlist("id")) != 1:
            raise Refused("id: exactly one is expected")
        order = company.orders.get(_guid(query, "id"))
        return self._absent_order() if order is None else json_response(document(order))

    def _absent_order(self) -> Response:
        absent = {
            "null": lambda: json_response(None),
            "empty": lambda: Response(status_code=200),
            "204": lambda: Response(status_code=204),
            "404": lambda: _message("No order with that id.", 404),
        }
        return absent[self.switches["order_absent"]]()

    def _get_orders(self, company: Company, query: QueryParams) -> Response:
        first, last = _time(query, "dtFrom"), _time(query, "dtTo")
        return self._orders(company.orders_dated(self.switches["orders_dated_by"], first, last))

    def _get_open_order(self, company: Company, query: QueryParams) -> Response:
        first, last = _time(query, "dtFrom"), _time(query, "dtTo")
        rows = company.all_open_orders() if self.switches["open_orders_ignore_dates"] else company.open_orders(first, last)
        return json_response(document(rows))

    def _get_updated_orders(self, company: Company, query: QueryParams) -> Response:
        window = _window(query)
        terminal = window.terminal if self.switches["updated_orders_by_terminal"] else None
        return self._orders(company.orders_updated(window.after, window.until, terminal))

    def _orders(self, rows: list[Row]) -> Response:
        return json_response(document(rows, None if self.switches["orders_with_lines"] else _NO_LINES))

    # Invoices

    def _get_customer_invoice(self, company: Company, query: QueryParams) -> Response:
        window = _window(query)
        also_synced = self.switches["posted_invoices_listed"]
        return json_response(document(company.invoice_feed(window.after, window.until, window.terminal, also_synced=also_synced)))

    def _post_customer_invoice(self, company: Company, body: object) -> None:
        row = read_model(CUSTOMER_INVOICE, body)
        if self.switches["remarks_limited"] and utf16_length(row["Remarks"] or "") > _REMARKS_LIMIT:
            raise Refused(f"Remarks: longer than {_REMARKS_LIMIT} characters")
        company.put_invoice(row)


def _window(query: QueryParams) -> Window:
    if query.get("SharedDB", "").lower() not in {"", "true", "false"}:
        raise Refused("SharedDB: not a boolean")
    return Window(_time(query, "LastExecutedDate"), _time(query, "CurrentDate"), _guid(query, "TerminalId"))


def _time(query: QueryParams, name: str) -> Moment:
    try:
        return to_moment(query[name]) if query.get(name) else UNSET
    except ValueError as error:
        raise Refused(f"{name}: {error}") from None


def _guid(query: QueryParams, name: str) -> str:
    try:
        return to_guid(query[name]) if query.get(name) else ZERO_GUID
    except ValueError as error:
        raise Refused(f"{name}: {error}") from None


async def _read_form(request: Request) -> dict[str, str]:
    """Read a form with names in lower case; empty when the body is not a form."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        return {}
    text = (await request.body()).decode(errors="replace")
    return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}


def _media_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _message(text: str, status: int) -> Response:
    return json_response({"Message": text}, status)


def _method_not_allowed(request: Request, allowed: str) -> Response:
    refusal = _message(f"The requested resource does not support http method '{request.method}'.", 405)
    refusal.headers["Allow"] = allowed
    return refusal
