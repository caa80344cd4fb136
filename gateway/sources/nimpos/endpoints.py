"""The calls to NIMPOS as plain requests. Pages are below `https://api.adm.nimpos.com/Help/Api/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.transport import Request, path_of


@dataclass(frozen=True, slots=True)
class Window:
    """What most reads take instead of a key. Both ends carry their offset."""

    since: datetime
    until: datetime
    terminal_id: UUID

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Spell it; all four are always sent, since one left out counts as 0001-01-01 or the zero GUID."""
        return (
            ("LastExecutedDate", self.since.isoformat()),
            ("CurrentDate", self.until.isoformat()),
            ("TerminalId", str(self.terminal_id)),
            ("SharedDB", "false"),
        )


def get_customers(window: Window) -> Request:
    """Ask for the customers made or changed in the window (page `GET-api-Customer-GetCustomers_...`)."""
    return _read("Customer", "GetCustomers", window.query)


def get_customer_invoice(window: Window) -> Request:
    """Ask for the invoices of one till in the window: a list, in spite of its name (page `GET-api-Order-GetCustomerInvoice_...`)."""
    return _read("Order", "GetCustomerInvoice", window.query)


def get_customer_debts(window: Window) -> Request:
    """Ask for what customers owe (page `GET-api-Customer-GetCustomerDebts_...`)."""
    return _read("Customer", "GetCustomerDebts", window.query)


def get_orders(since: datetime, until: datetime) -> Request:
    """Ask for the orders of a range; which of their dates counts is not published (page `GET-api-Order-GetOrders_dtFrom_dtTo`)."""
    return _read("Order", "GetOrders", (("dtFrom", since.isoformat()), ("dtTo", until.isoformat())))


def get_order_by_id(order_id: str) -> Request:
    """Ask for one order with its lines (page `GET-api-Order-GetOrderById_id`)."""
    return _read("Order", "GetOrderById", (("id", order_id),))


def get_settings(window: Window) -> Request:
    """Ask for reference data, among it the tills (page `GET-api-Setting-GetSettings_...`)."""
    return _read("Setting", "GetSettings", window.query)


def post_customer_invoice(body: Mapping[str, object]) -> Request:
    """Record one invoice with the orders it covers (page `POST-api-Order-PostCustomerInvoice`)."""
    return Request(operation="PostCustomerInvoice", method="POST", path=_path("Order", "PostCustomerInvoice"), json=dict(body))


def _read(controller: str, action: str, query: tuple[tuple[str, str], ...]) -> Request:
    return Request(operation=action, method="GET", path=_path(controller, action), query=query)


def _path(controller: str, action: str) -> str:
    return path_of("/api/{controller}/{action}", controller=controller, action=action)
