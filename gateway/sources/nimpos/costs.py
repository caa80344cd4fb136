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


def worst_case(demand: Demand, *, tills: int, is_kept: bool) -> tuple[Calls, ...]:
    """Say what a demand costs. `is_kept`: windows are taken as they are for a while, not asked each time."""
    n, window = demand.count, Calls(_INVOICES, tills, once=is_kept)
    match demand.need, demand.kind, demand.by:
        case (Need.RECORD, _, By.REFERENCE) if demand.fields == frozenset():
            return ()
        case (Need.RECORD, Kind.ORDER, By.ROW | By.NUMBER):  # rows are whole, and there is no such look-up
            return ()
        case (Need.RECORD | Need.LIST, Kind.CUSTOMER, _):
            return (Calls(_CUSTOMERS, 1, once=is_kept),)
        case (Need.RECORD, Kind.ORDER, _) | (Need.LINES, Kind.ORDER, By.ROW) | (Need.ROUNDING, _, _):
            return (Calls(_ORDER, n),)
        case (Need.LIST, Kind.ORDER, _):
            return (Calls(_ORDERS, demand.most_pages if demand.criteria else demand.pages),)
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
