"""One company's database: the rows, what the reads select of them and what the writes change.

What the help pages leave open follows an older public server with the same routes, not the vendor's word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.sandbox.nimpos.json_net import Moment, Row
from gateway.sandbox.nimpos.models import paid_status

OPEN_STATUS = 3

Table = dict[str, Row]
"""Rows by Id, in the order in which they came."""


@dataclass(slots=True)
class Company:
    """The rows of one company."""

    outlets: list[Row]
    terminals: list[Row]
    customers: Table = field(default_factory=dict)
    orders: Table = field(default_factory=dict)
    archived_orders: Table = field(default_factory=dict)
    """Orders that no order read answers any more, though invoices still name them."""
    invoices: Table = field(default_factory=dict)
    debts: Table = field(default_factory=dict)

    def settings(self) -> Row:
        """Give the reference data; only outlets and terminals have rows here."""
        empty = ("PaymentTypes", "OrderStates", "CashDrawers", "Warehouses", "APIEndPoints")
        return {"Outlets": self.outlets, "Terminals": self.terminals, **dict.fromkeys(empty, ())}

    def customers_updated(self, after: Moment, until: Moment) -> list[Row]:
        """Select by Updated, the first limit exclusive."""
        return _updated(self.customers, after, until)

    def debts_updated(self, after: Moment, until: Moment) -> list[Row]:
        """Select by Updated, the first limit exclusive."""
        return _updated(self.debts, after, until)

    def orders_updated(self, after: Moment, until: Moment, terminal: str | None) -> list[Row]:
        """Select by Updated, the first limit exclusive; None takes every terminal."""
        return [row for row in _updated(self.orders, after, until) if terminal in (None, row["TerminalId"])]

    def orders_dated(self, column: str, first: Moment, last: Moment) -> list[Row]:
        """Select by a date column, both limits inclusive; an order without that date is left out."""
        return [row for row in self.orders.values() if row[column] is not None and first <= row[column] <= last]

    def open_orders(self, first: Moment, last: Moment) -> list[Row]:
        """Select orders that are open and were made between the two, inclusive."""
        return [row for row in self.orders_dated("CreationDate", first, last) if row["Status"] == OPEN_STATUS]

    def all_open_orders(self) -> list[Row]:
        """Select orders that are open, of any date."""
        return [row for row in self.orders.values() if row["Status"] == OPEN_STATUS]

    def invoice_feed(self, first: Moment, last: Moment, terminal: str, *, also_synced: bool) -> list[Row]:
        """Select invoices made between the two, inclusive, that cover an order of the terminal; other orders are not named."""
        covered = self._orders_by_invoice(terminal)
        return [
            {**row, "OrdersGuid": covered[row["Id"]]}
            for row in self.invoices.values()
            if row["Id"] in covered and first <= row["CreationDate"] <= last and (also_synced or not row["Synced"])
        ]

    def put_customer(self, row: Row) -> None:
        """Add a customer, or write over the one with its Id."""
        row["Synced"] = True
        _put(self.customers, row)
        for customer in self.customers.values():
            customer["Parent"] = self.customers.get(customer["ParentId"])

    def put_invoice(self, row: Row) -> None:
        """Add an invoice, or write over the one with its Id, and link the orders that exist."""
        for order_id in row["OrdersGuid"]:
            if order_id in self.orders:
                self.orders[order_id]["CustomerInvoiceId"] = row["Id"]
        row["Synced"] = True
        row["PaidStatus"] = paid_status(row["PaymentStatus"])
        _put(self.invoices, row)

    def _orders_by_invoice(self, terminal: str) -> dict[str, list[str]]:
        """Group the terminal's orders by the invoice they name; the invoice row itself holds no orders."""
        covered = defaultdict(list)
        for row in (*self.orders.values(), *self.archived_orders.values()):
            if row["TerminalId"] == terminal and row["CustomerInvoiceId"] is not None:
                covered[row["CustomerInvoiceId"]].append(row["Id"])
        return dict(covered)


def to_table(rows: Iterable[Row]) -> Table:
    """Key rows by their Id."""
    return {row["Id"]: row for row in rows}


def _updated(table: Table, after: Moment, until: Moment) -> list[Row]:
    return [row for row in table.values() if after < row["Updated"] <= until]


def _put(table: Table, row: Row) -> None:
    """Write over in place, so that other rows which hold this one show the new values."""
    table.setdefault(row["Id"], row).update(row)
