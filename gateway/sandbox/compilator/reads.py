"""The GET operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.compilator.binding import any_date
from gateway.sandbox.compilator.data import plate_key
from gateway.sandbox.compilator.dialect import Answer, Refused, empty, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from gateway.sandbox.compilator.binding import Call
    from gateway.sandbox.compilator.samples import Record
    from gateway.sandbox.compilator.state import State

DEFAULT_PAGE_SIZE = 25
_OPEN = 1


def no_resource(call: Call) -> Refused:
    """Refuse as ASP.NET does when no route fits."""
    return Refused(error(404, f"No HTTP resource was found that matches the request URI '{call.url}'."))


def get_customers_changed_since(state: State, call: Call) -> Answer:
    """Page through the customers that were made or changed on or after a day.

    What is not a date is no route: there is no customer by number.
    """
    since = any_date(call.text("date"))
    if since is None:
        raise no_resource(call)
    page_number = call.number("pageNumber", 1)
    page_size = call.number("pageSize", DEFAULT_PAGE_SIZE)
    if page_number < 1 or page_size < 1:
        raise Refused(error(400, "The request is invalid.", "pageNumber and pageSize start at 1."))
    changed = sorted((customer for customer in state.data.customers.values() if _changed(customer) >= since), key=_change_order)
    total_pages = -(-len(changed) // page_size)

    def link(page: int) -> str | None:
        if not 1 <= page <= total_pages:
            return None
        return str(call.url.replace(query=f"pageNumber={page}&pageSize={page_size}"))

    page = {
        "CustomerReponse": changed[(page_number - 1) * page_size : page_number * page_size],
        "TotalPages": total_pages,
        "NextPage": link(page_number + 1),
        "PreviousPage": link(page_number - 1),
        "LastPage": link(total_pages),
        "FirstPage": link(1),
    }
    return Answer(page, "PagedCustomerResponse")


def _changed(customer: Record) -> datetime:
    changed: datetime = customer["Changed"] or customer["Created"]
    return changed


def _change_order(customer: Record) -> tuple[datetime, int]:
    return _changed(customer), customer["CustomerNo"]


def get_customers_by_license_plate(state: State, call: Call) -> Answer:
    """Give the customers that a vehicle is known at: a bare array, empty when there is none."""
    numbers = state.data.owners.get(plate_key(call.text("licensePlate")), ())
    return Answer([state.data.customers[number] for number in numbers], "CustomerResponse")


def get_customer_invoice(state: State, call: Call) -> Answer:
    """Give a customer's invoicing settings; whether `ReverseTax` is among them differs by installation."""
    settings = state.data.settings.get(call.number("customerNumber"))
    if settings is None:
        return state.absent("settings_absent", "CustomerInvoiceResponse")
    hidden = () if state.switches["settings_return_reverse_tax"] else ("ReverseTax",)
    return Answer({name: value for name, value in settings.items() if name not in hidden}, "CustomerInvoiceResponse")


def get_accounts_receivable(state: State, call: Call) -> Answer:
    """Give a customer's ledger settings."""
    ledger = state.data.ledgers.get(call.number("customerNumber"))
    if ledger is None:
        return state.absent("ledger_absent", "AccountsReceivableResponse")
    return Answer(ledger, "AccountsReceivableResponse")


def get_delivery_address(state: State, call: Call) -> Answer:
    """Give one delivery address by `id`, or all of a customer's by `customerNumber`."""
    if not call.has("id"):
        customer = state.data.customers.get(call.number("customerNumber"))
        return Answer(customer["DeliveryAddresses"] if customer else [], "DeliveryAddressResponse")
    wanted = call.guid("id")
    for customer in state.data.customers.values():
        for address in customer["DeliveryAddresses"]:
            if address["Id"] == wanted:
                return Answer(address, "DeliveryAddressResponse")
    return state.absent("delivery_address_absent", "DeliveryAddressResponse")


def get_order(state: State, call: Call) -> Answer:
    """Give one order by both parts of its key."""
    order = state.data.orders.get((call.number("id"), call.number("branchId")))
    return state.absent("order_absent", "OrderHeadResponse") if order is None else Answer(order, "OrderHeadResponse")


def get_open_orders_of_customer(state: State, call: Call) -> Answer:
    """Give a customer's open orders."""
    number = call.number("customerNumber")
    return _orders(state, lambda order: order["CustomerNumber"] == number and order["OrderStatusId"] == _OPEN)


def get_orders_of_customer(state: State, call: Call) -> Answer:
    """Give a customer's orders of some days, both included; without a last day, up to the newest."""
    number = call.number("customerNumber")
    is_between = _days(call)
    return _orders(state, lambda order: order["CustomerNumber"] == number and is_between(order))


def get_orders_of_branch(state: State, call: Call) -> Answer:
    """Give a branch's orders of some days, both included."""
    branch_id = call.number("branchId")
    is_between = _days(call)
    return _orders(state, lambda order: order["SellerBranchId"] == branch_id and is_between(order))


def _days(call: Call) -> Callable[[Record], bool]:
    first = call.date("fromDate").date()
    last = call.date("toDate").date() if call.has("toDate") else None
    return lambda order: first <= order["OrderDate"].date() and (last is None or order["OrderDate"].date() <= last)


def _orders(state: State, is_wanted: Callable[[Record], bool]) -> Answer:
    """List orders, all at once; their lines are left to the read of one order."""
    found: Iterable[Record] = (order for order in state.data.orders.values() if is_wanted(order))
    if not state.switches["list_lines"]:
        found = ({**order, "OrderLines": None} for order in found)
    return Answer(sorted(found, key=lambda order: (order["OrderDate"], order["Id"], order["SellerBranchId"])), "OrderHeadResponse")


def get_invoice(state: State, call: Call) -> Answer:
    """Give one invoice; 204 when there is none, or when it is internal and those were not asked for."""
    number = call.number("invoiceNo")
    include_internal = call.flag("includeInternal")
    invoice = state.data.invoices.get(number)
    if invoice is None or (number in state.data.internal_invoices and not include_internal):
        return empty(204)
    return Answer(invoice, "InvoiceHeadResponse")


def get_currency(state: State, call: Call) -> Answer:
    """Give one currency; 404 when there is none."""
    currency = state.data.currencies.get(call.number("id"))
    return empty(404) if currency is None else Answer(currency, "CurrencyResponse")


def get_contact(state: State, call: Call) -> Answer:
    """Give one contact; 404 when there is none."""
    contact = state.data.contacts.get(call.guid("contactID"))
    return empty(404) if contact is None else Answer(contact, "ContactResponse")
