"""What reading DDAPI costs at worst: customers by one sweep a request, whose pages nobody can count beforehand; all else one call each."""

from __future__ import annotations

from typing import Final

from gateway.model import Kind, Operation
from gateway.sources.base import By, Calls, Demand, Need
from gateway.sources.compilator import endpoints
from gateway.sources.compilator.settings import CompilatorOptions

_ORDER: Final = endpoints.order("1", "1").operation
_INVOICE: Final = endpoints.invoice("1", include_internal=False).operation
_SETTINGS: Final = endpoints.customer_invoice("1").operation
_CURRENCY: Final = endpoints.currency("1").operation
_WRITE: Final = endpoints.set_customer_invoice({}).operation


def worst_case(demand: Demand, options: CompilatorOptions) -> tuple[Calls, ...]:  # noqa: C901, PLR0911  (a table)
    """Say what a demand costs. The sweep counts as one page, open-ended."""
    n, pages, is_kept = demand.count, demand.most_pages if demand.criteria else demand.pages, options.sweep_ttl_seconds > 0
    sweep = Calls(endpoints.CUSTOMERS, 1 if is_kept else pages, once=is_kept, open_ended=True)
    match demand.need, demand.kind, demand.by:
        case (Need.RECORD, Kind.ORDER | Kind.INVOICE | Kind.INVOICE_SETTINGS, By.ROW) | (Need.RECORD, Kind.ORDER, By.NUMBER):
            return ()  # rows are whole, and there is no such look-up
        case (Need.RECORD, _, By.REFERENCE) if demand.fields == frozenset() and demand.kind is not Kind.CUSTOMER:
            return ()
        case (Need.RECORD | Need.LIST, Kind.CUSTOMER, _):  # an invoice names its customer by another key, which is looked up
            return (sweep,)
        case (Need.RECORD, Kind.ORDER, _) | (Need.LINES, Kind.ORDER, By.ROW):
            return (Calls(_ORDER, n),)
        case (Need.RECORD, Kind.INVOICE, _):
            return (Calls(_INVOICE, n),)
        case (Need.RECORD, Kind.INVOICE_SETTINGS, _):
            return (Calls(_SETTINGS, n),)
        case (Need.CURRENCY, Kind.ORDER | Kind.INVOICE_SETTINGS, _):
            return (Calls(_CURRENCY, n),)
        case (Need.LIST, Kind.ORDER, _) if "customer" in demand.criteria:
            return Calls(endpoints.CUSTOMER_ORDERS, demand.most_pages if len(demand.criteria) > 1 else demand.pages), sweep
        case (Need.LIST, Kind.ORDER, _):
            # A page may end within any branch, and the next one begins there.
            return (Calls(endpoints.BRANCH_ORDERS, len({*options.branch_ids}) * pages),)
        case (Need.LIST, Kind.INVOICE, _) if "number" in demand.criteria and not demand.criteria & {"order", "customer"}:
            return (Calls(_INVOICE, 1),)
        case (Need.WRITE, _, _) if demand.operation is Operation.SET_INVOICE_SETTINGS:
            return Calls(_SETTINGS, 2), Calls(_WRITE, 1)
        case _:
            return ()
