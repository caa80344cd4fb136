"""From references to what was asked: an object is fetched only when the selection needs more of it than is known.

A failed fetch takes away the fields that depended on it and nothing else: what the reference carried is still answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, cast

from strawberry.utils.str_converters import to_camel_case

from gateway.errors import NotPermitted
from gateway.model import UNREAD, Customer, DataWarning, DataWarningCode, Invoice, InvoiceSettings, Order, Permission, Record, Unread
from gateway.schema.bulk import Column, first_failure
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
    column = complete_each(info, [record])
    (completed,) = column if isinstance(column, list) else await column
    if isinstance(completed, Exception):
        raise completed
    return cast("Record | Incomplete | None", completed)


def complete_each(info: Info, records: Sequence[object]) -> Column | Awaitable[Column]:
    """Complete objects as `complete` does one; waits only where one has to be fetched. What is no object, as a failure, stays as it is."""
    needs: dict[type[Record], _Needs] = {}
    lacking: dict[type[Record], list[int]] = {}
    for at, record in enumerate(records):
        if not isinstance(record, Record):
            continue
        record_type = type(record)
        need = needs.get(record_type)
        if need is None:
            need = needs[record_type] = _needs_of(info, record_type)
        if need.are_unmet_by(record):
            lacking.setdefault(record_type, []).append(at)
    return _fetched(info, list(records), lacking) if lacking else list(records)


def complete_lists(info: Info, lists: Sequence[object]) -> Column | Awaitable[Column]:
    """Complete the objects of several lists at once; a list of which one object failed is that failure. What is no list stays as it is."""
    flat = [record for records in lists if isinstance(records, list | tuple) for record in records]
    column = complete_each(info, flat)
    return _split(column, lists) if isinstance(column, list) else _split_later(column, lists)


async def _split_later(column: Awaitable[Column], lists: Sequence[object]) -> Column:
    return _split(await column, lists)


def _split(column: Column, lists: Sequence[object]) -> Column:
    found: Column = []
    start = 0
    for records in lists:
        if not isinstance(records, list | tuple):
            found.append(records)
            continue
        part = column[start : start + len(records)]
        start += len(records)
        found.append(first_failure(part) or part)
    return found


async def _fetched(info: Info, records: Column, lacking: Mapping[type[Record], list[int]]) -> Column:
    await asyncio.gather(*(_fetch(info, records, record_type, places) for record_type, places in lacking.items()))
    return records


async def _fetch(info: Info, records: Column, record_type: type[Record], places: Sequence[int]) -> None:
    """Put in the place of records what their source has of them."""
    allowed: list[int] = []
    for at in places:
        try:
            info.context.demand_sight(records[at].ref)
        except NotPermitted as refusal:
            records[at] = refusal
        else:
            allowed.append(at)
    answers = await info.context.loaders.load_records([records[at].ref for at in allowed], wanted(info, record_type))
    for at, answer in zip(allowed, answers, strict=True):
        records[at] = _with_answer(records[at], answer)


def _with_answer(record: Record, answer: Record | Exception | None) -> Record | Incomplete | Exception | None:
    if isinstance(answer, Exception):  # raised by each field that needs it; a bug in a source takes no known field away either
        return answer if record.is_alias else Incomplete(record, answer)
    if answer is not None:
        return answer
    return None if record.is_alias else _absent(record)


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


@dataclass(frozen=True, slots=True)
class _Needs:
    """What is asked of objects of one type: the attributes that must have been read, and whether the source's JSON must."""

    values: Callable[[Record], tuple[object, ...]]
    lines: bool
    """Asked for, and a call of their own once the object was read."""
    party: bool
    """The customer of an invoice is asked for, which its order may have to say."""
    raw: bool

    def are_unmet_by(self, record: Record) -> bool:
        """Say whether more is asked of an object than is known of it."""
        if record.is_alias:
            return True
        if self.raw and record.raw is None:
            return record.fetched_at is None
        if Unread in map(type, self.values(record)):
            return True
        is_read = record.fetched_at is not None
        if self.lines and not is_read and getattr(record, "lines", None) is UNREAD:
            return True
        return self.party and isinstance(record, Invoice) and record.customer is UNREAD and not (is_read and record.orders is not UNREAD)


def _needs_of(info: Info, record_type: type[Record]) -> _Needs:
    asked = asked_of(info, TYPE_NAMES[record_type])
    attributes = _ATTRIBUTES[record_type]
    own = {attributes[name] for name in asked if name in attributes} - {"lines"}
    party = record_type is Invoice and "customer" in own
    names = own - {"customer"} if party else own
    # Twice what is always there, so that there are always several values.
    values = attrgetter("ref", "ref", *names)
    return _Needs(values, "lines" in asked, party, NEEDS_RAW in asked and _may_see_raw(info.context))


def _may_see_raw(context: Context) -> bool:
    return context.caller.may(Permission.RAW)


def _absent(record: Record) -> Record:
    """Give a reference to nothing: what it carried stays, the rest is null, and a warning says why."""
    unread = {field.name: None for field in fields(record) if getattr(record, field.name) is UNREAD}
    known = record.warnings or ()
    warning = DataWarning(DataWarningCode.REFERENCE_NOT_FOUND, "another record points here, and the source has no such object")
    return replace(record, **{**unread, "warnings": (*known, warning)})  # type: ignore[arg-type]  # names come from the record itself
