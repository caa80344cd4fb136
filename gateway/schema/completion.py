"""From references to what was asked: an object is fetched only when the selection needs more of it than is known.

A failed fetch takes away the fields that depended on it and nothing else: what the reference carried is still answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from gateway.model import UNREAD, Customer, DataWarning, DataWarningCode, Invoice, InvoiceSettings, Order, Permission, Record
from gateway.schema.context import Context, Info
from gateway.schema.selection import asked_of

TYPE_NAMES: Mapping[type[Record], str] = {
    Customer: "Customer",
    Order: "Order",
    Invoice: "Invoice",
    InvoiceSettings: "InvoiceSettings",
}
_RENAMED = {"creditedInvoice": "credited_invoice_number"}
NEEDS_RAW = "origin.raw"
# Fields of an invoice that may be answered by way of its order.
_BEHIND = {"customer": "orders", "amountDue": "orders", "payments": "orders"}
_ATTRIBUTES = {
    record_type: {to_camel_case(field.name): field.name for field in fields(record_type)} | (_RENAMED if record_type is Invoice else {})
    for record_type in TYPE_NAMES
}
"""Of each type: the attribute behind each field of the graph."""


@dataclass(slots=True)
class Incomplete:
    """A reference whose object could not be fetched: known fields answer, all others raise the failure."""

    record: Record
    failure: Exception

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the record has)
        value = getattr(self.record, name)
        if value is UNREAD:
            raise self.failure
        return value


def unwrapped(value: object) -> object:
    """Give the record behind a value, for telling its type."""
    return value.record if isinstance(value, Incomplete) else value


def read_field(parent: object, name: str) -> object:
    """Read a field of an object: the graph's default resolver. What no call could tell is null."""
    value = getattr(parent, name)
    return None if value is UNREAD else value


async def complete(info: Info, record: Record | None) -> Record | Incomplete | None:
    """Give an object with everything that is asked of it here, fetching it when that needs more than is known."""
    if record is None or not _needs_fetch(info, record):
        return record
    info.context.demand_sight(record.ref)
    try:
        fetched = await info.context.loaders.load_record(record.ref, wanted(info, type(record)))
    except Exception as failure:  # raised by each field that needs it; a bug in a source takes no known field away either
        if record.is_alias:
            raise
        return Incomplete(record, failure)
    if fetched is not None:
        return fetched
    return None if record.is_alias else _absent(record)


async def complete_all(info: Info, records: Sequence[Record] | None) -> list[Record | Incomplete | None] | None:
    """Complete a list, all of it at once."""
    if records is None:
        return None
    return list(await asyncio.gather(*(complete(info, record) for record in records)))


def wanted(info: Info, record_type: type[Record]) -> frozenset[str] | None:
    """Give the attributes of a record that are asked for below this field; None: all of it, for its raw JSON."""
    asked = asked_of(info, TYPE_NAMES[record_type])
    if NEEDS_RAW in asked and _may_see_raw(info.context):
        return None
    return attributes_of(asked, record_type)


def attributes_of(asked: Collection[str], record_type: type[Record]) -> frozenset[str]:
    """Give the attributes of a record that answer some fields, those of its order too where it may have to say it."""
    attributes = _ATTRIBUTES[record_type]
    names = {attributes[name] for name in asked if name in attributes}
    if record_type is Invoice:
        names.update(attribute for name, attribute in _BEHIND.items() if name in asked)
    return frozenset(names)


def _needs_fetch(info: Info, record: Record) -> bool:
    if record.is_alias:
        return True
    asked = asked_of(info, TYPE_NAMES[type(record)])
    if NEEDS_RAW in asked and record.raw is None and _may_see_raw(info.context):
        return record.fetched_at is None
    attributes = _ATTRIBUTES[type(record)]
    return any(getattr(record, attributes[name]) is UNREAD for name in asked if name in attributes and not _is_elsewhere(record, name))


def _is_elsewhere(record: Record, name: str) -> bool:
    """Say whether a field of an object that was read is a call of its own: lines, or the party of an invoice's order."""
    if record.fetched_at is None:
        return False
    return name == "lines" or (name == "customer" and isinstance(record, Invoice) and record.orders is not UNREAD)


def _may_see_raw(context: Context) -> bool:
    return context.caller.may(Permission.RAW)


def _absent(record: Record) -> Record:
    """Give a reference to nothing: what it carried stays, the rest is null, and a warning says why."""
    unread = {field.name: None for field in fields(record) if getattr(record, field.name) is UNREAD}
    known = record.warnings or ()
    warning = DataWarning(DataWarningCode.REFERENCE_NOT_FOUND, "another record points here, and the source has no such object")
    return replace(record, **{**unread, "warnings": (*known, warning)})  # type: ignore[arg-type]  # names come from the record itself
