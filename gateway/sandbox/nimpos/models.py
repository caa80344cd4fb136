"""The server's models, field by field as the help pages list them, and how a body is read into a row of one.

A field that a body leaves out gets the .NET default, as on a server that makes an object of the body and stores all of it.
Pages: `ResourceModel?modelName=Customer`, `...=Order`, `...=CustomerInvoice`, `Api/POST-api-Customer-PostCustomerDebt`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from gateway.sandbox.nimpos.json_net import UNSET, Moment, Row, to_moment

ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DECIMAL_END: Final = 2**96
_PAID_STATUS: Final = {0: "Ej betald", 1: "Betald", 2: "Delbetald", 3: "på Credit"}


class Refused(Exception):
    """What the caller sent cannot be read; the text is for the answer's `Message`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one field is read from JSON. `read` raises `TypeError` or `ValueError` for what does not fit."""

    read: Callable[[Any], Any]
    default: Any = None
    nullable: bool = False


Model = Mapping[str, Kind]


def read_model(model: Model, body: object) -> Row:
    """Read one object; unknown members are passed over. Raises `Refused` naming the first field at fault."""
    if not isinstance(body, dict):
        raise Refused("an object is expected")
    return {name: _read_field(name, kind, body[name]) if name in body else kind.default for name, kind in model.items()}


def defaults(model: Model) -> Row:
    """Give the row that an empty object would become."""
    return {name: kind.default for name, kind in model.items()}


def to_guid(value: object) -> str:
    """Read a GUID, written hyphenated in either case. Raises `ValueError`."""
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise ValueError("not a GUID")
    return value.lower()


def paid_status(payment_status: int) -> str:
    """Give the Swedish text that the server computes for an invoice's PaymentStatus."""
    return _PAID_STATUS.get(payment_status, "Okänd")


def utf16_length(text: str) -> int:
    """Count as .NET counts a string's length. Raises `ValueError` for half of a surrogate pair."""
    return len(text.encode("utf-16-le")) // 2


def _read_field(name: str, kind: Kind, value: object) -> object:
    if value is None and kind.nullable:
        return () if kind.default == () else None
    try:
        return kind.read(value)
    except (TypeError, ValueError) as error:
        raise Refused(f"{name}: {error}") from None


def _text(limit: int | None = None) -> Kind:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise TypeError("not a string")
        length = utf16_length(value)
        if limit is not None and length > limit:
            raise ValueError(f"longer than {limit} characters")
        return value

    return Kind(read, nullable=True)


def _integer(low: int, high: int) -> Kind:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"not an integer of {low} to {high}")
        return value

    return Kind(read, default=0)


def _read_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _read_decimal(value: object) -> Decimal:
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(number, Decimal) or abs(number) >= _DECIMAL_END:
        raise ValueError("not a decimal number")
    return number


def _read_time(value: object) -> Moment:
    if not isinstance(value, str):
        raise TypeError("not a date")
    return to_moment(value)


def _read_list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not an array")
    return value


def _many(model: Callable[[], Model]) -> Kind:
    return Kind(lambda value: [read_model(model(), item) for item in _read_list(value)], default=(), nullable=True)


def _optional(kind: Kind) -> Kind:
    return replace(kind, default=None, nullable=True)


TEXT: Final = _text()
TEXT_10, TEXT_15, TEXT_20, TEXT_36, TEXT_50 = _text(10), _text(15), _text(20), _text(36), _text(50)
TEXT_100, TEXT_250, TEXT_500 = _text(100), _text(250), _text(500)
GUID: Final = Kind(to_guid, default=ZERO_GUID)
BOOL: Final = Kind(_read_bool, default=False)
BYTE: Final = _integer(0, 2**8 - 1)
INT: Final = _integer(-(2**31), 2**31 - 1)
LONG: Final = _integer(-(2**63), 2**63 - 1)
DECIMAL: Final = Kind(_read_decimal, default=Decimal("0.0"))
TIME: Final = Kind(_read_time, default=UNSET)
OPTIONAL_TIME: Final = _optional(TIME)
OPTIONAL_GUID: Final = _optional(GUID)

CUSTOM_FIELD: Final[Model] = {
    "Id": GUID,
    "FieldId": GUID,
    "CustomerId": GUID,
    "Caption": TEXT,
    "Text": TEXT,
    "SortOrder": INT,
    "Updated": TIME,
}

CUSTOMER: Final[Model] = {
    "Id": GUID,
    "ParentId": replace(GUID, nullable=True),
    "Name": TEXT_100,
    "OrgNo": TEXT_50,
    "Address1": TEXT,
    "Address2": TEXT,
    "FloorNo": INT,
    "PortCode": TEXT_10,
    "CustomerNo": TEXT_500,
    "City": TEXT_50,
    "Phone": TEXT_20,
    "Email": TEXT_250,
    "ZipCode": TEXT_10,
    "Reference": TEXT_250,
    "DirectPrint": BOOL,
    "VehicleId": INT,
    "CommunicationTypeId": INT,
    "Active": BOOL,
    "Synced": BOOL,
    "EnableRUT": BOOL,
    "RUTDisallowedUntil": OPTIONAL_TIME,
    "CustomerType": INT,
    "PrimaryName": TEXT_100,
    "PrimaryPhone": TEXT_20,
    "PrimaryEmail": TEXT_250,
    "SendReceipt": BOOL,
    "InstructionAlert": BOOL,
    "Instructions": TEXT_500,
    "PaymentMethod": INT,
    "DeliveryMethod": INT,
    "Created": TIME,
    "Updated": TIME,
    "UpdatedBy": replace(GUID, nullable=True),
    "PriceListId": replace(GUID, nullable=True),
    "Customer_CustomField": _many(lambda: CUSTOM_FIELD),
    "DiscountGroupId": OPTIONAL_GUID,
    "OrgNumber": TEXT,
    "CustomerName": TEXT,
    "Address": TEXT,
    "ContactReference": TEXT,
    "PrimaryContacts": _many(lambda: CUSTOMER),
    "DiscountGroup": Kind(lambda value: read_model({}, value), nullable=True),
    "Parent": Kind(lambda value: read_model(CUSTOMER, value), nullable=True),
    "ShowEdit": BOOL,
}

