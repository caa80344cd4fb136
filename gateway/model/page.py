"""Lists: what is asked for, and one page of one source's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.model.entities import InvoiceType, OrderStatus, PaymentStatus
from gateway.model.record import Record
from gateway.model.ref import Kind, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
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
        """The names of the criteria that are set; `include_deleted` and `kind` are none of them."""
        return frozenset(name for name in CRITERIA if getattr(self, name) is not None)


CRITERIA = (
    "number", "organization_number", "email", "search", "updated_since", "customer", "order", "status", "source_status", "ordered_from",
    "ordered_to", "type", "is_credit", "payment_status", "issued_from", "issued_to", "due_from", "due_to", "group_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """One page of one source.

    `applied`: the criteria that the source has honoured itself, fully; the others are applied by the gateway where the records
    have the fields. `next_position`: where to go on, None at the end; it survives a restart of the gateway. `total`: all
    matches, only where the source says so and every criterion was applied. `unreadable`: rows left out because they cannot be
    read. `ignored`: criteria that neither the source nor the gateway can honour here, each with why, in words.
    """

    records: tuple[Record, ...] = ()
    applied: frozenset[str] = frozenset()
    next_position: str | None = None
    total: int | None = None
    unreadable: int = 0
    ignored: Mapping[str, str] = field(default_factory=dict)
