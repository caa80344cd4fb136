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
    updated: str | None = None


class DebtPayload(msgspec.Struct, frozen=True, rename="pascal"):
    """`CustomerDebt` (page of GetCustomerDebts), what the gateway reads of it."""

    id: str | None = None
    customer_id: str | None = None
    balance: Decimal | None = None
    updated: str | None = None
    invoice_number: int | str | None = None


class OrderPayload(msgspec.Struct, frozen=True, rename="pascal"):
    """`Order` (page `ResourceModel?modelName=Order`), what the gateway reads of it.

    The fields of its lines and payments are not published.
    """

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
    customer_invoice_id: str | msgspec.UnsetType | None = msgspec.UNSET
    rounded_amount: Decimal | None = None
    order_total: Decimal | None = None
    order_lines: Any = None
    payments: Any = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The objects of a list by their `Id`, lower case. `unkeyed`: how many things in the list have no readable `Id`."""

    by_id: Mapping[str, Row]
    unkeyed: int = 0

    @property
    def complete(self) -> bool:
        """Say whether nothing in the list is without a key."""
        return self.unkeyed == 0


def to_rows(body: bytes) -> Rows:
    """Read a list of objects. Raises `Malformed` when it is no list."""
    tree = _to_list(body)
    return _keyed(followed(tree, tree), len(tree))


def to_order_rows(body: bytes) -> Rows:
    """Read a list of orders, their lines and payments written out. Raises `Malformed` when it is no list."""
    tree = _to_list(body)
    known = _kept(tree) if b'"$ref"' in body else {}
    return _keyed([_written_out(row, known) for row in _resolved(tree, known)], len(tree))


def to_order_row(body: bytes) -> Row | None:
    """Read one order, its lines and payments written out; None for an empty answer or `null`. Raises `Malformed` for anything else."""
    if is_nothing(body):
        return None
    tree = decode_tree(body)
    if not isinstance(tree, dict):
        raise Malformed("an object was promised")
    return _written_out(tree, _kept(tree) if b'"$ref"' in body else {})


def guid_of(value: object) -> str | None:
    """Read a GUID as lower-case text; None for anything else, all zeros too."""
    try:
        guid = UUID(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if guid is None or is_default_guid(guid) else str(guid)


def followed(items: Sequence[object], document: object) -> list[Row]:
    """Give the objects of a list, each reference replaced by what it stands for; what is no object is left out."""
    return _resolved(items, _kept(document) if any(isinstance(item, dict) and "$ref" in item for item in items) else {})


def _to_list(body: bytes) -> list[Any]:
    tree = decode_tree(body)
    if not isinstance(tree, list):
        raise Malformed("a list was promised")
    return tree


def _keyed(rows: Sequence[Row], sent: int) -> Rows:
    keyed = [(key, row) for row in rows if (key := guid_of(row.get("Id"))) is not None]
    return Rows(dict(keyed), sent - len(keyed))


def _written_out(order: Row, known: Mapping[str, Row]) -> Row:
    lists = {name: order[name] for name in ("OrderLines", "Payments") if isinstance(order.get(name), list)}
    return {**order, **{name: _resolved(items, known) or items for name, items in lists.items()}}


def _resolved(items: Sequence[object], known: Mapping[str, Row]) -> list[Row]:
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
