"""The operations that read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.sandbox.shopctrl.calls import NOT_FOUND, Call, Refusal, not_found
from gateway.sandbox.shopctrl.dialect import (
    CUSTOMER_BASIC,
    Answer,
    customer,
    invoice_base,
    invoice_detail,
    order_basic,
    order_detail,
    payment,
)
from gateway.sandbox.shopctrl.instants import to_moment
from gateway.sandbox.shopctrl.reference import (
    BASE_ORDER_STATUSES,
    COUNTRIES,
    CULTURES,
    CURRENCIES,
    INVOICE_STATUSES,
    ORDER_STATUSES,
    PAYMENT_TERMS,
    PAYMENT_TYPES,
    SHOP_STATUS,
    SHOPS,
    Record,
)


def get_customer(call: Call) -> Answer:
    """Answer one customer."""
    return Answer("Customer", customer(call.customer(), call.switches))


def get_customers(call: Call) -> Answer:
    """Answer all customers, with few fields."""
    visible = [c for c in call.store.customers.values() if c["ShopOwnerId"] in call.user.owner_ids]
    return Answer("CustomerBasicInfo", [{name: c[name] for name in CUSTOMER_BASIC} for c in visible])


def get_customers_by_code(call: Call) -> Answer:
    """Answer the customers of a shop owner with this code; a code is not unique."""
    owner_id, code = call.integer("shopOwnerId"), call.text("customerCode")
    owners = {owner_id} & call.user.owner_ids
    found = [c for c in call.store.customers.values() if c["CustomerCode"] == code and c["ShopOwnerId"] in owners]
    return Answer("Customer", [customer(c, call.switches) for c in found])


def list_orders(call: Call) -> Answer:
    """Answer one page of a shop's orders: a bare array, empty past the end."""
    shop_id = call.shop_id()
    page = call.page()
    since, until = call.query_moment("fromDateChanged"), call.query_moment("untilDateChanged")
    wanted = {"MainStatusId": call.query_integer("mainStatusId"), "BaseStatusId": call.query_integer("mainStatusBaseStatusId")}
    email = call.request.query_params.get("emailAddress", "").lower()
    orders = [
        order
        for order in call.store.orders.values()
        if order["ShopId"] == shop_id and _changed_within(order, since, until) and _has_status(order, wanted) and _has_email(order, email)
    ]
    orders.sort(key=lambda order: order["Id"], reverse=call.switches["order_sort"] == "newest")
    return Answer("OrderBasicInfo", [order_basic(order) for order in orders[page]])


def _changed_within(order: Record, since: datetime | None, until: datetime | None) -> bool:
    changed = to_moment(order["ChangeTimestamp"])
    return (since is None or since <= changed) and (until is None or changed <= until)


def _has_status(order: Record, wanted: dict[str, int | None]) -> bool:
    status_id = order["MainStatusId"]
    has = {"MainStatusId": status_id, "BaseStatusId": ORDER_STATUSES[status_id]["BaseOrderStatusId"]}
    return all(value is None or has[name] == value for name, value in wanted.items())


def _has_email(order: Record, email: str) -> bool:
    contact = order["BillToContact"] or {}
    return not email or (contact.get("EMail") or "").lower() == email


def get_order_by_code(call: Call) -> Answer:
    """Answer the order of a shop with this code."""
    shop_id, code = call.shop_id(), call.text("orderCode")
    for order in call.store.orders.values():
        if order["ShopId"] == shop_id and order["OrderCode"] == code:
            return _order_answer(call, order)
    raise not_found("Order", code)


def get_order(call: Call) -> Answer:
    """Answer one order by id."""
    return _order_answer(call, call.order("id"))


def _order_answer(call: Call, order: Record) -> Answer:
    return Answer("Order", order_detail(order, call.store.order_rows[order["Id"]], call.switches))


def get_order_rows(call: Call) -> Answer:
    """Answer the rows of an order."""
    return _children(call, "OrderRow", lambda: call.store.order_rows[call.order()["Id"]])


