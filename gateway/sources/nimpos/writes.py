"""The one write, `PostCustomerInvoice`: what may be in it, its body, and what proves it. Pure.

It adds or updates by the caller's `Id`, answers no body, and skips unknown orders without a word (observed in a sibling of the
server). An order that carries the invoice's id as `CustomerInvoiceId` is the only proof that it happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from gateway.errors import GatewayError
from gateway.model import CreateInvoice, Ref, UpstreamRefusal, UserError, UserErrorCode
from gateway.sources.base import Prepared, SourceProfile
from gateway.sources.decode import is_default_guid, is_writable, local_midnight, text_or_none
from gateway.sources.nimpos.payloads import OrderPayload, guid_of
from gateway.transport import Response

OrderAnswer: TypeAlias = OrderPayload | GatewayError | None
"""Of an order that was asked for; None: NIMPOS has no such order."""

SYSTEM_INPUT: Final = "nimpos"
EXPORT_ERROR_MAX_LENGTH: Final = 500  # the vendor's page
OWN_FIELDS: Final[Mapping[str, str]] = {
    "payment_status_code": "PaymentStatus",
    "paid_at": "PaidDate",
    "email_sent": "EmailSent",
    "sent_at": "SentDate",
    "outlet_id": "OutletId",
    "terminal_id": "TerminalId",
    "foreign_invoice_number": "ForeignInvoiceNumber",
    "deleted": "Deleted",
    "export_status_code": "ExportStatus",
    "export_error": "ExportError",
    "synced": "Synced",
    "paid_status_label": "PaidStatus",
}
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_INTEGER: Final = 2**63 - 1
_LONGEST_MESSAGE: Final = 1000
_DOCUMENTED_ORDER: Final = (
    "Id",
    "InvoiceNumber",
    "CustomerId",
    "Remarks",
    "InvoiceTotal",
    "PaymentStatus",
    "PaidDate",
    "DueDate",
    "EmailSent",
    "SentDate",
    "OutletId",
    "TerminalId",
    "ForeignInvoiceNumber",
    "Deleted",
    "ExportStatus",
    "ExportError",
    "CreationDate",
    "Synced",
    "OrdersGuid",
    "PaidStatus",
)


def mistakes(write: CreateInvoice, profile: SourceProfile, *, remarks_max_length: int | None = None) -> list[UserError]:
    """Find everything wrong with an invoice to write, as far as it can be seen without asking NIMPOS."""
    return [
        *_missing(write),
        *_not_accepted(write, profile),
        *_of_another_source(write, profile),
        *_unfit(write, profile),
        *_too_old(write, profile.time_zone),
        *_too_long(write, remarks_max_length),
    ]


def unknown_orders(orders: Sequence[Ref], found: Mapping[Ref, OrderAnswer]) -> list[UserError]:
    """Name the orders that NIMPOS does not have: those that are None in `found`."""
    return [
        _error(UserErrorCode.NOT_FOUND, "NIMPOS has no such order and would leave it out without a word", "orders", str(index))
        for index, ref in enumerate(orders)
        if ref in found and found[ref] is None
    ]


def carriers(write: CreateInvoice, found: Mapping[Ref, OrderAnswer]) -> list[UserError]:
    """Name the orders that carry an invoice with the id that the caller chose: NIMPOS would write over it without a word."""
    return [
        _error(UserErrorCode.INVALID, f"order {ref.native_id} carries an invoice with this id, which would be written over", "nativeId")
        for ref, order in found.items()
        if write.native_id_given and _invoice_of(order) == str(write.native_id)
    ]


def to_body(write: CreateInvoice, zone: ZoneInfo, now: datetime) -> dict[str, object]:
    """Make the body of an invoice without mistakes, in the order of the vendor's page; what was not given is left out."""
    own = write.system.get(SYSTEM_INPUT, {})
    foreign_number = own.get("foreign_invoice_number")
    content: dict[str, object] = {
        **{OWN_FIELDS[name]: value for name, value in own.items()},
        "Id": write.native_id,
        "InvoiceNumber": None if write.number is None else int(write.number),
        "CustomerId": None if write.customer is None else write.customer.native_id,
        "Remarks": write.note,
        "InvoiceTotal": None if write.total is None else write.total.amount,
        "DueDate": write.due_date,
        "ForeignInvoiceNumber": None if foreign_number is None else int(str(foreign_number)),
        "CreationDate": write.created_at or now.astimezone(zone),
        "OrdersGuid": list(dict.fromkeys(order.native_id for order in write.orders)),
    }
    return {name: _on_the_wire(content[name], zone) for name in _DOCUMENTED_ORDER if content.get(name) is not None}


