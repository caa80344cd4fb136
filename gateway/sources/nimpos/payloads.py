"""What NIMPOS sends, typed as far as the gateway reads it, and the rows of its documents.

Collections come from a serialiser that keeps references: an object has an `$id`, and where it comes again stands `{"$ref": "n"}`
(samples of the pages GetCustomerInvoice and GetSettings). References are followed only where the gateway reads: a customer has
its parent and the parent's contacts inside, which in turn have their parents; written out that grows without bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from gateway.sources.decode import Malformed, decode_tree, is_default_guid, is_nothing

Row: TypeAlias = dict[str, Any]
"""One object of a document, as it came."""


class InvoicePayload(msgspec.Struct, frozen=True, rename="pascal"):
    """`CustomerInvoice` (page `ResourceModel?modelName=CustomerInvoice`): all of it."""

    id: str | None = None
    invoice_number: int | str | None = None
    customer_id: str | None = None
    remarks: str | None = None
    invoice_total: Decimal | None = None
    payment_status: int | str | None = None
    paid_date: str | None = None
    due_date: str | None = None
    email_sent: bool | None = None
    sent_date: str | None = None
    outlet_id: str | None = None
    terminal_id: str | None = None
    foreign_invoice_number: int | str | None = None
    deleted: bool | None = None
    export_status: int | str | None = None
    export_error: str | None = None
    creation_date: str | None = None
    synced: bool | None = None
    orders_guid: list[str] | None = None
    paid_status: str | None = None


class CustomerPayload(msgspec.Struct, frozen=True, rename="pascal"):
    """`Customer` (page of GetCustomers), what the gateway reads of it."""

    id: str | None = None
    name: str | None = None
    org_no: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip_code: str | None = None
    city: str | None = None
    customer_no: int | str | None = None
    phone: str | None = None
    email: str | None = None
    customer_type: int | str | None = None


class OrderPayload(msgspec.Struct, frozen=True, rename="pascal"):
    """`Order` (page `ResourceModel?modelName=Order`), what the gateway reads of it. The fields of its lines are not published."""

    id: str | None = None
    creation_date: str | None = None
    order_no_of_day: int | str | None = None
    customer_id: str | None = None
    customer_no: int | str | None = None
    customer_name: str | None = None
    status: int | str | None = None
    payment_status: int | str | None = None
    external_status: int | str | None = None
    order_state: int | str | None = None
    customer_invoice_id: str | None = None
    rounded_amount: Decimal | None = None
    order_total: Decimal | None = None
    order_lines: Any = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The objects of a list by their `Id`, lower case. Not `complete`: something in the list has no readable `Id`."""

    by_id: Mapping[str, Row]
    complete: bool


def to_rows(body: bytes) -> Rows:
    """Read a list of objects. Raises `Malformed` when it is no list."""
    tree = decode_tree(body)
    if not isinstance(tree, list):
        raise Malformed("a list was promised")
    rows = followed(tree, tree)
    keys = [guid_of(row.get("Id")) for row in rows]
    by_id = {key: row for key, row in zip(keys, rows, strict=True) if key is not None}
    return Rows(by_id, complete=None not in keys and len(rows) == len(tree))


def to_order_row(body: bytes) -> Row | None:
    """Read one order, its lines written out; None for an empty answer or `null`. Raises `Malformed` when it is no object."""
    if is_nothing(body):
        return None
    tree = decode_tree(body)
    if not isinstance(tree, dict):
        raise Malformed("an object was promised")
    lines = tree.get("OrderLines")
    return {**tree, "OrderLines": followed(lines, tree)} if isinstance(lines, list) else tree


def guid_of(value: object) -> str | None:
    """Read a GUID as lower-case text; None for anything else, all zeros too."""
    try:
        guid = UUID(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if guid is None or is_default_guid(guid) else str(guid)


def followed(items: Sequence[object], document: object) -> list[Row]:
    """Give the objects of a list, each reference replaced by what it stands for; what is no object is left out."""
    known = _kept(document) if any(isinstance(item, dict) and "$ref" in item for item in items) else {}
    objects = (known.get(str(item["$ref"])) if "$ref" in item else item for item in items if isinstance(item, dict))
    return [item for item in objects if item is not None]


def _kept(document: object) -> dict[str, Row]:
    """Find every object of a document that others may refer to."""
    found: dict[str, Row] = {}
    to_visit: list[object] = [document]
    while to_visit:
        node = to_visit.pop()
        if isinstance(node, dict):
            if "$id" in node:
                found[str(node["$id"])] = node
            to_visit.extend(node.values())
        elif isinstance(node, list):
            to_visit.extend(node)
    return found
