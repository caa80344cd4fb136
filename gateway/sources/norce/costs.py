"""What reading Norce costs at worst: Query in chunks where its rows can be enough, the Services one call each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.model import Kind, Operation
from gateway.sources.base import By, Calls, Demand, Need
from gateway.sources.norce import endpoints
from gateway.sources.norce.endpoints import CUSTOMERS, INVOICES, ORDERS

_CUSTOMER: Final = "GetCustomer"
_ORDER: Final = "GetOrderByNo"
_ORDER_OF_BASKET: Final = "GetOrderByBasket"
_INVOICE: Final = "GetInvoice"
_INVOICE_BY_NO: Final = "GetInvoiceByNo"
_METADATA: Final = Calls("Orders/$metadata", 1, once=True)

_LISTED: Final = {
    Kind.CUSTOMER: frozenset({"vat_number", "billing_address", "warnings"}),
    Kind.ORDER: frozenset({"warnings", "lines"}),
    Kind.INVOICE: frozenset(
        {"number", "issue_date", "created_at", "updated_at", "payment_status", "paid_at", "source_statuses", "is_deleted", "email_sent"}
        | {"sent_at", "document", "warnings", "lines", "customer"}
    ),
}
"""What a row of every list says, or another call gives."""
_APPLIED: Final = {
    Kind.CUSTOMER: (frozenset({"search"}), frozenset({"organization_number"}), frozenset({"number", "email"})),
    Kind.ORDER: (frozenset({"number", "customer", "ordered_from", "ordered_to"}),),
    Kind.INVOICE: (frozenset({"order"}), frozenset({"customer"}), frozenset({"number"})),
}
"""The criteria that are honoured together."""
_WRITES: Final = {"connect": "Order/CreateInvoice", "insert-invoice": "InsertInvoice"}


@dataclass(frozen=True, slots=True)
class Rows:
    """Of each kind: the fields that a row of Query can answer. `is_off`: there is no Query."""

    of: dict[Kind, frozenset[str]]
    is_off: bool
    create_via: str

    def can_answer(self, demand: Demand) -> bool:
        """Say whether rows may be enough for what is asked."""
        return not self.is_off and demand.fields is not None and demand.fields <= self.of[demand.kind]


def worst_case(demand: Demand, rows: Rows) -> tuple[Calls, ...]:  # noqa: C901, PLR0911, PLR0912  (a table)
    """Say what a demand costs."""
    n = demand.count
    match demand.need, demand.kind, demand.by:
        case (Need.RECORD, _, By.REFERENCE) if demand.fields == frozenset():
            return ()
        case (Need.RECORD, kind, By.ROW) if demand.fields is not None and demand.fields <= _LISTED.get(kind, frozenset()):
            return ()
        case (Need.RECORD, _, By.NUMBER):
            return _by_number(demand, rows)
        case (Need.RECORD, Kind.CUSTOMER, _):
            return _customers(demand, rows)
        case (Need.RECORD, Kind.ORDER, _):
            return _orders(n, rows, can_be_rows=rows.can_answer(demand))
        case (Need.RECORD, Kind.INVOICE, _):
            return _invoices(demand, rows)
        case (Need.LINES, Kind.ORDER, By.ROW) | (Need.PARTY, _, By.ROW):
            return _orders(n, rows, can_be_rows=not rows.is_off)
        case (Need.LINES, Kind.INVOICE, By.ROW):
            return (*_queried_invoices(n, rows), Calls(_INVOICE, n))
        case (Need.CURRENCY, Kind.INVOICE, _):
            return _orders(n, rows, can_be_rows=False)
        case (Need.CURRENCY, Kind.ORDER, _) if demand.fields is None or "lines" in demand.fields:
            return _orders(n, rows, can_be_rows=False)
        case (Need.LIST, _, _):
            return _list(demand, rows)
        case (Need.WRITE, _, _) if demand.operation is Operation.CREATE_INVOICE:
            write = Calls(_WRITES[rows.create_via], 1)
            return *_orders(min(n, 1), rows, can_be_rows=False), Calls(_INVOICE_BY_NO, 2), write
        case _:
            return ()


def _by_number(demand: Demand, rows: Rows) -> tuple[Calls, ...]:
    n = demand.count
    match demand.kind:
        case Kind.CUSTOMER:
            return (Calls("GetCustomerByCode", n),)
        case Kind.ORDER:  # Query says the status
            return Calls(_ORDER, n), *(() if rows.is_off else (Calls(ORDERS.operation, n),))
        case Kind.INVOICE:
            return (Calls(_INVOICE_BY_NO, n),)
        case _:
            return ()


def _chunks(n: int) -> int:
    return -(-n // endpoints.CHUNK_SIZE)


def _orders(n: int, rows: Rows, *, can_be_rows: bool) -> tuple[Calls, ...]:
    """Query says the number of an order, and all that is asked where its rows are enough; the rest is one call each."""
    if n == 0:
        return ()
    if rows.is_off:
        return (Calls(_ORDER, n),)
    query = Calls(ORDERS.operation, _chunks(n))
    return (query,) if can_be_rows else (query, Calls(_ORDER, n), Calls(_ORDER_OF_BASKET, n, instead=True))


def _customers(demand: Demand, rows: Rows) -> tuple[Calls, ...]:
    """Read a person in one call, a guest from the order that names it; several persons may be rows of Query."""
    n = demand.count
    query = (Calls(CUSTOMERS.operation, _chunks(n)),) if demand.among > 1 and rows.can_answer(demand) else ()
    if demand.by is By.ROW:
        return *query, Calls(_CUSTOMER, n)
    return *query, *_orders(n, rows, can_be_rows=False), Calls(_CUSTOMER, n, instead=True)


def _invoices(demand: Demand, rows: Rows) -> tuple[Calls, ...]:
    query = _queried_invoices(demand.count, rows) if demand.among > 1 and rows.can_answer(demand) else ()
    return *query, Calls(_INVOICE, demand.count)


def _queried_invoices(n: int, rows: Rows) -> tuple[Calls, ...]:
    return () if rows.is_off else (_METADATA, Calls(INVOICES.operation, _chunks(n)))


def _list(demand: Demand, rows: Rows) -> tuple[Calls, ...]:  # noqa: PLR0911  (a table)
    is_honoured = any(demand.criteria <= together for together in _APPLIED.get(demand.kind, ()))
    pages = demand.pages if is_honoured else demand.most_pages
    match demand.kind:
        case Kind.CUSTOMER:
            return _list_of_customers(demand.criteria, pages, rows)
        case Kind.ORDER if not rows.is_off:
            return (Calls(ORDERS.operation, pages),)
        case Kind.ORDER if "number" in demand.criteria:
            return (Calls(_ORDER, 1),)
        case Kind.ORDER if demand.criteria & {"customer", "ordered_from", "ordered_to"}:
            return (Calls("ListOrders3", pages),)
        case Kind.INVOICE if "number" in demand.criteria:
            return (Calls(_INVOICE_BY_NO, 1),)
        case Kind.INVOICE:
            by_parent = (Calls("ListInvoices", pages),) if demand.criteria & {"customer", "order"} else ()
            query = () if rows.is_off else (_METADATA, Calls(INVOICES.operation, pages, instead=bool(by_parent)))
            return by_parent + query
        case _:
            return ()


def _list_of_customers(criteria: frozenset[str], pages: int, rows: Rows) -> tuple[Calls, ...]:
    if "search" in criteria:
        return (Calls("SearchCustomer2", pages),)
    if "organization_number" in criteria:
        return (Calls("ListCompaniesByOrgNo", pages),)
    if not rows.is_off:
        return (Calls(CUSTOMERS.operation, pages),)
    return (Calls("GetCustomerByCode", 1),) if "number" in criteria else ()
