"""The operations that write. Creating an invoice takes no body: the system invoices what is not invoiced yet."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from typing import TypeVar

import msgspec
from starlette.responses import Response

from gateway.sandbox.shopctrl.bodies import (
    ContactInfo,
    CustomerChanges,
    CustomStatusChanges,
    DocumentUpload,
    InvalidBody,
    OrderChanges,
    PaymentChanges,
    read_body,
    to_record,
)
from gateway.sandbox.shopctrl.calls import Call, Refusal, invalid, not_found, owner_of
from gateway.sandbox.shopctrl.data import order_status_object
from gateway.sandbox.shopctrl.dialect import Answer, customer, invoice_base, order_detail, payment
from gateway.sandbox.shopctrl.documents import make_file
from gateway.sandbox.shopctrl.reference import CUSTOM_TYPE, ORDER_NEW, ORDER_STATUSES, ORDER_UNPAID, Record
from gateway.sandbox.shopctrl.store import total

_Body = TypeVar("_Body", bound=msgspec.Struct)


def create_order_invoice(call: Call) -> Answer | Response:
    """Invoice the rows of an order that are not invoiced yet; null when there are none."""
    invoice = call.store.invoice_remainder(call.order(), call.now())
    if invoice is not None:
        return Answer("InvoiceBase", invoice_base(invoice, call.switches["profile"]))
    nothing_left = call.switches["nothing_left"]
    if nothing_left == "204":
        return Response(status_code=204)
    return Response() if nothing_left == "empty" else Answer("InvoiceBase", None)


def create_invoice_document(call: Call) -> Answer:
    """Take the PDF of an invoice that an outside service runs; the invoice becomes read-only."""
    invoice = call.invoice()
    upload = _read(call, DocumentUpload)
    if not upload.filename.lower().endswith(".pdf"):
        raise invalid(Filename="The Filename must end with '.pdf'.")
    try:
        content = base64.b64decode(upload.file_data_base64, validate=True)
    except binascii.Error as error:
        raise invalid(FileDataBase64="The input is not a valid Base-64 string.") from error
    now = call.now()
    file = make_file(call.store.take_id("file"), upload.filename, content, now)
    call.store.add_file(invoice, file)
    invoice.update(IsReadOnly=True, InvoiceSourceType=1, ChangedTimestamp=now)
    return Answer("int", file["Id"])


def put_custom_status(call: Call) -> Response:
    """Give an order a custom status; the answer is empty."""
    order = call.order()
    changes = _read(call, CustomStatusChanges)
    _normalized(changes)
    status = ORDER_STATUSES.get(changes.order_status_id)
    if status is None or status["ShopId"] not in {None, order["ShopId"]}:
        raise not_found("Status", changes.order_status_id)
    if status["OrderStatusTypeId"] != CUSTOM_TYPE:
        raise invalid(OrderStatusId="The status is not a custom status.")
    order["CustomStatus"] = order_status_object(status["Id"])
    order["ChangeTimestamp"] = call.now()
    return Response()


def post_customer(call: Call) -> Answer | Response:
    """Add a customer; codes need not be unique."""
    changes = _read(call, CustomerChanges)
    if changes.shop_owner_id not in call.user.owner_ids:
        raise invalid(ShopOwnerId=f"Shop owner '{changes.shop_owner_id}' not found.")
    added = _add_customer(call, _normalized(changes))
    return _created(call, Answer("Customer", customer(added, call.switches)), added["Id"])


def post_payment(call: Call) -> Answer | Response:
    """Add a payment of an order, its invoice given flat or in allocations."""
    order = call.order()
    record = _normalized(_read(call, PaymentChanges))
    order_id, sole_invoice_id = record.pop("OrderId"), record.pop("InvoiceId")
    allocations = record["PaymentAllocations"] or _sole_allocation(order["Id"], sole_invoice_id, record["Amount"])
    known = {invoice["Id"] for invoice in call.store.invoices_of[order["Id"]]} | {None}
    if order_id not in {None, order["Id"]} or any(a["OrderId"] != order["Id"] for a in allocations):
        raise invalid(OrderId="The payment is for another order.")
    if any(a["InvoiceId"] not in known for a in allocations):
        raise invalid(InvoiceId="The invoice is not of this order.")
    record.update(Id=call.store.take_id("payment"), ShopId=order["ShopId"], PaymentAllocations=allocations)
    call.store.add_payment(order["Id"], record)
    order["ChangeTimestamp"] = call.now()
    for invoice_id in {a["InvoiceId"] for a in allocations} - {None}:
        call.store.invoices[invoice_id]["ChangedTimestamp"] = call.now()
    return _created(call, Answer("Payment", payment(record, call.switches)), record["Id"])


def _sole_allocation(order_id: int, invoice_id: int | None, amount: Decimal) -> list[Record]:
    return [{"OrderId": order_id, "InvoiceId": invoice_id, "AllocatedAmount": amount}]


def post_order(call: Call) -> Answer:
    """Add an order to a shop; answers the stored order."""
    shop_id = call.shop_id()
    changes = _read(call, OrderChanges)
    if changes.shop_id not in {None, shop_id}:
        raise invalid(ShopId="The order is for another shop.")
    if any(order["ShopId"] == shop_id and order["OrderCode"] == changes.order_code for order in call.store.orders.values()):
        raise invalid(OrderCode=f"Order '{changes.order_code}' exists already.")
    order, rows = _to_order(call, changes, shop_id)
    call.store.add_order(order, rows)
    return Answer("Order", order_detail(order, rows, call.switches))


def _to_order(call: Call, changes: OrderChanges, shop_id: int) -> tuple[Record, list[Record]]:
    status_id = ORDER_NEW[shop_id] if changes.main_status_id is None else changes.main_status_id
    if status_id not in ORDER_STATUSES:
        raise invalid(MainStatusId=f"Status '{status_id}' not found.")
    sent = _normalized(changes)
    rows = [
        {**row, "Id": call.store.take_id("order_row"), "Sequence": sequence, "Params": [], "StockStatus": None}
        for sequence, row in enumerate(sent.pop("OrderRows"), start=1)
    ]
    recalculates, creates_customer = sent.pop("RecalculateTotalsOnSave"), sent.pop("AutoCreateCustomer")
    order = {
        "OrderType": 0,
        "PreferredDeliveryDate": None,
        "MainStatus": order_status_object(status_id),
        "PaymentStatus": order_status_object(ORDER_UNPAID),
        **dict.fromkeys(("StockStatus", "FulfilmentStatus", "ShipmentStatus", "CustomStatus")),
        **sent,
        "ShopId": shop_id,
        "Params": [],
        "OrderRows": [],
        "Shipments": [],
        "Id": call.store.take_id("order"),
        "Deleted": False,
        "ChangeTimestamp": call.now(),
        "MainStatusId": status_id,
    }
    if recalculates:
        _recalculate(order, rows)
    if creates_customer and order["CustomerId"] is None and changes.bill_to_contact is not None:
        found = _find_or_add_customer(call, changes.bill_to_contact, owner_of(shop_id))
        order["CustomerId"], order["CustomerCode"] = found["Id"], found["CustomerCode"]
    return order, rows


def _recalculate(order: Record, rows: list[Record]) -> None:
    for vat in ("IncVat", "ExVat"):
        fees = order[f"ShippingCosts{vat}"] + order[f"PaymentFee{vat}"] - order[f"Discount{vat}"]
        order[f"OrderTotal{vat}"] = total(rows, f"RowTotal{vat}") + fees


def _find_or_add_customer(call: Call, contact: ContactInfo, owner_id: int) -> Record:
    for known in call.store.customers.values():
        if contact.e_mail and known["EMail"] == contact.e_mail and known["ShopOwnerId"] == owner_id:
            return known
    changes = CustomerChanges(
        shop_owner_id=owner_id,
        bill_to_address=contact,
        full_name=contact.full_name,
        company_name=contact.company_name,
        e_mail=contact.e_mail,
        first_name=contact.first_name,
        last_name_prefix=contact.last_name_prefix,
        last_name=contact.last_name,
    )
    return _add_customer(call, _normalized(changes))


def _add_customer(call: Call, record: Record) -> Record:
    for name in ("BillToAddress", "ShipToAddress"):
        if record[name] is not None:
            record[name]["Id"] = call.store.take_id("contact")
    record.update(Id=call.store.take_id("customer"), ChangedTimestamp=call.now())
    call.store.customers[record["Id"]] = record
    return record


def _created(call: Call, answer: Answer, number: int) -> Answer | Response:
    """Answer a create whose answer is not published, as the switch says."""
    if call.switches["post_answer"] == "empty":
        return Response()
    return Answer("int", number) if call.switches["post_answer"] == "id" else answer


def _read(call: Call, model: type[_Body]) -> _Body:
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {"application/json", "text/json"}:
        raise Refusal(415, f"The request entity's media type '{media_type}' is not supported for this resource.")
    try:
        return read_body(call.body, model)
    except InvalidBody as error:
        raise invalid(**{error.member: error.problem}) from error


def _normalized(changes: msgspec.Struct) -> Record:
    try:
        return to_record(changes)
    except InvalidBody as error:
        raise invalid(**{error.member: error.problem}) from error
