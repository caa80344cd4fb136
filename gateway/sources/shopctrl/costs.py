"""What reading ShopCtrl costs at worst: one call each, and what a list needs to be filled."""

from __future__ import annotations

from typing import Final

from gateway.model import Kind, Operation
from gateway.sources.base import By, Calls, Demand, Need
from gateway.sources.shopctrl import endpoints
from gateway.sources.shopctrl.order_list import BY_LIST_ALONE
from gateway.sources.shopctrl.paging import LARGEST_PAGE

_CUSTOMER: Final = endpoints.customer("1").operation
_CUSTOMERS: Final = endpoints.customers_by_code(1, "1").operation
_ORDER: Final = endpoints.order("1").operation
_ORDER_BY_CODE: Final = endpoints.order_by_code(1, "1").operation
_ORDER_ROWS: Final = endpoints.order_rows("1").operation
_ORDER_INVOICES: Final = endpoints.order_invoices("1").operation
_ORDER_PAYMENTS: Final = endpoints.order_payments("1").operation
_INVOICE: Final = endpoints.invoice("1").operation
_INVOICE_ROWS: Final = endpoints.invoice_rows("1").operation
_INVOICE_STATUS: Final = endpoints.invoice_status("1").operation
_ORDER_STATUS: Final = endpoints.order_status("1").operation
_WRITE: Final = endpoints.invoice_what_is_left("1").operation

_ORDER_ROW: Final = frozenset({"delivery_method", "payment_method", "warnings", "lines"})
"""What the row of an order always says, or another call gives."""
_NOT_IN_INVOICE_ROW: Final = frozenset({"charges", "payment_status", "source_statuses", "details"})
_APPLIED: Final = frozenset({"customer", "email", "updated_since"})
_INVOICE_STATUSES: Final = 4
_ORDER_STATUSES: Final = 6


def worst_case(demand: Demand, *, shops: int) -> tuple[Calls, ...]:  # noqa: C901, PLR0911  (a table)
    """Say what a demand costs."""
    n = demand.count
    match demand.need, demand.kind, demand.by:
        case (Need.RECORD, _, _):
            return _record(demand, shops)
        case (Need.LIST, _, _):
            return _list(demand, shops)
        case (Need.LINES, Kind.ORDER, _):
            return (Calls(_ORDER_ROWS, n),)
        case (Need.LINES, Kind.INVOICE, _):
            return (Calls(_INVOICE_ROWS, n),)
        case (Need.CURRENCY, kind, By.ROW | By.NUMBER) if demand.fields is None or "lines" in demand.fields:
            return _read_again(kind, n)  # lines leave it to what they are of, which was not read by key
        case (Need.PARTY, _, _):
            return _referred_order(n)
        case (Need.LABELS, Kind.ORDER, _):
            return (Calls(_ORDER_STATUS, n * _ORDER_STATUSES),)
        case (Need.LABELS, Kind.INVOICE, _):
            return (Calls(_INVOICE_STATUS, n * _INVOICE_STATUSES),)
        case (Need.PAYMENTS, _, _):  # the invoice again where it does not say its order or its total
            return Calls(_ORDER_PAYMENTS, n), Calls(_INVOICE, n)
        # An order without a hint is not read by code; its rows are, where it is not shown by id: as many calls.
        case (Need.WRITE, _, _) if demand.operation is Operation.CREATE_INVOICE_FROM_ORDER:
            return *_referred_order(1), Calls(_ORDER_INVOICES, 2), Calls(_WRITE, 1)
        case _:
            return ()


def _record(demand: Demand, shops: int) -> tuple[Calls, ...]:  # noqa: PLR0911  (a table)
    n, fields = demand.count, demand.fields
    match demand.kind, demand.by:
        case (_, By.REFERENCE) if fields == frozenset():
            return ()
        case (Kind.CUSTOMER, By.NUMBER):
            return (Calls(_CUSTOMERS, n),)
        case (Kind.CUSTOMER, By.KEY | By.REFERENCE):
            return (Calls(_CUSTOMER, n),)
        case (Kind.ORDER, By.NUMBER):
            return (Calls(_ORDER_BY_CODE, n * shops),)
        case (Kind.ORDER, By.KEY):
            return (Calls(_ORDER, n),)
        case (Kind.ORDER, By.REFERENCE):
            return _referred_order(n)
        case (Kind.ORDER, By.ROW) if fields is None or fields - _ORDER_ROW:
            return _referred_order(n)
        case (Kind.INVOICE, By.KEY | By.REFERENCE):
            return (Calls(_INVOICE, n),)
        case (Kind.INVOICE, By.ROW) if fields is None or fields & _NOT_IN_INVOICE_ROW:
            return (Calls(_INVOICE, n),)
        case _:
            return ()


def _referred_order(n: int) -> tuple[Calls, ...]:
    """Read by the code that came along, and by id where none did or the shop has another order under it."""
    return Calls(_ORDER_BY_CODE, n), Calls(_ORDER, n)


def _read_again(kind: Kind, n: int) -> tuple[Calls, ...]:
    return _referred_order(n) if kind is Kind.ORDER else (Calls(_INVOICE, n),)


def _list(demand: Demand, shops: int) -> tuple[Calls, ...]:
    criteria = demand.criteria
    pages, rows = (demand.most_pages, demand.most_count) if criteria - _APPLIED else (demand.pages, demand.count)
    customer = (Calls(_CUSTOMER, pages),) if "customer" in criteria else ()
    match demand.kind:
        case Kind.CUSTOMER if "number" in criteria:
            return (Calls(_CUSTOMERS, 1),)
        case Kind.ORDER if "number" in criteria and not criteria & BY_LIST_ALONE:
            return (Calls(_ORDER_BY_CODE, shops),)
        case Kind.ORDER:
            return *customer, Calls(endpoints.ORDERS, pages * (shops + _upstream_pages(rows)))
        case Kind.INVOICE if "order" in criteria:
            pages = demand.most_pages if criteria - {"order", "customer"} else demand.pages
            order = _times(_referred_order(1), pages) if "customer" in criteria else ()
            return *order, Calls(_ORDER_INVOICES, pages)
        case Kind.INVOICE:  # deleted invoices are left out afterwards, and an order may have no invoices at all
            orders = Calls(endpoints.ORDERS, pages * (shops + _upstream_pages(rows)), open_ended=True)
            return *customer, orders, Calls(_ORDER_INVOICES, pages * rows, open_ended=True)
        case _:
            return ()


def _upstream_pages(rows: int) -> int:
    """Beside one a shop: rows that no page holds alone lie in two."""
    return -(-rows // LARGEST_PAGE)


def _times(calls: tuple[Calls, ...], pages: int) -> tuple[Calls, ...]:
    return tuple(Calls(call.operation, call.count * pages) for call in calls)