def links(orders: Mapping[Ref, OrderAnswer]) -> dict[str, str | None]:
    """Remember which invoice each order carries; None: none that can be read."""
    return {ref.native_id: _invoice_of(order) for ref, order in orders.items()}


def telling_orders(prepared: Prepared) -> dict[str, str | None]:
    """Give the orders that can tell, with what they carried: those that did not carry this invoice before it was sent."""
    if prepared.result is None or not isinstance(prepared.before, Mapping):
        return {}
    return {order: invoice for order, invoice in prepared.before.items() if invoice != prepared.result.native_id}


def is_written(invoice_id: str, orders: Sequence[tuple[str | None, OrderAnswer]]) -> bool | None:
    """Say what the telling orders prove, each with what it carried before.

    None: nothing, since one cannot be read or says nothing of invoices, or carries yet another one, which may have taken the
    place of this; or there is none.
    """
    if any(_invoice_of(order) == invoice_id for _, order in orders):
        return True
    return False if orders and all(_is_as_before(order, before) for before, order in orders) else None


def where_to_look(prepared: Prepared) -> str:
    """Say what a person has to look at where nothing is proven."""
    invoice_id = "" if prepared.result is None else prepared.result.native_id
    orders = ", ".join(prepared.before) if isinstance(prepared.before, Mapping) else ""
    return f"look in NIMPOS for invoice {prepared.subject} with the Id {invoice_id}, or at CustomerInvoiceId of its orders: {orders}"


def refusals(response: Response) -> tuple[UpstreamRefusal, ...]:
    """Read `{"Message": ...}` where there is one; NIMPOS is known to refuse with an empty 417."""
    try:
        answer = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    message = answer.get("Message") if isinstance(answer, dict) else None
    text = text_or_none(message[:_LONGEST_MESSAGE]) if isinstance(message, str) else None
    return (UpstreamRefusal(status=response.status, message=text),)


def _invoice_of(order: OrderAnswer) -> str | None:
    return guid_of(order.customer_invoice_id) if isinstance(order, OrderPayload) else None


def _is_as_before(order: OrderAnswer, before: str | None) -> bool:
    return isinstance(order, OrderPayload) and order.customer_invoice_id is not msgspec.UNSET and _invoice_of(order) == before


def _missing(write: CreateInvoice) -> list[UserError]:
    own = write.system.get(SYSTEM_INPUT, {})
    given: dict[tuple[str, ...], bool] = {
        ("customer",): write.customer is not None,
        ("orders",): bool(write.orders),
        ("number",): write.number is not None,
        ("total",): write.total is not None,
        (SYSTEM_INPUT, "outletId"): own.get("outlet_id") is not None,
        (SYSTEM_INPUT, "terminalId"): own.get("terminal_id") is not None,
    }
    return [_error(UserErrorCode.REQUIRED, f"NIMPOS needs {path[-1]}", *path) for path, is_given in given.items() if not is_given]


def _not_accepted(write: CreateInvoice, profile: SourceProfile) -> list[UserError]:
    own = write.system.get(SYSTEM_INPUT, {})
    given: dict[tuple[str, ...], bool] = {
        ("issueDate",): write.issue_date is not None,
        ("vat",): write.vat is not None,
        ("creditedInvoiceNumber",): write.credited_invoice_number is not None,
        ("lines",): bool(write.lines),
        # It has no field for one: where the source's own is not known, none can be seen to be the same.
        ("total", "currency"): write.total is not None and write.total.currency is not None and profile.default_currency is None,
        **{(system,): True for system in write.system if system != SYSTEM_INPUT},
        **{(SYSTEM_INPUT, name): True for name in own if name not in OWN_FIELDS},
    }
    return [
        _error(UserErrorCode.NOT_ACCEPTED_BY_SOURCE, f"NIMPOS takes no {path[-1]}", *path) for path, is_given in given.items() if is_given
    ]


