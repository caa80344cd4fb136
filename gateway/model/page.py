"""Lists: what is asked for, and one page of one source's answer."""

from __future__ import annotations

from datetime import date, datetime

from gateway.model.entities import InvoiceType, OrderStatus, PaymentStatus
from gateway.model.record import Record
from gateway.model.ref import Kind, Ref
from gateway.model.value import value


@value(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which objects of a kind are asked for. None: not asked. Bounds are inclusive."""

    kind: Kind
    number: str | None = None
    organization_number: str | None = None
    """Ten digits without hyphen."""
    email: str | None = None
    search: str | None = None
    updated_since: datetime | None = None
    customer: Ref | None = None
    order: Ref | None = None
    status: OrderStatus | None = None
    source_status: tuple[str, str] | None = None
    """Upstream field and code."""
    ordered_from: datetime | None = None
    ordered_to: datetime | None = None
    type: InvoiceType | None = None
    is_credit: bool | None = None
    payment_status: frozenset[PaymentStatus] | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    group_key: str | None = None
    include_deleted: bool = False

    @property
    def asked(self) -> frozenset[str]:
        """The names of the criteria that are set; `kind` and `include_deleted` are none of them."""
        return frozenset(name for name in CRITERIA if getattr(self, name) is not None)


CRITERIA = (
    "number", "organization_number", "email", "search", "updated_since", "customer", "order", "status", "source_status", "ordered_from",
    "ordered_to", "type", "is_credit", "payment_status", "issued_from", "issued_to", "due_from", "due_to", "group_key",
)  # fmt: skip


@value(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """One page of one source, in the source's own order, which new objects must not disturb: they come at the end.

    `positions[i]`: where to go on after `records[i]`; `next_position`: where to go on after the page, None at the end. A position
    is text that only its source reads; it holds for any page size and survives a restart of the gateway.
    `applied`: the criteria that the source has honoured itself, fully; the others are applied by the gateway where the records
    have the fields. `total`: all matches, only where the source says so and has applied every criterion. `unreadable`: rows left
    out because they cannot be read. `left_out`: in words, what part of the answer the source could not give (a window that could
    not be completed, say); empty when the page is all there is.
    """

    records: tuple[Record, ...] = ()
    positions: tuple[str, ...] = ()
    next_position: str | None = None
    applied: frozenset[str] = frozenset()
    total: int | None = None
    unreadable: int = 0
    left_out: tuple[str, ...] = ()
