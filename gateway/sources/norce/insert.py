"""Checks and body of OrderService `InsertInvoice`, pure: the whole invoice as the caller wrote it, at most as its page documents it.

Pages below https://docs.norce.io/: `api-reference/services/orderservice/nc-latest/operation/InsertInvoice`, and below
`api-reference/services/orderservice/openapi/schemas/` `customerdata` and `invoicelistitem`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from gateway.model import CreateInvoice, UserError, UserErrorCode
from gateway.sources.decode import Malformed, decode, encode_tree, to_instant
from gateway.sources.norce.payloads import InvoicePayload
from gateway.sources.norce.settings import NAME
from gateway.sources.norce.writes import OwnInput, mistake, number_mistakes, refused, required, unaccepted

Shape: TypeAlias = Mapping[str, "int | Shape | None"]
"""The names of an object: how long a text may be, or what is inside; None: any."""

_PATH: Final = (NAME, "insertInvoice")
_NUMBER: Final = "InvoiceNo"
_ANY_ZONE: Final = ZoneInfo("UTC")
_DATES: Final = frozenset({"InvoiceDate", "InvoiceDueDate", "OrderDate", "DeliveryDate"})
_BILL_TO: Final[Shape] = {
    "Company": {"Id": None, "No": 50, "Name": 100, "OrgNo": 50},
    "Customer": {"Id": None, "No": 50, "FirstName": 50, "LastName": 50, "SSN": 50, "Email": 255, "Phone": 50, "CellPhone": 50},
    "Address": {
        "Line1": 255,
        "Line2": 255,
        "CareOf": 100,
        "City": 50,
        "ZipCode": 50,
        "Country": 50,
        "CountryCode": 3,
        "Region": 50,
        "ShippingPhoneNumber": 50,
        "GlobalLocationNo": 50,
    },
    "DropPointCode": 50,
}
_ITEM: Final[Shape] = {
    "RowNumber": None,
    "ItemNo": 50,
    "ItemDescription": 255,
    "Quantity": None,
    "UnitPrice": None,
    "UnitDiscount": None,
    "RowAmount": None,
    "RowAmountVat": None,
    "DeliveryDate": None,
    "VatRate": None,
    "UnitPriceIncVat": None,
}
_INFO: Final[Shape] = {"Code": 50, "Name": 50, "Description": 500, "Value": None}
_INVOICE: Final[Shape] = {
    "Id": None,
    "InvoiceNo": 50,
    "InvoiceDate": None,
    "InvoiceDueDate": None,
    "InvoiceText": 255,
    "OrderId": None,
    "OrderNo": 50,
    "OrderDate": None,
    "Source": 255,
    "DeliveryDate": None,
    "DeliveryMethod": 50,
    "PaymentMethod": 50,
    "BillTo": _BILL_TO,
    "OrderFreight": None,
    "InvoiceCharge": None,
    "InvoiceAmountExVat": None,
    "VatAmount": None,
    "Items": _ITEM,
    "Info": _INFO,
    "InvoiceNoPsp": 50,
    "CreditedInvoiceNo": 50,
    "IsDebit": None,
    "GroupByKey": 50,
    "Comment": 250,
    "InvoiceAmountIncVat": None,
}
"""The page, in its order."""


def insert_mistakes(draft: CreateInvoice, own: OwnInput) -> list[UserError]:
    """Name everything that keeps `InsertInvoice` from taking this input."""
    return [*unaccepted(draft), *_given_beside(draft, own), *_body_mistakes(draft, own.insert_invoice)]


def insert_body(own: OwnInput) -> dict[str, object]:
    """Give the body as the caller wrote it, in the order of the page."""
    body = own.insert_invoice if isinstance(own.insert_invoice, Mapping) else {}
    return {name: body[name] for name in _INVOICE if name in body}


def inserted_number(draft: CreateInvoice) -> str | None:
    """Give the number of the invoice inside an input; None where there is none."""
    body = draft.system.get(NAME, {}).get("insert_invoice")
    number = body.get(_NUMBER) if isinstance(body, Mapping) else None
    return number if isinstance(number, str) else None


def _given_beside(draft: CreateInvoice, own: OwnInput) -> Iterable[UserError]:
    """Refuse what the body says itself. `capturePayment: false` is the input's default, so nobody gave it."""
    beside = {
        ("orders",): draft.orders,
        ("issueDate",): draft.issue_date,
        ("dueDate",): draft.due_date,
        ("total",): draft.total,
        ("vat",): draft.vat,
        ("note",): draft.note,
        ("creditedInvoiceNumber",): draft.credited_invoice_number,
        ("lines",): draft.lines,
        (NAME, "clientOrderRef"): own.client_order_ref,
        (NAME, "erpOrderNumber"): own.erp_order_number,
        (NAME, "capturePayment"): own.capture_payment or None,
        (NAME, "isLastInvoiceForOrder"): own.is_last_invoice_for_order,
        (NAME, "payment"): own.payment,
        (NAME, "paymentMethodCode"): own.payment_method_code,
        (NAME, "groupKey"): own.group_key,
    }
    return [refused(*path) for path, value in beside.items() if value is not None and value != ()]


def _body_mistakes(draft: CreateInvoice, body: object) -> Iterable[UserError]:
    if body is None:
        yield required("the complete invoice is needed", *_PATH)
        return
    if not isinstance(body, Mapping):
        yield mistake(UserErrorCode.INVALID, "the invoice is a JSON object", *_PATH)
        return
    yield from _misfits(body, _INVOICE, _PATH)
    number = body.get(_NUMBER)
    if not isinstance(number, str) or not number.strip():
        yield required("the number is needed: it is what the invoice is looked up by", *_PATH, _NUMBER)
    elif draft.number is not None and draft.number != number:
        yield mistake(UserErrorCode.INVALID, "this is not the number of the invoice given", "number")
    else:
        yield from number_mistakes(number, *_PATH, _NUMBER)
    if not _is_readable(body):
        yield mistake(UserErrorCode.INVALID, "a field has not the type of the vendor's page", *_PATH)


def _misfits(value: object, shape: Shape, path: tuple[str, ...]) -> Iterable[UserError]:
    """Name what is in an object, or in each of a list, and not on the page."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misfits(item, shape, (*path, str(index)))
    elif isinstance(value, Mapping):
        yield from (refused(*path, str(name)) for name in value if name not in shape)
        for name, meant in shape.items():
            yield from _misfit(value.get(name), meant, (*path, name))


def _misfit(item: object, meant: int | Shape | None, path: tuple[str, ...]) -> Iterable[UserError]:
    if isinstance(meant, Mapping):
        yield from _misfits(item, meant, path)
    elif isinstance(meant, int) and isinstance(item, str) and len(item) > meant:
        yield mistake(UserErrorCode.TOO_LONG, f"at most {meant} characters", *path)
    elif path[-1] in _DATES and isinstance(item, str) and not _is_instant(item):
        yield mistake(UserErrorCode.INVALID, "this is no date-time", *path)


def _is_instant(text: str) -> bool:
    try:
        to_instant(text, _ANY_ZONE)
    except Malformed:
        return False
    return True


def _is_readable(body: Mapping[object, object]) -> bool:
    try:
        decode(encode_tree(dict(body)), InvoicePayload)
    except (Malformed, TypeError, ValueError):
        return False
    return True