CUSTOMER_DEBT: Final[Model] = {
    "Id": GUID,
    "OrderId": GUID,
    "CustomerId": GUID,
    "InvoiceDate": TIME,
    "Status": INT,
    "TotalAmount": DECIMAL,
    "RUTAmount": DECIMAL,
    "Balance": DECIMAL,
    "PayNow": BOOL,
    "PaymentType": BYTE,
    "Synced": BOOL,
    "Updated": TIME,
    "InvoiceNumber": LONG,
    "BtnColor": TEXT,
    "PaidBy": TEXT,
}

# The pages give no fields for lines and payments; these are the least that shows nesting.
_LINE: Final[Model] = {"Id": GUID, "Quantity": DECIMAL, "UnitPrice": DECIMAL}
_PAYMENT: Final[Model] = {"Id": GUID, "PaidAmount": DECIMAL, "PaymentDate": TIME}
_RECEIPT: Final[Model] = {"Id": GUID}

ORDER: Final[Model] = {
    "Id": GUID,
    "CreationDate": TIME,
    "OrderNoOfDay": TEXT_15,
    "TableId": INT,
    "TableName": TEXT_20,
    "CustomerId": OPTIONAL_GUID,
    "Status": INT,
    "Type": INT,
    "PaymentStatus": INT,
    "Comments": TEXT_500,
    "OrderComments": TEXT_500,
    "InvoiceNumber": LONG,
    "InvoiceDate": OPTIONAL_TIME,
    "InvoiceGenerated": BOOL,
    "UserId": TEXT_36,
    "CheckOutUserId": TEXT_36,
    "Bong": INT,
    "TrainingMode": BOOL,
    "TerminalId": GUID,
    "OutletId": GUID,
    "SourceTerminalId": TEXT_36,
    "CustomerInvoiceId": OPTIONAL_GUID,
    "RoundedAmount": DECIMAL,
    "OrderTotal": DECIMAL,
    "ServeFlowId": BYTE,
    "ServeFlowStatus": BYTE,
    "CategoryId": BYTE,
    "DeliveryDate": OPTIONAL_TIME,
    "EnableRUT": BOOL,
    "CustomerReferenceId": OPTIONAL_GUID,
    "ExternalStatus": INT,
    "PerformaCount": BYTE,
    "DeleteReason": TEXT_50,
    "DiscountReason": TEXT_50,
    "WaitForCourse": BOOL,
    "TableRecreated": BOOL,
    "ReturnRecreated": BOOL,
    "Updated": TIME,
    "OrderState": TEXT_20,
    "OrderLines": _many(lambda: _LINE),
    "Receipts": _many(lambda: _RECEIPT),
    "Payments": _many(lambda: _PAYMENT),
    "RUTDiscount": DECIMAL,
    "CustomerName": TEXT,
    "CustomerPhone": TEXT,
    "PrimaryContact": TEXT,
    "PrimaryPhone": TEXT,
    "PrimaryEmail": TEXT,
    "CustomerNo": TEXT,
    "Email": TEXT,
    "CustomerAddress": TEXT,
    "CreatedBy": TEXT,
    "IsSelected": BOOL,
    "EmailSent": BOOL,
    "SentDate": OPTIONAL_TIME,
    "DueDate": OPTIONAL_TIME,
    "BalanceAmount": DECIMAL,
    "ServiceTypeCode": TEXT,
    "IsGiftCardSale": BOOL,
    "OpenSynced": BOOL,
    "Synced": BOOL,
}

CUSTOMER_INVOICE: Final[Model] = {
    "Id": GUID,
    "InvoiceNumber": LONG,
    "CustomerId": GUID,
    "Remarks": TEXT,
    "InvoiceTotal": DECIMAL,
    "PaymentStatus": INT,
    "PaidDate": OPTIONAL_TIME,
    "DueDate": OPTIONAL_TIME,
    "EmailSent": BOOL,
    "SentDate": OPTIONAL_TIME,
    "OutletId": GUID,
    "TerminalId": GUID,
    "ForeignInvoiceNumber": LONG,
    "Deleted": BOOL,
    "ExportStatus": INT,
    "ExportError": TEXT_500,
    "CreationDate": TIME,
    "Synced": BOOL,
    "OrdersGuid": Kind(lambda value: [to_guid(item) for item in _read_list(value)], default=(), nullable=True),
    "PaidStatus": TEXT,
}
