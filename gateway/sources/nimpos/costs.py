"""What reading NIMPOS costs at worst: windows once a request, orders one call each."""

from __future__ import annotations

from typing import Final

from gateway.model import Kind, Operation
from gateway.sources.base import ASSUMED_ORDERS, By, Calls, Demand, Need

_CUSTOMERS: Final = "GetCustomers"
_DEBTS: Final = "GetCustomerDebts"
_INVOICES: Final = "GetCustomerInvoice"
_ORDER: Final = "GetOrderById"
_ORDERS: Final = "GetOrders"
_WRITE: Final = "PostCustomerInvoice"


def worst_case(demand: Demand, *, tills: int, is_kept: bool) -> tuple[Calls, ...]:  # noqa: C901, PLR0911  (a table)
    """Say what a demand costs. `is_kept`: windows are taken as they are for a while, not asked each time."""
    n, pages = demand.count, demand.most_pages if demand.criteria else demand.pages
    turns = 1 if is_kept else pages
    window = Calls(_INVOICES, tills * turns, once=is_kept)
    match demand.need, demand.kind, demand.by:
        case (Need.RECORD, _, By.REFERENCE) if demand.fields == frozenset():
            return ()
        case (Need.RECORD, Kind.ORDER, By.ROW | By.NUMBER):  # rows are whole, and there is no such look-up
            return ()
        case (Need.RECORD | Need.LIST, Kind.CUSTOMER, _):
            return (Calls(_CUSTOMERS, turns, once=is_kept),)
        case (Need.RECORD, Kind.ORDER, _) | (Need.LINES, Kind.ORDER, By.ROW):
            return (Calls(_ORDER, n),)
        case (Need.ROUNDING, Kind.INVOICE, _):
            return (Calls(_ORDER, n * ASSUMED_ORDERS, open_ended=True),)
        case (Need.LIST, Kind.ORDER, _):
            return (Calls(_ORDERS, pages),)
        case (Need.LIST, Kind.INVOICE, _) if "order" in demand.criteria:
            return Calls(_ORDER, demand.most_pages if len(demand.criteria) > 1 else demand.pages), window
        case (Need.RECORD | Need.LIST, Kind.INVOICE, _):
            return (window,)
        case (Need.PAYMENTS, _, _):
            return window, *_payments(demand, is_kept=is_kept)
        case (Need.WRITE, _, _) if demand.operation is Operation.CREATE_INVOICE:
            return Calls(_ORDER, 2 * n), Calls(_WRITE, 1)
        case _:
            return ()


def _payments(demand: Demand, *, is_kept: bool) -> tuple[Calls, ...]:
    fields = frozenset({"amount_due", "payments"}) if demand.fields is None else demand.fields
    debts = (Calls(_DEBTS, 1, once=is_kept),) if "amount_due" in fields else ()
    orders = (Calls(_ORDER, demand.count * ASSUMED_ORDERS, open_ended=True),) if "payments" in fields else ()
    return debts + orders