def _of_another_source(write: CreateInvoice, profile: SourceProfile) -> list[UserError]:
    references: dict[tuple[str, ...], Ref | None] = {
        ("customer",): write.customer,
        **{("orders", str(index)): order for index, order in enumerate(write.orders)},
    }
    return [
        _error(UserErrorCode.CROSS_SOURCE_REFERENCE, f"this is no object of {profile.key}", *path)
        for path, ref in references.items()
        if ref is not None and ref.source != profile.key
    ]


def _unfit(write: CreateInvoice, profile: SourceProfile) -> list[UserError]:
    found: list[UserError] = []
    currency = None if write.total is None else write.total.currency
    own = write.system.get(SYSTEM_INPUT, {})
    keys = {
        ("nativeId",): write.native_id,
        (SYSTEM_INPUT, "outletId"): own.get("outlet_id"),
        (SYSTEM_INPUT, "terminalId"): own.get("terminal_id"),
    }
    found.extend(
        _error(UserErrorCode.INVALID, "the all-zero UUID stands for none", *path)
        for path, key in keys.items()
        if isinstance(key, UUID) and is_default_guid(key)
    )
    if write.number is not None and (write.number == "0" or not _is_integer(write.number)):
        found.append(
            _error(UserErrorCode.INVALID, f"NIMPOS numbers are integers from 1 to {_MAX_INTEGER}, without leading zeros", "number")
        )
    foreign_number = own.get("foreign_invoice_number")
    if foreign_number is not None and not _is_integer(str(foreign_number)):
        message = f"this is no integer from 0 to {_MAX_INTEGER} without leading zeros"
        found.append(_error(UserErrorCode.INVALID, message, SYSTEM_INPUT, "foreignInvoiceNumber"))
    if currency is not None and profile.default_currency not in {None, currency}:
        message = f"the amounts of this source are {profile.default_currency}"
        found.append(_error(UserErrorCode.CURRENCY_MISMATCH, message, "total", "currency"))
    return found


def _too_old(write: CreateInvoice, zone: ZoneInfo) -> list[UserError]:
    """Find dates that no JSON date can say."""
    own = write.system.get(SYSTEM_INPUT, {})
    given: dict[tuple[str, ...], object] = {
        ("dueDate",): write.due_date,
        ("createdAt",): write.created_at,
        (SYSTEM_INPUT, "paidAt"): own.get("paid_at"),
        (SYSTEM_INPUT, "sentAt"): own.get("sent_at"),
    }
    return [
        _error(UserErrorCode.INVALID, "this date is too old to be written with its offset", *path)
        for path, value in given.items()
        if isinstance(value, date) and not is_writable(_local(value, zone))
    ]


def _too_long(write: CreateInvoice, remarks_max_length: int | None) -> list[UserError]:
    found: list[UserError] = []
    export_error = write.system.get(SYSTEM_INPUT, {}).get("export_error")
    if remarks_max_length is not None and write.note is not None and len(write.note) > remarks_max_length:
        found.append(_error(UserErrorCode.TOO_LONG, f"at most {remarks_max_length} characters, as configured", "note"))
    if isinstance(export_error, str) and len(export_error) > EXPORT_ERROR_MAX_LENGTH:
        message = f"at most {EXPORT_ERROR_MAX_LENGTH} characters"
        found.append(_error(UserErrorCode.TOO_LONG, message, SYSTEM_INPUT, "exportError"))
    return found


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and int(text) <= _MAX_INTEGER


def _on_the_wire(value: object, zone: ZoneInfo) -> object:
    match value:
        case UUID():
            return str(value)
        case date():  # an instant, too
            return _local(value, zone).isoformat()
        case _:
            return value


def _local(value: date, zone: ZoneInfo) -> datetime:
    """Give an instant, or the start of a day, in local time, as NIMPOS writes its own: its day is then the one that NIMPOS will show."""
    if not isinstance(value, datetime):
        return local_midnight(value, zone)
    try:
        return value.astimezone(zone)
    except OverflowError:  # the first and the last instant there is have no neighbour in another zone
        return value


def _error(code: UserErrorCode, message: str, *path: str) -> UserError:
    return UserError(code, message, ("input", *path))