def get_order_payments(call: Call) -> Answer:
    """Answer the payments of an order, in the shape that the installation has."""
    return _children(call, "Payment", lambda: [payment(p, call.switches) for p in call.store.payments[call.order()["Id"]]])


def get_order_invoices(call: Call) -> Answer:
    """Answer the invoices of an order."""
    shows_deleted = call.switches["list_deleted_invoices"]
    profile = call.switches["profile"]

    def listed() -> list[Record]:
        invoices = call.store.invoices_of[call.order()["Id"]]
        return [invoice_base(invoice, profile) for invoice in invoices if shows_deleted or not invoice["Deleted"]]

    return _children(call, "InvoiceBase", listed)


def get_invoice_rows(call: Call) -> Answer:
    """Answer the rows of an invoice."""
    return _children(call, "InvoiceRow", lambda: call.store.invoice_rows[call.invoice()["Id"]])


def _children(call: Call, model: str, list_records: Callable[[], list[Record]]) -> Answer:
    try:
        return Answer(model, list_records())
    except Refusal as refusal:
        if refusal.status == NOT_FOUND and call.switches["unknown_parent"] == "empty":
            return Answer(model, [])
        raise


def get_order_row_parameter(call: Call) -> Answer:
    """Answer one parameter of an order row."""
    row_id, key = call.integer("id"), call.text("key")
    for order_id, rows in call.store.order_rows.items():
        if call.store.orders[order_id]["ShopId"] in call.user.shop_ids:
            for parameter in (p for row in rows if row["Id"] == row_id for p in row["Params"]):
                if parameter["Key"] == key:
                    return Answer("Param", parameter)
    raise not_found("Parameter", key)


def get_invoice(call: Call) -> Answer:
    """Answer one invoice; a deleted one only with `includeDeleted=true`."""
    includes_deleted = call.query_flag("includeDeleted")
    invoice = call.invoice()
    if not invoice["Deleted"] or includes_deleted:
        return Answer("Invoice", invoice_detail(invoice, call.switches["profile"]))
    if call.switches["deleted_invoice"] == "null":
        return Answer("Invoice", None)
    raise not_found("Invoice", invoice["Id"])


def get_file(call: Call) -> Answer:
    """Answer a file with its content."""
    file = call.file()
    if call.switches["wrong_checksum"]:
        file = {**file, "Checksum": "0" * len(file["Checksum"])}
    return Answer("File", file)


def get_invoice_status(call: Call) -> Answer:
    """Answer the definition of an invoice status."""
    return Answer("InvoiceStatusDefinition", call.status(INVOICE_STATUSES))


def get_order_status(call: Call) -> Answer:
    """Answer the definition of an order status."""
    return Answer("OrderStatusDefinition", call.status(ORDER_STATUSES))


def get_base_order_statuses(_call: Call) -> Answer:
    """Answer the statuses that definitions build on."""
    return Answer("BaseOrderStatus", list(BASE_ORDER_STATUSES))


def get_shop_status(call: Call) -> Answer:
    """Answer how the user's shops do."""
    return Answer("ShopStatus", [shop for shop in SHOP_STATUS if shop["Id"] in call.user.shop_ids])


def get_shops(call: Call) -> Answer:
    """Answer the user's shops."""
    return Answer("Shop", [shop for shop in SHOPS if shop["Id"] in call.user.shop_ids])


def get_payment_terms(call: Call) -> Answer:
    """Answer the payment terms of a shop."""
    return Answer("PaymentTerm", list(PAYMENT_TERMS[call.shop_id()]))


def get_payment_types(call: Call) -> Answer:
    """Answer the payment types of a shop."""
    return Answer("PaymentType", list(PAYMENT_TYPES[call.shop_id()]))


def get_currencies(_call: Call) -> Answer:
    """Answer the currencies."""
    return Answer("Currency", list(CURRENCIES))


def get_cultures(_call: Call) -> Answer:
    """Answer the cultures."""
    return Answer("Culture", list(CULTURES))


def get_countries(_call: Call) -> Answer:
    """Answer the countries."""
    return Answer("Country", list(COUNTRIES))
